//! A trap below a prefix, read back record by record, as its manifests tell.
//!
//! A position is a number of records. Manifests are never changed, and the first one tells one trap from another.

use std::{
    fmt,
    io::{self, BufRead},
};

use super::{
    format::{Cells, Format, unpacked},
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

    /// An object, to be read record by record; it is held in memory as it is there.
    fn begun(&self, object: &Object) -> Result<Begun, Error> {
        let missing = || self.failed(object, "the object is missing");
        let key = self.place.layout.key(&object.url).ok_or_else(missing)?;
        let read = self.place.bucket.read(key).map_err(|trouble| self.place.failed(UNREADABLE, &trouble))?;
        let (bytes, _) = read.ok_or_else(missing)?;
        let begin = || -> io::Result<Begun> {
            let mut rows = Begun { from: unpacked(key, bytes)?, records: 0 };
            if self.format.has_header() {
                self.format.read(&mut rows.from, TRAP_FIELDS)?;
            }
            Ok(rows)
        };
        begin().map_err(|error| self.failed(object, &error.to_string()))
    }

    /// The cells of the next record of an object; none at its end, where it must have as many as were published.
    fn next_cells(&self, object: &Object, begun: &mut Begun) -> Result<Option<Cells>, Error> {
        let read = self.format.read(&mut begun.from, TRAP_FIELDS);
        let cells = read.map_err(|error| self.failed(object, &error.to_string()))?;
        begun.records += u64::from(cells.is_some());
        let is_as_published = match cells {
            Some(_) => begun.records <= object.meta.record_count,
            None => begun.records == object.meta.record_count,
        };
        if is_as_published {
            return Ok(cells);
        }
        let cause = format!("{} records were published, and it has others", object.meta.record_count);
        Err(self.failed(object, &cause))
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
        let mut rows = Records { of: self.clone(), object: 0, at: 0, begun: None };
        rows.skip_to(mark.at)?;
        Ok(Box::new(rows))
    }
}

/// An object under way.
struct Begun {
    from: Box<dyn BufRead + Send>,
    /// How many were read.
    records: u64,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Begun({} records read)", self.records)
    }
}

/// Records under way, an object at a time.
#[derive(Debug)]
struct Records {
    of: S3Trap,
    /// The object that is being read, or comes next.
    object: usize,
    /// Records before the next one.
    at: u64,
    begun: Option<Begun>,
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

    fn next_cells(&mut self) -> Result<Option<Cells>, Error> {
        while let Some(object) = self.of.objects.get(self.object) {
            let mut begun = self.begun.take().map_or_else(|| self.of.begun(object), Ok)?;
            if let Some(cells) = self.of.next_cells(object, &mut begun)? {
                self.at += 1;
                self.begun = Some(begun);
                return Ok(Some(cells));
            }
            self.object += 1;
        }
        Ok(None)
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
