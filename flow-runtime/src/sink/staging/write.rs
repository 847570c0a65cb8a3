//! Writing an attempt's rows: counted and hashed on their way to the disk, or to a target that stages its rows itself.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_64_with_seed};

use super::{StagedManifest, Stager, elsewhere, failed, read::describe_fields};
use crate::{
    Error, Plan,
    effect::{
        Mutant,
        disk::{self, File},
        mutant,
    },
    folder,
    origin::{Origin, PieceOrigin},
    plan::{PortKind, PortPlan},
    value::RowBuffer,
};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// The rows of an attempt, port by port.
#[derive(Debug)]
pub struct StagedAttempt {
    directory: PathBuf,
    plan: &'static Plan,
    /// One for each port of the plan, made when its first row comes.
    writers: Vec<Option<StagedWriter>>,
    /// For each port of the plan what stages its rows, if that is its target's to do; taken when the first row comes.
    stagers: Vec<Option<Box<dyn Stager>>>,
}

impl StagedAttempt {
    pub(super) fn new(directory: PathBuf, plan: &'static Plan) -> Self {
        let [writers, stagers] = [(); 2].map(|()| plan.ports.iter());
        Self { directory, plan, writers: writers.map(|_| None).collect(), stagers: stagers.map(|_| None).collect() }
    }

    /// Has targets stage their rows themselves: one for each port of the plan, in its order.
    #[must_use]
    pub(crate) fn staged_by(self, stagers: Vec<Option<Box<dyn Stager>>>) -> Self {
        Self { stagers, ..self }
    }

    /// Adds rows to those of the port with this index in the plan.
    ///
    /// # Errors
    /// [`Error::Store`] when the disk is full or cannot be written to.
    pub fn write(&mut self, port: usize, rows: &RowBuffer) -> Result<(), Error> {
        self.write_from(port, rows, &Origin { rows: rows.rows(), piece: None })
    }

    /// The same with where the rows come from.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) fn write_from(&mut self, port: usize, rows: &RowBuffer, origin: &Origin<'_>) -> Result<(), Error> {
        let (Some(writer), Some(plan)) = (self.writers.get_mut(port), self.plan.ports.get(port)) else {
            return Ok(());
        };
        if rows.rows() == 0 {
            return Ok(());
        }
        match writer {
            Some(writer) => writer.write(rows, origin),
            None => {
                let to = match self.stagers.get_mut(port).and_then(Option::take) {
                    Some(stager) => {
                        elsewhere::note(&self.directory, plan.name, &stager.place())?;
                        Destination::Target(stager)
                    }
                    None => Destination::Disk(StagedFile::create(&self.directory, plan)?),
                };
                writer.insert(StagedWriter::new(plan, to)).write(rows, origin)
            }
        }
    }

    /// How many rows the port with this index has so far.
    #[must_use]
    pub fn rows(&self, port: usize) -> u64 {
        self.writers.get(port).and_then(Option::as_ref).map_or(0, |writer| writer.rows)
    }

    /// Makes all rows durable and says what is to be published: an entry for each sink, and one for each trap that has
    /// rows, in the order of the plan.
    ///
    /// # Errors
    /// [`Error::Store`] when the disk is full or cannot be written to.
    pub fn finish(self) -> Result<Vec<StagedManifest>, Error> {
        let mut manifests = Vec::new();
        let mut has_files = false;
        for (port, writer) in self.plan.ports.iter().zip(self.writers) {
            match writer {
                Some(writer) => {
                    has_files |= matches!(writer.to, Destination::Disk(_));
                    manifests.push(writer.finish()?);
                }
                None if port.kind == PortKind::Sink => manifests.push(no_rows(port)),
                None => {}
            }
        }
        if has_files {
            folder::sync(&self.directory)
                .and_then(|()| folder::sync(folder::parent(&self.directory)))
                .map_err(|error| failed("cannot make staged rows durable", &self.directory, error))?;
        }
        Ok(manifests)
    }
}

fn make_directory(directory: &Path) -> Result<(), Error> {
    disk::create_dir_all("stage", directory)
        .map_err(|error| failed("cannot make the staging directory", directory, error))
}

fn no_rows(port: &PortPlan) -> StagedManifest {
    StagedManifest {
        port: port.name.to_owned(),
        file: None,
        rows: 0,
        bytes: 0,
        hash: RowsHash::default().into_text(),
        fields: describe_fields(port),
    }
}

/// The rows of one port on their way.
#[derive(Debug)]
struct StagedWriter {
    port: &'static PortPlan,
    to: Destination,
    rows: u64,
    bytes: u64,
    hash: RowsHash,
}

/// Where rows are staged.
#[derive(Debug)]
enum Destination {
    Disk(StagedFile),
    Target(Box<dyn Stager>),
}

impl StagedWriter {
    fn new(port: &'static PortPlan, to: Destination) -> Self {
        Self { port, to, rows: 0, bytes: 0, hash: RowsHash::default() }
    }

    fn write(&mut self, rows: &RowBuffer, origin: &Origin<'_>) -> Result<(), Error> {
        match &mut self.to {
            Destination::Disk(file) => file.write(rows.bytes())?,
            Destination::Target(stager) => stager
                .note_origin(origin)
                .and_then(|()| stager.write(rows))
                .map_err(|error| error.of_port(self.port.name))?,
        }
        self.hash.add(origin, rows.bytes());
        self.rows += rows.rows();
        self.bytes += rows.bytes().len() as u64;
        Ok(())
    }

    fn finish(self) -> Result<StagedManifest, Error> {
        let file = match self.to {
            Destination::Disk(file) => file.finish()?,
            Destination::Target(stager) => stager.finish().map_err(|error| error.of_port(self.port.name))?,
        };
        Ok(StagedManifest {
            port: self.port.name.to_owned(),
            file: Some(file),
            rows: self.rows,
            bytes: self.bytes,
            hash: self.hash.into_text(),
            fields: describe_fields(self.port),
        })
    }
}

/// A file of rows on the disk of this machine.
#[derive(Debug)]
struct StagedFile {
    path: PathBuf,
    name: String,
    file: BufWriter<File>,
}

impl StagedFile {
    fn create(directory: &Path, port: &'static PortPlan) -> Result<Self, Error> {
        make_directory(directory)?;
        let name = format!("{}.rows", port.name);
        let path = directory.join(&name);
        let file = File::create("stage", &path).map_err(|error| failed("cannot stage rows", &path, error))?;
        Ok(Self { path, name, file: BufWriter::with_capacity(BUFFER_BYTES, file) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| failed("cannot stage rows", &self.path, error))
    }

    fn finish(mut self) -> Result<String, Error> {
        self.flush_and_sync().map_err(|error| failed("cannot stage rows", &self.path, error))?;
        Ok(self.name)
    }

    fn flush_and_sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if mutant(Mutant::StagedNotSynced) {
            return Ok(());
        }
        self.file.get_ref().sync()
    }
}

/// The hash of a port's rows: of all in their order, and of those of each shard in theirs. What is of one shard comes in one
/// order; which shard comes first is chance.
#[derive(Default)]
struct RowsHash {
    in_order: Xxh3,
    /// By the shard's port and id; what was made of many records has none.
    by_shard: BTreeMap<u64, Xxh3>,
}

impl RowsHash {
    fn add(&mut self, origin: &Origin<'_>, rows: &[u8]) {
        let shard = |piece: &PieceOrigin<'_>| xxh3_64_with_seed(piece.shard.as_bytes(), xxh3_64(piece.port.as_bytes()));
        let shard = origin.piece.as_ref().map_or(0, shard);
        self.in_order.update(rows);
        self.by_shard.entry(shard).or_default().update(rows);
    }

    /// As it stands in seal and ledger.
    fn into_text(self) -> String {
        let mut together = Xxh3::new();
        for (shard, rows) in self.by_shard {
            together.update(&shard.to_le_bytes());
            together.update(&rows.digest128().to_le_bytes());
        }
        format!("{}{BY_SHARD}{}", digest(&self.in_order), digest(&together))
    }
}

impl fmt::Debug for RowsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowsHash")
    }
}

/// What stands in a hash between its two parts; what an earlier version of flow has sealed has the first alone.
const BY_SHARD: char = '-';

/// The part of a hash that goes by the bytes as they lie there.
pub(super) fn in_order(hash: &str) -> &str {
    hash.split_once(BY_SHARD).map_or(hash, |(in_order, _)| in_order)
}

/// The part of a hash that is the same whichever shard came first.
pub(super) fn by_shard(hash: &str) -> Option<&str> {
    hash.split_once(BY_SHARD).map(|(_, by_shard)| by_shard)
}

/// Whether two hashes are of the same rows in the same order. Those of an earlier version of flow tell no more.
pub(crate) fn is_in_order(then: &str, now: &str) -> bool {
    in_order(then) == in_order(now)
}

/// Whether two hashes are of the same rows, those of each shard in the same order.
pub(crate) fn is_by_shard(then: &str, now: &str) -> bool {
    match (by_shard(then), by_shard(now)) {
        (Some(then), Some(now)) => then == now,
        _ => is_in_order(then, now),
    }
}

/// A hash as text.
pub(super) fn digest(hash: &Xxh3) -> String {
    format!("{:032x}", hash.digest128())
}
