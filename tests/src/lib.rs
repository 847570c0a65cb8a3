//! What the tests of whole flows share: running a flow in memory, without a store; running a program as its users do; a
//! PostgreSQL server; services of AWS; what is published below a prefix of S3.

pub mod aws;
pub mod manifests;
pub mod postgres;
pub mod program;

pub use flow_services as services;

use std::num::NonZeroUsize;

use flow_runtime::{
    Error, Flow,
    driver::{self, Options, Outcome},
};

/// Numbers of workers that every result must be the same for.
pub const WORKERS: [usize; 3] = [1, 2, 7];

/// Runs `flow` once, without a store.
///
/// # Errors
/// As [`driver::run`].
///
/// # Panics
/// If `workers` is 0.
pub fn run<F: Flow>(flow: &F, workers: usize) -> Result<Outcome, Error> {
    driver::run(flow, &options(workers))
}

/// Options of a run without a store.
///
/// # Panics
/// If `workers` is 0.
#[must_use]
#[expect(clippy::expect_used, reason = "a test's mistake")]
pub fn options(workers: usize) -> Options {
    let mut options = Options::default();
    options.workers = NonZeroUsize::new(workers).expect("at least one worker");
    options
}
