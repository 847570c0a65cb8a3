//! Staging: an attempt's rows in objects, and the list of them, before the seal.
//!
//! Before anything goes into a folder a note says so: whoever clears up after a process that died finds all that it wrote
//! without going through all that is there. Memory is bounded, whatever the rows and their folders: the rows of a folder wait as
//! text, until there are many of them, and when all together are too many, the folder with the most is closed.

use std::io;

use hashbrown::{HashMap, HashSet};

use super::{
    format::Format,
    manifest::{Entry, Meta, Note, StagedList, VERSION},
    place::{Place, json},
};
use crate::{
    Error, Failure,
    aws::{Kind, clients::objects::If, limits::KEY_BYTES_MAX},
    plan::FieldPlan,
    sink::{
        Stager,
        objects::{Broken, Writing, Written},
    },
    value::{RowBuffer, RowReader},
};

/// Objects that are compressed at once, each of which takes up to some megabytes for that; others wait as text.
const COMPRESSING_MAX: usize = 8;

/// Bytes that wait in all objects together.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// What an object takes besides its rows.
const OPEN_BYTES: usize = 1 << 10;

/// Stages rows below a prefix.
#[derive(Debug)]
pub(super) struct S3Stager {
    place: Place,
    format: Format,
    fields: &'static [FieldPlan],
    attempt: String,
    /// Objects that rows are added to, by their folders.
    open: HashMap<String, Writing>,
    /// How many of them are being compressed.
    compressing: usize,
    written: Vec<Written>,
    /// Folders that were noted.
    noted: HashSet<String>,
    /// Objects so far.
    objects: u32,
}

impl S3Stager {
    pub(super) fn new(place: Place, format: Format, fields: &'static [FieldPlan], attempt: &str) -> Self {
        let attempt = attempt.to_owned();
        let (open, written, noted) = (HashMap::new(), Vec::new(), HashSet::new());
        Self { place, format, fields, attempt, open, compressing: 0, written, noted, objects: 0 }
    }

    /// Takes rows, at least one and at most `count`, until they go into another object or this one is to be looked after, and
    /// says how many.
    fn write_some(&mut self, folder: &mut String, rows: &mut RowReader<'_>, count: u64) -> Result<u64, Error> {
        self.format.folder(self.fields, rows, folder);
        if !self.open.contains_key(folder) {
            self.begin(folder)?;
        }
        let Self { open, format, fields, place, compressing, .. } = self;
        let Some(object) = open.get_mut(folder) else { return Ok(count) };
        let mut written = 0;
        loop {
            object.add(|out| format.write(fields, rows, out)).map_err(|error| unwritable(place, error))?;
            written += 1;
            // Rows that are not parted need not look for the object of an empty name each, which takes longer than all else.
            if written >= count || object.is_gathered() || !format.partition().is_empty() {
                break;
            }
        }
        if object.is_gathered() && (object.is_compressing() || *compressing < COMPRESSING_MAX) {
            *compressing += usize::from(!object.is_compressing());
            object.upload(&*place.bucket).map_err(|why| broken(place, why))?;
        }
        if object.is_full() {
            self.close(std::slice::from_ref(folder))?;
        }
        Ok(written)
    }

    /// Begins the next object of a folder.
    fn begin(&mut self, folder: &str) -> Result<(), Error> {
        let begin = self.place.layout.data(folder, &self.attempt);
        let key = format!("{begin}{:05}{}", self.objects + 1, self.format.suffix());
        if key.len() > KEY_BYTES_MAX {
            let failure =
                Failure::new("the values of a row make a key that is too long").at(self.place.layout.url(&key));
            return Err(Error::Record(failure.help("part by fields with short values, or filter such rows out")));
        }
        if !self.noted.contains(folder) {
            let note = Note { version: VERSION, folder: folder.to_owned() };
            let key = self.place.layout.note(&self.attempt, self.noted.len());
            let put = self.place.bucket.put(&key, &json(&note)?, If::Always);
            put.map_err(|trouble| self.place.failed(CANNOT_STAGE, &trouble))?;
            self.noted.insert(folder.to_owned());
        }
        self.objects += 1;
        let object = self.format.begun(key, self.objects, self.fields);
        self.open.insert(folder.to_owned(), object.map_err(|error| unwritable(&self.place, error))?);
        Ok(())
    }

    /// Closes the object with the most in memory, and among equals the oldest.
    fn close_biggest(&mut self) -> Result<(), Error> {
        let size = |object: &Writing| (object.waiting(), u32::MAX - object.number);
        let biggest = self.open.iter().max_by_key(|(_, object)| size(object));
        let folder = biggest.map(|(folder, _)| folder.clone());
        self.close(folder.as_slice())
    }

    fn close(&mut self, folders: &[String]) -> Result<(), Error> {
        for folder in folders {
            let Some(object) = self.open.remove(folder) else { continue };
            self.compressing -= usize::from(object.is_compressing());
            self.written.push(object.finish(&*self.place.bucket).map_err(|why| broken(&self.place, why))?);
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.open.values().map(|object| object.waiting() + OPEN_BYTES).sum()
    }

    /// The list of all objects, in the order in which they were begun.
    fn list(&mut self) -> StagedList {
        self.written.sort_by_key(|object| object.number);
        let entry = |object: &Written| Entry {
            url: self.place.layout.url(&object.key),
            mandatory: true,
            meta: Meta { content_length: object.bytes, record_count: object.rows, etag: object.etag.clone() },
        };
        let entries = self.written.iter().map(entry).collect();
        StagedList { version: VERSION, attempt: self.attempt.clone(), entries }
    }
}

impl Stager for S3Stager {
    fn place(&self) -> String {
        self.place.layout.place()
    }

    fn write(&mut self, rows: &RowBuffer) -> Result<(), Error> {
        let (mut left, mut count, mut folder) = (RowReader::new(rows.bytes()), rows.rows(), String::new());
        while count > 0 {
            count -= self.write_some(&mut folder, &mut left, count)?;
        }
        while self.waiting() > WAITING_BYTES_MAX {
            self.close_biggest()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<String, Error> {
        let folders: Vec<String> = self.open.keys().cloned().collect();
        self.close(&folders)?;
        let (list, key) = (self.list(), self.place.layout.list(&self.attempt));
        let body = json(&list)?;
        match self.place.bucket.put(&key, &body, If::Absent) {
            Ok(_) => {}
            // It may have been ourselves, and the answer was lost; nobody else has this attempt.
            Err(trouble) if trouble.kind == Kind::ConditionFailed && self.place.read(&key)?.as_ref() == Some(&list) => {
            }
            Err(trouble) => return Err(self.place.failed(CANNOT_STAGE, &trouble)),
        }
        Ok(self.place.layout.url(&key))
    }
}

const CANNOT_STAGE: &str = "cannot stage rows";

fn broken(place: &Place, why: Broken) -> Error {
    match why {
        Broken::Encoder(error) => unwritable(place, error),
        Broken::Bucket(trouble) => place.failed(CANNOT_STAGE, &trouble),
    }
}

fn unwritable(place: &Place, error: io::Error) -> Error {
    let failure = Failure::new("cannot make text of a row").at(place.layout.place()).cause(error);
    Error::Target(failure.help("take another compression"))
}
