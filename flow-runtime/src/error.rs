//! The one error type: variants by what the reader of the message can do about it.
//!
//! Texts say what happened, where (port, shard, position), why, and what to do next; lower case, no period. Addresses
//! are shown without their secrets.

use std::fmt;

use crate::{held::Case, origin::MadeOf};

/// Why a run failed.
///
/// # Example
/// ```
/// use flow_runtime::{Error, Failure};
/// let error = Error::Input(
///     Failure::new("cannot open the file")
///         .at("port `hosts`, hosts.txt")
///         .cause("No such file or directory")
///         .help("check --hosts"),
/// );
/// assert_eq!(
///     error.to_string(),
///     "cannot open the file (port `hosts`, hosts.txt): No such file or directory; check --hosts",
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option, an address or a binding is wrong: mend the command.
    #[error("{0}")]
    Config(Failure),
    /// An input is missing, unreadable, or not what it was: mend the input.
    #[error("{0}")]
    Input(Failure),
    /// A record failed where no trap reaches: mend the record, the flow, or add a trap. Nothing was published.
    #[error("{0}")]
    Record(Failure),
    /// A target is missing, not writable, or of another shape: mend the target.
    #[error("{0}")]
    Target(Failure),
    /// The held side of a join does not fit the memory: give it more, or hold less. Nothing was published.
    #[error("{0}")]
    Memory(Failure),
    /// The checkpoint store or the staging place failed: disk full, no permission.
    #[error("{0}")]
    Store(Failure),
    /// Another run of the same flow is under way.
    #[error("{0}")]
    Busy(Failure),
    /// An iteration needs a person: store, source and ledger disagree.
    #[error("{0}")]
    Held(Failure),
    /// The run was asked to stop: an open iteration was abandoned, and nothing of it is visible; one that is sealed is loaded by
    /// the next run.
    #[error(
        "interrupted: what was not sealed was abandoned, and nothing of it published; what is sealed the next run loads"
    )]
    Interrupted,
    /// The counts of an iteration do not add up: a fault of flow itself. Nothing was published.
    #[error("{0}")]
    Imbalance(Failure),
}

/// What happened, where, why, and what to do next; as JSON an object of these four, and of why it is held.
#[derive(Debug, Default, serde::Serialize)]
pub struct Failure {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// Boxed, because few have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Box<Case>>,
    /// Likewise.
    #[serde(skip)]
    made_of: Option<Box<MadeOf>>,
}

impl Failure {
    /// Says what happened.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// Says where: port, shard or file, position.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Says why, in the words of whatever failed.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says for which of the known causes this needs a person.
    #[must_use]
    pub(crate) fn held(mut self, case: Case) -> Self {
        self.held = Some(Box::new(case));
        self
    }

    /// The same place and cause, of something that needs nobody.
    #[must_use]
    pub(crate) fn told_as(self, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: Some(help.into()), held: None, ..self }
    }

    /// For which of the known causes this needs a person, if it does.
    #[must_use]
    pub fn case(&self) -> Option<&Case> {
        self.held.as_deref()
    }

    /// Says what the row was made of that a target has refused.
    #[cfg(any(test, feature = "postgres"))]
    #[must_use]
    pub(crate) fn made_of(mut self, made_of: Option<Box<MadeOf>>) -> Self {
        self.made_of = made_of;
        self
    }

    /// Puts the port before the place, where a tap that does not know its port has reported; once is enough.
    #[must_use]
    pub fn of_port(mut self, port: &str) -> Self {
        let port = format!("port `{port}`");
        self.place = Some(match self.place {
            Some(place) if place.starts_with(&port) => place,
            Some(place) => format!("{port}, {place}"),
            None => port,
        });
        self
    }

    /// What, where and why, without the advice.
    #[must_use]
    pub fn account(&self) -> String {
        let place = self.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        let cause = self.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{}{place}{cause}", self.what)
    }

    /// What to do next, if there is advice.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.account())?;
        if let Some(help) = self.advice() {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl Error {
    /// The same error, with the port named.
    #[must_use]
    pub fn of_port(self, port: &str) -> Self {
        self.map(|failure| failure.of_port(port))
    }

    /// The same error, with its place named unless it has one.
    #[cfg(feature = "aws")]
    #[must_use]
    pub(crate) fn of_place(self, place: &str) -> Self {
        self.map(|failure| if failure.place.is_some() { failure } else { failure.at(place) })
    }

    /// The same error, with more to know before anything is done about it.
    #[must_use]
    pub(crate) fn but_first(self, more: &str) -> Self {
        self.map(|failure| {
            let advice = failure.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            failure.help(format!("{more}{advice}"))
        })
    }

    /// What the row was made of that a target has refused, if that is what failed; it is told but once.
    pub(crate) fn take_made_of(self) -> (Self, Option<MadeOf>) {
        let mut made_of = None;
        let error = self.map(|mut failure| {
            made_of = failure.made_of.take();
            failure
        });
        (error, made_of.map(|made_of| *made_of))
    }

    /// The same error, with more of its cause.
    #[must_use]
    pub(crate) fn and_cause(self, more: &str) -> Self {
        self.map(|failure| {
            let cause = failure.cause.as_ref().map(|cause| format!("{cause}; ")).unwrap_or_default();
            failure.cause(format!("{cause}{more}"))
        })
    }

    fn map(self, change: impl FnOnce(Failure) -> Failure) -> Self {
        match self {
            Self::Config(failure) => Self::Config(change(failure)),
            Self::Input(failure) => Self::Input(change(failure)),
            Self::Record(failure) => Self::Record(change(failure)),
            Self::Target(failure) => Self::Target(change(failure)),
            Self::Memory(failure) => Self::Memory(change(failure)),
            Self::Store(failure) => Self::Store(change(failure)),
            Self::Busy(failure) => Self::Busy(change(failure)),
            Self::Held(failure) => Self::Held(change(failure)),
            Self::Imbalance(failure) => Self::Imbalance(change(failure)),
            Self::Interrupted => Self::Interrupted,
        }
    }

    /// The same error, with the iteration named that is held, where what found out did not know it.
    pub(crate) fn of_iteration(mut self, iteration: u64) -> Self {
        if let Self::Held(Failure { held: Some(case), .. }) = &mut self {
            case.iteration.get_or_insert(iteration);
        }
        self
    }

    /// What happened, where, why and what to do; `None` for [`Error::Interrupted`].
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Config(failure)
            | Self::Input(failure)
            | Self::Record(failure)
            | Self::Target(failure)
            | Self::Memory(failure)
            | Self::Store(failure)
            | Self::Busy(failure)
            | Self::Held(failure)
            | Self::Imbalance(failure) => Some(failure),
            Self::Interrupted => None,
        }
    }

    /// The variant in one word, for scripts: `config`, `input`, ….
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Input(_) => "input",
            Self::Record(_) => "record",
            Self::Target(_) => "target",
            Self::Memory(_) => "memory",
            Self::Store(_) => "store",
            Self::Busy(_) => "busy",
            Self::Held(_) => "held",
            Self::Interrupted => "interrupted",
            Self::Imbalance(_) => "imbalance",
        }
    }
}
