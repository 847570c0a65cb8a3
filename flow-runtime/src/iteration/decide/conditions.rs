//! On what conditions a store changes what it keeps: pure functions over facts that are read in one step with the write.

use crate::iteration::{State, store::SealEnd};

/// What a store knows of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AttemptState {
    /// It may be sealed.
    Open,
    /// It may never be sealed: given up by itself or by others.
    Revoked,
    /// It stopped for a reason that needs a person, and may never be sealed.
    Held,
    /// It is final.
    Sealed,
}

impl AttemptState {
    const ALL: [Self; 4] = [Self::Open, Self::Revoked, Self::Held, Self::Sealed];

    /// The state as stores spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Revoked => "revoked",
            Self::Held => "held",
            Self::Sealed => "sealed",
        }
    }

    /// The state that is spelled `text`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What the condition of a seal asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealFacts {
    /// Whether the attempt's epoch is still that of the logical name.
    pub(crate) epoch_is_current: bool,
    /// The attempt.
    pub(crate) attempt: Option<AttemptState>,
    /// Whether no attempt is sealed as this iteration.
    pub(crate) iteration_is_absent: bool,
}

/// The condition of a seal. An attempt that the store does not know may not be sealed: clean-up could not revoke it.
pub(crate) fn may_seal(facts: SealFacts) -> bool {
    facts.epoch_is_current && facts.attempt == Some(AttemptState::Open) && facts.iteration_is_absent
}

/// How sealing ended, when the write did not plainly succeed; `None` if that is not known.
///
/// `refused`: the store said that the condition did not hold; else it said nothing. `there`: the attempt that is sealed
/// as this iteration, if that could be read. A write may have taken place although its reply was lost, and a repeated
/// one then finds its own: so an attempt that reads its own id back has won.
pub(crate) fn seal_end(own: &str, refused: bool, there: Option<Option<&str>>) -> Option<SealEnd> {
    match there? {
        Some(id) if id == own => Some(SealEnd::Won),
        Some(_) => Some(SealEnd::Lost),
        None if refused => Some(SealEnd::Lost),
        // It may still be on its way: whoever gives the attempt up revokes it.
        None => None,
    }
}

/// Whether an attempt can still be forbidden to be sealed.
pub(crate) fn may_revoke(attempt: Option<AttemptState>) -> bool {
    attempt != Some(AttemptState::Sealed)
}

/// Whether nobody wants any more what an attempt has staged: it can never be sealed, or its iteration is done.
///
/// `epoch_is_current`: whether the attempt was opened in the epoch that the logical name has now; what an earlier one
/// has sealed is void. `iteration`: how far the iteration has come that the attempt is sealed as, if it is.
pub(crate) fn is_garbage(epoch_is_current: bool, attempt: Option<AttemptState>, iteration: Option<State>) -> bool {
    match attempt {
        _ if !epoch_is_current => true,
        Some(AttemptState::Open) => false,
        Some(AttemptState::Sealed) => iteration == Some(State::Done),
        Some(AttemptState::Revoked | AttemptState::Held) | None => true,
    }
}

/// What becomes of a note that an iteration has reached a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marked {
    /// The store writes it.
    Written,
    /// The iteration is as far or further: a late or repeated note changes nothing.
    Already,
    /// The iteration is not there, or not in the state before.
    Refused,
}

/// Whether an iteration in state `from` may be noted as `to`. `all_loaded`: every target is noted as loaded.
pub(crate) fn mark(from: Option<State>, to: State, all_loaded: bool) -> Marked {
    match (from, to) {
        (Some(State::Loaded | State::Done), State::Loaded | State::Held) | (Some(State::Done), State::Done) => {
            Marked::Already
        }
        (Some(State::Sealed | State::Held), State::Held) | (Some(State::Loaded), State::Done) => Marked::Written,
        (Some(State::Sealed | State::Held), State::Loaded) if all_loaded => Marked::Written,
        _ => Marked::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: SealFacts =
        SealFacts { epoch_is_current: true, attempt: Some(AttemptState::Open), iteration_is_absent: true };

    #[test]
    fn an_open_attempt_at_an_absent_iteration_of_this_epoch_may_be_sealed() {
        assert!(may_seal(OPEN));
        assert!(!may_seal(SealFacts { epoch_is_current: false, ..OPEN }));
        assert!(!may_seal(SealFacts { iteration_is_absent: false, ..OPEN }));
        for attempt in [None, Some(AttemptState::Revoked), Some(AttemptState::Held), Some(AttemptState::Sealed)] {
            assert!(!may_seal(SealFacts { attempt, ..OPEN }), "{attempt:?}");
        }
    }

    #[test]
    fn an_attempt_that_reads_its_own_id_back_has_won() {
        assert_eq!(seal_end("a", true, Some(Some("a"))), Some(SealEnd::Won));
        assert_eq!(seal_end("a", false, Some(Some("a"))), Some(SealEnd::Won));
        assert_eq!(seal_end("a", false, Some(Some("b"))), Some(SealEnd::Lost));
        assert_eq!(seal_end("a", true, Some(None)), Some(SealEnd::Lost));
    }

    #[test]
    fn without_a_reply_and_without_a_seal_nothing_is_known() {
        assert_eq!(seal_end("a", false, Some(None)), None);
        assert_eq!(seal_end("a", true, None), None);
    }

    #[test]
    fn what_is_sealed_is_wanted_until_it_is_done_or_reset() {
        let sealed = Some(AttemptState::Sealed);
        assert!(!is_garbage(true, Some(AttemptState::Open), None));
        assert!(!is_garbage(true, sealed, Some(State::Sealed)));
        assert!(!is_garbage(true, sealed, Some(State::Loaded)));
        assert!(is_garbage(true, sealed, Some(State::Done)));
        assert!(is_garbage(false, sealed, Some(State::Sealed)));
        assert!(is_garbage(true, Some(AttemptState::Revoked), None) && is_garbage(true, None, None));
    }

    #[test]
    fn an_iteration_goes_forward_only_and_is_loaded_when_every_target_is() {
        assert_eq!(mark(Some(State::Sealed), State::Loaded, false), Marked::Refused);
        assert_eq!(mark(Some(State::Held), State::Loaded, true), Marked::Written);
        assert_eq!(mark(Some(State::Sealed), State::Done, true), Marked::Refused);
        assert_eq!(mark(Some(State::Loaded), State::Done, true), Marked::Written);
        assert_eq!(mark(Some(State::Done), State::Loaded, true), Marked::Already);
        assert_eq!(mark(Some(State::Done), State::Held, true), Marked::Already);
        assert_eq!(mark(None, State::Held, true), Marked::Refused);
    }
}
