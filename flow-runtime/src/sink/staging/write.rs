//! Writing an attempt's rows: buffered, counted and hashed on their way to the disk.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::Xxh3;

use super::{StagedManifest, failed, read::describe_fields};
use crate::{
    Error, Plan,
    effect::{
        Mutant,
        disk::{self, File},
        mutant,
    },
    folder,
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
}

impl StagedAttempt {
    pub(super) fn new(directory: PathBuf, plan: &'static Plan) -> Self {
        Self { directory, plan, writers: plan.ports.iter().map(|_| None).collect() }
    }

    /// Adds rows to those of the port with this index in the plan.
    ///
    /// # Errors
    /// [`Error::Store`] when the disk is full or cannot be written to.
    pub fn write(&mut self, port: usize, rows: &RowBuffer) -> Result<(), Error> {
        let (Some(writer), Some(plan)) = (self.writers.get_mut(port), self.plan.ports.get(port)) else {
            return Ok(());
        };
        if rows.rows() == 0 {
            return Ok(());
        }
        match writer {
            Some(writer) => writer.write(rows),
            None => writer.insert(StagedWriter::create(&self.directory, plan)?).write(rows),
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
                    has_files = true;
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

fn no_rows(port: &PortPlan) -> StagedManifest {
    StagedManifest {
        port: port.name.to_owned(),
        file: None,
        rows: 0,
        bytes: 0,
        hash: digest(&Xxh3::new()),
        fields: describe_fields(port),
    }
}

/// The rows of one port on their way to the disk.
struct StagedWriter {
    port: &'static PortPlan,
    path: PathBuf,
    name: String,
    file: BufWriter<File>,
    rows: u64,
    bytes: u64,
    hash: Xxh3,
}

impl StagedWriter {
    fn create(directory: &Path, port: &'static PortPlan) -> Result<Self, Error> {
        disk::create_dir_all("stage", directory)
            .map_err(|error| failed("cannot make the staging directory", directory, error))?;
        let name = format!("{}.rows", port.name);
        let path = directory.join(&name);
        let file = File::create("stage", &path).map_err(|error| failed("cannot stage rows", &path, error))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Self { port, path, name, file, rows: 0, bytes: 0, hash: Xxh3::new() })
    }

    fn write(&mut self, rows: &RowBuffer) -> Result<(), Error> {
        self.file.write_all(rows.bytes()).map_err(|error| failed("cannot stage rows", &self.path, error))?;
        self.hash.update(rows.bytes());
        self.rows += rows.rows();
        self.bytes += rows.bytes().len() as u64;
        Ok(())
    }

    fn finish(mut self) -> Result<StagedManifest, Error> {
        self.flush_and_sync().map_err(|error| failed("cannot stage rows", &self.path, error))?;
        Ok(StagedManifest {
            port: self.port.name.to_owned(),
            file: Some(self.name),
            rows: self.rows,
            bytes: self.bytes,
            hash: digest(&self.hash),
            fields: describe_fields(self.port),
        })
    }

    fn flush_and_sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if mutant(Mutant::StagedNotSynced) {
            return Ok(());
        }
        self.file.get_ref().sync()
    }
}

impl std::fmt::Debug for StagedWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedWriter").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The hash as it stands in seal and ledger.
pub(super) fn digest(hash: &Xxh3) -> String {
    format!("{:032x}", hash.digest128())
}
