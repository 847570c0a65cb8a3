//! What is broken, as data: which operation, which of its calls, how.

use std::fmt;

/// One thing that is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `kinesis.get_records`, `dynamodb.put_item`, `s3.list_objects_v2`, `sts.assume_role`; `*` is every one.
    pub operation: &'static str,
    /// Of its calls, those that are struck.
    pub calls: Calls,
    /// What happens to them.
    pub fault: Fault,
}

impl Rule {
    /// A rule for one call, counted from 1.
    #[must_use]
    pub const fn nth(operation: &'static str, call: u64, fault: Fault) -> Self {
        Self { operation, calls: Calls::Nth(call), fault }
    }

    /// A rule for the first calls.
    #[must_use]
    pub const fn first(operation: &'static str, calls: u64, fault: Fault) -> Self {
        Self { operation, calls: Calls::First(calls), fault }
    }

    /// Whether this call of an operation is struck.
    pub(crate) fn strikes(&self, operation: &str, call: u64) -> bool {
        (self.operation == "*" || self.operation == operation) && self.calls.has(call)
    }
}

/// Some of the calls of an operation, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// This one.
    Nth(u64),
    /// So many, then no more.
    First(u64),
    /// Each whose number is a multiple.
    Every(u64),
    /// All.
    All,
}

impl Calls {
    pub(crate) fn has(self, call: u64) -> bool {
        match self {
            Self::Nth(n) => call == n,
            Self::First(n) => call <= n,
            Self::Every(n) => call.is_multiple_of(n),
            Self::All => true,
        }
    }
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The service says that it is asked too much, as it says so itself.
    Throttled,
    /// 500: the service does not know why.
    InternalError,
    /// 503, from what stands before the service: its body is not what the service would write.
    Unavailable,
    /// The connection is reset, and the service is not asked.
    ResetBefore,
    /// The service does what it is asked, then the connection is reset.
    ResetAfter,
    /// The service does what it is asked, and the answer does not come.
    Stalled,
    /// The answer begins, and does not go on; of one that is made of events, the first comes.
    StalledBody,
    /// The connection ends in the middle of the answer; of one that is made of events, after the first.
    TruncatedBody,
    /// An iterator that is too old.
    ExpiredIterator,
    /// Credentials that are no longer valid.
    ExpiredCredentials,
    /// Of the entries of a batch, every other is refused, from the first on; the rest is done.
    FailedEntries,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 11] = [
        Self::Throttled,
        Self::InternalError,
        Self::Unavailable,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Stalled,
        Self::StalledBody,
        Self::TruncatedBody,
        Self::ExpiredIterator,
        Self::ExpiredCredentials,
        Self::FailedEntries,
    ];
}

/// A call that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struck {
    /// As in [`Rule::operation`], never `*`.
    pub operation: String,
    /// Its number among the calls of the operation, from 1.
    pub call: u64,
    /// What happened.
    pub fault: Fault,
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{} {:?}", self.operation, self.call, self.fault)
    }
}
