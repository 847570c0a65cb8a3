//! A record allocates nothing in the steady state: 100,000 records go through the loops of some flows.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::sync::Arc;

use flow_runtime::{
    __private::{Block, Output, RowBuffer, Span},
    Flow, flow,
    sink::{Demands, Dialect},
};

fn page_of(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

#[path = "../flows/access_log_counts.rs"]
mod access_log_counts;
#[path = "../flows/page_troubles.rs"]
mod page_troubles;
#[path = "../flows/purchases.rs"]
mod purchases;

const RECORDS: usize = 100_000;

/// Lines in one buffer, as a worker has them.
struct Lines {
    bytes: Vec<u8>,
    records: Vec<Span>,
}

impl Lines {
    fn new(lines: impl Iterator<Item = String>) -> Self {
        let (mut bytes, mut records) = (Vec::new(), Vec::new());
        for line in lines {
            let start = bytes.len();
            bytes.extend_from_slice(line.as_bytes());
            records.push(Span { start, end: bytes.len() });
        }
        Self { bytes, records }
    }

    fn block(&self) -> Block<'_> {
        Block::new(&self.bytes, &self.records, 1, false)
    }
}

/// Runs `warm` first, so that tables and buffers have grown, and then counts the allocations of `steady`.
fn allocations<F: Flow>(shared: &F::Shared, worker: &mut F::Worker, port: usize, warm: &Lines, steady: &Lines) -> u64 {
    let mut out = Output::new(F::PLAN);
    F::read(port, shared, worker, &warm.block(), &mut out).unwrap();
    let block = steady.block();
    let counted = allocation_counter::measure(|| F::read(port, shared, worker, &block, &mut out).unwrap());
    let read: u64 = out.counts[0].rows_in;
    assert_eq!(read as usize, warm.records.len() + steady.records.len());
    assert_eq!(out.trapped.len(), 0);
    counted.count_total
}

#[test]
fn the_access_log_flow_allocates_nothing_per_record() {
    use access_log_counts::AccessLogCounts;
    let line = |n: usize| {
        format!("host{}.example - - [01/Aug/2026:00:00:{:02} -0400] \"GET /a{n}.gif HTTP/1.0\" 200 {n}", n % 50, n % 60)
    };
    let hosts = Lines::new((0..40).map(|n| format!("host{n}.example")));
    let (mut shared, mut worker) = Default::default();
    let mut out = Output::new(AccessLogCounts::PLAN);
    AccessLogCounts::read(1, &shared, &mut worker, &hosts.block(), &mut out).unwrap();
    AccessLogCounts::drain(0, &mut shared, &mut worker, &mut out).unwrap();
    let (warm, steady) = (Lines::new((0..100).map(line)), Lines::new((0..RECORDS).map(line)));
    assert_eq!(allocations::<AccessLogCounts>(&shared, &mut worker, 0, &warm, &steady), 0);
}

#[test]
fn branches_rust_code_and_quoted_text_allocate_nothing_per_record() {
    use page_troubles::PageTroubles;
    let line = |n: usize| {
        format!(
            "\"/page{}?q=\"\"{n}\"\"\",{},{},\"agent, {n}\"",
            n % 20,
            if n.is_multiple_of(3) { 500 } else { 200 },
            n % 3_000
        )
    };
    let (shared, mut worker) = Default::default();
    let (warm, steady) = (Lines::new((0..6_000).map(line)), Lines::new((0..RECORDS).map(line)));
    assert_eq!(allocations::<PageTroubles>(&shared, &mut worker, 0, &warm, &steady), 0);
}

#[test]
fn json_with_escapes_and_unused_fields_allocates_nothing_per_record() {
    use purchases::Purchases;
    let line = |n: usize| {
        format!(
            r#"{{"user": {{"id": {}, "name": "caf\u00e9 \"{}\""}}, "site": "a\/b", "tags": [1, {{"x": null}}], "price": {n}.5,
                "at": "2026-11-22T12:00:{:02}\u002b0100"}}"#,
            n % 20,
            n % 20,
            n % 60
        )
    };
    let (shared, mut worker) = Default::default();
    let (warm, steady) = (Lines::new((0..100).map(line)), Lines::new((0..RECORDS).map(line)));
    assert_eq!(allocations::<Purchases>(&shared, &mut worker, 0, &warm, &steady), 0);
}

flow! {
    /// Rows that go straight to a sink.
    pub flow Served {
        source lines: TextDelimited(delimiter = ",") { path: &str, bytes: i64, seconds: f64 };
        sink served { path: &str as varchar(20), bytes: i64 as integer, seconds: f64 };
        lines -> served;
    }
}

#[test]
fn a_sink_that_cannot_store_all_rows_allocates_nothing_for_those_that_it_can() {
    let lines = Lines::new((0..RECORDS).map(|n| format!("/größe/{n},{n},{n}.5")));
    let (shared, mut worker) = Default::default();
    let demands: Arc<[Demands]> =
        Served::PLAN.ports.iter().map(|port| Demands::new(Dialect::Redshift, port.fields)).collect();
    let mut out = Output::demanding(Served::PLAN, &demands);
    Served::read(0, &shared, &mut worker, &lines.block(), &mut out).unwrap();
    // As the driver does, which keeps the buffers.
    out.rows.iter_mut().for_each(RowBuffer::clear);
    let counted = allocation_counter::measure(|| {
        Served::read(0, &shared, &mut worker, &lines.block(), &mut out).unwrap();
    });
    assert_eq!((counted.count_total, out.rows[1].rows()), (0, RECORDS as u64));
}
