//! [`diagnose`]: a check, and what else may keep a flow from going on, or has been left behind.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use super::{Findings, check};
use crate::{
    Error, Flow,
    driver::{Checkpoint, Options, checkpoint::OpenCheckpoint, forget::is_known, place::Holder},
    effect::{clock, disk},
};

/// What is the matter with a flow.
#[derive(Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What a run would stumble over.
    pub findings: Findings,
    /// There is no store, or it does not know the flow: a run would make it, and every target that has been loaded disagree.
    pub is_store_new: bool,
    /// Who is at work on the flow.
    pub holder: Option<LockHolder>,
    /// What runs that died have left in the staging area.
    pub garbage: Option<Garbage>,
}

/// A process that has the lock of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockHolder {
    /// Its number, if it has written it down yet.
    pub pid: Option<u32>,
    /// The machine that it is on, if it is another one.
    pub host: Option<String>,
    /// For how long it has had the lock.
    pub held_for: Option<Duration>,
    /// Whether it is stopped, as by Ctrl-Z, and will not go on by itself.
    pub is_stopped: bool,
    /// The iteration that it reads, and for how long.
    pub reads: Option<(u64, Duration)>,
}

/// What nobody wants any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Garbage {
    /// Where it is.
    pub place: String,
    /// How many attempts have left something there.
    pub attempts: usize,
    /// What it takes.
    pub bytes: u64,
}

/// Finds out what is the matter with a flow, and changes nothing: all that [`check`] finds, each cause of HELD with what is
/// known of it; who has the lock; what has been left behind.
pub fn diagnose<F: Flow>(flow: &F, options: &Options) -> Diagnosis {
    let findings = check(flow, options);
    let name = F::PLAN.logical_name();
    let is_store_new = is_known(&options.checkpoint, &name).is_ok_and(|is_known| !is_known);
    let (mut at_work, mut garbage) = (None, None);
    if let Ok(Some(_)) = options.checkpoint.kept()
        && let Ok(checkpoint) = OpenCheckpoint::look(&options.checkpoint, name)
    {
        at_work = holder(&options.checkpoint, &checkpoint);
        garbage = find_garbage(&checkpoint, at_work.is_some()).ok().flatten();
    }
    Diagnosis { findings, is_store_new, holder: at_work, garbage }
}

/// Who is at work on the flow of a checkpoint, if somebody is.
pub(super) fn holder(kept: &Checkpoint, checkpoint: &OpenCheckpoint) -> Option<LockHolder> {
    let holder = kept.kept().ok()??.holder(&checkpoint.flow)?;
    Some(lock_holder(holder, checkpoint))
}

fn lock_holder(Holder { owner, host, since: taken }: Holder, checkpoint: &OpenCheckpoint) -> LockHolder {
    let pid =
        owner.strip_prefix("pid ").and_then(|pid| pid.split(|end: char| !end.is_ascii_digit()).next()?.parse().ok());
    let now = time(clock::now_us());
    let since = |time: SystemTime| now.duration_since(time).unwrap_or_default();
    let open = checkpoint.store.open_attempts().unwrap_or_default();
    let reads = open.iter().filter(|attempt| attempt.owner == owner).max_by_key(|attempt| attempt.opened_us);
    LockHolder {
        pid,
        held_for: taken.map(since),
        is_stopped: host.is_none() && pid.is_some_and(is_stopped),
        host,
        reads: reads.map(|attempt| (attempt.iteration, since(time(attempt.opened_us)))),
    }
}

fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Whether the system says that a process is stopped; where it says nothing, it is not.
fn is_stopped(pid: u32) -> bool {
    let status = disk::read_to_string("process", format!("/proc/{pid}/status").as_ref()).unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("State:")).is_some_and(|state| state.trim().starts_with('T'))
}

/// What is staged and belongs to nothing that is sealed and not done, nor to a run that is under way.
fn find_garbage(checkpoint: &OpenCheckpoint, is_busy: bool) -> Result<Option<Garbage>, Error> {
    let mut wanted: Vec<String> = checkpoint.store.unfinished()?.into_iter().map(|sealed| sealed.attempt).collect();
    if is_busy {
        wanted.extend(checkpoint.store.open_attempts()?.into_iter().map(|attempt| attempt.id));
    }
    let mut left = checkpoint.staging.attempts()?;
    left.retain(|attempt| !wanted.iter().any(|wanted| attempt.strip_suffix(".spill").unwrap_or(attempt) == wanted));
    let directory = checkpoint.staging.directory();
    let bytes = left.iter().map(|attempt| bytes_in(&directory.join(attempt))).sum();
    let garbage = Garbage { place: directory.display().to_string(), attempts: left.len(), bytes };
    Ok(Some(garbage).filter(|garbage| garbage.attempts > 0))
}

fn bytes_in(directory: &Path) -> u64 {
    let files = disk::names("staging", directory).unwrap_or_default();
    files.iter().filter_map(|file| disk::metadata("staging", &directory.join(file)).ok()).map(|facts| facts.len()).sum()
}
