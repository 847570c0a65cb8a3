//! The one door to the world: whatever touches a disk, a database, the network or a clock passes here, under a name.
//!
//! So a run can list its effects, and be stopped, failed, or have an answer lost at any of them: in a test by the world
//! that its thread is in (`world.rs`), in a real process by what its environment says (`faults.rs`). The thin wrappers of
//! what touches the outside are here too (`disk.rs`, `sqlite.rs`, `network.rs`, `clock.rs`); everywhere else clippy refuses the
//! functions that they wrap.
//!
//! An effect is what takes place or not: a file opened, a buffer written, a sync, a rename, a transaction begun, its
//! statements, its commit, a round trip. Never a row.

#![expect(clippy::disallowed_methods, reason = "this is the place that they are for")]

pub(crate) mod clock;
pub(crate) mod disk;
mod faults;
pub(crate) mod listener;
mod moves;
mod mutants;
#[cfg(any(feature = "aws", feature = "postgres"))]
pub(crate) mod network;
pub(crate) mod sqlite;
mod world;

use std::{fmt, io, path::Path, sync::Arc};

pub(crate) use moves::counted;
pub(crate) use mutants::{Mutant, mutant};
pub(crate) use world::World;
#[cfg(feature = "aws")]
pub(crate) use world::accompanied;
#[cfg(test)]
pub(crate) use world::in_world;
pub(crate) use world::{id, inherited, owner};

pub(crate) use faults::{is_flow_lock_off, patience};

use crate::{Error, Failure};

/// What passes the door.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect<'a> {
    /// Dotted, stable, lower case: `sqlite.commit`; or what is acted on, with the act in `verb`.
    what: &'static str,
    verb: &'static str,
    /// The file or folder, where there is one.
    #[cfg_attr(not(test), expect(dead_code, reason = "for worlds that are a disk themselves"))]
    pub(crate) path: Option<&'a Path>,
}

impl fmt::Display for Effect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, verb, .. } = self;
        if verb.is_empty() { f.write_str(what) } else { write!(f, "{what}.{verb}") }
    }
}

#[cfg(any(test, feature = "faults"))]
impl Effect<'_> {
    /// This effect, broken.
    pub(crate) fn broken(&self, moment: Moment) -> Broken {
        Broken { effect: self.to_string(), moment }
    }
}

/// When, about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It has not happened.
    Before,
    /// It has happened, and its answer is not known yet.
    After,
}

/// An effect that somebody has broken on purpose.
#[derive(Debug)]
pub(crate) struct Broken {
    effect: String,
    moment: Moment,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.moment {
            Moment::Before => write!(f, "{} was made to fail", self.effect),
            Moment::After => write!(f, "the answer of {} was made to be lost", self.effect),
        }
    }
}

/// An error that can stand for a broken effect.
pub(crate) trait Breaks {
    /// The error.
    fn broken(broken: Broken) -> Self;
}

impl Breaks for io::Error {
    fn broken(broken: Broken) -> Self {
        Self::other(broken.to_string())
    }
}

impl Breaks for rusqlite::Error {
    fn broken(broken: Broken) -> Self {
        Self::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR), Some(broken.to_string()))
    }
}

impl Breaks for Error {
    fn broken(broken: Broken) -> Self {
        Self::Store(Failure::new(broken.to_string()))
    }
}

/// Does what the outside notices, under a name that is dotted, stable and in lower case: `sqlite.commit`.
pub(crate) fn effect<T, E: Breaks>(name: &'static str, act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    pass(Effect { what: name, verb: "", path: None }, act)
}

fn pass<T, E: Breaks>(effect: Effect<'_>, act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let passage = Passage::begin(effect)?;
    let done = act()?;
    passage.end()?;
    Ok(done)
}

/// What passes, between its two moments.
struct Passage<'a> {
    effect: Effect<'a>,
    world: Option<Arc<dyn World>>,
    fault: faults::Fault,
}

impl<'a> Passage<'a> {
    fn begin<E: Breaks>(effect: Effect<'a>) -> Result<Self, E> {
        let passage = Self { world: world::here(), fault: faults::next(&effect), effect };
        passage.permit(Moment::Before)?;
        Ok(passage)
    }

    fn end<E: Breaks>(self) -> Result<(), E> {
        self.permit(Moment::After)?;
        moves::count();
        Ok(())
    }

    fn permit<E: Breaks>(&self, moment: Moment) -> Result<(), E> {
        let Self { effect, world, fault } = self;
        let asked = world.as_ref().map_or(Ok(()), |world| world.permit(effect, moment));
        asked.and_then(|()| fault.strike(effect, moment)).map_err(E::broken)
    }
}

#[cfg(test)]
mod tests;
