//! What to do next, from what is known: pure functions, without clock or effect.
//!
//! The facts come from the store and from how the flow is bound now; `driver/mod.rs` gathers them and does what is
//! decided here. That another run is under way is not decided but found out, by its lock (`driver/lock.rs`); nobody asks
//! here without holding that lock.
//!
//! On what conditions a store changes what it keeps is in `conditions.rs`. That all of it together keeps its promise,
//! lock or no lock, is shown by the search in `iteration/model/`.

mod again;
mod conditions;
mod upkeep;

use std::{collections::HashMap, time::Duration};

use super::{Output, Range, Sealed, SealedShard};
use crate::{
    effect::{Mutant, mutant},
    held::{Case, Cause},
    sink::Mode,
    source::KnownShard,
};

pub use again::{OutputChange, TableChange};
pub(crate) use again::{changed_range, compare_outputs, compare_tables};
pub(crate) use conditions::{AttemptState, Marked, SealFacts, is_garbage, mark, may_revoke, may_seal, seal_end};
pub use upkeep::Unfinished;
pub(crate) use upkeep::{NoRestage, Staged, SwapFacts, Tidy, may_swap, restageable, thrown_away, tidy};

/// How a sink or trap is bound now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The sink or trap.
    pub(crate) port: String,
    /// Its target without secrets; `None` for a trap without address.
    pub(crate) place: Option<String>,
    /// What happens to rows that are there.
    pub(crate) mode: Mode,
    /// The names and types of its fields, as text.
    pub(crate) fields: String,
}

/// What to do when a run starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start<'a> {
    /// An earlier run sealed this iteration and did not finish: publish it from its manifest, then ask again.
    Publish(&'a Sealed),
    /// Nothing is left over: read this iteration.
    Open(u64),
    /// This sealed iteration cannot be published as the flow is bound now: a person must choose.
    Held {
        /// The iteration.
        iteration: u64,
        /// The sink or trap that does not fit.
        port: &'a str,
        /// What does not fit, and what to do.
        why: Misfit,
    },
}

/// Why a manifest cannot be published to a port as it is bound now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// What differs.
    pub(crate) cause: String,
    /// What to do.
    pub(crate) help: String,
    /// Which of the known causes it is.
    pub(crate) case: Case,
}

/// Decides how a run starts, from the last sealed iteration, the sealed ones that are not done (oldest first) and how the
/// outputs are bound.
///
/// Leftovers go first and in order, because a target takes iteration n only after n−1. A held one is looked at like any
/// other: whether it still needs a person is found out anew.
pub(crate) fn start<'a>(latest: Option<u64>, unfinished: &'a [Sealed], bound: &[Bound]) -> Start<'a> {
    let Some(oldest) = unfinished.first() else {
        return Start::Open(latest.map_or(0, |latest| latest + 1));
    };
    match misfits(oldest, bound).next() {
        Some((port, why)) => Start::Held { iteration: oldest.iteration, port, why },
        None => Start::Publish(oldest),
    }
}

/// What of a sealed iteration cannot be published as the outputs are bound now.
pub(crate) fn misfits<'a>(sealed: &'a Sealed, bound: &[Bound]) -> impl Iterator<Item = (&'a str, Misfit)> {
    let wanting = sealed.outputs.iter().filter(|output| !output.loaded);
    wanting.filter_map(|output| Some((output.staged.port.as_str(), misfit(output, bound)?)))
}

fn misfit(output: &Output, bound: &[Bound]) -> Option<Misfit> {
    let finish = "to finish it, run once more as before";
    let Some(now) = bound.iter().find(|bound| bound.port == output.staged.port) else {
        let cause = "the flow has no such output any more".to_owned();
        let help = format!("{finish}, with the program that sealed it");
        return Some(Misfit { cause, help, case: Cause::OutputGone.case() });
    };
    if now.fields != output.staged.fields {
        let cause = format!(
            "its rows were staged with the fields ({}), the port now has ({})",
            output.staged.fields, now.fields
        );
        let help = format!("{finish}, with the program that sealed it");
        return Some(Misfit { cause, help, case: Cause::OtherFields.case() });
    }
    let former = former_address(output);
    if now.place.as_ref() != Some(&output.place) {
        let place = now.place.as_deref().unwrap_or("no address");
        let cause = format!("its rows were staged for {}, the port now has {place}", output.place);
        let help = format!("{finish}, with the former address");
        return Some(Misfit { cause, help, case: Cause::OtherAddress.case().former(former) });
    }
    if now.mode != output.mode {
        let cause = format!("its rows were staged for mode {:?}, the port now has {:?}", output.mode, now.mode);
        let help = format!("{finish}, with the former mode");
        return Some(Misfit { cause, help, case: Cause::OtherMode.case().former(former) });
    }
    None
}

/// The address that an output had, with its mode.
fn former_address(output: &Output) -> String {
    let separator = if output.place.contains('?') { '&' } else { '?' };
    match output.place.as_str() {
        "stdout:" => output.place.clone(),
        place => format!("{place}{separator}mode={}", output.mode.as_str()),
    }
}

/// What the source at `port` is told of earlier iterations: each of its shards, and the first position not yet read.
pub(crate) fn known_shards(sealed: &[SealedShard], port: &str) -> Vec<KnownShard> {
    let of_port = sealed.iter().filter(|shard| shard.port == port && !is_trap(&shard.shard));
    of_port
        .map(|SealedShard { shard, name, mark, next, last, covered_us, .. }| KnownShard {
            id: shard.clone(),
            name: name.clone(),
            mark: mark.clone(),
            next: next.clone(),
            last: last.clone(),
            covered_us: *covered_us,
        })
        .collect()
}

/// What the id of a shard begins with that is a trap, retried: no tap knows it.
const TRAP: &str = "trap:";

/// The id that a trap has as a shard of a source: that of the port, wherever its target has been moved to. That the target
/// is another one is noticed by what a position says of it.
pub(crate) fn trap_shard(port: &str) -> String {
    format!("{TRAP}{port}")
}

/// Whether a shard is a trap.
pub(crate) fn is_trap(shard: &str) -> bool {
    shard.starts_with(TRAP)
}

/// The shards that were not read on from where they had been sealed to, because somebody has accepted the gap: as a
/// person reads it. Of some the source has `told` what is missing; of others the positions say it.
pub(crate) fn gaps<'t>(
    ranges: &[Range],
    sealed: &[SealedShard],
    told: impl Fn(&Range) -> Option<&'t str>,
) -> Vec<String> {
    let by_positions = |range: &Range| {
        let before = sealed.iter().find(|shard| (&shard.port, &shard.shard) == (&range.port, &range.shard))?;
        let moved = before.next != range.first;
        moved.then(|| format!("it was read to {}, and goes on at {}", before.next, range.first))
    };
    let gap = |range: &Range| {
        let gap = told(range).map(str::to_owned).or_else(|| by_positions(range))?;
        Some(format!("gap accepted in {}: {gap}", range.name))
    };
    ranges.iter().filter(|range| !is_trap(&range.shard)).filter_map(gap).collect()
}

/// Whether an iteration needs to run the operators when no source has a new record.
///
/// The first one does: a right join has its unmatched rows even if nothing came. Later ones would repeat them at every
/// run. A flow without sources has nothing to wait for, and runs each time.
pub(crate) fn runs_without_records(iteration: u64, sources: usize) -> bool {
    iteration == 0 || sources == 0 || mutant(Mutant::EmptyRunsOperators)
}

/// How old the store's knowledge may be that nothing has come: a tenth of the shortest retention of a stream, a day.
pub(crate) const COVERED_KEPT: Duration = Duration::from_secs(2 * 60 * 60);
const COVERED_KEPT_US: i64 = COVERED_KEPT.as_micros() as i64;

/// What to do with an iteration that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// Seal what was staged, and what was read of these shards; of others the store has it already.
    Everything(Vec<Range>),
    /// No new record, but these shards are new or have moved on: seal their positions, publish nothing.
    Positions(Vec<Range>),
    /// Nothing new at all: leave the store as it is.
    Nothing,
}

/// Decides what is sealed of what was read of each shard. Most of a thousand files have nothing new, iteration after
/// iteration: they are not worth a thousand rows in the store each time.
pub(crate) fn close(iteration: u64, sources: usize, ranges: Vec<Range>, sealed: &[SealedShard]) -> Close {
    let sealed: HashMap<_, _> = sealed.iter().map(|shard| ((&shard.port, &shard.shard), shard)).collect();
    let is_sealed = |range: &Range| {
        // A new name counts, since a source may go by it; that nothing came for long, for it may be asked for later.
        sealed.get(&(&range.port, &range.shard)).is_some_and(|shard| {
            (&shard.name, &shard.next) == (&range.name, &range.next)
                && range.covered_us.is_none_or(|now| shard.covered_us.is_some_and(|then| now - then < COVERED_KEPT_US))
        })
    };
    let moved: Vec<Range> = ranges.into_iter().filter(|range| range.records > 0 || !is_sealed(range)).collect();
    if runs_without_records(iteration, sources) || moved.iter().any(|range| range.records > 0) {
        Close::Everything(moved)
    } else if moved.is_empty() {
        Close::Nothing
    } else {
        Close::Positions(moved)
    }
}

#[cfg(test)]
mod tests;
