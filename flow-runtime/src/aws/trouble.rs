//! What goes wrong with a call, sorted by what to do about it.

use std::fmt;

use crate::{
    Error, Failure,
    effect::{Breaks, Broken},
};

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Too much was asked for; later there may be room.
    Throttled,
    /// It may be otherwise in a moment: no answer in time, a connection that broke, a server's own error. Whether it was
    /// done is not known.
    Passing,
    /// The condition of a write does not hold.
    ConditionFailed,
    /// An iterator or token was too old.
    IteratorExpired,
    /// What it is about is not there.
    Missing,
    /// What it is about is being made, changed or deleted, or is there already.
    InUse,
    /// This identity may not.
    Denied,
    /// There are no credentials, or they are not valid any more.
    Credentials,
    /// It is refused, and would be again.
    Invalid,
}

/// Codes of AWS services by what they mean; the common errors of the API references of Kinesis, DynamoDB, S3 and STS (read
/// 2026-11-22). What is not here goes by its HTTP status.
const CODES: &[(&str, Kind)] = &[
    ("AccessDenied", Kind::Denied),
    ("AccessDeniedException", Kind::Denied),
    ("BucketAlreadyOwnedByYou", Kind::InUse),
    ("ConditionalCheckFailedException", Kind::ConditionFailed),
    ("ConditionalRequestConflict", Kind::Passing),
    ("ExpiredIteratorException", Kind::IteratorExpired),
    ("ExpiredNextTokenException", Kind::IteratorExpired),
    ("ExpiredToken", Kind::Credentials),
    ("ExpiredTokenException", Kind::Credentials),
    ("IncompleteSignature", Kind::Credentials),
    // Also with status 200, of an upload that could not be completed.
    ("InternalError", Kind::Passing),
    ("InternalFailure", Kind::Passing),
    ("InternalFailureException", Kind::Passing),
    ("InternalServerError", Kind::Passing),
    ("InvalidAccessKeyId", Kind::Credentials),
    ("InvalidClientTokenId", Kind::Credentials),
    ("InvalidSignatureException", Kind::Credentials),
    ("KMSAccessDeniedException", Kind::Denied),
    ("KMSDisabledException", Kind::Invalid),
    ("KMSInvalidStateException", Kind::Invalid),
    ("KMSNotFoundException", Kind::Invalid),
    ("KMSOptInRequired", Kind::Invalid),
    ("KMSThrottlingException", Kind::Throttled),
    ("LimitExceededException", Kind::Throttled),
    ("MissingAuthenticationToken", Kind::Credentials),
    ("MissingAuthenticationTokenException", Kind::Credentials),
    ("NoSuchBucket", Kind::Missing),
    ("NoSuchKey", Kind::Missing),
    ("NoSuchVersion", Kind::Missing),
    ("NotFound", Kind::Missing),
    ("OperationAborted", Kind::Passing),
    ("PreconditionFailed", Kind::ConditionFailed),
    ("ProvisionedThroughputExceededException", Kind::Throttled),
    ("RequestExpired", Kind::Credentials),
    ("RequestLimitExceeded", Kind::Throttled),
    ("RequestThrottled", Kind::Throttled),
    // The clock of this machine is wrong.
    ("RequestTimeTooSkewed", Kind::Credentials),
    ("RequestTimeout", Kind::Passing),
    ("ResourceInUseException", Kind::InUse),
    ("ResourceNotFoundException", Kind::Missing),
    ("ServiceUnavailable", Kind::Passing),
    ("SignatureDoesNotMatch", Kind::Credentials),
    ("SlowDown", Kind::Throttled),
    ("Throttling", Kind::Throttled),
    ("ThrottlingException", Kind::Throttled),
    ("TooManyRequestsException", Kind::Throttled),
    // One whose conditions do not hold is told apart where it is made.
    ("TransactionCanceledException", Kind::Passing),
    ("TransactionConflictException", Kind::Passing),
    ("TransactionInProgressException", Kind::Passing),
    ("UnrecognizedClientException", Kind::Credentials),
];

impl Kind {
    /// What an answer with this code and HTTP status means.
    pub(crate) fn of_answer(code: Option<&str>, status: u16) -> Self {
        let known = code.and_then(|code| CODES.iter().find(|(name, _)| *name == code));
        match (known, status) {
            (Some((_, kind)), _) => *kind,
            (None, 403) => Self::Denied,
            (None, 404) => Self::Missing,
            (None, 412) => Self::ConditionFailed,
            (None, 429) => Self::Throttled,
            (None, 408 | 500..) => Self::Passing,
            (None, _) => Self::Invalid,
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Throttled => "others use the same stream, table or bucket: wait, or raise its capacity",
            Self::Passing => "run again; if it stays so, check the network, the region and the endpoint",
            Self::ConditionFailed | Self::IteratorExpired => "run again",
            Self::Missing => "check the name, the region and the account; `setup` makes what a flow needs",
            Self::InUse => "wait until it is active and run again",
            Self::Denied => "give this identity what `plan --iam` prints",
            Self::Credentials => {
                "give credentials as for any AWS tool: environment, AWS_PROFILE, SSO login, or a role of the machine"
            }
            Self::Invalid => "check the address and its options",
        }
    }
}

/// A call that failed.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// The name of its effect: `kinesis.get_records`.
    call: &'static str,
    pub(crate) kind: Kind,
    /// The service's own name for it.
    pub(crate) code: Option<String>,
    cause: String,
    /// The service's name for the request, for its support.
    request: Option<String>,
    /// The attempt, and how many were to be made.
    attempt: Option<(u32, u32)>,
}

impl Trouble {
    pub(crate) fn new(call: &'static str, kind: Kind, cause: impl Into<String>) -> Self {
        Self { call, kind, code: None, cause: cause.into(), request: None, attempt: None }
    }

    pub(super) fn answered(mut self, code: Option<String>, request: Option<String>) -> Self {
        (self.code, self.request) = (code, request);
        self
    }

    pub(crate) fn at_attempt(mut self, attempt: u32, of: u32) -> Self {
        self.attempt = Some((attempt, of));
        self
    }

    /// Whether the same call may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Passing)
    }

    /// Whether what it is about is not what it was.
    pub(crate) fn is_changed(&self) -> bool {
        matches!(self.kind, Kind::ConditionFailed | Kind::Missing)
    }

    /// What could not be done, with this as its cause and what to do next.
    pub(crate) fn failure(&self, what: impl Into<String>) -> Failure {
        Failure::new(what).cause(self).help(self.kind.help())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.call)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        write!(f, ": {}", self.cause)?;
        if let Some((attempt, of)) = self.attempt {
            write!(f, " (attempt {attempt} of {of})")?;
        }
        if let Some(request) = &self.request {
            write!(f, " (request {request})")?;
        }
        Ok(())
    }
}

impl Breaks for Trouble {
    fn broken(broken: Broken) -> Self {
        Self::new("a call", Kind::Passing, broken.to_string())
    }
}

/// For what cannot even be asked.
impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::new("no call", Kind::Invalid, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_more_than_a_status() {
        for (code, status, kind) in [
            (Some("ProvisionedThroughputExceededException"), 400, Kind::Throttled),
            (Some("SlowDown"), 503, Kind::Throttled),
            (Some("ExpiredTokenException"), 400, Kind::Credentials),
            (Some("Unheard"), 500, Kind::Passing),
            (Some("Unheard"), 400, Kind::Invalid),
            (None, 404, Kind::Missing),
            (None, 412, Kind::ConditionFailed),
        ] {
            assert_eq!(Kind::of_answer(code, status), kind, "{code:?} {status}");
        }
        assert!(CODES.is_sorted_by_key(|(code, _)| *code));
    }

    #[test]
    fn a_trouble_says_call_code_cause_attempt_and_request() {
        let trouble = Trouble::new("kinesis.get_records", Kind::Throttled, "rate exceeded")
            .answered(Some("LimitExceededException".to_owned()), Some("r-1".to_owned()))
            .at_attempt(7, 7);
        let said = trouble.failure("cannot read the shard").to_string();
        assert_eq!(
            said,
            "cannot read the shard: kinesis.get_records, LimitExceededException: rate exceeded (attempt 7 of 7) (request \
             r-1); others use the same stream, table or bucket: wait, or raise its capacity"
        );
    }
}
