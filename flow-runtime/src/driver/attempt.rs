//! Before the seal: one attempt reads, processes and stages an iteration; whatever fails, nothing of it is visible.

use std::{
    collections::HashMap,
    iter::repeat,
    sync::{Arc, atomic::Ordering},
};

use xxhash_rust::xxh3::Xxh3;

use super::{
    Bounds, Options, PortOutcome, TrappedSample,
    balance::{self, Counted},
    checkpoint::OpenCheckpoint,
    collect::Stage,
    events,
    execute::{self, Executed, Execution, InputJob, InputRead, ShardRead},
    limits::ClosedBy,
    machine,
    ports::Ports,
};
use crate::{
    Error, Failure, Flow,
    effect::{self, clock, effect},
    iteration::{
        Attempt, OperatorCounts, Output, Range, Seal, Sealed, SealedShard, TableVersion,
        decide::{Close, close, gaps, runs_without_records},
        store::{self, GivenUp, SealEnd},
    },
    plan::PortKind,
    sink::{
        Demands, Stager,
        staging::{StagedAttempt, StagedManifest},
    },
};

/// What an attempt has read, and staged.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) executed: Executed,
    pub(super) staged: StagedAttempt,
    /// For each port, the first records that it trapped.
    pub(super) samples: Vec<Vec<TrappedSample>>,
    /// What a person should know of it.
    pub(super) about: String,
    /// What the store knew of the shards before.
    pub(super) known: Vec<SealedShard>,
}

/// Notes that an attempt at `iteration` begins: OPEN.
pub(super) fn open(checkpoint: &OpenCheckpoint, iteration: u64, plan_hash: u64) -> Result<Attempt, Error> {
    let id = format!("{iteration}-{}", effect::id());
    let attempt = Attempt { id, iteration, owner: effect::owner(), opened_us: clock::now_us(), plan_hash };
    checkpoint.store.open(&attempt)?;
    events::opened(&checkpoint.flow, &attempt);
    Ok(attempt)
}

/// Finds out before anything is read whether every target would take the iteration.
pub(super) fn check_ledgers(checkpoint: &OpenCheckpoint, ports: &Ports, attempt: &Attempt) -> Result<(), Error> {
    match ports.check_ledgers(|port| checkpoint.ticket(port, attempt.iteration, "")) {
        // Another run may have sealed and published it since we opened it: then nothing is wrong with the target.
        Err(Error::Held(_)) if checkpoint.store.sealed_attempt(attempt.iteration)?.is_some() => Err(lost(attempt)),
        checked => checked,
    }
}

/// Reads on from where the last iteration ended, runs the flow, stages what comes out.
pub(super) fn read<F: Flow>(
    checkpoint: &OpenCheckpoint,
    ports: &Ports,
    options: &Options,
    attempt: &Attempt,
) -> Result<Read, Error> {
    let known = checkpoint.store.shards()?;
    let reading = Reading {
        attempt: &attempt.id,
        inputs: ports.jobs(checkpoint, &known, options)?,
        has_target: ports.ports().map(|(index, _)| ports.output(index).is_some()).collect(),
        demands: ports.demands.as_slice().into(),
        stagers: ports.stagers(attempt.iteration, &attempt.id),
        bounds: &options.bounds,
        run_when_empty: runs_without_records(attempt.iteration, ports.sources()),
    };
    Ok(Read { known, ..process::<F>(checkpoint, options, reading)? })
}

/// What an attempt reads, and for which ports it stages.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) attempt: &'a str,
    pub(super) inputs: Vec<InputJob<'a>>,
    /// For each port whether what comes out there is wanted; a trap may have no address.
    pub(super) has_target: Vec<bool>,
    /// For each port what its target cannot store.
    pub(super) demands: Arc<[Demands]>,
    /// For each port what stages its rows, if that is its target's to do.
    pub(super) stagers: Vec<Option<Box<dyn Stager>>>,
    pub(super) bounds: &'a Bounds,
    pub(super) run_when_empty: bool,
}

/// Reads, runs the flow, stages what comes out.
pub(super) fn process<F: Flow>(
    checkpoint: &OpenCheckpoint,
    options: &Options,
    reading: Reading<'_>,
) -> Result<Read, Error> {
    let Reading { attempt, inputs, has_target, demands, stagers, bounds, run_when_empty } = reading;
    let staged = checkpoint.staging.attempt(attempt, F::PLAN).staged_by(stagers);
    let mut stage = Stage::new(F::PLAN, staged, has_target, demands.clone());
    let began = clock::elapsed();
    let job = Execution {
        inputs,
        demands,
        workers: options.workers,
        bounds,
        memory_bytes: options.memory_bytes.unwrap_or_else(machine::share_bytes),
        spill: checkpoint.staging.spill_directory(attempt),
        run_when_empty,
        stop: &options.stop,
        drain: &options.drain,
        progress: &options.progress,
        clock: &|| clock::elapsed().saturating_sub(began),
    };
    let executed = execute::execute::<F>(job, &mut stage)?;
    Ok(Read { executed, staged: stage.staged, samples: stage.samples, about: String::new(), known: Vec::new() })
}

/// Makes sure that what was read and staged may become final: its counts add up, nobody has asked to stop, and a run
/// without a store has a place for what it trapped.
pub(super) fn check(checkpoint: &OpenCheckpoint, ports: &Ports, options: &Options, read: &Read) -> Result<(), Error> {
    let rows: Vec<u64> = outcomes(ports, read).iter().map(|port| port.rows).collect();
    balance::check(ports.plan, Counted { operators: &read.executed.counts, ports: &rows })?;
    for (index, port) in ports.ports().filter(|(_, port)| !checkpoint.is_kept && port.kind == PortKind::Trap) {
        if let Some(tap) = ports.output(index).filter(|_| read.staged.rows(index) > 0) {
            tap.check_without_store().map_err(|error| error.of_port(port.name))?;
        }
    }
    if options.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
}

/// Makes final what was read and staged: SEALED. Without a new record that is positions alone, or nothing.
pub(super) fn seal(
    checkpoint: &OpenCheckpoint,
    ports: &Ports,
    attempt: &Attempt,
    read: Read,
) -> Result<Option<Sealed>, Error> {
    let Read { executed, staged, known, about, .. } = read;
    let told = told_gaps(ports, &executed);
    let seal = match close(attempt.iteration, ports.sources(), ranges(ports, &executed), &known) {
        Close::Nothing => return Ok(None),
        Close::Positions(ranges) => {
            let note = note([&about, "no new records"], &ranges, &known, &told);
            Seal { ranges, sealed_us: clock::now_us(), note, ..Seal::default() }
        }
        Close::Everything(ranges) => Seal {
            sealed_us: clock::now_us(),
            note: note([&about, closed_by(executed.closed_by)], &ranges, &known, &told),
            ranges,
            tables: tables(ports, &executed),
            outputs: outputs(ports, effect("stage.finish", || staged.finish())?),
            counts: counts(ports, &executed),
        },
    };
    match store::seal(&*checkpoint.store, attempt, &seal)? {
        SealEnd::Won => {
            Ok(Some(Sealed { iteration: attempt.iteration, attempt: attempt.id.clone(), outputs: seal.outputs }))
        }
        SealEnd::Lost => Err(lost(attempt)),
    }
}

fn lost(attempt: &Attempt) -> Error {
    let what = format!("another run has sealed iteration {}, or revoked this attempt at it", attempt.iteration);
    Error::Busy(Failure::new(what).help("nothing of this run was published; run again"))
}

/// Gives the attempt up that failed with `error`; what cannot be cleaned up now is swept away by the next run.
pub(super) fn give_up(checkpoint: &OpenCheckpoint, ports: &Ports, attempt: &Attempt, error: Error) -> Error {
    let text = error.to_string();
    let why = match &error {
        Error::Held(_) => GivenUp::Held(&text),
        _ => GivenUp::Revoked(&text),
    };
    events::gave_up(&checkpoint.flow, attempt, &error);
    // The error that is told is the one that came first.
    let _ = checkpoint.give_up(ports, &attempt.id, why);
    error
}

/// What happened at each port, in the order of the plan: what was read there, or staged for it.
pub(super) fn outcomes(ports: &Ports, read: &Read) -> Vec<PortOutcome> {
    let input = |index| read.executed.inputs.iter().find(|input: &&InputRead| input.port == index);
    let outcome = |(index, place): (usize, &String)| match input(index) {
        Some(input) => PortOutcome {
            rows: input.shards.iter().map(|shard| shard.records).sum(),
            bytes: input.shards.iter().map(|shard| shard.bytes).sum(),
            place: place.clone(),
            trapped: Vec::new(),
        },
        None => PortOutcome {
            rows: read.staged.rows(index),
            bytes: 0,
            place: place.clone(),
            trapped: read.samples.get(index).cloned().unwrap_or_default(),
        },
    };
    ports.places.iter().enumerate().map(outcome).collect()
}

/// What a person should know of the iteration: why it is no bigger, and which gaps were accepted.
fn note(about: [&str; 2], ranges: &[Range], known: &[SealedShard], told: &ToldGaps<'_>) -> String {
    let about = about.into_iter().filter(|about| !about.is_empty()).map(str::to_owned);
    let told = |range: &Range| told.get(&(&*range.port, &*range.shard)).copied();
    about.chain(gaps(ranges, known, told)).collect::<Vec<_>>().join("; ")
}

/// What sources say of the gaps that were accepted in them, by port and shard.
type ToldGaps<'e> = HashMap<(&'e str, &'e str), &'e str>;

fn told_gaps<'e>(ports: &'e Ports, executed: &'e Executed) -> ToldGaps<'e> {
    let shards = inputs(ports, executed, PortKind::Source).flat_map(|(port, shards)| shards.iter().zip(repeat(port)));
    shards.filter_map(|(read, port)| Some(((port, &*read.id), read.gap.as_deref()?))).collect()
}

fn closed_by(closed_by: ClosedBy) -> &'static str {
    match closed_by {
        ClosedBy::End => "",
        ClosedBy::MaxRecords => "closed by --max-records",
        ClosedBy::MaxBytes => "closed by --max-bytes",
        ClosedBy::IterationTimeout => "closed by --iteration-timeout",
        ClosedBy::NoDataTimeout => "closed by --no-data-timeout",
        ClosedBy::Drain => "closed by a signal",
    }
}

fn inputs<'a>(
    ports: &'a Ports,
    executed: &'a Executed,
    kind: PortKind,
) -> impl Iterator<Item = (&'static str, &'a [ShardRead])> {
    let of_kind = executed.inputs.iter().filter_map(|input| Some((ports.plan.ports.get(input.port)?, &input.shards)));
    of_kind.filter(move |(port, _)| port.kind == kind).map(|(port, shards)| (port.name, shards.as_slice()))
}

pub(super) fn ranges(ports: &Ports, executed: &Executed) -> Vec<Range> {
    let range = |port: &str, read: &ShardRead| Range {
        port: port.to_owned(),
        shard: read.id.clone(),
        name: read.name.clone(),
        mark: read.mark.clone(),
        first: read.first.clone(),
        next: read.next.clone(),
        records: read.records,
        bytes: read.bytes,
        hash: read.hash.clone(),
        covered_us: read.covered_us,
    };
    inputs(ports, executed, PortKind::Source)
        .flat_map(|(port, shards)| shards.iter().map(move |read| range(port, read)))
        .collect()
}

pub(super) fn tables(ports: &Ports, executed: &Executed) -> Vec<TableVersion> {
    let version = |(port, shards): (&str, &[ShardRead])| {
        let mut hash = Xxh3::new();
        shards.iter().for_each(|shard| hash.update(shard.hash.as_bytes()));
        TableVersion {
            port: port.to_owned(),
            records: shards.iter().map(|shard| shard.records).sum(),
            bytes: shards.iter().map(|shard| shard.bytes).sum(),
            hash: format!("{:032x}", hash.digest128()),
        }
    };
    inputs(ports, executed, PortKind::Table).map(version).collect()
}

pub(super) fn outputs(ports: &Ports, manifests: Vec<StagedManifest>) -> Vec<Output> {
    let output = |staged: StagedManifest| {
        let (index, _) = ports.plan.port(&staged.port)?;
        let tap = ports.output(index)?;
        Some(Output { staged, place: ports.targets.get(index)?.clone(), mode: tap.mode(), loaded: false })
    };
    manifests.into_iter().filter_map(output).collect()
}

pub(super) fn counts(ports: &Ports, executed: &Executed) -> Vec<OperatorCounts> {
    let operators = ports.plan.operators.iter().zip(&executed.counts);
    operators.map(|(operator, counts)| OperatorCounts { operator: operator.text.to_owned(), counts: *counts }).collect()
}
