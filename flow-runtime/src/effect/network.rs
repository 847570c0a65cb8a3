//! Servers: each round trip is an effect.

use std::time::Duration;

#[cfg(any(feature = "aws", feature = "postgres"))]
use tokio::runtime::Runtime;
#[cfg(feature = "postgres")]
use tokio::time::timeout;
#[cfg(feature = "aws")]
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

use super::Breaks;
#[cfg(feature = "postgres")]
use super::{Broken, effect};
#[cfg(feature = "aws")]
use super::{Effect, Passage, world};

/// Awaits the answer to what is sent, under a name that is dotted, stable and in lower case: `kinesis.get_records`. How long
/// it may take is the caller's to say.
#[cfg(feature = "aws")]
pub(crate) async fn call<T, E: Breaks>(name: &'static str, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let passage = Passage::begin(Effect { what: name, verb: "", path: None })?;
    let answer = answer.await?;
    passage.end()?;
    Ok(answer)
}

/// Waits for what calls of its own make up.
#[cfg(feature = "aws")]
pub(crate) fn wait<T>(runtime: &Runtime, answer: impl Future<Output = T>) -> T {
    match Handle::try_current().map(|theirs| theirs.runtime_flavor()) {
        // The program has threads of its own for tasks, and runs a flow on one of them.
        Ok(RuntimeFlavor::MultiThread) => block_in_place(|| runtime.block_on(answer)),
        _ => runtime.block_on(answer),
    }
}

/// Lets this time go by without holding a thread.
#[cfg(feature = "aws")]
pub(crate) async fn pause(time: Duration) {
    match world::here() {
        Some(world) => {
            world.sleep(time);
            // Whoever waits lets others go on, whatever the clock.
            tokio::task::yield_now().await;
        }
        None => tokio::time::sleep(time).await,
    }
}

/// Why there is no answer.
#[cfg(feature = "postgres")]
#[derive(Debug)]
pub(crate) enum Unanswered<E> {
    /// What the client of the server says.
    Failed(E),
    /// It did not come in time.
    Late,
    /// Somebody has broken the effect on purpose.
    Broken(Broken),
}

#[cfg(feature = "postgres")]
impl<E> Breaks for Unanswered<E> {
    fn broken(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Sends something and waits for the answer, no longer than `patience`.
#[cfg(feature = "postgres")]
pub(crate) fn round_trip<T, E>(
    name: &'static str,
    runtime: &Runtime,
    patience: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, Unanswered<E>> {
    effect(name, || {
        // A timer is made where the runtime runs.
        match runtime.block_on(async { timeout(patience, answer).await }) {
            Ok(answer) => answer.map_err(Unanswered::Failed),
            Err(_) => Err(Unanswered::Late),
        }
    })
}
