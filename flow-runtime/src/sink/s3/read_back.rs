//! A trap below a prefix, read back record by record, as its manifests tell.
//!
//! A position is a number of records. Manifests are never changed, and the first one tells one trap from another.

use std::io;

use super::{
    format::{Format, unpacked},
    manifest::Entry as Object,
    place::Place,
};
use crate::{
    Error, Failure,
    sink::read_back::{Entries, Entry, Mark, TrapReader, changed},
    source::Position,
    trap::TRAP_FIELDS,
};

/// Trapped records below a prefix.
#[derive(Clone, Debug)]
pub(super) struct S3Trap {
    place: Place,
    format: Format,
    /// The key of the first manifest.
    first: String,
    /// The oldest first.
    objects: Vec<Object>,
}

impl S3Trap {
    /// Goes through the manifests from the last one back.
    pub(super) fn of(place: Place, format: Format, last: String) -> Result<Self, Error> {
        let (mut first, mut next, mut manifests) = (String::new(), Some(last), Vec::new());
        while let Some(key) = next {
            let manifest = place.manifest(&key)?;
            (first, next) = (key, manifest.previous);
            manifests.push(manifest.entries);
        }
        let objects = manifests.into_iter().rev().flatten().collect();
        Ok(Self { place, format, first, objects })
    }

    fn mark(&self, at: u64) -> Mark {
        if at == 0 { Mark::START } else { Mark::new(at, self.first.as_bytes()) }
    }

    /// The cells of the records of an object; it is held in memory as it is there.
    fn cells(&self, object: &Object) -> Result<Vec<Vec<Option<Vec<u8>>>>, Error> {
        let missing = || self.failed(object, "the object is missing");
        let key = self.place.layout.key(&object.url).ok_or_else(missing)?;
        let read = self.place.bucket.read(key).map_err(|trouble| self.place.failed(UNREADABLE, &trouble))?;
        let (bytes, _) = read.ok_or_else(missing)?;
        let read_all = || -> io::Result<Vec<_>> {
            let mut from = unpacked(key, &bytes)?;
            let mut rows = Vec::new();
            while let Some(cells) = self.format.read(&mut from, TRAP_FIELDS)? {
                rows.push(cells);
            }
            if self.format.has_header() && !rows.is_empty() {
                rows.remove(0);
            }
            Ok(rows)
        };
        let rows = read_all().map_err(|error| self.failed(object, &error.to_string()))?;
        match rows.len() as u64 == object.meta.record_count {
            true => Ok(rows),
            false => Err(self.failed(object, &format!("it has {} records, not as many as were published", rows.len()))),
        }
    }

    fn failed(&self, object: &Object, cause: &str) -> Error {
        let failure = Failure::new(UNREADABLE).at(object.url.clone()).cause(cause);
        Error::Target(failure.help("put it back as it was, and give the trap the options that it was written with"))
    }
}

const UNREADABLE: &str = "cannot read the trap";

impl TrapReader for S3Trap {
    fn entries(&self, from: Option<&Position>) -> Result<Box<dyn Entries>, Error> {
        let place = self.place.layout.place();
        let mark = Mark::of(from).ok_or_else(|| changed(&place, format!("{from:?} is no place in it")))?;
        let records: u64 = self.objects.iter().map(|object| object.meta.record_count).sum();
        if mark != self.mark(mark.at) || mark.at > records {
            let now = format!("it was retried up to record {}, and now begins differently", mark.at);
            return Err(changed(&place, now));
        }
        let mut rows = Records { of: self.clone(), object: 0, at: 0, read: Vec::new().into_iter() };
        rows.skip_to(mark.at)?;
        Ok(Box::new(rows))
    }
}

/// Records under way, an object at a time.
#[derive(Debug)]
struct Records {
    of: S3Trap,
    /// The object that comes next.
    object: usize,
    /// Records before the next one.
    at: u64,
    /// What is left of the last object.
    read: std::vec::IntoIter<Vec<Option<Vec<u8>>>>,
}

impl Records {
    /// Passes over records, without reading the objects that have no others.
    fn skip_to(&mut self, at: u64) -> Result<(), Error> {
        while let Some(object) = self.of.objects.get(self.object) {
            let end = self.at + object.meta.record_count;
            if end > at {
                break;
            }
            (self.at, self.object) = (end, self.object + 1);
        }
        while self.at < at && self.next_cells()?.is_some() {}
        Ok(())
    }

    fn next_cells(&mut self) -> Result<Option<Vec<Option<Vec<u8>>>>, Error> {
        loop {
            if let Some(cells) = self.read.next() {
                self.at += 1;
                return Ok(Some(cells));
            }
            let Some(object) = self.of.objects.get(self.object) else { return Ok(None) };
            self.read = self.of.cells(object)?.into_iter();
            self.object += 1;
        }
    }
}

impl Entries for Records {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(cells) = self.next_cells()? else { return Ok(None) };
        let next = self.of.mark(self.at).position();
        Entry::of_cells(cells, next).map(Some).map_err(|found| {
            Error::Target(
                Failure::new("this is no line of a trap")
                    .at(format!("{}, record {}", self.of.place.layout.place(), self.at))
                    .cause(format!("expected {} cells, found {found}", TRAP_FIELDS.len()))
                    .help("give the trap the options that it was written with, as in ?delimiter=;"),
            )
        })
    }
}
