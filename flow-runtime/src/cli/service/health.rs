//! Whether a service is well: one small JSON document, made from what the driver says of itself.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::driver::{Activity, LastDone, Phase, Status, Trouble};

/// Failures in a row from which on a service that tries again is not well.
pub(in crate::cli) const FAILURES_BAD: u32 = 5;

/// How long a document may be believed: several times as long as it takes until the next is written.
pub(in crate::cli) const VALID_FOR: Duration = Duration::from_secs(30);

/// The document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Health {
    /// The flow's logical name.
    pub(in crate::cli) flow: String,
    /// Of the process.
    pub(in crate::cli) pid: u32,
    pub(in crate::cli) state: State,
    /// Whether it does its work.
    pub(in crate::cli) good: bool,
    /// When it came into this state.
    pub(in crate::cli) since: Timestamp,
    /// The iteration that is under way, or was the last.
    pub(in crate::cli) iteration: Option<u64>,
    /// The last iteration that every target has.
    pub(in crate::cli) last_done: Option<Done>,
    /// Iterations done since the process began.
    pub(in crate::cli) iterations: u64,
    /// Records read from sources, rows written to sinks, and records trapped in them.
    pub(in crate::cli) records: u64,
    pub(in crate::cli) rows: u64,
    pub(in crate::cli) trapped: u64,
    /// How long there have been records that no target has; 0 when everything is loaded.
    pub(in crate::cli) lag_seconds: f64,
    /// Failures since something last succeeded.
    pub(in crate::cli) failures: u32,
    /// What failed last, while nothing has succeeded since.
    pub(in crate::cli) error: Option<Trouble>,
    /// When this was written.
    pub(in crate::cli) written: Timestamp,
    /// When to believe it no longer: its process is gone, or hangs.
    pub(in crate::cli) valid_until: Timestamp,
}

/// What a service is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum State {
    Starting,
    Reading,
    Loading,
    Idle,
    /// What failed is tried again.
    Failing,
    /// Nothing has moved for too long.
    Stuck,
    /// It has been asked to end.
    Draining,
    /// It has ended: an iteration needs a person.
    Held,
    /// It has ended.
    Stopped,
}

impl State {
    /// The state in a word.
    pub(in crate::cli) fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Reading => "reading",
            Self::Loading => "loading",
            Self::Idle => "idle",
            Self::Failing => "failing",
            Self::Stuck => "stuck",
            Self::Draining => "draining",
            Self::Held => "held",
            Self::Stopped => "stopped",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Done {
    pub(in crate::cli) iteration: u64,
    pub(in crate::cli) at: Timestamp,
}

impl From<LastDone> for Done {
    fn from(done: LastDone) -> Self {
        Self { iteration: done.iteration, at: timestamp(done.at_us) }
    }
}

/// What is known of a service at one moment.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) status: Status,
    pub(super) phase: Phase,
    /// Whether it has been asked to end.
    pub(super) is_draining: bool,
    /// Whether nothing has moved for too long.
    pub(super) is_stuck: bool,
    pub(super) now_us: i64,
}

/// What state that is.
pub(super) fn state(facts: &Facts) -> State {
    let status = &facts.status;
    match status.activity {
        Activity::Ended if status.trouble.as_ref().is_some_and(|trouble| trouble.kind == "held") => State::Held,
        Activity::Ended => State::Stopped,
        _ if facts.is_stuck => State::Stuck,
        _ if facts.is_draining => State::Draining,
        _ if status.failures > 0 => State::Failing,
        Activity::Starting => State::Starting,
        Activity::Idle => State::Idle,
        Activity::Working if facts.phase == Phase::Reading => State::Reading,
        Activity::Working | Activity::Retrying => State::Loading,
    }
}

/// Whether a service in this state does its work.
pub(super) fn is_good(state: State, failures: u32) -> bool {
    match state {
        State::Held | State::Stuck | State::Stopped => false,
        State::Starting | State::Reading | State::Loading | State::Idle | State::Failing | State::Draining => {
            failures < FAILURES_BAD
        }
    }
}

impl Health {
    /// Describes a service that came into its state at `since_us`.
    pub(super) fn new(flow: &str, state: State, since_us: i64, facts: &Facts) -> Self {
        let status = &facts.status;
        let lag_us = status.behind_since_us.map_or(0, |since| facts.now_us.saturating_sub(since).max(0));
        let valid_us = i64::try_from(VALID_FOR.as_micros()).unwrap_or(i64::MAX);
        Self {
            flow: flow.to_owned(),
            pid: std::process::id(),
            state,
            good: is_good(state, status.failures),
            since: timestamp(since_us),
            iteration: status.iteration,
            last_done: status.last_done.map(Done::from),
            iterations: status.iterations_done,
            records: status.records,
            rows: status.rows,
            trapped: status.trapped,
            lag_seconds: lag_us as f64 / 1e6,
            failures: status.failures,
            error: status.trouble.clone(),
            written: timestamp(facts.now_us),
            valid_until: timestamp(facts.now_us.saturating_add(valid_us)),
        }
    }

    /// One line of JSON.
    pub(super) fn to_json(&self) -> String {
        // Nothing in it is more than JSON can say.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Whether whoever reads it now may believe that all is well; and why, or why not, in a line.
    pub(in crate::cli) fn verdict(&self, now: Timestamp) -> (bool, String) {
        let Self { flow, state, .. } = self;
        let mut line = format!("{flow} is {} since {:.0}", state.as_str(), self.since);
        if let Some(iteration) = self.iteration {
            line += &format!(", iteration {iteration}");
        }
        if self.lag_seconds >= 1.0 {
            line += &format!(", {:.0} s behind", self.lag_seconds);
        }
        if self.failures > 0 {
            line += &format!(", {} failures in a row", self.failures);
        }
        if let Some(error) = &self.error {
            line += &format!(": {}", error.message);
            line += &error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        }
        let has_ended = matches!(state, State::Held | State::Stopped);
        if now > self.valid_until && !has_ended {
            let written =
                format!("{flow} has not been heard of since {:.0}: pid {} is gone or hangs", self.written, self.pid);
            return (false, format!("{written}; it said: {line}"));
        }
        (self.good, line)
    }
}

fn timestamp(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or_default()
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
