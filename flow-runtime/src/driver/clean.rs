//! Tidying up: what runs that died have left behind, what is from before resets, and, on demand, old iterations.
//!
//! An attempt is revoked in the store before what it staged is removed: whoever still works at it cannot seal it any
//! more. What a sealed manifest names stays until its iteration is done; what a live run works at stays, too.

use std::time::Duration;

use super::{
    Checkpoint,
    place::{Lock, Place},
    ports::Ports,
};
use crate::{
    Error, Flow,
    effect::{self, clock},
    iteration::{
        decide::{AttemptState, Tidy, tidy},
        store::GivenUp,
        upkeep::Upkeep,
    },
    sink::{
        SinkTap,
        staging::{SPILLED, StagingArea},
    },
};

/// What is to be removed, besides what dead runs have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clean {
    /// Iterations that stay, if old ones are to go; their positions stay anyhow.
    pub kept_iterations: Option<u64>,
    /// How long what is left in a target stays that its ledger does not name, or no longer: somebody may be reading it.
    pub grace: Duration,
    /// Only say what would be removed.
    pub dry_run: bool,
}

impl Default for Clean {
    fn default() -> Self {
        Self { kept_iterations: None, grace: Self::GRACE, dry_run: false }
    }
}

impl Clean {
    /// A day.
    pub const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cleaned {
    /// Staged rows and spilled groups that nobody wants, by attempt, and their bytes.
    pub staged: Vec<(String, u64)>,
    /// Attempts that may be a live run's, and were left alone.
    pub left_alone: Vec<String>,
    /// What attempts have left in targets, and its bytes: the attempt, and the port.
    pub in_targets: Vec<(String, String, u64)>,
    /// Attempts that have staged something in a target that cannot be asked now, and why not: the attempt, and the port.
    pub out_of_reach: Vec<(String, String)>,
    /// Attempts of dead runs that were still noted as open.
    pub dead_attempts: u64,
    /// What is from before resets: when each was, in microseconds since the epoch of Unix, and how many iterations.
    pub former_epochs: Vec<(i64, u64)>,
    /// Iterations that nobody needs any more.
    pub iterations: Vec<u64>,
    /// Bytes that the store became smaller by.
    pub store_bytes: u64,
}

/// Removes what nobody wants any more of `flow`, also in the targets that it is bound to.
///
/// # Errors
/// [`Error::Store`] when there is no store, or when something cannot be removed.
pub fn clean<F: Flow>(flow: &F, checkpoint: &Checkpoint, what: Clean) -> Result<Cleaned, Error> {
    let (ports, _) = Ports::open_each(flow);
    clean_named(&F::PLAN.logical_name(), &ports, checkpoint, what)
}

/// The same, by the flow's logical name.
pub(super) fn clean_named(flow: &str, ports: &Ports, checkpoint: &Checkpoint, what: Clean) -> Result<Cleaned, Error> {
    let place = checkpoint.place("nothing is left behind")?;
    place.must_exist(flow)?;
    let Some(looked) = place.look(flow)? else { return Ok(Cleaned::default()) };
    let staging = StagingArea::at(place.staging(flow, &*looked));
    let (lock, run_is_live) = take_lock(&place, flow, what.dry_run)?;
    let store = match what.dry_run {
        true => looked,
        // The flow is there: nothing is made.
        false => place.open(flow, &effect::id(), 0)?,
    };
    let mut cleaned = Cleaned::default();
    clean_staging(&*store, (&staging, ports), run_is_live, what.dry_run, &mut cleaned)?;
    clean_targets(&*store, (flow, ports), run_is_live, what, &mut cleaned)?;
    clean_store(&*store, what, &mut cleaned)?;
    let has_forgotten = !cleaned.former_epochs.is_empty() || !cleaned.iterations.is_empty();
    if has_forgotten && !what.dry_run && !run_is_live {
        cleaned.store_bytes = store.compact()?;
    }
    drop(lock);
    Ok(cleaned)
}

/// Takes the lock, if it can be had and something will be changed; says whether somebody else has it.
fn take_lock(place: &Place, flow: &str, only_look: bool) -> Result<(Option<Lock>, bool), Error> {
    let taken = match only_look {
        true => place.look_at_lock(flow).map(|()| None),
        false => place.lock(flow).map(Some),
    };
    match taken {
        Ok(lock) => Ok((lock, false)),
        Err(Error::Busy(_)) => Ok((None, true)),
        Err(error) => Err(error),
    }
}

fn clean_staging(
    store: &dyn Upkeep,
    (staging, ports): (&StagingArea, &Ports),
    run_is_live: bool,
    dry_run: bool,
    cleaned: &mut Cleaned,
) -> Result<(), Error> {
    for name in staging.attempts()? {
        let attempt = name.strip_suffix(SPILLED).unwrap_or(&name);
        // Asked after the folder was found, for each by itself: it may have been sealed in between.
        let known = store.staged(attempt)?;
        let is_open = known.attempt == Some(AttemptState::Open);
        let is_wanted = match attempt == name {
            true => tidy(known, run_is_live) == Tidy::Leave,
            // Only who reads needs what is spilled.
            false => is_open && run_is_live,
        };
        if is_wanted {
            if is_open {
                cleaned.left_alone.push(name);
            }
            continue;
        }
        let bytes = staging.bytes(&name)?;
        let elsewhere = if attempt == name { staging.elsewhere(&name)? } else { Vec::new() };
        // Its folder is what it is found by: it stays as long as something is in a target.
        if let Some(port) = elsewhere.into_iter().find(|port| output(ports, port).is_none()) {
            cleaned.out_of_reach.push((name, port));
            continue;
        }
        if !dry_run {
            let is_garbage = store.revoke(attempt, GivenUp::Revoked("its run has died"))?;
            if !is_garbage && attempt == name {
                continue;
            }
            if attempt == name {
                ports.remove_staged(attempt)?;
            }
            staging.remove(&name)?;
        }
        cleaned.staged.push((name, bytes));
    }
    for attempt in store.open_attempts()?.iter().filter(|_| !run_is_live) {
        if !dry_run {
            store.revoke(&attempt.id, GivenUp::Revoked("its run has died"))?;
        }
        cleaned.dead_attempts += 1;
    }
    Ok(())
}

/// The tap of an output, if it is bound and can be opened.
fn output<'p>(ports: &'p Ports, port: &str) -> Option<&'p dyn SinkTap> {
    ports.plan.port(port).and_then(|(index, _)| ports.output(index))
}

/// Removes what only the targets tell of: what was written late, or by machines that are gone, and what was replaced.
fn clean_targets(
    store: &dyn Upkeep,
    (flow, ports): (&str, &Ports),
    run_is_live: bool,
    what: Clean,
    cleaned: &mut Cleaned,
) -> Result<(), Error> {
    let grace_us = i64::try_from(what.grace.as_micros()).unwrap_or(i64::MAX);
    let until_us = clock::now_us().saturating_sub(grace_us);
    for (index, port) in ports.ports() {
        let Some(tap) = ports.output(index) else { continue };
        for left in tap.left_behind(flow)?.into_iter().filter(|left| left.written_us <= until_us) {
            // Asked after it was found, as above.
            if tidy(store.staged(&left.attempt)?, run_is_live) == Tidy::Leave {
                continue;
            }
            if !what.dry_run {
                if !store.revoke(&left.attempt, GivenUp::Revoked("its run has died"))? {
                    continue;
                }
                tap.remove_left_behind(&left.attempt)?;
            }
            cleaned.in_targets.push((left.attempt, port.name.to_owned(), left.bytes));
        }
    }
    Ok(())
}

fn clean_store(store: &dyn Upkeep, what: Clean, cleaned: &mut Cleaned) -> Result<(), Error> {
    for former in store.former_epochs()? {
        if !what.dry_run {
            store.forget_epoch(&former.epoch)?;
        }
        cleaned.former_epochs.push((former.ended_us, former.iterations));
    }
    if let Some(kept) = what.kept_iterations {
        cleaned.iterations = store.forgettable(kept)?;
        if !what.dry_run && !cleaned.iterations.is_empty() {
            store.forget_iterations(kept)?;
        }
    }
    Ok(())
}
