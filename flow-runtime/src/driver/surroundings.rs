//! What a run takes from the world besides its ports: the time, random ids, its own name, and leave to act.
//!
//! Tests put others in their place, so that none sleeps and every effect can fail.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::Error;

/// The world, as a run sees it.
pub(crate) trait Surroundings: fmt::Debug {
    /// Microseconds since the epoch of Unix.
    fn now_us(&self) -> i64;

    /// The time since the run began, by a clock that is never set.
    fn elapsed(&self) -> Duration;

    /// A random id, never given twice.
    fn id(&self) -> String;

    /// Who runs, for people: `pid 4711`.
    fn owner(&self) -> String;

    /// Asked just before an effect on the outside and just after it: an error is as if the process had stopped there.
    fn permit(&self, effect: &'static str, moment: Moment) -> Result<(), Error>;
}

/// When, about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It has not happened.
    Before,
    /// It has happened.
    After,
}

/// The one door that every effect of an iteration passes.
pub(crate) fn effect<T>(
    world: &dyn Surroundings,
    name: &'static str,
    act: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    world.permit(name, Moment::Before)?;
    let done = act()?;
    world.permit(name, Moment::After)?;
    Ok(done)
}

/// The process, its clock and its random numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    started: Instant,
}

impl Process {
    /// The world of a run that begins now.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Surroundings for Process {
    fn now_us(&self) -> i64 {
        jiff::Timestamp::now().as_microsecond()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn id(&self) -> String {
        format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
    }

    fn owner(&self) -> String {
        format!("pid {}", std::process::id())
    }

    fn permit(&self, _effect: &'static str, _moment: Moment) -> Result<(), Error> {
        Ok(())
    }
}
