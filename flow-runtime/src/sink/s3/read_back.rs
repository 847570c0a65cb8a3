//! A trap below a prefix, read back record by record, as its manifests tell.
//!
//! A position is a manifest, and a number of its records: `17@{key of the manifest}`. Manifests are never changed, and what is
//! before that one need not be read. Former programs have counted records from the first manifest on, and named that by a
//! digest (`Mark`).

use std::{
    collections::VecDeque,
    fmt,
    io::{self, BufRead},
};

use super::{
    format::{Cells, Format, unpacked},
    manifest::{Entry as Object, Manifest},
    place::Place,
};
use crate::{
    Error, Failure,
    sink::read_back::{Entries, Entry, Mark, TrapReader, changed},
    source::Position,
    trap::TRAP_FIELDS,
};

/// Manifests that are read at once, and kept until it is their turn.
const AHEAD_MAX: usize = 64;

/// Trapped records below a prefix.
#[derive(Clone, Debug)]
pub(super) struct S3Trap {
    place: Place,
    format: Format,
    /// Their keys, the oldest first.
    manifests: Vec<String>,
}

impl S3Trap {
    pub(super) fn of(place: Place, format: Format, manifests: Vec<String>) -> Self {
        Self { place, format, manifests }
    }

    /// The index of the manifest that a position names, and how many records, from its first on, are before the position.
    fn find(&self, from: Option<&Position>) -> Result<(usize, u64), Error> {
        let Some(from) = from else { return Ok((0, 0)) };
        let refused = |cause| changed(&self.place.layout.place(), cause);
        let no_place = || refused(format!("{from:?} is no place in it"));
        match from.as_str().split_once('@') {
            Some((records, key)) => {
                let records = records.parse().map_err(|_| no_place())?;
                let manifest = self.manifests.iter().rposition(|manifest| manifest == key);
                let gone =
                    || refused(format!("it was retried up to record {records} of {key}, which is not in it now"));
                Ok((manifest.ok_or_else(gone)?, records))
            }
            None => {
                let mark = Mark::of(Some(from)).ok_or_else(no_place)?;
                let first = self.manifests.first().map(String::as_bytes).unwrap_or_default();
                let now = if mark.at == 0 { Mark::START } else { Mark::new(mark.at, first) };
                let begins_anew =
                    || refused(format!("it was retried up to record {}, and now begins differently", mark.at));
                if mark == now { Ok((0, mark.at)) } else { Err(begins_anew()) }
            }
        }
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
        let (manifest, records) = self.find(from)?;
        let mut rows = Records::from(self, manifest);
        if rows.skip(records)? {
            return Ok(Box::new(rows));
        }
        Err(changed(&self.place.layout.place(), format!("it was retried up to record {records}, and now has fewer")))
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
    /// The index of the first manifest that was not read.
    unread: usize,
    /// Those that were, with their keys, and are not begun.
    ahead: VecDeque<(String, Manifest)>,
    /// The key of the manifest whose objects are being read.
    manifest: String,
    /// Its records before the next one.
    at: u64,
    /// Its objects that are not begun.
    objects: VecDeque<Object>,
    begun: Option<(Object, Begun)>,
}

impl Records {
    /// From the first record of the manifest with this index on.
    fn from(trap: &S3Trap, manifest: usize) -> Self {
        let (ahead, objects) = (VecDeque::new(), VecDeque::new());
        Self { of: trap.clone(), unread: manifest, ahead, manifest: String::new(), at: 0, objects, begun: None }
    }

    /// Passes over so many records, without reading the objects that have no others; whether there are so many.
    fn skip(&mut self, mut records: u64) -> Result<bool, Error> {
        while records > 0 {
            let whole = self.objects.front().map(|object| object.meta.record_count);
            match whole.filter(|_| self.begun.is_none()) {
                Some(whole) if whole <= records => {
                    (self.at, records) = (self.at + whole, records - whole);
                    self.objects.pop_front();
                }
                None if self.begun.is_none() => {
                    if !self.begin_manifest()? {
                        return Ok(false);
                    }
                }
                _ => {
                    if self.next_cells()?.is_none() {
                        return Ok(false);
                    }
                    records -= 1;
                }
            }
        }
        Ok(true)
    }

    fn next_cells(&mut self) -> Result<Option<Cells>, Error> {
        loop {
            if let Some((object, begun)) = &mut self.begun {
                if let Some(cells) = self.of.next_cells(object, begun)? {
                    self.at += 1;
                    return Ok(Some(cells));
                }
                self.begun = None;
            } else if let Some(object) = self.objects.pop_front() {
                let begun = self.of.begun(&object)?;
                self.begun = Some((object, begun));
            } else if !self.begin_manifest()? {
                return Ok(None);
            }
        }
    }

    /// Goes on with the next manifest, if there is one.
    fn begin_manifest(&mut self) -> Result<bool, Error> {
        if self.ahead.is_empty() {
            let keys = self.of.manifests.get(self.unread..).unwrap_or_default();
            let keys = &keys[..keys.len().min(AHEAD_MAX)];
            self.ahead = keys.iter().cloned().zip(self.of.place.manifests(keys)?).collect();
            self.unread += keys.len();
        }
        let Some((key, manifest)) = self.ahead.pop_front() else { return Ok(false) };
        (self.manifest, self.at, self.objects) = (key, 0, manifest.entries.into());
        Ok(true)
    }
}

impl Entries for Records {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(cells) = self.next_cells()? else { return Ok(None) };
        let next = Position::new(format!("{}@{}", self.at, self.manifest));
        Entry::of_cells(cells, next).map(Some).map_err(|found| {
            Error::Target(
                Failure::new("this is no line of a trap")
                    .at(format!("{}, record {}", self.of.place.layout.url(&self.manifest), self.at))
                    .cause(format!("expected {} cells, found {found}", TRAP_FIELDS.len()))
                    .help("give the trap the options that it was written with, as in ?delimiter=;"),
            )
        })
    }
}
