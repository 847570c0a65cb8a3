//! The world that a thread is in: the time, random ids, its own name, and leave to act. The process itself, unless a test
//! has put another in its place, so that none sleeps and every effect can fail.

use std::{
    cell::RefCell,
    fmt,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use super::{Broken, Effect, Moment, moves};

/// The world, as a run sees it. What one does not say is as where nothing moves and nothing fails: a test says what it is about.
pub(crate) trait World: fmt::Debug + Send + Sync {
    /// Microseconds since the epoch of Unix.
    fn now_us(&self) -> i64 {
        0
    }

    /// The time since some moment, by a clock that is never set.
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    /// Lets this time go by.
    fn sleep(&self, _time: Duration) {}

    /// A random id, never given twice.
    fn id(&self) -> String {
        "id".to_owned()
    }

    /// Who runs, for people: `pid 4711`.
    fn owner(&self) -> String {
        "a test".to_owned()
    }

    /// Asked just before an effect and just after it: an error is as if it had not happened, or its answer were lost.
    fn permit(&self, _effect: &Effect<'_>, _moment: Moment) -> Result<(), Broken> {
        Ok(())
    }

    /// How this world's flow is broken, if it is.
    #[cfg(any(test, feature = "faults"))]
    fn mutant(&self) -> Option<super::Mutant> {
        None
    }
}

thread_local! {
    static HERE: RefCell<Option<Arc<dyn World>>> = const { RefCell::new(None) };
}

/// The world that somebody has put this thread into.
pub(super) fn here() -> Option<Arc<dyn World>> {
    HERE.with_borrow(Clone::clone)
}

/// Acts in a world.
pub(crate) fn in_world<T>(world: Arc<dyn World>, act: impl FnOnce() -> T) -> T {
    /// Puts the former world back, also when the act panics.
    struct Back(Option<Arc<dyn World>>);
    impl Drop for Back {
        fn drop(&mut self) {
            HERE.set(self.0.take());
        }
    }
    let _back = Back(HERE.replace(Some(world)));
    act()
}

/// The same act for a thread that is to be in the world of this one, and to raise the same count of what gets done.
pub(crate) fn inherited<T>(act: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let (world, moves) = (here(), moves::here());
    move || {
        let act = || match moves {
            Some(moves) => moves::counted(&moves, act),
            None => act(),
        };
        match world {
            Some(world) => in_world(world, act),
            None => act(),
        }
    }
}

/// The same task for a runtime whose threads are to be, for as long as they work on it, in the world of this one, and to raise
/// the same count of what gets done.
#[cfg(feature = "aws")]
pub(crate) fn accompanied<F: Future>(task: F) -> impl Future<Output = F::Output> + use<F> {
    let (world, moves) = (here(), moves::here());
    let mut task = Box::pin(task);
    std::future::poll_fn(move |context| {
        let mut act = || task.as_mut().poll(context);
        let act = || match &moves {
            Some(moves) => moves::counted(moves, act),
            None => act(),
        };
        match &world {
            Some(world) => in_world(Arc::clone(world), act),
            None => act(),
        }
    })
}

/// A random id, never given twice.
pub(crate) fn id() -> String {
    with(|world| world.id())
}

/// Who runs, for people: `pid 4711`.
pub(crate) fn owner() -> String {
    with(|world| world.owner())
}

pub(super) fn with<T>(ask: impl FnOnce(&dyn World) -> T) -> T {
    match here() {
        Some(world) => ask(&*world),
        None => ask(&Process),
    }
}

/// The process, its clock and its random numbers.
#[derive(Clone, Copy, Debug)]
struct Process;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

impl World for Process {
    fn now_us(&self) -> i64 {
        jiff::Timestamp::now().as_microsecond()
    }

    fn elapsed(&self) -> Duration {
        STARTED.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn id(&self) -> String {
        format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
    }

    fn owner(&self) -> String {
        format!("pid {}", std::process::id())
    }
}
