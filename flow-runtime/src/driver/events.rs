//! What a run tells the log: each event with its fields, in one place.
//!
//! A program without a subscriber of `tracing` pays nothing for them. Texts come from errors, which hold no secret.

use std::time::Duration;

use tracing::{debug, info, warn};

use super::PortOutcome;
use crate::{
    Error, Failure, Plan,
    iteration::{Attempt, Output, Sealed},
    plan::PortKind,
};

/// What an iteration came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) trapped: u64,
}

impl Totals {
    pub(super) fn of(plan: &Plan, ports: &[PortOutcome]) -> Self {
        let mut totals = Self::default();
        for (plan, port) in plan.ports.iter().zip(ports) {
            match plan.kind {
                PortKind::Source => {
                    totals.records += port.rows;
                    totals.bytes += port.bytes;
                }
                PortKind::Table => {}
                PortKind::Sink => totals.rows += port.rows,
                PortKind::Trap => totals.trapped += port.rows,
            }
        }
        totals
    }
}

pub(super) fn opened(flow: &str, attempt: &Attempt) {
    info!(flow, iteration = attempt.iteration, attempt = attempt.id, "iteration opened");
}

pub(super) fn sealed(plan: &Plan, sealed: &Sealed, ports: &[PortOutcome], took: Duration) {
    let (flow, Totals { records, bytes, rows, trapped }) = (plan.logical_name(), Totals::of(plan, ports));
    let (iteration, attempt, ms) = (sealed.iteration, sealed.attempt.as_str(), millis(took));
    info!(flow, iteration, attempt, records, bytes, rows, trapped, ms, "iteration sealed");
}

pub(super) fn loaded(flow: &str, iteration: u64, output: &Output, took: Duration) {
    let (port, rows, bytes) = (output.staged.port.as_str(), output.staged.rows, output.staged.bytes);
    info!(flow, iteration, port, rows, bytes, ms = millis(took), "output loaded");
}

/// What its iteration waits for, while other outputs may have been loaded.
pub(super) fn not_loaded(flow: &str, iteration: u64, output: &Output, error: &Error) {
    warn!(flow, iteration, port = output.staged.port, %error, "output not loaded");
}

pub(super) fn done(flow: &str, iteration: u64, took: Duration) {
    info!(flow, iteration, ms = millis(took), "iteration done");
}

pub(super) fn resumes(flow: &str, sealed: &Sealed) {
    let (iteration, attempt) = (sealed.iteration, sealed.attempt.as_str());
    info!(flow, iteration, attempt, "an earlier run sealed this iteration, it is published now");
}

pub(super) fn gave_up(flow: &str, attempt: &Attempt, error: &Error) {
    let (iteration, attempt, kind) = (attempt.iteration, attempt.id.as_str(), error.kind());
    debug!(flow, iteration, attempt, kind, "attempt given up");
}

pub(super) fn left_behind(flow: &str, attempt: &str, failure: &Error) {
    let (error, help) = told(failure);
    warn!(flow, attempt, error, help, "what was staged in a target could not be removed, a later run tries again");
}

pub(super) fn shard_added(flow: &str, port: &str, shard: &str) {
    info!(flow, port, shard, "shard added");
}

pub(super) fn shard_ended(flow: &str, port: &str, shard: &str) {
    info!(flow, port, shard, "shard ended: the source does not list it any more");
}

pub(super) fn retries(flow: &str, failure: &Error, attempt: u32, of: Option<u32>, wait: Duration) {
    let (error, help) = told(failure);
    let (kind, wait_ms) = (failure.kind(), millis(wait));
    warn!(flow, kind, attempt, of, wait_ms, error, help, "failed, and is tried again");
}

pub(super) fn started(flow: &str, owner: &str, poll: Duration) {
    info!(flow, owner, poll_ms = millis(poll), "service started");
}

fn told(error: &Error) -> (String, Option<&str>) {
    let account = error.failure().map_or_else(|| error.to_string(), Failure::account);
    (account, error.failure().and_then(Failure::advice))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
