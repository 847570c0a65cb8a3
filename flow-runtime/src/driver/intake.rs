//! The inputs of an iteration: what their readers have read, in which order it is given out, how far it has come.
//!
//! Everything here happens on one thread. Inputs of a step take turns, piece by piece, and an input whose next piece is
//! still being read keeps its turn: so the order of pieces depends on the inputs alone, not on who was faster. Only an
//! input that waits for new records is passed over.

use std::{collections::VecDeque, mem, sync::mpsc::Sender, thread, time::Duration};

use super::{
    Bounds,
    execute::{InputJob, InputRead, ShardRead},
    hash::Hash,
    limits::{ClosedBy, Meter, overdue},
    readers::ReaderThread,
    run::Event,
    workers::Work,
};
use crate::{
    Error, Plan,
    effect::{Mutant, mutant},
    flow::Span,
    plan::Step,
    source::{Arrived, Framing, Moved, Next, Piece, Position, ShardFrom},
};

/// A buffer that has grown beyond this is given back.
const KEPT_BUFFER_BYTES_MAX: usize = 1024 * 1024;

/// All inputs of an iteration.
pub(super) struct Intake<'a> {
    inputs: Vec<Input<'a>>,
    bounds: &'a Bounds,
    meter: Meter,
    closed_by: Option<ClosedBy>,
    /// Since when all records of sources are done with; `None` while some wait or are worked on.
    starved_since: Option<Duration>,
    /// A step has begun: before, it is only looked whether there is anything new.
    has_begun: bool,
    turn: usize,
}

/// One input: a port and its reader.
struct Input<'a> {
    job: InputJob<'a>,
    name: &'static str,
    /// Others are read only when it has been read.
    has_followers: bool,
    /// Until it is opened, and when nothing more is wanted of it, there is none.
    reader: Option<ReaderThread>,
    was_opened: bool,
    /// Read and not yet given out; no more than there are buffers. A piece comes first.
    waiting: VecDeque<Read>,
    /// Its reader has looked at all that it can read.
    has_looked: bool,
    /// It has said something since all were heard.
    was_heard: bool,
    /// How much it had done when all were heard.
    moves_heard: u64,
    /// Pieces that were given out and are not finished.
    in_work: usize,
    /// Its last answer was that there is nothing new.
    is_idle: bool,
    /// Nothing more will come.
    has_ended: bool,
    tallies: Vec<Tally>,
}

/// What a reader has read.
enum Read {
    Piece(Piece),
    Moved(Moved),
}

/// How far a shard has been read.
struct Tally {
    read: ShardRead,
    hash: Hash,
    /// Whether it had more when it was last read.
    is_behind: bool,
}

impl<'a> Intake<'a> {
    pub(super) fn new(plan: &'static Plan, jobs: Vec<InputJob<'a>>, bounds: &'a Bounds) -> Self {
        let meter = Meter::new(bounds);
        let inputs = jobs.into_iter().map(|job| Input::new(plan, job)).collect();
        let starved_since = Some(Duration::ZERO);
        let mut intake = Self { inputs, bounds, meter, closed_by: None, starved_since, has_begun: false, turn: 0 };
        if let Some(bound) = intake.meter.reached() {
            intake.close_sources(bound);
        }
        intake
    }

    /// The index of the input at `port`.
    pub(super) fn input_at(&self, port: usize) -> Option<usize> {
        self.inputs.iter().position(|input| input.job.port == port)
    }

    pub(super) fn sources(&self) -> Vec<usize> {
        (0..self.inputs.len()).filter(|index| self.inputs[*index].job.is_source).collect()
    }

    /// Starts the reader of an input, once and unless it is not wanted any more, with `buffers` to fill.
    pub(super) fn open<'s>(
        &mut self,
        index: usize,
        threads: &'s thread::Scope<'s, '_>,
        buffers: usize,
        events: &Sender<Event>,
    ) -> Result<(), Error> {
        let input = &mut self.inputs[index];
        // A reader of whom no more is wanted may have answers under way: another would begin where it began.
        if input.has_ended || mem::replace(&mut input.was_opened, true) {
            return Ok(());
        }
        let reader = input.job.tap.open(&input.job.shards, input.job.reading).map_err(|e| e.of_port(input.name))?;
        let thread = ReaderThread::start(threads, input.name, index, reader, events.clone())?;
        for _ in 0..buffers {
            thread.request(Vec::new());
        }
        input.reader = Some(thread);
        Ok(())
    }

    /// Takes in what the reader of an input had to say, and whether it has looked at all that it can read.
    pub(super) fn answered(
        &mut self,
        index: usize,
        answer: Result<Next, Error>,
        has_looked: bool,
    ) -> Result<(), Error> {
        let input = &mut self.inputs[index];
        if input.has_ended {
            return Ok(());
        }
        input.has_looked |= has_looked;
        input.was_heard = true;
        match answer.map_err(|error| error.of_port(input.name))? {
            Next::Piece(piece) => {
                input.is_idle = false;
                input.waiting.push_back(Read::Piece(piece));
            }
            Next::Moved(moved) => {
                input.waiting.push_back(Read::Moved(moved));
                input.settle();
            }
            Next::Looking => input.request(Vec::new()),
            Next::Waiting => input.wait(),
            // A table has no other time.
            Next::Idle if !input.job.is_source => input.wait(),
            // A source that need not wait ends here, and goes on in the next iteration. So does one that others stand
            // behind, those that are joined with it: while it was waited for, they would wait too, with records at hand.
            Next::Idle if self.bounds.no_data_timeout.is_some() && !(self.has_begun && input.has_followers) => {
                input.wait();
            }
            Next::Idle | Next::End => input.end(),
        }
        Ok(())
    }

    /// Asks the readers of sources for nothing more when a time is over; what they have read is still taken. Each looks
    /// once, however late it is: else a short time on a busy machine would come to nothing, run after run.
    pub(super) fn heed_time(&mut self, now: Duration) {
        self.count_starving(now);
        let starved_since = self.starved_since.unwrap_or(now);
        let Some(bound) = overdue(self.bounds, now, starved_since).filter(|_| self.closed_by.is_none()) else {
            return;
        };
        let mut sources = self.inputs.iter().filter(|input| input.job.is_source && !input.has_ended).peekable();
        if sources.peek().is_some() && sources.all(|source| source.has_looked) {
            self.closed_by = Some(bound);
            self.inputs.iter_mut().filter(|input| input.job.is_source).for_each(Input::ask_no_more);
        }
    }

    /// Whether each reader at work has said something, or done something, since this was last so.
    pub(super) fn all_were_heard(&mut self) -> bool {
        let moves = |input: &Input<'_>| input.reader.as_ref().map(ReaderThread::moves);
        let mut at_work = self.inputs.iter().filter_map(|input| Some((input, moves(input)?))).peekable();
        let all =
            at_work.peek().is_some() && at_work.all(|(input, moves)| input.was_heard || moves != input.moves_heard);
        if all {
            for input in &mut self.inputs {
                input.was_heard = false;
                input.moves_heard = moves(input).unwrap_or(0);
            }
        }
        all
    }

    /// Asks the readers of sources for nothing more; what they have read is still taken.
    pub(super) fn drain(&mut self) {
        if self.closed_by.is_none() {
            self.closed_by = Some(ClosedBy::Drain);
            self.inputs.iter_mut().filter(|input| input.job.is_source).for_each(Input::ask_no_more);
        }
    }

    fn count_starving(&mut self, now: Duration) {
        let mut sources = self.inputs.iter().filter(|input| input.job.is_source);
        self.starved_since = match sources.any(|source| source.in_work > 0 || !source.waiting.is_empty()) {
            true => None,
            false => self.starved_since.or(Some(now)),
        };
    }

    /// The first input of a step has the first turn.
    pub(super) fn begin_step(&mut self) {
        self.has_begun = true;
        self.turn = 0;
    }

    /// Gives out the next piece of the inputs `step`, cut where a bound is reached.
    pub(super) fn next(&mut self, step: &[usize]) -> Option<(usize, Piece)> {
        for _ in 0..step.len() {
            let index = step[self.turn % step.len()];
            let input = &mut self.inputs[index];
            if let Some(Read::Piece(mut piece)) = input.waiting.pop_front() {
                self.turn += 1;
                if input.job.is_source {
                    self.meter.admit(&mut piece);
                }
                input.in_work += 1;
                input.tally(&piece);
                match self.meter.reached() {
                    Some(bound) => self.close_sources(bound),
                    None => input.settle(),
                }
                return Some((index, piece));
            }
            if !input.has_ended && !input.is_idle {
                return None;
            }
            self.turn += 1;
        }
        None
    }

    /// Counts a piece's records, and has its buffer filled anew.
    pub(super) fn finished(&mut self, index: usize, piece: Piece, records: u64) {
        let input = &mut self.inputs[index];
        input.in_work -= 1;
        if let Some(tally) = input.tallies.get_mut(piece.shard) {
            tally.read.records += records;
        }
        let kept = if piece.bytes.capacity() > KEPT_BUFFER_BYTES_MAX { Vec::new() } else { piece.bytes };
        input.request(kept);
    }

    /// Whether one of these inputs has a piece to give out.
    pub(super) fn has_piece(&self, inputs: &[usize]) -> bool {
        inputs.iter().any(|index| !self.inputs[*index].waiting.is_empty())
    }

    /// Whether all pieces of these inputs have been given out.
    pub(super) fn is_read(&self, inputs: &[usize]) -> bool {
        inputs.iter().map(|index| &self.inputs[*index]).all(|input| input.has_ended && input.waiting.is_empty())
    }

    /// What arrived up to then has been read of all sources; `None` while none that tells times has more.
    pub(super) fn behind_since_us(&self) -> Option<i64> {
        let tallies = self.inputs.iter().filter(|input| input.job.is_source).flat_map(|input| &input.tallies);
        tallies.filter(|tally| tally.is_behind).filter_map(|tally| tally.read.covered_us).min()
    }

    /// What an input's port is called.
    pub(super) fn name(&self, index: usize) -> &'static str {
        self.inputs[index].name
    }

    /// An input's port in the plan.
    pub(super) fn port(&self, index: usize) -> usize {
        self.inputs[index].job.port
    }

    /// What the shard is called that a piece came from.
    pub(super) fn shard(&self, work: &Work) -> &str {
        self.inputs[work.input].tallies.get(work.piece.shard).map_or("", |tally| &tally.read.name)
    }

    /// The shard that a piece came from, as the store knows it.
    pub(super) fn shard_id(&self, work: &Work) -> &str {
        self.inputs[work.input].tallies.get(work.piece.shard).map_or("", |tally| &tally.read.id)
    }

    /// How far everything was read, and why no further.
    pub(super) fn into_reads(self) -> (Vec<InputRead>, ClosedBy) {
        let closed_by = self.closed_by.unwrap_or(ClosedBy::End);
        (self.inputs.into_iter().map(Input::into_read).collect(), closed_by)
    }

    /// What the sources have read beyond a bound is left for the next iteration.
    fn close_sources(&mut self, bound: ClosedBy) {
        self.closed_by.get_or_insert(bound);
        for source in self.inputs.iter_mut().filter(|input| input.job.is_source) {
            source.waiting.clear();
            source.end();
        }
    }
}

impl<'a> Input<'a> {
    fn new(plan: &'static Plan, job: InputJob<'a>) -> Self {
        let name = plan.ports.get(job.port).map_or("", |port| port.name);
        let is_ordered = job.tap.is_ordered();
        let tallies = job.shards.iter().map(|shard| Tally::new(shard, is_ordered)).collect();
        let last = plan.steps.iter().rev().find_map(|step| match step {
            Step::Read(ports) => Some(*ports),
            Step::Drain(_) => None,
        });
        Self {
            has_followers: last.is_some_and(|ports| !ports.contains(&job.port)),
            job,
            name,
            reader: None,
            was_opened: false,
            waiting: VecDeque::new(),
            has_looked: false,
            was_heard: false,
            moves_heard: 0,
            in_work: 0,
            is_idle: false,
            has_ended: false,
            tallies,
        }
    }

    fn request(&self, buffer: Vec<u8>) {
        if let Some(reader) = &self.reader {
            reader.request(buffer);
        }
    }

    /// Asks for what may come, while others have their turns.
    fn wait(&mut self) {
        self.is_idle = true;
        self.request(Vec::new());
    }

    /// The reader's thread says the end when it has done what it was asked before.
    fn ask_no_more(&mut self) {
        match self.reader.take() {
            Some(reader) => drop(reader),
            None => self.has_ended = true,
        }
    }

    /// Takes in what is not behind a piece: a bound may still cut that one.
    fn settle(&mut self) {
        while let Some(Read::Moved(moved)) = self.waiting.pop_front_if(|read| matches!(read, Read::Moved(_))) {
            if let Some(tally) = self.tallies.get_mut(moved.shard) {
                tally.read.next = moved.to;
                tally.read.covered_us = moved.covered_us.or(tally.read.covered_us);
                tally.is_behind = false;
            }
            self.request(Vec::new());
        }
    }

    fn end(&mut self) {
        self.reader = None;
        self.has_ended = true;
    }

    fn tally(&mut self, piece: &Piece) {
        let Some(tally) = self.tallies.get_mut(piece.shard) else { return };
        tally.read.next = match () {
            () if mutant(Mutant::PositionOffByOne) => before_last_line(piece),
            () if mutant(Mutant::UnterminatedTakenTwice) && !piece.bytes.ends_with(b"\n") => piece.from.clone(),
            () => piece.to.clone(),
        };
        if let Some(Arrived { last_us, is_behind, .. }) = piece.arrived {
            (tally.read.covered_us, tally.is_behind) = (Some(last_us), is_behind);
        }
        match &piece.framing {
            Framing::Lines => {
                tally.read.bytes += piece.bytes.len() as u64;
                tally.hash.add_lines(&piece.bytes);
            }
            Framing::Listed(listed) => tally.add(&piece.bytes, listed.iter().map(|(span, _)| *span)),
            Framing::Retried(retried) => tally.add(&piece.bytes, retried.iter().map(|record| record.span)),
        }
    }

    fn into_read(self) -> InputRead {
        InputRead { port: self.job.port, shards: self.tallies.into_iter().map(Tally::into_read).collect() }
    }
}

/// Where the last line of a piece begins: for a mutant.
fn before_last_line(piece: &Piece) -> Position {
    let lines = piece.bytes.strip_suffix(b"\n").unwrap_or(&piece.bytes);
    let begin = memchr::memrchr(b'\n', lines).map_or(0, |newline| newline + 1);
    piece.from.after(begin)
}

impl Tally {
    fn new(ShardFrom { shard, from, covered_us, gap, .. }: &ShardFrom, is_ordered: bool) -> Self {
        let read = ShardRead {
            id: shard.id.clone(),
            name: shard.name.clone(),
            mark: shard.mark.clone(),
            first: from.clone(),
            next: from.clone(),
            records: 0,
            bytes: 0,
            hash: String::new(),
            covered_us: *covered_us,
            gap: gap.clone(),
        };
        Self { read, hash: Hash::new(is_ordered), is_behind: false }
    }

    /// Counts and hashes records that are listed.
    fn add(&mut self, bytes: &[u8], records: impl Iterator<Item = Span>) {
        for span in records {
            let record = bytes.get(span.start..span.end).unwrap_or_default();
            self.read.bytes += record.len() as u64;
            self.hash.add_record(record);
        }
    }

    fn into_read(self) -> ShardRead {
        ShardRead { hash: self.hash.into_text(), ..self.read }
    }
}
