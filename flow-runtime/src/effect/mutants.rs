//! Deliberate breakages of the protocol, which the tests must catch: a mutant that lives is a hole in them.
//!
//! Without the feature `faults`, and outside this crate's tests, there is none.

/// A breakage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "redshift"), allow(dead_code, reason = "some are of that sink alone"))]
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
    /// A load does not lock the ledger.
    LockDropped,
    /// The ledger is locked in one request with the beginning of the transaction, whose snapshot comes first.
    LockBehindSnapshot,
    /// The ledger is asked before it is locked.
    LedgerBeforeLock,
    /// Each statement of a load is committed by itself.
    TransactionDropped,
    /// A COPY that was not answered is sent once more.
    CopyAloneRetried,
    /// A load that failed is done again without a look at the ledger.
    RetriedFromTheMiddle,
    /// A commit that was not answered counts as done.
    CommitTakenForDone,
    /// How many rows COPY has taken is not compared with those that were sealed.
    CopyCountIgnored,
    /// A table that is replaced is emptied by TRUNCATE, which ends Redshift's transaction.
    ReplaceTruncates,
    /// The manifest names what a listing finds, not what was put.
    ManifestFromListing,
    /// All attempts stage under one key.
    KeyReused,
    /// An item is changed whatever its mark.
    ItemsUnconditional,
    /// All rows of an iteration leave one mark.
    MarkWithoutRow,
    /// A ledger that has forgotten goes on with the marks of before.
    GenerationKept,
    /// An item that a later load has changed counts as changed by this one.
    OvertakenIgnored,
    /// The ledger has an iteration before its first item is there.
    LedgerBeforeItems,
    /// The ledger does not say what is half loaded.
    LoadingUnsaid,
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
    ("lock_dropped", Mutant::LockDropped),
    ("lock_behind_snapshot", Mutant::LockBehindSnapshot),
    ("ledger_before_lock", Mutant::LedgerBeforeLock),
    ("transaction_dropped", Mutant::TransactionDropped),
    ("copy_alone_retried", Mutant::CopyAloneRetried),
    ("retried_from_the_middle", Mutant::RetriedFromTheMiddle),
    ("commit_taken_for_done", Mutant::CommitTakenForDone),
    ("copy_count_ignored", Mutant::CopyCountIgnored),
    ("replace_truncates", Mutant::ReplaceTruncates),
    ("manifest_from_listing", Mutant::ManifestFromListing),
    ("key_reused", Mutant::KeyReused),
    ("items_unconditional", Mutant::ItemsUnconditional),
    ("mark_without_row", Mutant::MarkWithoutRow),
    ("generation_kept", Mutant::GenerationKept),
    ("overtaken_ignored", Mutant::OvertakenIgnored),
    ("ledger_before_items", Mutant::LedgerBeforeItems),
    ("loading_unsaid", Mutant::LoadingUnsaid),
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
