//! Mending and tidying: when a manifest may be swapped, what a reset would lose, what may be removed.

use super::conditions::{AttemptState, is_garbage};
use crate::iteration::{IterationDetail, Output, Sealed, SealedDetail, State};

/// What the condition of a swap asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SwapFacts {
    /// Whether the store's epoch is still that of the logical name.
    pub(crate) epoch_is_current: bool,
    /// The attempt that has staged the iteration anew.
    pub(crate) to: Option<AttemptState>,
    /// How far the iteration has come.
    pub(crate) iteration: Option<State>,
    /// Whether the attempt that is sealed as the iteration is the one whose rows were lost.
    pub(crate) from_is_sealed: bool,
    /// Whether the outputs that are not loaded are those that were not loaded when the rows were read again.
    pub(crate) unloaded_is_as_seen: bool,
}

/// The condition of a swap: the manifest is the old one, and no target has taken anything of what goes.
pub(crate) fn may_swap(facts: SwapFacts) -> bool {
    facts.epoch_is_current
        && facts.to == Some(AttemptState::Open)
        && matches!(facts.iteration, Some(State::Sealed | State::Held))
        && facts.from_is_sealed
        && facts.unloaded_is_as_seen
}

/// Why an iteration cannot be staged anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRestage {
    /// There is no such iteration, or no attempt at it was sealed: the next run reads it anyway.
    NotSealed,
    /// Every target has it.
    Loaded,
}

/// The seal of an iteration that may be staged anew.
///
/// # Errors
/// Why it cannot be.
pub(crate) fn restageable(detail: Option<&IterationDetail>) -> Result<&SealedDetail, NoRestage> {
    match detail.map(|detail| (detail.state, detail.sealed.as_ref())) {
        Some((State::Sealed | State::Held, Some(sealed))) => Ok(sealed),
        Some((State::Loaded | State::Done, _)) => Err(NoRestage::Loaded),
        _ => Err(NoRestage::NotSealed),
    }
}

/// What a reset throws away: sealed iterations that are not done, each with the outputs that have it and those that
/// lack it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// The iteration.
    pub iteration: u64,
    /// Ports whose targets have it.
    pub loaded: Vec<String>,
    /// Ports whose targets lack it, and how many rows.
    pub lacking: Vec<(String, u64)>,
}

/// Says what a reset would throw away.
pub(crate) fn thrown_away(unfinished: &[Sealed]) -> Vec<Unfinished> {
    let of = |sealed: &Sealed| {
        let (loaded, lacking): (Vec<&Output>, Vec<&Output>) = sealed.outputs.iter().partition(|output| output.loaded);
        Unfinished {
            iteration: sealed.iteration,
            loaded: loaded.into_iter().map(|output| output.staged.port.clone()).collect(),
            lacking: lacking.into_iter().map(|output| (output.staged.port.clone(), output.staged.rows)).collect(),
        }
    };
    unfinished.iter().map(of).collect()
}

/// What a store knows of an attempt that has something staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Staged {
    /// Whether its epoch is the one that the logical name has now; true if it is unknown.
    pub(crate) epoch_is_current: bool,
    /// The attempt.
    pub(crate) attempt: Option<AttemptState>,
    /// How far the iteration has come that it is sealed as, if it is.
    pub(crate) iteration: Option<State>,
}

/// What to do with what an attempt has staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tidy {
    /// It is sealed and not done, or a run is at it.
    Leave,
    /// Nobody wants it: it is to be revoked, and then removed.
    Remove,
}

/// Decides what to do with what an attempt has staged. `run_is_live`: somebody holds the lock of the flow; the attempt
/// that is open then may be his.
pub(crate) fn tidy(staged: Staged, run_is_live: bool) -> Tidy {
    let is_open = staged.epoch_is_current && staged.attempt == Some(AttemptState::Open);
    let attempt = if is_open && !run_is_live { Some(AttemptState::Revoked) } else { staged.attempt };
    match is_garbage(staged.epoch_is_current, attempt, staged.iteration) {
        true => Tidy::Remove,
        false => Tidy::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iteration::Seal;

    const FACTS: SwapFacts = SwapFacts {
        epoch_is_current: true,
        to: Some(AttemptState::Open),
        iteration: Some(State::Sealed),
        from_is_sealed: true,
        unloaded_is_as_seen: true,
    };

    #[test]
    fn a_manifest_is_swapped_while_it_is_the_old_one_and_nothing_more_was_loaded() {
        assert!(may_swap(FACTS) && may_swap(SwapFacts { iteration: Some(State::Held), ..FACTS }));
        for refused in [
            SwapFacts { epoch_is_current: false, ..FACTS },
            SwapFacts { to: Some(AttemptState::Revoked), ..FACTS },
            SwapFacts { to: None, ..FACTS },
            SwapFacts { to: Some(AttemptState::Sealed), ..FACTS },
            SwapFacts { iteration: Some(State::Loaded), ..FACTS },
            SwapFacts { iteration: Some(State::Done), ..FACTS },
            SwapFacts { iteration: None, ..FACTS },
            SwapFacts { from_is_sealed: false, ..FACTS },
            SwapFacts { unloaded_is_as_seen: false, ..FACTS },
        ] {
            assert!(!may_swap(refused), "{refused:?}");
        }
    }

    #[test]
    fn an_iteration_is_restaged_between_its_seal_and_its_load() {
        let sealed = SealedDetail {
            attempt: "a".to_owned(),
            seal: Seal::default(),
            loaded_us: None,
            done_us: None,
            tables_before: Vec::new(),
        };
        let detail =
            |state, sealed| IterationDetail { iteration: 3, state, note: String::new(), tries: Vec::new(), sealed };
        for state in [State::Sealed, State::Held] {
            assert_eq!(restageable(Some(&detail(state, Some(sealed.clone())))), Ok(&sealed));
        }
        for state in [State::Loaded, State::Done] {
            assert_eq!(restageable(Some(&detail(state, Some(sealed.clone())))), Err(NoRestage::Loaded));
        }
        for state in [State::Open, State::Held] {
            assert_eq!(restageable(Some(&detail(state, None))), Err(NoRestage::NotSealed));
        }
        assert_eq!(restageable(None), Err(NoRestage::NotSealed));
    }

    #[test]
    fn what_a_live_run_may_need_and_what_a_manifest_names_is_left() {
        let staged = |attempt, iteration| Staged { epoch_is_current: true, attempt, iteration };
        let open = staged(Some(AttemptState::Open), None);
        assert_eq!((tidy(open, true), tidy(open, false)), (Tidy::Leave, Tidy::Remove));
        for run_is_live in [true, false] {
            let tidy = |staged| tidy(staged, run_is_live);
            for state in [State::Sealed, State::Held, State::Loaded] {
                assert_eq!(tidy(staged(Some(AttemptState::Sealed), Some(state))), Tidy::Leave);
            }
            assert_eq!(tidy(staged(Some(AttemptState::Sealed), Some(State::Done))), Tidy::Remove);
            for gone in [Some(AttemptState::Revoked), Some(AttemptState::Held), None] {
                assert_eq!(tidy(staged(gone, None)), Tidy::Remove);
            }
            let former = Staged { epoch_is_current: false, ..staged(Some(AttemptState::Sealed), Some(State::Sealed)) };
            assert_eq!(tidy(former), Tidy::Remove);
        }
    }
}
