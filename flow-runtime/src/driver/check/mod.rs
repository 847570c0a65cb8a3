//! What a run would stumble over, found out without changing anything: [`check`].
//!
//! Here is the order, that of a run; what is looked at is in `store.rs` (the lock, the store, the staging area),
//! `outputs.rs` (targets, their ledgers, what is sealed for them), `inputs.rs` (files and positions) and `program.rs` (the
//! flow against its logical name). Each looks at everything it has and tells all it finds; nothing ends at the first.

mod diagnose;
mod inputs;
mod outputs;
mod program;
mod store;

pub use diagnose::{Diagnosis, Garbage, LockHolder, diagnose};

use super::{Checkpoint, Options, checkpoint::OpenCheckpoint, overlaps, ports::Ports};
use crate::{Error, Failure, Flow};

/// One thing that a check found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The port that it is about, if it is about one.
    pub port: Option<&'static str>,
    /// What it is.
    pub what: What,
}

/// What a finding means for the next run.
#[derive(Debug)]
pub enum What {
    /// The run would end with this error, if with no earlier one.
    Wrong(Error),
    /// The run would go on; a person should know all the same.
    Note(Failure),
}

impl What {
    /// The iteration that is held, where this is known.
    fn iteration(&self) -> Option<u64> {
        match self {
            Self::Wrong(error) => error.failure()?.case()?.iteration,
            Self::Note(_) => None,
        }
    }

    fn failure_text(&self) -> String {
        match self {
            Self::Wrong(error) => error.to_string(),
            Self::Note(failure) => failure.to_string(),
        }
    }
}

/// All that a check found, in the order in which a run would come upon it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Findings {
    /// What was found.
    pub findings: Vec<Finding>,
    /// The iteration that a run would read; `None` without a store, or where that could not be found out.
    pub next: Option<u64>,
}

impl Findings {
    /// What a run would end with.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.findings.iter().find_map(|finding| match &finding.what {
            What::Wrong(error) => Some(error),
            What::Note(_) => None,
        })
    }

    fn wrong(&mut self, port: Option<&'static str>, error: Error) {
        let error = match port {
            Some(port) => error.of_port(port),
            None => error,
        };
        self.add(Finding { port, what: What::Wrong(error) });
    }

    /// Adds a finding once: what keeps a target from being looked at keeps its ledger, too. Of two, that one stays which
    /// knows its iteration.
    fn add(&mut self, finding: Finding) {
        let text = finding.what.failure_text();
        match self.findings.iter_mut().find(|told| told.what.failure_text() == text) {
            None => self.findings.push(finding),
            Some(told) if told.what.iteration().is_none() => *told = finding,
            Some(_) => {}
        }
    }

    fn note(&mut self, port: Option<&'static str>, failure: Failure) {
        let failure = match port {
            Some(port) => failure.of_port(port),
            None => failure,
        };
        self.add(Finding { port, what: What::Note(failure) });
    }

    /// Keeps what is right, and tells what is not.
    fn keep<T>(&mut self, port: Option<&'static str>, found: Result<T, Error>) -> Option<T> {
        found.map_err(|error| self.wrong(port, error)).ok()
    }
}

/// Looks at everything that a run would use, and changes nothing: the inputs are there and readable, the targets can take
/// the rows, ledgers and store agree, the known positions are still there, there is room. All that is wrong is told, not
/// only the first of it.
///
/// # Example
/// ```
/// use flow_runtime::{Sink, Source, driver, flow};
///
/// flow! {
///     pub flow Words {
///         source words { word: &str };
///         sink counts key(word) { word: &str, count: i64 };
///         words -> GroupBy(word) -> Every(Count => count) -> counts;
///     }
/// }
///
/// let flow = Words { words: Source::at("file:missing.txt"), counts: Sink::at("sqlite:missing/counts.db").merge() };
/// let found = driver::check(&flow, &driver::Options::default());
/// assert_eq!(found.findings.len(), 2);
/// ```
pub fn check<F: Flow>(flow: &F, options: &Options) -> Findings {
    let mut found = Findings { findings: Vec::new(), next: None };
    let (ports, failed) = Ports::open_each(flow);
    for (port, error) in failed {
        found.wrong(Some(port), error);
    }
    let bound = F::PLAN.ports.iter().map(|port| port.name).zip(flow.ports());
    for (port, failure) in overlaps::find(bound, &options.checkpoint) {
        found.wrong(Some(port), Error::Config(failure));
    }
    outputs::targets(&mut found, &ports, options.checkpoint != Checkpoint::None);
    let has_place = store::place(&mut found, &options.checkpoint, &F::PLAN.logical_name());
    let looked = OpenCheckpoint::look(&options.checkpoint, F::PLAN.logical_name());
    if let Some(checkpoint) = found.keep(None, looked) {
        if has_place {
            store::room(&mut found, &checkpoint);
        }
        outputs::ledgers(&mut found, &ports, &checkpoint, &|| diagnose::holder(&options.checkpoint, &checkpoint));
        inputs::positions(&mut found, &ports, &checkpoint, options.gaps);
        program::changes(&mut found, &ports, &checkpoint);
    } else {
        // What the store knows is not known, but whether anything can be read at all is.
        inputs::presence(&mut found, &ports);
    }
    program::remarks(&mut found, F::PLAN);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::Cause;

    #[test]
    fn what_is_found_twice_is_told_once_with_its_iteration() {
        let damaged = || Error::Held(Failure::new("the ledger is damaged").held(Cause::LedgerDamaged.case()));
        let mut found = Findings { findings: Vec::new(), next: Some(5) };
        for error in [damaged(), damaged().of_iteration(4), damaged(), damaged().of_iteration(5)] {
            found.wrong(Some("counts"), error);
        }
        let iterations: Vec<_> = found.findings.iter().map(|finding| finding.what.iteration()).collect();
        assert_eq!(iterations, [Some(4)]);
    }
}
