//! The one asynchronous runtime of all AWS clients.

use std::{io, sync::LazyLock};

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

use crate::{
    Error, Failure,
    effect::{accompanied, network},
};

/// Threads that wait for answers and take them apart; records are processed elsewhere.
const THREADS: usize = 2;

static RUNTIME: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(THREADS).thread_name("aws").enable_all().build());

/// The runtime, to let something go on beside the caller.
///
/// # Errors
/// When the system has no thread for it.
pub(crate) fn runtime() -> Result<&'static Runtime, Error> {
    RUNTIME.as_ref().map_err(|error| {
        Error::Config(Failure::new("cannot start the threads that talk to AWS").cause(error).help("allow more threads"))
    })
}

/// Lets something go on beside the caller, in the caller's world.
///
/// # Errors
/// When there is no runtime.
pub(crate) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Result<JoinHandle<T>, Error> {
    Ok(runtime()?.spawn(accompanied(task)))
}

/// Waits for an answer; not to be called from what the runtime runs.
///
/// # Errors
/// When there is no runtime, or the answer is one.
pub(crate) fn wait<T, E: From<Error>>(answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    network::wait(runtime()?, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_may_be_run_by_a_task_of_the_program() {
        let theirs = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let run = async { wait(async { Ok::<_, Error>(7) }).unwrap() };
        assert_eq!(theirs.block_on(theirs.spawn(run)).unwrap(), 7);
    }
}
