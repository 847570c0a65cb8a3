//! Deliberate breakages of the protocol: the search must find a counterexample to each.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    /// The last to seal wins.
    SealsWithoutCondition,
    /// A revoked attempt may be sealed.
    SealIgnoresRevocation,
    /// An attempt of an earlier epoch may be sealed.
    SealIgnoresEpoch,
    /// A seal without reply counts as lost.
    TakesLostReplyForLostRace,
    /// Whoever read nothing back goes on as if it had won.
    TakesSilenceForWin,
    /// What is staged is not synced before the seal.
    StagesWithoutSync,
    /// The seal says that all is done; what is to be loaded is forgotten.
    SavesPositionsBeforeLoad,
    /// The trap gets its rows when they are staged.
    PublishesTrapApart,
    /// The manifest names the sinks alone.
    LeavesTrapOutOfManifest,
    /// An iteration is numbered as its attempt.
    NumbersByAttempt,
    /// The iteration is loaded when the sinks are.
    DoneWithoutTrap,
    /// Without a new record the operators run all the same.
    EmptyIterationRunsOperators,
    /// Positions are read before the number of the iteration.
    ReadsPositionsBeforeNumber,
    /// Unfinished iterations are read before the last number.
    ReadsUnfinishedBeforeNumber,
    /// Rows are published whatever the ledger says.
    DropsLedgerCheck,
    /// The ledger is asked before the transaction.
    ChecksLedgerBeforeTransaction,
    /// Any other iteration than the ledger's last is published.
    DropsOrderCheck,
    /// The ledger's epoch is not compared.
    LedgerIgnoresEpoch,
    /// Replace needs no ledger, they say.
    ReplacesWithoutLedger,
    /// A file that is shorter than its ledger says has none.
    ShorterFileForgetsLedger,
    /// Rows are written at the end of the file, not at the ledger's length.
    AppendsWithoutTruncating,
    /// A ledger that is ahead needs a person, whatever the store says by now.
    HoldsWithoutLookingAgain,
    /// What is staged is deleted without asking the store.
    CleansWithoutRevoking,
    /// Open attempts are revoked first, then all that is staged is deleted.
    CleansAllThatIsStaged,
    /// A revoked attempt is forgotten.
    ForgetsRevoked,
    /// Iterations are kept under the flow's name, so a reset's old runs mark new ones.
    KeepsRowsUnderTheName,
    /// A reset leaves the targets as they are, for a person to empty.
    ResetsWithoutFence,
    /// A reset empties a target whatever its ledger says by now.
    FencesWithoutComparing,
}
