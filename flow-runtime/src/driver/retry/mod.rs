//! Retrying what a trap has taken, through a mended flow: [`retry_trap`].
//!
//! It is an iteration like any other: the trap's records are read as a shard of the source that they came from, whose
//! position says how far the trap has been retried. So the seal makes sure that each is retried once, whatever dies; rows go
//! to the sinks by the same protocol; what fails again is trapped again, behind that position, and waits for the next time.
//! `records.rs` gives the records to the flow, `passed.rs` knows which of them may have left rows behind when they failed.

mod passed;
mod records;

use std::{
    cell::Cell,
    sync::{Arc, atomic::Ordering},
};

use super::{
    Bounds, Checkpoint, Options, Outcome,
    attempt::{self, Read, Reading},
    checkpoint::OpenCheckpoint,
    execute::InputJob,
    iterate_reading, overlaps,
    ports::Ports,
    publish,
};
use crate::{
    Error, Failure, Flow,
    effect::{self, clock},
    iteration::{SealedShard, decide::trap_shard},
    plan::PortKind,
    sink::{Mode, TrapReader},
    source::{self, Shard, ShardFrom},
};
use records::{Kind, RetryTap, kind, start};

/// Tables are read whole, and a trap to its present end.
const ONCE: source::Reading = source::Reading { take_tail: true, once: true, is_look: false, is_aside: false };

/// What to do about records of which other rows may have been published already: they failed in one branch of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Branched {
    /// Nothing is retried while there are any.
    #[default]
    Refuse,
    /// They are retried like the others: the rows that they have are there twice then.
    Retry,
    /// They are left, for good.
    Leave,
}

/// How to retry a trap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// What to do about records that failed in one branch of several.
    pub branched: Branched,
    /// All that is in the trap, not only what was never retried.
    pub from_start: bool,
    /// Nothing is sealed or published: what would come of it is counted.
    pub dry_run: bool,
}

/// What came of retrying a trap.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RetryOutcome {
    /// Records that were read from the trap and went through the flow.
    pub read: u64,
    /// Of these, those that were not trapped again.
    pub fixed: u64,
    /// Of these, those that were.
    pub failed_again: u64,
    /// What is no record of a source, and is left: rows of groups, records of tables.
    pub left_without_record: u64,
    /// Records that failed in one branch of several, and are left.
    pub left_branched: u64,
    /// The iteration; `None` if there was nothing to retry, or nothing was sealed.
    pub iteration: Option<u64>,
    /// What happened at the ports; `None` if there was nothing to retry.
    pub outcome: Option<Outcome>,
}

/// Feeds the records that a trap has taken, and that were not retried yet, to the flow as it is now, each once.
///
/// # Errors
/// [`Error::Config`] for a trap that the flow does not have, that cannot be read back, or whose rows would replace others;
/// [`Error::Held`] when the trap is not what it was; else as [`run`](super::run).
pub fn retry_trap<F: Flow>(flow: &F, options: &Options, trap: &str, retry: Retry) -> Result<RetryOutcome, Error> {
    let done = retry_in(flow, options, trap, retry);
    options.progress.finished.store(true, Ordering::Relaxed);
    done
}

fn retry_in<F: Flow>(flow: &F, options: &Options, trap: &str, retry: Retry) -> Result<RetryOutcome, Error> {
    let name = F::PLAN.logical_name();
    if options.checkpoint == Checkpoint::None {
        let failure = Failure::new("without a checkpoint store nobody knows what was retried before");
        return Err(Error::Config(failure.help("give --checkpoint sqlite:PATH")));
    }
    let index = find_trap::<F>(trap)?;
    let mut ports = Ports::open(flow)?;
    refuse_replacing(&ports)?;
    overlaps::refuse(F::PLAN.ports.iter().map(|port| port.name).zip(flow.ports()), &options.checkpoint)?;
    ports.check(true)?;
    let checkpoint = match retry.dry_run {
        true => OpenCheckpoint::look(&options.checkpoint, name.clone())?,
        false => OpenCheckpoint::open(&options.checkpoint, name.clone())?,
    };
    if !retry.dry_run {
        // A retry that was sealed and not published has moved the position, and its records may be in the trap again.
        publish::leftovers(&checkpoint, &mut ports, &options.stop)?;
    }
    let Some(trapped) = Trapped::open(&ports, index, &name, retry)? else { return Ok(RetryOutcome::default()) };
    let found = trapped.survey(&ports, &checkpoint.store.shards()?)?;
    if found.left_branched > 0 && retry.branched == Branched::Refuse {
        return Err(branched(trap, found.left_branched));
    }
    if found.read == 0 {
        return Ok(found);
    }
    let failed_again = Cell::new(0);
    let read = |ports: &Ports, staged_in: &OpenCheckpoint, attempt: (u64, &str)| {
        // Asked after the iteration was opened: what another process retries in between costs us the seal.
        let known = checkpoint.store.shards()?;
        let jobs = trapped.jobs(ports, &known);
        let read = trapped.read::<F>(staged_in, ports, options, &jobs, attempt)?;
        failed_again.set(read.executed.failed_again);
        Ok(Read { known, ..read })
    };
    let outcome = match retry.dry_run {
        true => try_out(&ports, options, read)?,
        false => iterate_reading::<F>(&checkpoint, &mut ports, options, |ports, attempt| {
            read(ports, &checkpoint, (attempt.iteration, &attempt.id))
        })?,
    };
    let sources = F::PLAN.ports.iter().zip(&outcome.ports).filter(|(port, _)| port.kind == PortKind::Source);
    let read = sources.map(|(_, port)| port.rows).sum::<u64>();
    let failed_again = failed_again.get();
    let (fixed, iteration) = (read.saturating_sub(failed_again), outcome.iteration);
    Ok(RetryOutcome { read, fixed, failed_again, iteration, outcome: Some(outcome), ..found })
}

/// Reads and processes, seals nothing: what is staged goes with this process.
fn try_out(
    ports: &Ports,
    options: &Options,
    read: impl FnOnce(&Ports, &OpenCheckpoint, (u64, &str)) -> Result<Read, Error>,
) -> Result<Outcome, Error> {
    let began = clock::elapsed();
    let mut nowhere = OpenCheckpoint::open(&Checkpoint::None, ports.plan.logical_name())?;
    // Nothing is published there, so nothing is asked of the traps.
    nowhere.is_kept = true;
    let read = read(ports, &nowhere, (0, &effect::id()))?;
    attempt::check(&nowhere, ports, options, &read)?;
    Ok(Outcome {
        resumed: Vec::new(),
        iteration: None,
        nothing_new: false,
        ports: attempt::outcomes(ports, &read),
        counts: read.executed.counts,
        elapsed: clock::elapsed().saturating_sub(began),
    })
}

fn find_trap<F: Flow>(trap: &str) -> Result<usize, Error> {
    let traps = || F::PLAN.ports.iter().enumerate().filter(|(_, port)| port.kind == PortKind::Trap);
    traps().find(|(_, port)| port.name == trap).map(|(index, _)| index).ok_or_else(|| {
        let names: Vec<&str> = traps().map(|(_, port)| port.name).collect();
        let names = if names.is_empty() { "it has none".to_owned() } else { format!("it has: {}", names.join(", ")) };
        Error::Config(Failure::new(format!("the flow has no trap `{trap}`")).help(names))
    })
}

/// A few retried rows must not take the place of all that a target has.
fn refuse_replacing(ports: &Ports) -> Result<(), Error> {
    let replaces = |index| ports.output(index).is_some_and(|tap| tap.mode() == Mode::Replace);
    match ports.ports().find(|(index, port)| port.kind == PortKind::Sink && replaces(*index)) {
        None => Ok(()),
        Some((index, port)) => Err(Error::Config(
            Failure::new("the retried rows would replace all that is there")
                .at(ports.places[index].clone())
                .help("retry into sinks of the modes append and merge; what is replaced is right again once all is read again")
                .of_port(port.name),
        )),
    }
}

fn branched(trap: &str, records: u64) -> Error {
    Error::Config(
        Failure::new(format!("{records} records failed in one branch of several, or behind a join"))
            .at(format!("trap `{trap}`"))
            .cause("other rows of theirs may have been published, and would be there twice")
            .help("say --branched leave to leave them, for good; or --branched retry to retry them all the same"),
    )
}

/// A trap, and what of it is retried.
#[derive(Debug)]
struct Trapped {
    reader: Arc<dyn TrapReader>,
    /// Its id as a shard.
    shard: String,
    /// What people call it.
    name: String,
    retry: Retry,
}

impl Trapped {
    fn open(ports: &Ports, index: usize, flow: &str, retry: Retry) -> Result<Option<Self>, Error> {
        let Some(tap) = ports.output(index) else { return Ok(None) };
        let (shard, name) = (trap_shard(ports.plan.ports[index].name), format!("trap {}", ports.places[index]));
        Ok(tap.trapped(flow)?.map(|reader| Self { reader: reader.into(), shard, name, retry }))
    }

    /// The records to be retried, as a shard of each source.
    fn jobs(&self, ports: &Ports, known: &[SealedShard]) -> Vec<(usize, RetryTap, ShardFrom)> {
        let sources = ports.ports().filter(|(_, port)| port.kind == PortKind::Source);
        let job = |(index, port): (usize, &'static crate::plan::PortPlan)| {
            let known = known.iter().find(|known| (known.port.as_str(), &known.shard) == (port.name, &self.shard));
            let shard = Shard { id: self.shard.clone(), name: self.name.clone(), mark: String::new(), start: start() };
            let from = known.filter(|_| !self.retry.from_start).map_or_else(start, |known| known.next.clone());
            let tap = RetryTap::new(Arc::clone(&self.reader), ports.plan, index, self.retry.branched);
            (index, tap, ShardFrom { shard, from, until: None, covered_us: None, gap: None })
        };
        sources.map(job).collect()
    }

    /// Counts what there is to retry.
    fn survey(&self, ports: &Ports, known: &[SealedShard]) -> Result<RetryOutcome, Error> {
        let mut found = RetryOutcome::default();
        for (nth, (index, tap, shard)) in self.jobs(ports, known).into_iter().enumerate() {
            let mut entries = tap.entries(&shard.from)?;
            while let Some(entry) = entries.next()? {
                match kind(ports.plan, &entry) {
                    Kind::Of(port, false) if port == index => found.read += 1,
                    Kind::Of(port, true) if port == index => found.left_branched += 1,
                    Kind::Of(..) => {}
                    Kind::NoRecord => found.left_without_record += u64::from(nth == 0),
                }
            }
        }
        if self.retry.branched == Branched::Retry {
            found.read += std::mem::take(&mut found.left_branched);
        }
        Ok(found)
    }

    fn read<F: Flow>(
        &self,
        checkpoint: &OpenCheckpoint,
        ports: &Ports,
        options: &Options,
        jobs: &[(usize, RetryTap, ShardFrom)],
        (iteration, attempt): (u64, &str),
    ) -> Result<Read, Error> {
        let mut inputs = Vec::new();
        for (index, tap, shard) in jobs {
            inputs.push(InputJob { port: *index, tap, shards: vec![shard.clone()], reading: ONCE, is_source: true });
        }
        for (index, port) in ports.ports().filter(|(_, port)| port.kind == PortKind::Table) {
            let Some(tap) = ports.input(index) else { continue };
            let shards = tap.shards(&[]).map_err(|error| error.of_port(port.name))?;
            inputs.push(InputJob { port: index, tap, shards, reading: ONCE, is_source: false });
        }
        let reading = Reading {
            attempt,
            inputs,
            has_target: ports.ports().map(|(index, _)| ports.output(index).is_some()).collect(),
            demands: ports.demands.as_slice().into(),
            stagers: if self.retry.dry_run { Vec::new() } else { ports.stagers(iteration, attempt) },
            bounds: &Bounds::default(),
            run_when_empty: false,
        };
        let read = attempt::process::<F>(checkpoint, options, reading)?;
        Ok(Read { about: format!("retried {}", self.name), ..read })
    }
}
