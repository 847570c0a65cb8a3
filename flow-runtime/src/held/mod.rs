#![doc = include_str!("../held.md")]
//!
//! ---
//! The table of causes, [`CAUSES`], is data: error texts, `doctor` and this page are made of it. What is not here: finding
//! out which cause it is (each tap, the ledger, the store), and putting this program's name and options into the commands
//! (`cli/commands/doctor`).

mod causes;

use std::fmt;

pub use causes::CAUSES;

/// Why an iteration is held: it needs a person, because only a person can know which of several things is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// The ledger in a target bears the epoch of another store.
    ForeignLedger,
    /// A target has an iteration that the store does not know.
    LedgerAhead,
    /// A target lacks an iteration that the store knows to be published.
    LedgerBehind,
    /// A target has other rows for the iteration than those that are sealed.
    OtherRows,
    /// The table is gone, its ledger is not.
    TableGone,
    /// A session keeps the ledger locked.
    LedgerLocked,
    /// A file of rows is shorter than its ledger says.
    FileCut,
    /// The ledger of a file cannot be read.
    LedgerDamaged,
    /// The ledger of a prefix of S3 cannot be read.
    PrefixDamaged,
    /// The items of a table of DynamoDB were not all deleted.
    HalfEmptied,
    /// What was staged for a sealed iteration is missing or damaged.
    StagedLost,
    /// The bucket in which rows were staged for a sealed iteration is gone.
    StagingGone,
    /// The flow has no such output any more.
    OutputGone,
    /// The output has other fields now.
    OtherFields,
    /// The output is bound to another place now.
    OtherAddress,
    /// The output is bound with another mode now.
    OtherMode,
    /// A source's file is shorter than the place that it was read to.
    SourceShrunk,
    /// A source's file begins with other bytes than those that were read.
    SourceChanged,
    /// A source's object was overwritten after it was read, or deleted before it was read to its end.
    SourceOverwritten,
    /// Records have aged out of a stream before they were read.
    SourceAgedOut,
    /// A stream was deleted, and another one has its name.
    SourceReplaced,
}

/// What is always the same about a [`Cause`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The cause.
    pub cause: Cause,
    /// What happened.
    pub happened: &'static str,
    /// What that means for the rows.
    pub rows: &'static str,
    /// What resolves it: one of these.
    pub remedies: &'static [Remedy],
}

/// One way out, for who wants what it gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Remedy {
    /// When it is right: what the person knows, or wants.
    pub when: &'static str,
    /// The commands, one after the other. [`Word`]s stand in braces.
    pub commands: &'static [&'static str],
}

/// What stands in the commands of a [`Remedy`] for what is known of a case: `{run}`, `{path}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The program.
    Program,
    /// The options that it was called with: ports, store.
    Options,
    /// The program with these options.
    Run,
    /// The same, with the port's target beginning with the case's iteration.
    RunFrom,
    /// The same, with the port bound as it was when the iteration was sealed.
    RunFormer,
    /// The port.
    Port,
    /// The iteration.
    Iteration,
    /// The file.
    Path,
    /// A command of another program.
    Command,
    /// What has `forget` believe that there is no store any more, if there is none.
    StoreIsLost,
}

impl Word {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Program,
        Self::Options,
        Self::Run,
        Self::RunFrom,
        Self::RunFormer,
        Self::Port,
        Self::Iteration,
        Self::Path,
        Self::Command,
        Self::StoreIsLost,
    ];

    /// How it is written in a command.
    #[must_use]
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Program => "{program}",
            Self::Options => "{options}",
            Self::Run => "{run}",
            Self::RunFrom => "{run-from}",
            Self::RunFormer => "{run-former}",
            Self::Port => "{port}",
            Self::Iteration => "{iteration}",
            Self::Path => "{path}",
            Self::Command => "{command}",
            Self::StoreIsLost => "{store-is-lost}",
        }
    }
}

/// One occurrence of a cause: what its commands need to know.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Case {
    /// Why.
    pub cause: Cause,
    /// The iteration that is sealed and cannot be published, or that would come next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iteration: Option<u64>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The address and mode that the port had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// A command of another program, word by word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

impl Cause {
    /// What the table says of it.
    ///
    /// # Panics
    /// Never: every cause has its entry, which a test makes sure of.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        CAUSES.iter().find(|entry| entry.cause == self).unwrap_or(&CAUSES[0])
    }

    /// An occurrence of which nothing else is known.
    pub(crate) fn case(self) -> Case {
        Case { cause: self, iteration: None, path: None, former: None, command: Vec::new() }
    }
}

impl Case {
    pub(crate) fn iteration(self, iteration: u64) -> Self {
        Self { iteration: Some(iteration), ..self }
    }

    pub(crate) fn path(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    #[cfg(feature = "redshift")]
    pub(crate) fn command(self, words: Vec<String>) -> Self {
        Self { command: words, ..self }
    }

    pub(crate) fn former(self, address: impl Into<String>) -> Self {
        Self { former: Some(address.into()), ..self }
    }
}

/// As the table of contents calls it: `ledger-behind`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in format!("{self:?}").chars().enumerate() {
            if letter.is_uppercase() && index > 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

/// The table as the page above shows it.
#[cfg(test)]
fn page() -> String {
    let mut page = include_str!("head.md").to_owned();
    for Entry { cause, happened, rows, remedies } in &CAUSES {
        page += &format!("\n## {cause}\n\n{happened}. {rows}.\n");
        for Remedy { when, commands } in *remedies {
            page += &format!("\n- {when}:\n  ```text\n  {}\n  ```\n", commands.join("\n  "));
        }
    }
    page
}

#[cfg(test)]
mod tests;
