//! The calling thread's part of an iteration: it gives out pieces, keeps their order, and hands on what came of them.

use std::{
    borrow::Cow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use super::{
    Progress,
    execute::{Collect, Executed, Execution, TrappedRecord},
    intake::Intake,
    memory::Memory,
    panics::caught,
    refusal,
    sequencer::Sequencer,
    workers::{self, Failed, Results, Why, Work},
};
use crate::{
    Error, Failure, Plan,
    flow::{At, Counts, Drained, Flow, Output, Stop, TableMut},
    origin::{Lineage, Origin, PieceOrigin},
    plan::Drain,
    sink::Demands,
    source::Next,
};

/// How long to wait for an event before looking at the clock and at the stop flag.
const TICK: Duration = Duration::from_millis(50);

/// What the threads tell the calling thread.
#[derive(Debug)]
pub(super) enum Event {
    /// A reader, of the input with this index.
    Answered { input: usize, answer: Result<Next, Error>, has_looked: bool },
    /// A worker.
    Worked(Box<Work>),
}

/// An iteration under way.
pub(super) struct Run<'a, 's, 'e> {
    plan: &'static Plan,
    intake: Intake<'a>,
    demands: Arc<[Demands]>,
    workers: usize,
    stop: &'a AtomicBool,
    drain: &'a AtomicBool,
    progress: &'a Progress,
    clock: &'a dyn Fn() -> Duration,
    memory: &'a Memory,
    collect: &'a mut dyn Collect,
    counts: Vec<Counts>,
    /// Records out of a trap that were trapped again.
    failed_again: u64,
    /// The last of them: its piece and its place in it.
    failed_last: Option<(u64, usize)>,
    /// Of pieces that are done with.
    spare: Vec<Results>,
    threads: &'s thread::Scope<'s, 'e>,
    events: Receiver<Event>,
    sender: Sender<Event>,
}

impl<'a, 's, 'e> Run<'a, 's, 'e> {
    pub(super) fn new(
        plan: &'static Plan,
        job: Execution<'a>,
        memory: &'a Memory,
        collect: &'a mut dyn Collect,
        threads: &'s thread::Scope<'s, 'e>,
    ) -> Self {
        let (sender, events) = mpsc::channel();
        Self {
            plan,
            intake: Intake::new(plan, job.inputs, job.bounds),
            demands: job.demands,
            workers: job.workers.get(),
            stop: job.stop,
            drain: job.drain,
            progress: job.progress,
            clock: job.clock,
            memory,
            collect,
            counts: vec![Counts::default(); plan.operators.len()],
            failed_again: 0,
            failed_last: None,
            spare: Vec::new(),
            threads,
            events,
            sender,
        }
    }

    /// Starts the readers of all sources; says whether there is anything new. A flow without sources always has work.
    pub(super) fn open_sources(&mut self) -> Result<bool, Error> {
        let sources = self.intake.sources();
        self.open(&sources)?;
        while !self.intake.is_read(&sources) {
            if self.intake.has_piece(&sources) {
                return Ok(true);
            }
            // No worker runs yet.
            self.next_event()?;
        }
        Ok(sources.is_empty())
    }

    /// Reads the input ports `ports` to their end on all workers, and folds these into `state`.
    pub(super) fn read<F: Flow>(
        &mut self,
        ports: &[usize],
        shared: &F::Shared,
        state: &mut F::Worker,
    ) -> Result<(), Error> {
        let inputs = ports.iter().map(|port| self.input_at(*port)).collect::<Result<Vec<_>, _>>()?;
        self.open(&inputs)?;
        let mut others: Vec<F::Worker> = Vec::new();
        others.resize_with(self.workers - 1, Default::default);
        let (jobs, queue) = mpsc::channel();
        let queue = Mutex::new(queue);
        thread::scope(|threads| {
            for (index, worker) in std::iter::once(&mut *state).chain(&mut others).enumerate() {
                let account = self.memory.account();
                workers::start::<F>(threads, index, (shared, worker), account, &queue, self.sender.clone())?;
            }
            // Dropped at the end, `jobs` makes the workers end.
            self.pass_on(&inputs, jobs)
        })?;
        caught(|| others.into_iter().for_each(|other| F::merge(state, other)))
            .map_err(|message| refusal::error(self.plan, Why::Panicked(message), "merging workers".to_owned(), None))
    }

    /// Does one drain of the plan, piece by piece.
    pub(super) fn drain<F: Flow>(
        &mut self,
        drain: usize,
        shared: &mut F::Shared,
        state: &mut F::Worker,
    ) -> Result<(), Error> {
        let mut results = Results::new(self.plan, &self.demands);
        let mut account = self.memory.account();
        loop {
            self.heed_stop()?;
            self.load_groups::<F>(drain, shared, state)?;
            let drained = self.drain_piece::<F>(drain, shared, state, &mut results.output)?;
            self.hand_on(&results.output, None)?;
            results.clear();
            account.settle::<F>(shared, state)?;
            self.progress.beat();
            if drained == Drained::Wholly {
                return Ok(());
            }
        }
    }

    /// Loads the groups that come next, if groups are what is drained.
    fn load_groups<F: Flow>(&self, drain: usize, shared: &F::Shared, state: &mut F::Worker) -> Result<(), Error> {
        let Some(Drain::Group(group)) = self.plan.drains.get(drain) else { return Ok(()) };
        for table in F::tables(shared, state) {
            match table {
                TableMut::Groups { operator, groups } if operator == *group => groups.load(self.memory.spill())?,
                _ => {}
            }
        }
        Ok(())
    }

    fn drain_piece<F: Flow>(
        &self,
        drain: usize,
        shared: &mut F::Shared,
        state: &mut F::Worker,
        output: &mut Output,
    ) -> Result<Drained, Error> {
        let (why, row) = match caught(|| F::drain(drain, shared, state, output)) {
            Ok(Ok(drained)) => return Ok(drained),
            Ok(Err(Stop { operator, at: At::Row(row), reason })) => {
                (Why::Stopped(Stop { operator, at: At::Row(row.clone()), reason }), Some(row))
            }
            Ok(Err(stop)) => (Why::Stopped(stop), None),
            Err(message) => (Why::Panicked(message), None),
        };
        let row = row.as_deref().filter(|row| !row.is_empty()).map(str::as_bytes);
        Err(refusal::error(self.plan, why, "when all records had been read".to_owned(), row))
    }

    /// What came of it all.
    pub(super) fn finish(self, new_records: bool) -> Executed {
        let (inputs, closed_by) = self.intake.into_reads();
        Executed { failed_again: self.failed_again, counts: self.counts, inputs, new_records, closed_by }
    }

    fn input_at(&self, port: usize) -> Result<usize, Error> {
        self.intake.input_at(port).ok_or_else(|| {
            let name = self.plan.ports.get(port).map_or("", |port| port.name);
            Error::Config(Failure::new(format!("port `{name}` is not bound")))
        })
    }

    fn open(&mut self, inputs: &[usize]) -> Result<(), Error> {
        let buffers = 2 * self.workers + 1;
        inputs.iter().try_for_each(|input| self.intake.open(*input, self.threads, buffers, &self.sender))
    }

    /// Passes the pieces of `inputs` to the workers and their results to the collector, until all is done.
    fn pass_on(&mut self, inputs: &[usize], jobs: Sender<Box<Work>>) -> Result<(), Error> {
        let mut order = Sequencer::default();
        let mut sequence = 0;
        self.intake.begin_step();
        loop {
            while let Some((input, piece)) = self.intake.next(inputs) {
                let port = self.intake.port(input);
                let results = self.spare.pop().unwrap_or_else(|| Results::new(self.plan, &self.demands));
                // Workers are only gone when a piece has failed, and that piece comes first.
                let _ = jobs.send(Box::new(Work { sequence, input, port, piece, results }));
                sequence += 1;
            }
            if order.taken() == sequence && self.intake.is_read(inputs) {
                return Ok(());
            }
            if let Some(work) = self.next_event()? {
                order.put(work.sequence, work);
            }
            while let Some(work) = order.take() {
                self.deliver(work)?;
            }
        }
    }

    /// Waits for the next event, but not long, and takes in what readers say; what a worker did is handed back.
    fn next_event(&mut self) -> Result<Option<Box<Work>>, Error> {
        let event = self.events.recv_timeout(TICK);
        self.heed_stop()?;
        let now = (self.clock)();
        let mut worked = None;
        match event {
            Ok(Event::Answered { input, answer, has_looked }) => {
                self.intake.answered(input, answer, has_looked)?;
            }
            Ok(Event::Worked(work)) => {
                self.progress.beat();
                worked = Some(work);
            }
            // This thread holds a sender itself.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        // One reader that hangs must not be hidden by others that go on looking for more.
        if self.intake.all_were_heard() {
            self.progress.beat();
        }
        self.progress.behind_since(self.intake.behind_since_us());
        if self.drain.load(Ordering::Relaxed) {
            self.intake.drain();
        }
        self.intake.heed_time(now);
        Ok(worked)
    }

    fn heed_stop(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Hands on what came of one piece, or fails as it failed.
    fn deliver(&mut self, mut work: Box<Work>) -> Result<(), Error> {
        if let Some(Failed { why, record }) = work.results.failed.take() {
            let (port, shard) = (self.intake.name(work.input), self.intake.shard(&work));
            let position = record.map_or_else(|| work.piece.from.clone(), |(index, span)| work.position(index, span));
            let place = format!("port `{port}`, {shard}, position {position}");
            return Err(refusal::error(self.plan, why, place, record.map(|(_, span)| work.bytes(span))));
        }
        self.hand_on(&work.results.output, Some(&work))?;
        let Work { input, piece, mut results, .. } = *work;
        self.progress.records.fetch_add(results.records, Ordering::Relaxed);
        self.progress.bytes.fetch_add(piece.bytes.len() as u64, Ordering::Relaxed);
        self.intake.finished(input, piece, results.records);
        results.clear();
        self.spare.push(results);
        Ok(())
    }

    /// Hands rows, trapped records and counts on; the records are in `work`, if it was not a drain.
    fn hand_on(&mut self, output: &Output, work: Option<&Work>) -> Result<(), Error> {
        for (port, rows) in output.rows.iter().enumerate().filter(|(_, rows)| rows.rows() > 0) {
            let piece = work.map(|work| origin(&self.intake, work, output.lineage(port)));
            self.collect.rows(port, rows, &Origin { rows: rows.rows(), piece })?;
        }
        for (nth, trapped) in output.trapped.iter().enumerate() {
            let operator = self.plan.operators.get(trapped.operator).map_or("", |operator| operator.text);
            let reason = trapped.reason.as_str();
            let no_record = TrappedRecord { record: None, source: None, shard: None, position: None, operator, reason };
            let record = match (&trapped.at, work) {
                (At::Record(index), Some(work)) => {
                    let span = work.results.trapped.get(nth).copied().unwrap_or_default();
                    let retried = work.retried(*index);
                    // Several branches may have refused it, one after the other.
                    if retried.is_some()
                        && self.failed_last.replace((work.sequence, *index)) != Some((work.sequence, *index))
                    {
                        self.failed_again += 1;
                    }
                    TrappedRecord {
                        record: Some(work.bytes(span)),
                        source: Some(self.intake.name(work.input)),
                        shard: Some(retried.map_or_else(|| self.intake.shard(work), |record| record.shard.as_str())),
                        position: Some(work.position(*index, span)),
                        ..no_record
                    }
                }
                (At::Row(row), _) if !row.is_empty() => TrappedRecord { record: Some(row.as_bytes()), ..no_record },
                _ => no_record,
            };
            let piece = work.map(|work| origin(&self.intake, work, None));
            self.collect.trapped(trapped.trap, &record, &Origin { rows: 1, piece })?;
        }
        self.progress.trapped.fetch_add(output.trapped.len() as u64, Ordering::Relaxed);
        for (sum, counts) in self.counts.iter_mut().zip(&output.counts) {
            sum.add(*counts);
        }
        Ok(())
    }
}

/// Where the rows come from that were made of a piece.
fn origin<'w>(intake: &'w Intake<'_>, work: &'w Work, lineage: Option<&'w Lineage>) -> PieceOrigin<'w> {
    PieceOrigin {
        port: intake.name(work.input).into(),
        shard: intake.shard_id(work).into(),
        from: work.piece.from.as_str().into(),
        to: work.piece.to.as_str().into(),
        lineage: lineage.map(Cow::Borrowed),
    }
}
