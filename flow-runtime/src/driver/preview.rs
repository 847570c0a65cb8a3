//! A dry run: what a run would read and publish, without a trace.
//!
//! The store is only looked at, no lock is taken, nothing is sealed; rows are staged in a folder that goes with this
//! process. So another run may be under way.

use std::time::Duration;

use super::{
    Options, PortOutcome, attempt, attempt::Reading, balance, balance::Counted, checkpoint::OpenCheckpoint, fit,
    limits::ClosedBy, ports::Ports,
};
use crate::{
    Error, Flow,
    driver::Checkpoint,
    effect::{self, clock},
    flow::Counts,
    iteration::decide::runs_without_records,
    plan::PortPlan,
    sink::{Head, Mode, Staged, staging::StagedManifest},
    trap::output_fields,
    value::Value,
};

/// What a run would do.
#[derive(Debug)]
#[non_exhaustive]
pub struct Preview {
    /// The iterations of earlier runs that it would publish first.
    pub unfinished: Vec<u64>,
    /// The iteration that it would seal; `None` without a store.
    pub iteration: Option<u64>,
    /// No source has a new record, and nothing would be published.
    pub nothing_new: bool,
    /// Whether it stopped at a bound: there may be more to read.
    pub is_bounded: bool,
    /// Every port, in the order of the plan.
    pub ports: Vec<PortOutcome>,
    /// What each of them would get; nothing for inputs, and for traps without address.
    pub outputs: Vec<Option<PreviewOutput>>,
    /// One entry for each operator of the plan.
    pub counts: Vec<Counts>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a run would publish at one port.
#[derive(Debug)]
#[non_exhaustive]
pub struct PreviewOutput {
    /// What would happen to rows that are there.
    pub mode: Mode,
    /// The first rows, and how many there are.
    pub rows: Head,
}

/// Reads what [`run`](super::run) would read, runs the flow, and publishes nothing: neither the store nor a target is
/// changed. Of each output the first `rows_max` rows are kept.
///
/// # Errors
/// What a run would fail with.
pub fn preview<F: Flow>(flow: &F, options: &Options, rows_max: usize) -> Result<Preview, Error> {
    let (began, name) = (clock::elapsed(), F::PLAN.logical_name());
    let ports = Ports::open(flow)?;
    fit(flow, &ports, options)?;
    let looked = OpenCheckpoint::look(&options.checkpoint, name.clone())?;
    let unfinished: Vec<u64> = looked.store.unfinished()?.iter().map(|sealed| sealed.iteration).collect();
    let iteration = looked.store.latest()?.map_or(0, |latest| latest + 1);
    // While some are unfinished, the ledgers do not expect this one.
    if unfinished.is_empty() {
        ports.check_ledgers(|port| looked.ticket(port, iteration, ""))?;
    }

    let place = OpenCheckpoint::open(&Checkpoint::None, name)?;
    let id = format!("{iteration}-{}", effect::id());
    let run_when_empty = runs_without_records(iteration, ports.sources());
    let mut inputs = ports.jobs(&looked, &looked.store.shards()?, options)?;
    inputs.iter_mut().for_each(|job| job.reading.is_aside = true);
    let reading = Reading {
        attempt: &id,
        inputs,
        has_target: ports.ports().map(|(index, _)| ports.output(index).is_some()).collect(),
        demands: ports.demands.as_slice().into(),
        stagers: Vec::new(),
        bounds: &options.bounds,
        run_when_empty,
    };
    let read = attempt::process::<F>(&place, options, reading)?;
    let outcomes = attempt::outcomes(&ports, &read);
    let rows: Vec<u64> = outcomes.iter().map(|port| port.rows).collect();
    balance::check(F::PLAN, Counted { operators: &read.executed.counts, ports: &rows })?;

    let nothing_new = !run_when_empty && !read.executed.new_records;
    let (is_bounded, counts) = (read.executed.closed_by != ClosedBy::End, read.executed.counts.clone());
    let manifests = read.staged.finish()?;
    let output = |(index, port): (usize, &'static PortPlan)| {
        let Some(tap) = ports.output(index) else { return Ok(None) };
        let rows = head(&place, &id, &manifests, port, rows_max)?;
        Ok(Some(PreviewOutput { mode: tap.mode(), rows }))
    };
    let outputs = ports.ports().map(output).collect::<Result<_, Error>>()?;
    let iteration = Some(iteration).filter(|_| looked.is_kept);
    let elapsed = clock::elapsed().saturating_sub(began);
    Ok(Preview { unfinished, iteration, nothing_new, is_bounded, ports: outcomes, outputs, counts, elapsed })
}

/// The first rows that were staged for a port.
fn head(
    place: &OpenCheckpoint,
    attempt: &str,
    manifests: &[StagedManifest],
    port: &'static PortPlan,
    rows_max: usize,
) -> Result<Head, Error> {
    match manifests.iter().find(|manifest| manifest.port == port.name) {
        Some(manifest) => first_rows(&place.staging.staged(attempt, manifest, port)?, port, rows_max),
        None => Ok(Head { rows: Vec::new(), row_count: 0 }),
    }
}

fn first_rows(staged: &Staged, port: &PortPlan, rows_max: usize) -> Result<Head, Error> {
    let fields = output_fields(port);
    let (mut rows, mut shown) = (staged.rows()?, Vec::new());
    while shown.len() < rows_max
        && let Some(mut row) = rows.next_row()?
    {
        let cells = fields.iter().map(|field| match row.value(field.ty) {
            Value::Null => None,
            value => Some(value.display(field.ty).to_string()),
        });
        shown.push(cells.collect());
    }
    Ok(Head { rows: shown, row_count: staged.row_count() })
}
