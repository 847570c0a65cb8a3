//! Rows on their way: staged in S3 by whoever reads them, loaded from there by Redshift.
//!
//! `{prefix}{flow}/{attempt}/{port}/rows-00001.csv.gz`, …, and `rows.csv.gz.manifest`, which names them, each with its size and as
//! mandatory: COPY would skip a file that is missing without a word. It is written of what was put there, never of a listing.
//! The manifest's address is what the seal has; it tells how the files are compressed, and what their lines begin with
//! ([`Form`]): an address whose options have changed since is found out.

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    origins::{Origins, look_up},
    rows,
};
use crate::{
    Error, Failure,
    aws::{Account, Kind, Trouble, clients::objects::If},
    effect::{Mutant, mutant},
    held::Cause,
    origin::{MadeOf, Origin},
    plan::FieldPlan,
    sink::{
        LeftBehind, Mode, Stager,
        objects::{Broken, Bucket, Compression, S3Bucket, Writing, Written},
    },
    value::{RowBuffer, RowReader},
};

/// Where rows are staged.
#[derive(Clone, Debug)]
pub(super) struct Staging {
    pub(super) account: Account,
    pub(super) bucket: String,
    /// Ends with `/`, unless it is empty.
    pub(super) prefix: String,
    /// Likewise.
    pub(super) flow: String,
    pub(super) port: &'static str,
    pub(super) compression: Compression,
    pub(super) form: Form,
}

/// What stands in each line before the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing.
    Plain,
    /// The number of the row, as merging needs.
    Numbered,
    /// The number of the iteration, for a table that keeps it.
    Marked,
}

impl Form {
    /// What a table is loaded from.
    pub(super) fn of(mode: Mode, keeps_iteration: bool) -> Self {
        match mode {
            Mode::Merge => Self::Numbered,
            Mode::Append | Mode::Replace if keeps_iteration => Self::Marked,
            Mode::Append | Mode::Replace => Self::Plain,
        }
    }

    fn stem(self) -> &'static str {
        match self {
            Self::Plain => "rows",
            Self::Numbered => "numbered",
            Self::Marked => "marked",
        }
    }
}

const FORMS: [Form; 3] = [Form::Plain, Form::Numbered, Form::Marked];

/// What COPY is told of files that are compressed so.
pub(super) fn option(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "",
        Compression::Gzip => " GZIP",
        Compression::Zstd => " ZSTD",
    }
}

/// Where a manifest is, and what its name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) bucket: String,
    /// With `/` at the end.
    folder: String,
    pub(super) compression: Compression,
    pub(super) form: Form,
}

impl Address {
    /// Reads the address of a manifest; `None` if it is none of these.
    pub(super) fn parse(address: &str) -> Option<Self> {
        let (bucket, key) = address.strip_prefix("s3://")?.split_once('/')?;
        let (folder, name) = key.rsplit_once('/')?;
        let (stem, suffix) = name.strip_suffix(MANIFEST)?.split_once(CSV)?;
        let every = [Compression::None, Compression::Gzip, Compression::Zstd];
        let compression = every.into_iter().find(|of| of.suffix() == suffix)?;
        let form = FORMS.into_iter().find(|form| form.stem() == stem)?;
        Some(Self { bucket: bucket.to_owned(), folder: format!("{folder}/"), compression, form })
    }

    /// The manifest.
    pub(super) fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key())
    }

    /// What the addresses of all files begin with.
    pub(super) fn folder_url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.folder)
    }

    fn key(&self) -> String {
        format!("{}{}{CSV}{}{MANIFEST}", self.folder, self.form.stem(), self.compression.suffix())
    }

    fn file(&self, number: u32) -> String {
        format!("{}{number:05}{CSV}{}", self.files(), self.compression.suffix())
    }

    /// What the keys of all files begin with.
    fn files(&self) -> String {
        format!("{}{}-", self.folder, self.form.stem())
    }

    /// Where it says what the rows were made of.
    pub(super) fn origins(&self) -> String {
        format!("{}{}.origins{}", self.folder, self.form.stem(), Compression::Zstd.suffix())
    }
}

const CSV: &str = ".csv";

const MANIFEST: &str = ".manifest";

/// What COPY reads first.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    url: String,
    mandatory: bool,
    meta: Meta,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Meta {
    /// Bytes.
    content_length: u64,
    /// Rows, as UNLOAD notes them.
    record_count: u64,
}

impl Staging {
    /// What stages the rows of an attempt.
    pub(super) fn stager(&self, fields: &'static [FieldPlan], (iteration, attempt): (u64, &str)) -> RedshiftStager {
        let (place, staging) = (self.address(attempt), self.clone());
        let (bucket, open, origins) = (None, None, None);
        RedshiftStager { staging, place, fields, iteration, bucket, open, origins, written: Vec::new(), rows: 0 }
    }

    pub(super) fn address(&self, attempt: &str) -> Address {
        let attempt = if mutant(Mutant::KeyReused) { "all" } else { attempt };
        let folder = format!("{}{attempt}/{}/", self.root(), self.port);
        let Self { compression, form, .. } = *self;
        Address { bucket: self.bucket.clone(), folder, compression, form }
    }

    /// Which row of the iteration is on this line of the file at `url`, if no row has several; and what it was made of. Nothing
    /// if the manifest cannot be read, or does not name the file.
    pub(super) fn row(&self, place: &Address, url: &str, line: u64) -> Option<(u64, MadeOf)> {
        let bucket = S3Bucket::open(&self.account, &place.bucket).ok()?;
        let (text, _) = bucket.read(&place.key()).ok()??;
        let manifest: Manifest = serde_json::from_slice(&text).ok()?;
        let at = manifest.entries.iter().position(|entry| entry.url == url)?;
        let before: u64 = manifest.entries[..at].iter().map(|entry| entry.meta.record_count).sum();
        let row = before + line;
        Some((row, look_up(&bucket, place, row)))
    }

    /// Finds out whether the bucket is there and may be listed, by a list of nothing.
    pub(super) fn look(&self) -> Result<(), Error> {
        let listed = self.open_bucket()?.list(&format!("{}.nothing", self.root()));
        let place = format!("s3://{}/{}", self.bucket, self.prefix);
        listed.map(drop).map_err(|trouble| failed("cannot look at where rows are to be staged", &place, &trouble))
    }

    /// Finds out whether all that the manifest at `address` names is there, in its size.
    pub(super) fn check(&self, address: &str) -> Result<(), Error> {
        let lost = |cause: String| {
            let failure = Failure::new("the staged rows are not those that were sealed").at(address).cause(cause);
            let help = "put the objects back as they were, if the bucket keeps versions; or have what was sealed read \
                        again and staged anew: `doctor` says how";
            Error::Held(failure.help(help).held(Cause::StagedLost.case()))
        };
        let Some(place) = Address::parse(address) else {
            return Err(lost("the address is none of a manifest".to_owned()));
        };
        if let Some(root) = self.other_root(&place) {
            let cause = format!("they are in {root}, and this address stages in s3://{}/{}", self.bucket, self.prefix);
            let help = format!(
                "give the address staging={root} back until they are loaded: else they stay there for ever; or, if they \
                 are gone, have what was sealed read again and staged anew: `doctor` says how"
            );
            let failure = Failure::new("the rows are staged elsewhere").at(address).cause(cause).help(help);
            return Err(Error::Held(failure.held(Cause::StagedLost.case())));
        }
        if place.form != self.form {
            return Err(lost(
                "they are for a table with other columns: mode or iteration_column was another".to_owned(),
            ));
        }
        let bucket = self.open_bucket()?;
        let read = bucket.read(&place.key()).map_err(|trouble| match trouble.kind {
            Kind::Missing => {
                let failure = Failure::new("the bucket in which rows were staged is gone").at(address).cause(&trouble);
                let help = "give the address another bucket only when they are loaded; have it made anew, and what was \
                            sealed read again and staged anew: `doctor` says how";
                Error::Held(failure.help(help).held(Cause::StagingGone.case()))
            }
            _ => failed("cannot read what was staged", address, &trouble),
        })?;
        let Some((text, _)) = read else { return Err(lost("the manifest is missing".to_owned())) };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| lost(error.to_string()))?;
        let found = bucket.list(&place.folder);
        let found = found.map_err(|trouble| failed("cannot list what was staged", address, &trouble))?;
        for entry in &manifest.entries {
            let is_it = |key: &str| entry.url == format!("s3://{}/{key}", place.bucket);
            match found.iter().find(|object| is_it(&object.key)) {
                None => return Err(lost(format!("{} is missing", entry.url))),
                Some(object) if object.bytes != entry.meta.content_length => {
                    let (bytes, sealed) = (object.bytes, entry.meta.content_length);
                    return Err(lost(format!("{} has {bytes} bytes, sealed were {sealed}", entry.url)));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Where rows are staged that are not staged here.
    fn other_root(&self, place: &Address) -> Option<String> {
        let names: Vec<&str> = place.folder.trim_end_matches('/').split('/').collect();
        let root: String = names[..names.len().saturating_sub(2)].iter().map(|name| format!("{name}/")).collect();
        let prefix = root.strip_suffix(&*self.flow).unwrap_or(&root);
        (place.bucket != self.bucket || root != self.root()).then(|| format!("s3://{}/{prefix}", place.bucket))
    }

    /// What the keys of all attempts begin with.
    fn root(&self) -> String {
        format!("{}{}", self.prefix, self.flow)
    }

    /// Removes all that `attempt` has staged for the port.
    pub(super) fn remove(&self, attempt: &str) -> Result<(), Error> {
        let place = self.address(attempt);
        let bucket = self.open_bucket()?;
        let remove = || {
            bucket.uploads(&place.folder)?.iter().try_for_each(|upload| bucket.abort_upload(upload))?;
            let keys: Vec<String> = bucket.list(&place.folder)?.into_iter().map(|object| object.key).collect();
            bucket.delete(&keys)
        };
        remove().map_err(|trouble| failed("cannot remove what was staged", &place.folder_url(), &trouble))
    }

    /// What there is of the port's, by attempt: every key is looked at.
    pub(super) fn left_behind(&self) -> Result<Vec<LeftBehind>, Error> {
        let listed = self.open_bucket()?.list(&self.root());
        let listed = match listed {
            // Without the bucket there is nothing in it.
            Err(trouble) if trouble.kind == Kind::Missing => Vec::new(),
            listed => listed.map_err(|trouble| {
                failed("cannot list what was staged", &format!("s3://{}/{}", self.bucket, self.root()), &trouble)
            })?,
        };
        let mut left: BTreeMap<&str, LeftBehind> = BTreeMap::new();
        for object in &listed {
            let Some(attempt) = self.attempt(&object.key) else { continue };
            let found = left.entry(attempt).or_insert_with(|| LeftBehind {
                attempt: attempt.to_owned(),
                bytes: 0,
                written_us: object.written_us,
                epoch: None,
            });
            found.bytes += object.bytes;
            found.written_us = found.written_us.max(object.written_us);
        }
        Ok(left.into_values().collect())
    }

    /// The attempt that a key is of, if it is one of the port's.
    fn attempt<'k>(&self, key: &'k str) -> Option<&'k str> {
        let mut names = key.strip_prefix(&*self.root())?.split('/');
        let (attempt, port, file) = (names.next()?, names.next()?, names.next()?);
        let is_ours = port == self.port && FORMS.iter().any(|form| file.starts_with(form.stem()));
        (is_ours && names.next().is_none()).then_some(attempt)
    }

    fn open_bucket(&self) -> Result<S3Bucket, Error> {
        S3Bucket::open(&self.account, &self.bucket)
    }
}

/// Stages rows, one file after the other.
#[derive(Debug)]
pub(super) struct RedshiftStager {
    staging: Staging,
    place: Address,
    fields: &'static [FieldPlan],
    iteration: u64,
    bucket: Option<Box<dyn Bucket>>,
    open: Option<Writing>,
    origins: Option<Origins>,
    written: Vec<Written>,
    rows: u64,
}

impl RedshiftStager {
    /// Takes the next row.
    fn write_row(&mut self, bucket: &dyn Bucket, rows: &mut RowReader<'_>) -> Result<(), Error> {
        self.rows += 1;
        let number = match self.place.form {
            Form::Plain => None,
            Form::Numbered => Some(self.rows),
            Form::Marked => Some(self.iteration),
        };
        let Self { place, fields, open, written, .. } = self;
        let file = open.get_or_insert_with(|| {
            let number = u32::try_from(written.len() + 1).unwrap_or(u32::MAX);
            Writing::new(place.file(number), number, place.compression, Vec::new())
        });
        let added = file.add(|out| rows::write_row(fields, number, rows, out)).map_err(Broken::Encoder);
        added.and_then(|()| file.upload(bucket)).map_err(|broken| self.broken(broken))?;
        if self.open.as_ref().is_some_and(Writing::is_full) { self.close(bucket) } else { Ok(()) }
    }

    /// Ends the file that is open, if one is.
    fn close(&mut self, bucket: &dyn Bucket) -> Result<(), Error> {
        let Some(file) = self.open.take() else { return Ok(()) };
        let written = file.finish(bucket).map_err(|broken| self.broken(broken))?;
        self.written.push(written);
        Ok(())
    }

    fn broken(&self, broken: Broken) -> Error {
        match broken {
            Broken::Encoder(error) => self.unwritable(error),
            Broken::Bucket(trouble) => self.failed(&trouble),
        }
    }

    fn manifest(&self) -> Manifest {
        let entry = |file: &Written| Entry {
            url: format!("s3://{}/{}", self.place.bucket, file.key),
            mandatory: true,
            meta: Meta { content_length: file.bytes, record_count: file.rows },
        };
        Manifest { entries: self.written.iter().map(entry).collect() }
    }

    fn failed(&self, trouble: &Trouble) -> Error {
        failed("cannot stage rows", &self.place.folder_url(), trouble)
    }

    fn unwritable(&self, error: io::Error) -> Error {
        let failure = Failure::new("cannot make text of a row").at(self.place.folder_url()).cause(error);
        Error::Target(failure.help("take another compression"))
    }

    /// The bucket, found when the first row comes.
    fn take_bucket(&mut self) -> Result<Box<dyn Bucket>, Error> {
        let open = || self.staging.open_bucket().map(|bucket| Box::new(bucket) as Box<dyn Bucket>);
        self.bucket.take().map_or_else(open, Ok)
    }
}

impl Stager for RedshiftStager {
    fn place(&self) -> String {
        format!("s3://{}/{}", self.staging.bucket, self.staging.root())
    }

    fn write(&mut self, rows: &RowBuffer) -> Result<(), Error> {
        let bucket = self.take_bucket()?;
        let mut left = RowReader::new(rows.bytes());
        for _ in 0..rows.rows() {
            self.write_row(&*bucket, &mut left)?;
        }
        self.bucket = Some(bucket);
        Ok(())
    }

    fn note_origin(&mut self, origin: &Origin<'_>) -> Result<(), Error> {
        let bucket = self.take_bucket()?;
        let origins = self.origins.get_or_insert_with(|| Origins::new(&self.place));
        let added = origins.add(&*bucket, origin);
        self.bucket = Some(bucket);
        added.map_err(|broken| self.broken(broken))
    }

    fn finish(mut self: Box<Self>) -> Result<String, Error> {
        let bucket = self.take_bucket()?;
        self.close(&*bucket)?;
        if let Some(origins) = self.origins.take() {
            origins.finish(&*bucket).map_err(|broken| self.broken(broken))?;
        }
        if mutant(Mutant::ManifestFromListing) {
            let listed = bucket.list(&self.place.files()).map_err(|trouble| self.failed(&trouble))?;
            let written = listed.into_iter().zip(1..);
            let written = written.map(|(object, number)| Written {
                key: object.key,
                bytes: object.bytes,
                rows: 0,
                etag: object.etag,
                number,
            });
            self.written = written.collect();
        }
        let body = serde_json::to_vec_pretty(&self.manifest()).map_err(|error| self.unwritable(error.into()))?;
        let (key, body) = (self.place.key(), Bytes::from(body));
        match bucket.put(&key, &body, If::Absent) {
            Ok(_) => {}
            // It may have been ourselves, and the answer was lost; nobody else has this attempt.
            Err(trouble) if trouble.kind == Kind::ConditionFailed => {
                let there = bucket.read(&key).map_err(|trouble| self.failed(&trouble))?;
                if there.is_none_or(|(there, _)| body != there) {
                    return Err(self.failed(&trouble));
                }
            }
            Err(trouble) => return Err(self.failed(&trouble)),
        }
        Ok(self.place.url())
    }
}

fn failed(what: &str, place: &str, trouble: &Trouble) -> Error {
    Error::Target(trouble.failure(what).at(place))
}

#[cfg(test)]
#[path = "staging_tests.rs"]
mod tests;
