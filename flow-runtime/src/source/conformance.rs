//! What every source must do, as tests that each of them passes: files and memory here, those on AWS in the tests of whole
//! flows, which have services to run against.
//!
//! Not here: what only one of them can do, as rotating or being overwritten in a certain way. One sentence, one function.

#![expect(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

use std::{collections::HashMap, time::Duration};

use super::{Framing, Gaps, Input, KnownShard, LastRead, Next, Piece, Position, Reading, ShardFrom, SourceTap, open};
use crate::Error;

/// A source under test, empty at first, that the suite fills.
pub trait Subject {
    /// What it is bound to; only asked for once there are records.
    fn input(&self) -> Input;

    /// Adds records behind those that are there.
    fn add(&mut self, records: &[&str]);

    /// Ends shards for good and goes on in others, where there is such a thing; says whether there is.
    fn reshard(&mut self) -> bool {
        false
    }

    /// Whether the first record of a shard is known as such, for it may be a header: not where what comes first may be gone.
    fn has_first_records(&self) -> bool {
        true
    }

    /// Replaces what was read by something else, where that is possible; says whether it is.
    fn spoil(&mut self) -> bool {
        false
    }
}

/// Answers without a record after which a source that waits for more counts as read.
const WAITS_MAX: usize = 600;

/// Holds a source against every rule; `new` gives a fresh one each time.
///
/// # Panics
/// When one does not hold.
pub fn check<S: Subject>(mut new: impl FnMut() -> S) {
    every_record_is_read_once(new());
    the_first_record_of_a_shard_is_known_as_such(new());
    for records in 0..=5 {
        reading_goes_on_after_any_record(new(), records);
    }
    what_is_added_is_read_and_nothing_else(new());
    what_is_added_after_the_listing_is_not_lost(new());
    what_was_read_is_read_again_just_so(new());
    what_comes_after_the_end_of_a_shard_is_read(new());
    what_others_have_read_is_not_taken_for_read(new());
    what_is_no_position_is_refused(new());
    what_was_replaced_is_refused_until_somebody_decides(new());
}

fn every_record_is_read_once(mut subject: impl Subject) {
    subject.add(&["a", "b", "c"]);
    let mut store = Store::default();
    assert_eq!(store.read(&subject, None), ["a", "b", "c"]);
    let known = store.known.clone();
    assert_eq!(store.read(&subject, None), [""; 0]);
    assert_eq!(store.known, known, "nothing new moves nothing");
}

fn the_first_record_of_a_shard_is_known_as_such(mut subject: impl Subject) {
    subject.add(&["a", "b"]);
    let tap = tap(&subject);
    let shards = Store::default().list(&*tap).unwrap();
    let read = Read::all(&*tap, &shards, Reading::default(), None).unwrap();
    let expected = if subject.has_first_records() { read.next.len() } else { 0 };
    assert_eq!(read.first_records, expected);
}

fn reading_goes_on_after_any_record(mut subject: impl Subject, records: usize) {
    subject.add(&["a", "b", "c"]);
    subject.add(&["d", "e"]);
    let mut store = Store::default();
    let mut read = store.read(&subject, Some(records));
    assert_eq!(read.len(), records);
    read.extend(store.read(&subject, None));
    assert_eq!(sorted(read), ["a", "b", "c", "d", "e"], "after {records}");
}

fn what_is_added_is_read_and_nothing_else(mut subject: impl Subject) {
    let mut store = Store::default();
    for records in [["a", "b"], ["c", "d"], ["e", "f"]] {
        subject.add(&records);
        assert_eq!(sorted(store.read(&subject, None)), records);
    }
}

fn what_is_added_after_the_listing_is_not_lost(mut subject: impl Subject) {
    subject.add(&["a", "b"]);
    let mut store = Store::default();
    let tap = tap(&subject);
    let shards = store.list(&*tap).unwrap();
    subject.add(&["c"]);
    let mut read = store.read_shards(&*tap, shards, None).unwrap();
    read.extend(store.read(&subject, None));
    assert_eq!(sorted(read), ["a", "b", "c"]);
}

fn what_was_read_is_read_again_just_so(mut subject: impl Subject) {
    subject.add(&["a", "b", "c", "d"]);
    let mut store = Store::default();
    assert_eq!(store.read(&subject, Some(1)).len(), 1);
    let read = store.read(&subject, Some(2));
    subject.add(&["e"]);
    assert_eq!(store.read_again(&subject), read);
    // Once more, after others were read.
    let sealed = store.known.clone();
    store.read(&subject, None);
    store.known = sealed;
    assert_eq!(store.read_again(&subject), read);
}

fn what_comes_after_the_end_of_a_shard_is_read(mut subject: impl Subject) {
    subject.add(&["a", "b"]);
    let mut store = Store::default();
    let mut read = store.read(&subject, Some(1));
    if subject.reshard() {
        subject.add(&["c", "d"]);
        // Children may wait for another iteration, until their parents are read.
        read.extend(store.read(&subject, None));
        read.extend(store.read(&subject, None));
        assert_eq!(sorted(read), ["a", "b", "c", "d"]);
        assert_eq!(store.read(&subject, None), [""; 0]);
    }
}

fn what_others_have_read_is_not_taken_for_read(mut subject: impl Subject) {
    subject.add(&["a", "b"]);
    let mut store = Store::default();
    store.read(&subject, None);
    for known in &mut store.known {
        known.id = format!("another than {}", known.id);
        known.mark = String::new();
        known.name = format!("{}.other", known.name);
        known.last = None;
    }
    // Who does not know them either refuses to go on, or reads everything.
    match store.try_read(&subject, None) {
        Ok(read) => assert_eq!(sorted(read), ["a", "b"]),
        Err(error) => assert!(matches!(error, Error::Held(_)), "{error}"),
    }
}

fn what_is_no_position_is_refused(mut subject: impl Subject) {
    subject.add(&["a", "b"]);
    let mut store = Store::default();
    store.read(&subject, Some(1));
    store.known.iter_mut().for_each(|known| known.next = Position::new("no position"));
    let error = store.try_read(&subject, None).unwrap_err();
    assert!(matches!(error, Error::Held(_) | Error::Input(_)), "{error}");
}

fn what_was_replaced_is_refused_until_somebody_decides(mut subject: impl Subject) {
    subject.add(&["a", "b"]);
    let mut store = Store::default();
    store.read(&subject, None);
    if subject.spoil() {
        let error = store.try_read(&subject, None).unwrap_err();
        let has_case = error.failure().is_some_and(|failure| failure.case().is_some());
        assert!(matches!(error, Error::Held(_)) && has_case, "{error}");
        store.gaps = Gaps::FromEnd;
        assert_eq!(store.read(&subject, None), [""; 0]);
        store.gaps = Gaps::Refuse;
        subject.add(&["c"]);
        assert_eq!(store.read(&subject, None), ["c"]);
    }
}

fn tap(subject: &impl Subject) -> Box<dyn SourceTap> {
    open(&subject.input(), "conformance").unwrap()
}

fn sorted(mut records: Vec<String>) -> Vec<String> {
    records.sort();
    records
}

/// What a store would remember from iteration to iteration.
#[derive(Default)]
struct Store {
    known: Vec<KnownShard>,
    gaps: Gaps,
}

impl Store {
    /// Reads an iteration of at most so many records.
    fn read(&mut self, subject: &impl Subject, most: Option<usize>) -> Vec<String> {
        self.try_read(subject, most).unwrap()
    }

    fn try_read(&mut self, subject: &impl Subject, most: Option<usize>) -> Result<Vec<String>, Error> {
        let tap = tap(subject);
        let shards = self.list(&*tap)?;
        self.read_shards(&*tap, shards, most)
    }

    fn list(&self, tap: &dyn SourceTap) -> Result<Vec<ShardFrom>, Error> {
        tap.survey(&self.known, self.gaps, 0)?.into_iter().collect()
    }

    fn read_shards(
        &mut self,
        tap: &dyn SourceTap,
        shards: Vec<ShardFrom>,
        most: Option<usize>,
    ) -> Result<Vec<String>, Error> {
        let read = Read::all(tap, &shards, Reading::default(), most)?;
        for (index, ShardFrom { shard, from, covered_us, .. }) in shards.into_iter().enumerate() {
            let next = read.next.get(&index).cloned().unwrap_or_else(|| from.clone());
            let before = self.known.iter().position(|known| known.id == shard.id);
            let last = match before {
                Some(before) if from == next => self.known[before].last.clone(),
                _ => (from != next).then(|| LastRead { first: from, next: next.clone(), hash: read.hash(index) }),
            };
            let known = KnownShard { id: shard.id, name: shard.name, mark: shard.mark, next, last, covered_us };
            match before {
                Some(before) => self.known[before] = known,
                None => self.known.push(known),
            }
        }
        Ok(read.records)
    }

    /// Reads once more what the last iteration has read.
    fn read_again(&self, subject: &impl Subject) -> Vec<String> {
        let tap = tap(subject);
        let mut shards = Vec::new();
        for listed in tap.again(&self.known).unwrap() {
            let listed = listed.unwrap();
            let last = self.known.iter().find(|known| known.id == listed.shard.id).and_then(|known| known.last.clone());
            let Some(last) = last else { continue };
            shards.push(ShardFrom { from: last.first, until: Some(last.next), ..listed });
        }
        let reading = Reading { take_tail: true, once: true, is_look: false, is_aside: false };
        Read::all(&*tap, &shards, reading, None).unwrap().records
    }
}

/// What was read, and how far.
#[derive(Default)]
struct Read {
    records: Vec<String>,
    /// By the index of the shard.
    next: HashMap<usize, Position>,
    bytes: HashMap<usize, Vec<u8>>,
    /// How often a record was said to be the first of its shard.
    first_records: usize,
}

impl Read {
    fn all(tap: &dyn SourceTap, shards: &[ShardFrom], reading: Reading, most: Option<usize>) -> Result<Self, Error> {
        let mut read = Self::default();
        let mut reader = tap.open(shards, reading)?;
        let mut waits = 0;
        while most.is_none_or(|most| read.records.len() < most) && waits < WAITS_MAX {
            match reader.next(Vec::new(), Duration::from_millis(100))? {
                Next::Piece(piece) => read.take(shards, piece, most),
                Next::Moved(moved) => drop(read.next.insert(moved.shard, moved.to)),
                Next::Looking | Next::Waiting => waits += 1,
                Next::Idle | Next::End => break,
            }
        }
        Ok(read)
    }

    /// Takes the first records of a piece, as bounds do.
    fn take(&mut self, shards: &[ShardFrom], piece: Piece, most: Option<usize>) {
        let Piece { shard, bytes, framing, from, to, starts_shard, .. } = piece;
        let begun = self.next.get(&shard);
        let is_first = begun.is_none() && shards[shard].from == shards[shard].shard.start;
        assert!(is_first || !starts_shard, "{from} starts the shard");
        self.first_records += usize::from(starts_shard);
        assert_eq!(&from, begun.unwrap_or(&shards[shard].from), "pieces of a shard follow each other");
        let left = most.map_or(usize::MAX, |most| most - self.records.len());
        let mut records: Vec<(&[u8], Position)> = match &framing {
            Framing::Lines => lines(&bytes, &from, &to),
            Framing::Listed(listed) => {
                let starts = listed.iter().map(|(_, position)| position).skip(1).chain([&to]);
                listed
                    .iter()
                    .zip(starts)
                    .map(|((span, _), next)| (&bytes[span.start..span.end], next.clone()))
                    .collect()
            }
            Framing::Retried(_) => panic!("that comes out of traps alone"),
        };
        records.truncate(left);
        for (record, next) in records {
            self.records.push(String::from_utf8_lossy(record).trim_end().to_owned());
            self.bytes.entry(shard).or_default().extend(record);
            self.next.insert(shard, next);
        }
    }

    /// As the driver hashes lines.
    fn hash(&self, shard: usize) -> String {
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(self.bytes.get(&shard).map_or(&[], Vec::as_slice)))
    }
}

/// Lines with their ends, and the position after each.
fn lines<'b>(bytes: &'b [u8], from: &Position, to: &Position) -> Vec<(&'b [u8], Position)> {
    let mut end = 0;
    let line = |line: &'b [u8]| {
        end += line.len();
        (line, if end == bytes.len() { to.clone() } else { from.after(end) })
    };
    bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use tempfile::TempDir;

    use super::*;
    use crate::MemoryRecords;

    impl Subject for MemoryRecords {
        fn input(&self) -> Input {
            Input::Memory(self.clone())
        }

        fn add(&mut self, records: &[&str]) {
            records.iter().for_each(|record| self.push_line(record));
        }
    }

    #[test]
    fn memory_is_a_source() {
        check(MemoryRecords::default);
    }

    /// A file that grows, or files one after the other.
    struct Files {
        folder: TempDir,
        grows: bool,
        files: usize,
    }

    impl Files {
        fn new(grows: bool) -> Self {
            Self { folder: TempDir::new().unwrap(), grows, files: 0 }
        }

        fn path(&self, file: usize) -> std::path::PathBuf {
            self.folder.path().join(format!("{file}.log"))
        }
    }

    impl Subject for Files {
        fn input(&self) -> Input {
            Input::Address(format!("file:{}/*.log", self.folder.path().display()))
        }

        fn add(&mut self, records: &[&str]) {
            self.files += usize::from(!self.grows);
            let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path(self.files)).unwrap();
            records.iter().for_each(|record| writeln!(file, "{record}").unwrap());
        }

        fn spoil(&mut self) -> bool {
            fs::write(self.path(self.files), "x\ny\nz\n").unwrap();
            true
        }
    }

    #[test]
    fn a_file_that_grows_is_a_source() {
        check(|| Files::new(true));
    }

    #[test]
    fn files_that_come_one_by_one_are_a_source() {
        check(|| Files::new(false));
    }
}
