//! Deliberate breakages of the protocol, which the tests must catch: a mutant that lives is a hole in them.
//!
//! Without the feature `faults`, and outside this crate's tests, there is none.

use std::str::FromStr;

/// A breakage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Whoever comes last is the one whose seal counts.
    SealWithoutCondition,
}

/// Each with its name in `FLOW_MUTANT`.
const NAMES: &[(&str, Mutant)] = &[("seal_without_condition", Mutant::SealWithoutCondition)];

impl FromStr for Mutant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, mutant)| *mutant).ok_or("there is no such mutant")
    }
}

/// Whether the protocol is broken in this way.
#[cfg(any(test, feature = "faults"))]
pub(crate) fn mutant(mutant: Mutant) -> bool {
    #[cfg(feature = "faults")]
    if *super::faults::MUTANT == Some(mutant) {
        return true;
    }
    super::world::with(|world| world.mutant()) == Some(mutant)
}

/// Whether the protocol is broken in this way.
#[cfg(not(any(test, feature = "faults")))]
pub(crate) const fn mutant(_: Mutant) -> bool {
    false
}
