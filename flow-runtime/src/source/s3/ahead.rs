//! Reads objects ahead: several parts at once, of one object or of many, and gives them out in order. What is under way is
//! bounded, however large the objects are and however many.

use std::{cmp::Ordering, collections::VecDeque, ops::Range, time::Duration};

use tokio::{
    task::{JoinError, JoinHandle},
    time::timeout,
};

use crate::{
    Error,
    aws::{
        Attempts, Kind, Patience, Trouble,
        clients::s3::{GET, S3, Wanted},
        spawn, wait,
    },
};

/// Bytes of a part. AWS advises ranges of 8 to 16 MB ("Performance design patterns for Amazon S3", read 2026-11-22).
const PART_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes of all parts that are under way or wait for being taken, of one port.
const AHEAD_BYTES_MAX: u64 = 4 * PART_BYTES;

/// Parts that are under way or wait for being taken: many small objects are read as fast as few large ones.
const AHEAD_PARTS_MAX: usize = 16;

/// Some objects, one after the other.
#[derive(Debug)]
pub(super) struct Ahead {
    s3: S3,
    objects: Vec<Object>,
    /// The first part that was not asked for: which object, and from which byte on.
    object: usize,
    offset: u64,
    parts: VecDeque<Part>,
    part_bytes: u64,
}

/// What to read of an object, as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) wanted: Wanted,
    pub(super) range: Range<u64>,
    /// Of the whole object.
    pub(super) bytes: u64,
}

#[derive(Debug)]
struct Part {
    object: usize,
    bytes: u64,
    answer: JoinHandle<Result<Vec<u8>, Trouble>>,
    /// What the answer was, if it was waited for.
    came: Option<Result<Vec<u8>, Trouble>>,
}

impl Part {
    async fn wait(&mut self) -> &mut Option<Result<Vec<u8>, Trouble>> {
        if self.came.is_none() {
            let lost = |error: JoinError| Err(Trouble::new(GET, Kind::Passing, error.to_string()));
            self.came = Some((&mut self.answer).await.unwrap_or_else(lost));
        }
        &mut self.came
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl Ahead {
    pub(super) fn new(s3: S3, objects: Vec<Object>) -> Self {
        let offset = objects.first().map_or(0, |object| object.range.start);
        Self { s3, objects, object: 0, offset, parts: VecDeque::new(), part_bytes: PART_BYTES }
    }

    /// Waits, but not for long, until the next so many bytes of an object are there, or all that it has; says whether they
    /// are.
    pub(super) fn wait_for(&mut self, object: usize, bytes: u64, patience: Duration) -> Result<bool, Trouble> {
        self.skip_to(object);
        self.ask()?;
        let mut missing = bytes;
        let come = async {
            for part in self.parts.iter_mut().take_while(|part| part.object == object) {
                if missing == 0 {
                    return;
                }
                part.wait().await;
                missing = missing.saturating_sub(part.bytes);
            }
        };
        wait(async { Ok(timeout(patience, come).await.is_ok()) })
    }

    /// The next part of an object; nothing after its last. What is left of earlier ones is not wanted any more.
    pub(super) fn next(&mut self, object: usize) -> Result<Option<Vec<u8>>, Trouble> {
        self.skip_to(object);
        self.ask()?;
        let Some(mut part) = self.parts.pop_front_if(|part| part.object == object) else { return Ok(None) };
        let bytes = wait(async { part.wait().await.take().unwrap_or_else(|| Ok(Vec::new())) })?;
        // While this one is worked on, the next ones come.
        drop(part);
        self.ask()?;
        Ok(Some(bytes))
    }

    fn skip_to(&mut self, object: usize) {
        while self.parts.pop_front_if(|part| part.object < object).is_some() {}
        if self.object < object {
            self.begin(object);
        }
    }

    fn begin(&mut self, object: usize) {
        self.object = object;
        self.offset = self.objects.get(object).map_or(0, |object| object.range.start);
    }

    /// Asks for as many parts as may be under way.
    fn ask(&mut self) -> Result<(), Error> {
        while let Some(object) = self.objects.get(self.object) {
            if self.offset >= object.range.end {
                self.begin(self.object + 1);
                continue;
            }
            let range = self.offset..object.range.end.min(self.offset + self.part_bytes);
            let bytes = range.end - range.start;
            let ahead: u64 = self.parts.iter().map(|part| part.bytes).sum();
            let is_full = self.parts.len() >= AHEAD_PARTS_MAX || ahead + bytes > AHEAD_BYTES_MAX;
            if is_full && !self.parts.is_empty() {
                return Ok(());
            }
            self.offset = range.end;
            let is_whole = bytes == object.bytes;
            let answer = spawn(read(self.s3.clone(), object.wanted.clone(), range, is_whole))?;
            self.parts.push_back(Part { object: self.object, bytes, answer, came: None });
        }
        Ok(())
    }
}

/// Reads a range whole, however often its body is cut: each attempt goes on where the last one ended.
async fn read(s3: S3, wanted: Wanted, range: Range<u64>, is_whole: bool) -> Result<Vec<u8>, Trouble> {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(length);
    let mut attempts = Attempts::new(Patience::USUAL);
    loop {
        // Only of a whole object the checksum is known.
        let rest = range.start + bytes.len() as u64..range.end;
        let rest = (!is_whole || !bytes.is_empty()).then_some(rest);
        let answer = s3.get(&wanted, rest, &mut bytes).await;
        let came = || format!("{} bytes came of {length}", bytes.len());
        match (bytes.len().cmp(&length), answer) {
            // Also if what came last was told as lost.
            (Ordering::Equal, _) => return Ok(bytes),
            (Ordering::Greater, _) => return Err(Trouble::new(GET, Kind::Invalid, came())),
            (Ordering::Less, Ok(())) => attempts.wait_after(Trouble::new(GET, Kind::Passing, came())).await?,
            (Ordering::Less, Err(trouble)) => attempts.wait_after(trouble).await?,
        }
    }
}
