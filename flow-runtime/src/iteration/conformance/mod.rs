//! The contract of a store, case by case; every store must pass every case.
//!
//! `seal.rs` has what is sealed and marked, `late.rs` what comes late or twice, `kept.rs` what is kept and shown, `upkeep.rs`
//! mending and tidying, `big.rs` hundreds of shards. Each case gets a flow that the store does not know yet.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod big;
mod kept;
mod late;
mod seal;
mod upkeep;

use super::{
    Attempt, IterationDetail, IterationRow, Output, Range, Seal, TableVersion,
    listing::Listing,
    store::{GivenUp, Store},
    upkeep::Upkeep,
};
use crate::{
    flow::Counts,
    iteration::OperatorCounts,
    sink::{Mode, staging::StagedManifest},
    source::Position,
};

/// A case, under its name.
pub(crate) type Case = (&'static str, fn(&Bench));

/// Opens the store of a flow; a new one gets this epoch.
type Open = Box<dyn Fn(&str, &str) -> Box<dyn Upkeep>>;
/// Lists the last iterations of a flow, or all.
type List = Box<dyn Fn(&str, Option<u64>) -> Listing>;
/// Shows an iteration of a flow.
type Detail = Box<dyn Fn(&str, u64) -> Option<IterationDetail>>;

macro_rules! named {
    ($($case:ident),* $(,)?) => { &[$((stringify!($case), $case)),*] };
}
use named;

/// What every store must pass.
pub(crate) fn cases() -> impl Iterator<Item = &'static Case> {
    [seal::CASES, late::CASES, kept::CASES, upkeep::CASES, big::CASES].into_iter().flatten()
}

/// A store to be tried, and a flow that it does not know yet.
pub(crate) struct Bench {
    pub(crate) flow: String,
    pub(crate) open: Open,
    pub(crate) list: List,
    pub(crate) detail: Detail,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.flow)
    }
}

impl Bench {
    fn open(&self) -> Box<dyn Upkeep> {
        (self.open)(&self.flow, "e1")
    }

    fn list(&self) -> Vec<IterationRow> {
        self.listing(None).rows
    }

    fn listing(&self, last: Option<u64>) -> Listing {
        (self.list)(&self.flow, last)
    }

    fn detail(&self, iteration: u64) -> Option<IterationDetail> {
        (self.detail)(&self.flow, iteration)
    }

    fn in_full(&self, iteration: u64) -> IterationDetail {
        self.detail(iteration).unwrap()
    }
}

pub(crate) const GIVEN_UP: GivenUp<'_> = GivenUp::Revoked("it failed");

pub(crate) fn begin(store: &dyn Store, id: &str, iteration: u64) -> Attempt {
    let attempt =
        Attempt { id: id.to_owned(), iteration, owner: "pid 1".to_owned(), opened_us: 1_000_000, plan_hash: u64::MAX };
    store.open(&attempt).unwrap();
    attempt
}

pub(crate) fn range(shard: &str, first: &str, next: &str, records: u64) -> Range {
    let [port, mark, hash] = ["log", "m", "h"].map(str::to_owned);
    let (shard, name) = (shard.to_owned(), format!("{shard}.log"));
    let (first, next) = (Position::new(first), Position::new(next));
    Range { port, shard, name, mark, first, next, records, bytes: 40, hash, covered_us: Some(7) }
}

fn output(port: &str) -> Output {
    let [port, hash, fields] = [port, "h", "ip: &str"].map(str::to_owned);
    let staged = StagedManifest { file: Some(format!("{port}.rows")), port, rows: 3, bytes: 30, hash, fields };
    Output { staged, place: "sqlite:a.db".to_owned(), mode: Mode::Merge, loaded: false }
}

pub(crate) fn contents(shard: &str, next: &str, outputs: &[&str]) -> Seal {
    let operator = "Each".to_owned();
    Seal {
        sealed_us: 2_000_000,
        note: String::new(),
        ranges: vec![range(shard, "0", next, 5)],
        tables: vec![TableVersion { port: "hosts".to_owned(), records: 2, bytes: 20, hash: "t".to_owned() }],
        outputs: outputs.iter().map(|port| output(port)).collect(),
        counts: vec![OperatorCounts { operator, counts: Counts { rows_in: 5, rows_out: 3, filtered: 0, trapped: 2 } }],
    }
}
