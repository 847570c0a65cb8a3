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
    Error, Flow, Sink, Trap,
    effect::{self, clock},
    flow::PortRef,
    iteration::{
        decide::{AttemptState, Tidy, tidy},
        store::GivenUp,
        upkeep::Upkeep,
    },
    sink::{
        LeftBehind, Target,
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

impl Cleaned {
    /// Whether what an attempt has staged is among it.
    fn has_staged(&self, attempt: &str) -> bool {
        self.staged.iter().any(|(staged, _)| staged == attempt)
    }
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
    /// Attempts that have staged something in a target that the port is not bound to now: the attempt, the port, and where, if
    /// that was noted.
    pub out_of_reach: Vec<(String, String, String)>,
    /// Ports whose address cannot be opened, and why: their targets were not looked at.
    pub not_opened: Vec<(String, String)>,
    /// What could not be cleaned, and why: an attempt, or the target of a port.
    pub failed: Vec<(String, String)>,
    /// Attempts of dead runs that were still noted as open.
    pub dead_attempts: u64,
    /// What is from before resets: when each was, in microseconds since the epoch of Unix, and how many iterations.
    pub former_epochs: Vec<(i64, u64)>,
    /// Iterations that nobody needs any more.
    pub iterations: Vec<u64>,
    /// Bytes that the store became smaller by.
    pub store_bytes: u64,
}

/// Removes what nobody wants any more of `flow`, also in the targets that it is bound to. What cannot be removed in one of these,
/// or an address that cannot be opened, keeps it from nothing else.
///
/// # Errors
/// [`Error::Store`] when there is no store, or when something cannot be removed here.
pub fn clean<F: Flow>(flow: &F, checkpoint: &Checkpoint, what: Clean) -> Result<Cleaned, Error> {
    let (ports, failed) = Ports::open_each(flow);
    let is_bound_output = |port: &PortRef<'_>| match port {
        PortRef::Sink(Sink { target, .. }) | PortRef::Trap(Trap { target, .. }) => !matches!(target, Target::Unbound),
        PortRef::Source(_) | PortRef::Table(_) => false,
    };
    let is_told = |name| F::PLAN.port(name).is_some_and(|(index, _)| is_bound_output(&flow.ports()[index]));
    let failed = failed.into_iter().filter(|(name, _)| is_told(name));
    let not_opened = failed.map(|(name, error)| (name.to_owned(), error.to_string())).collect();
    let cleaned = clean_named(&F::PLAN.logical_name(), &ports, checkpoint, what)?;
    Ok(Cleaned { not_opened, ..cleaned })
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
        if let Some(unreached) = elsewhere.iter().find(|elsewhere| !ports.reach(elsewhere)) {
            let place = unreached.place.clone().unwrap_or_default();
            cleaned.out_of_reach.push((name, unreached.port.clone(), place));
            continue;
        }
        if !dry_run {
            let is_garbage = store.revoke(attempt, GivenUp::Revoked("its run has died"))?;
            if !is_garbage && attempt == name {
                continue;
            }
            if attempt == name
                && let Some((_, error)) = ports.remove_staged(attempt, elsewhere).into_iter().next()
            {
                cleaned.failed.push((name, error.to_string()));
                continue;
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
    let mut epochs = vec![store.epoch().to_owned()];
    epochs.extend(store.former_epochs()?.into_iter().map(|former| former.epoch));
    for (index, port) in ports.ports() {
        let Some(tap) = ports.output(index) else { continue };
        let left = match tap.left_behind(flow) {
            Ok(left) => left,
            Err(error) => {
                cleaned.failed.push((port.name.to_owned(), error.to_string()));
                continue;
            }
        };
        if let Some(epoch) = left.iter().filter_map(|left| left.epoch.as_ref()).find(|epoch| !epochs.contains(*epoch)) {
            let why = format!("it was loaded from another checkpoint store, of epoch {epoch}: clean with that one");
            cleaned.failed.push((port.name.to_owned(), why));
            continue;
        }
        let mut garbage = Vec::new();
        for left in left.into_iter().filter(|left| left.written_us <= until_us) {
            if is_garbage(store, &left, run_is_live, what.dry_run)? && !cleaned.has_staged(&left.attempt) {
                garbage.push(left);
            }
        }
        let attempts: Vec<String> = garbage.iter().map(|left| left.attempt.clone()).collect();
        if !what.dry_run
            && !attempts.is_empty()
            && let Err(error) = tap.remove_left_behind(&attempts)
        {
            cleaned.failed.push((port.name.to_owned(), error.to_string()));
            continue;
        }
        let removed = garbage.into_iter().map(|left| (left.attempt, port.name.to_owned(), left.bytes));
        cleaned.in_targets.extend(removed);
    }
    Ok(())
}

/// Whether nobody wants what an attempt has left in a target. Asked after it was found, as above. Then nobody can seal it any
/// more, unless this is only to look.
fn is_garbage(store: &dyn Upkeep, left: &LeftBehind, run_is_live: bool, dry_run: bool) -> Result<bool, Error> {
    let known = store.staged(&left.attempt)?;
    // Where nothing is published yet, it may be another store's, which has sealed it.
    let is_ours = left.epoch.is_some() || known.attempt.is_some();
    if !is_ours || tidy(known, run_is_live) == Tidy::Leave {
        return Ok(false);
    }
    if dry_run { Ok(true) } else { store.revoke(&left.attempt, GivenUp::Revoked("its run has died")) }
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
