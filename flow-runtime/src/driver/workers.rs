//! Worker threads: they find the records in a piece and push them through the flow's loop.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender},
    },
    thread,
};

use super::{memory::Account, panics::caught, readers::cannot_start_thread, run::Event};
use crate::{
    Error, Plan,
    effect::inherited,
    flow::{At, Block, Flow, Output, Span, Stop},
    sink::Demands,
    source::{Framing, Piece, Position, Retried},
};

/// Rows of one sink that a buffer may keep room for; what one huge record needed is given back.
const KEPT_ROW_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A piece on its way through a worker and back.
#[derive(Debug)]
pub(super) struct Work {
    /// Its place among the pieces of the read step.
    pub(super) sequence: u64,
    /// Index of its input.
    pub(super) input: usize,
    /// Index of its port in the plan.
    pub(super) port: usize,
    pub(super) piece: Piece,
    pub(super) results: Results,
}

/// What a worker made of a piece.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) output: Output,
    /// Where the records of `output.trapped` are in the piece, one for one.
    pub(super) trapped: Vec<Span>,
    /// Records in the piece.
    pub(super) records: u64,
    pub(super) failed: Option<Failed>,
}

/// Why a worker could not finish a piece, and at which record.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) why: Why,
    /// Index and place of the record.
    pub(super) record: Option<(usize, Span)>,
}

/// What the flow's loop ended with.
#[derive(Debug)]
pub(super) enum Why {
    /// A record failed where no trap reaches.
    Stopped(Stop),
    /// The user's code panicked, with this message.
    Panicked(String),
    /// The worker's tables have outgrown the memory.
    Refused(Error),
}

impl Results {
    pub(super) fn new(plan: &Plan, demands: &Arc<[Demands]>) -> Self {
        Self { output: Output::demanding(plan, demands), trapped: Vec::new(), records: 0, failed: None }
    }

    /// Forgets everything and keeps the allocations, unless they are huge.
    pub(super) fn clear(&mut self) {
        for rows in &mut self.output.rows {
            if rows.bytes().len() > KEPT_ROW_BYTES_MAX {
                *rows = Default::default();
            }
            rows.clear();
        }
        self.output.trapped.clear();
        self.output.counts.fill(Default::default());
        self.output.at_rows();
        self.output.forget_lineages();
        self.trapped.clear();
        self.records = 0;
    }
}

impl Work {
    /// The position of the record with this index and place.
    pub(super) fn position(&self, index: usize, span: Span) -> Position {
        position(&self.piece, index, span)
    }

    /// The record with this index, if it came out of a trap.
    pub(super) fn retried(&self, index: usize) -> Option<&Retried> {
        match &self.piece.framing {
            Framing::Lines | Framing::Listed(_) => None,
            Framing::Retried(retried) => retried.get(index),
        }
    }

    /// The bytes of a record.
    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        self.piece.bytes.get(span.start..span.end).unwrap_or_default()
    }

    fn run<F: Flow>(&mut self, shared: &F::Shared, worker: &mut F::Worker, spans: &mut Vec<Span>) {
        let Self { sequence, port, piece, results, .. } = self;
        let ended = caught(|| {
            find_records(piece, spans);
            let block = Block::new(&piece.bytes, spans, *sequence, piece.starts_shard);
            F::read(*port, shared, worker, &block, &mut results.output)
        });
        results.records = spans.len() as u64;
        let span = |index: usize| spans.get(index).copied().unwrap_or_default();
        results.trapped.extend(results.output.trapped.iter().map(|trapped| match trapped.at {
            At::Record(index) => span(index),
            At::Row(_) => Span::default(),
        }));
        let why = match ended {
            Ok(Ok(())) => return,
            Ok(Err(stop)) => Why::Stopped(stop),
            Err(message) => Why::Panicked(message),
        };
        let index = match &why {
            Why::Stopped(Stop { at: At::Record(index), .. }) => Some(*index),
            Why::Stopped(_) | Why::Refused(_) => None,
            Why::Panicked(_) => results.output.current_record(),
        };
        results.failed = Some(Failed { why, record: index.map(|index| (index, span(index))) });
    }
}

/// Starts worker `index`, which takes work off `queue` until there is no more, or until a piece of its own failed. After
/// each piece it settles its account.
pub(super) fn start<'s, F: Flow>(
    threads: &'s thread::Scope<'s, '_>,
    index: usize,
    (shared, worker): (&'s F::Shared, &'s mut F::Worker),
    mut account: Account<'s>,
    queue: &'s Mutex<Receiver<Box<Work>>>,
    events: Sender<Event>,
) -> Result<(), Error> {
    let run = move || {
        let mut spans = Vec::new();
        while let Some(mut work) = next(queue) {
            work.run::<F>(shared, worker, &mut spans);
            if work.results.failed.is_none()
                && let Err(error) = account.settle::<F>(shared, worker)
            {
                work.results.failed = Some(Failed { why: Why::Refused(error), record: None });
            }
            let failed = work.results.failed.is_some();
            if events.send(Event::Worked(work)).is_err() || failed {
                return;
            }
        }
    };
    let spawned = thread::Builder::new().name(format!("worker {index}")).spawn_scoped(threads, inherited(run));
    spawned.map(drop).map_err(|error| cannot_start_thread(&error))
}

fn next(queue: &Mutex<Receiver<Box<Work>>>) -> Option<Box<Work>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The position of the record of `piece` with this index and place.
pub(super) fn position(piece: &Piece, index: usize, span: Span) -> Position {
    let listed = match &piece.framing {
        Framing::Lines => return piece.from.after(span.start),
        Framing::Listed(listed) => listed.get(index).map(|(_, position)| position),
        Framing::Retried(retried) => retried.get(index).map(|record| &record.position),
    };
    listed.unwrap_or(&piece.from).clone()
}

/// Where the records of `piece` are in its bytes.
pub(super) fn find_records(piece: &Piece, spans: &mut Vec<Span>) {
    spans.clear();
    match &piece.framing {
        Framing::Lines => find_lines(&piece.bytes, spans),
        Framing::Listed(listed) => spans.extend(listed.iter().map(|(span, _)| *span)),
        Framing::Retried(retried) => spans.extend(retried.iter().map(|record| record.span)),
    }
}

/// Lines end at `\n`, with a `\r` before it dropped; the last may have no end.
pub(super) fn find_lines(bytes: &[u8], spans: &mut Vec<Span>) {
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', bytes) {
        let has_return = newline > start && bytes[newline - 1] == b'\r';
        spans.push(Span { start, end: newline - usize::from(has_return) });
        start = newline + 1;
    }
    if start < bytes.len() {
        spans.push(Span { start, end: bytes.len() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_newlines_with_or_without_a_return() {
        for (bytes, lines) in [
            ("", &[][..]),
            ("\n", &[""]),
            ("\r\n\n", &["", ""]),
            ("a\r\nb\n\nc", &["a", "b", "", "c"]),
            ("a\r\r\nb\r", &["a\r", "b\r"]),
        ] {
            let mut spans = Vec::new();
            find_lines(bytes.as_bytes(), &mut spans);
            let found: Vec<&str> = spans.iter().map(|span| &bytes[span.start..span.end]).collect();
            assert_eq!(found, lines, "{bytes:?}");
        }
    }
}
