//! Deliberate breakages of the protocol, which the tests must catch: a mutant that lives is a hole in them.
//!
//! Without the feature `faults`, and outside this crate's tests, there is none.

/// A breakage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Whoever seals last has sealed, whatever the store says.
    SealWithoutCondition,
    /// Whoever hears nothing of its seal takes another's for the winner, and does not look.
    LostReplyIsLostRace,
    /// What is in a target already is published to it again.
    LedgerCheckDropped,
    /// A target takes any iteration after any other.
    OrderCheckDropped,
    /// A ledger of another checkpoint store is as good as one's own.
    EpochIgnored,
    /// An iteration ends before its last record.
    PositionOffByOne,
    /// Positions move on in the store before what was read is sealed.
    PositionsBeforeSeal,
    /// What is staged is not made durable before the seal.
    StagedNotSynced,
    /// What an attempt has staged is removed, and the attempt may still be sealed.
    CleanUpWithoutRevocation,
    /// An iteration without new records publishes like any other.
    EmptyRunsOperators,
    /// The last line is taken before it has ended, and again when it has.
    UnterminatedTakenTwice,
    /// A file that is replaced has no ledger.
    ReplaceWithoutSidecar,
    /// Merging looks for the key by `=`, which finds no null.
    MergeByEquals,
    /// A trap counts as loaded before it is.
    TrapApart,
    /// An iteration whose counts do not add up is sealed.
    CountsNotChecked,
    /// Rows are appended behind whatever an earlier try has left in the file.
    AppendWithoutCut,
    /// Rows are committed before the ledger knows of them.
    LedgerApart,
    /// A file's ledger says that rows are there before they are written.
    SidecarBeforeRows,
    /// The store says that a target is loaded before it is.
    LoadedBeforePublished,
}

/// Each with its name in `FLOW_MUTANT`.
#[cfg(feature = "faults")]
const NAMES: &[(&str, Mutant)] = &[
    ("seal_without_condition", Mutant::SealWithoutCondition),
    ("lost_reply_is_lost_race", Mutant::LostReplyIsLostRace),
    ("ledger_check_dropped", Mutant::LedgerCheckDropped),
    ("order_check_dropped", Mutant::OrderCheckDropped),
    ("epoch_ignored", Mutant::EpochIgnored),
    ("position_off_by_one", Mutant::PositionOffByOne),
    ("positions_before_seal", Mutant::PositionsBeforeSeal),
    ("staged_not_synced", Mutant::StagedNotSynced),
    ("clean_up_without_revocation", Mutant::CleanUpWithoutRevocation),
    ("empty_runs_operators", Mutant::EmptyRunsOperators),
    ("unterminated_taken_twice", Mutant::UnterminatedTakenTwice),
    ("replace_without_sidecar", Mutant::ReplaceWithoutSidecar),
    ("merge_by_equals", Mutant::MergeByEquals),
    ("trap_apart", Mutant::TrapApart),
    ("counts_not_checked", Mutant::CountsNotChecked),
    ("append_without_cut", Mutant::AppendWithoutCut),
    ("ledger_apart", Mutant::LedgerApart),
    ("sidecar_before_rows", Mutant::SidecarBeforeRows),
    ("loaded_before_published", Mutant::LoadedBeforePublished),
];

#[cfg(feature = "faults")]
impl std::str::FromStr for Mutant {
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
