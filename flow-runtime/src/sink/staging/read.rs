//! Reading staged rows back: first whether they are what was sealed, then row by row, in bounded memory.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use xxhash_rust::xxh3::Xxh3;

use super::{
    StagedManifest, failed,
    write::{digest, in_order},
};
use crate::{
    Error, Failure,
    effect::disk::{self, File},
    held::Cause,
    plan::PortPlan,
    trap::output_fields,
    value::{RowReader, Type},
};

/// Bytes read at a time.
const WINDOW_BYTES: usize = 256 * 1024;

/// The staged rows of one port, found to be what was sealed.
#[derive(Debug)]
pub struct Staged {
    file: Option<PathBuf>,
    /// Where the target has staged them itself.
    address: Option<String>,
    rows: u64,
    hash: String,
    types: Vec<Type>,
    stop: Arc<AtomicBool>,
    iteration: u64,
}

impl Staged {
    pub(super) fn open(directory: &Path, manifest: &StagedManifest, port: &'static PortPlan) -> Result<Self, Error> {
        let fields = describe_fields(port);
        if manifest.fields != fields {
            return Err(Error::Held(
                Failure::new("the flow's fields are not those of the staged rows")
                    .at(format!("port `{}`", port.name))
                    .cause(format!("staged were ({}), now they are ({fields})", manifest.fields))
                    .help("run the former program once to load what it sealed, then this one")
                    .held(Cause::OtherFields.case()),
            ));
        }
        let address = manifest.of_target().map(str::to_owned);
        let file = manifest.file.as_ref().filter(|_| address.is_none()).map(|name| directory.join(name));
        if let Some(path) = &file {
            verify(path, manifest)?;
        }
        let types = output_fields(port).iter().map(|field| field.ty).collect();
        let (rows, hash, stop) = (manifest.rows, manifest.hash.clone(), Arc::default());
        Ok(Self { file, address, rows, hash, types, stop, iteration: 0 })
    }

    /// The same, to be read no further once `stop` is set by [`rows_until_stopped`](Self::rows_until_stopped): the load fails
    /// then, and another one begins with the first row.
    #[must_use]
    pub fn until(self, stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop), ..self }
    }

    /// Where the target has staged the rows itself, as its [`Stager`](super::Stager) has named it; whether they are still
    /// there, the target finds out.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Says which iteration's they are.
    #[must_use]
    pub(crate) fn of_iteration(self, iteration: u64) -> Self {
        Self { iteration, ..self }
    }

    /// Which iteration's they are.
    pub(crate) fn iteration(&self) -> u64 {
        self.iteration
    }

    /// The hash of the rows.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How many rows.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.rows
    }

    /// Reads them from the first on.
    ///
    /// # Errors
    /// [`Error::Store`] when they cannot be opened; [`Error::Held`] when they lie elsewhere: the target's own tap alone
    /// can make something of them.
    pub fn rows(&self) -> Result<StagedRows<'_>, Error> {
        self.read(None)
    }

    /// The same for a target that is loaded row by row, which may take hours: no row comes any more once the run is asked to
    /// stop. What is loaded in one step is loaded to its end.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub fn rows_until_stopped(&self) -> Result<StagedRows<'_>, Error> {
        self.read(Some(&self.stop))
    }

    fn read<'a>(&'a self, stop: Option<&'a AtomicBool>) -> Result<StagedRows<'a>, Error> {
        if let Some(address) = &self.address {
            let failure = Failure::new("the rows were staged by another kind of target").at(address.as_str());
            let help = "bind the port to the target that they were staged for";
            return Err(Error::Held(failure.help(help).held(Cause::StagedLost.case())));
        }
        let file = match &self.file {
            Some(path) => {
                Some((path.as_path(), File::open("staged", path).map_err(|error| failed(UNREADABLE, path, error))?))
            }
            None => None,
        };
        Ok(StagedRows { file, types: &self.types, remaining: self.rows, window: Vec::new(), start: 0, stop })
    }
}

const UNREADABLE: &str = "cannot read staged rows";

/// The fields of a port as the manifest names them.
pub(crate) fn describe_fields(port: &PortPlan) -> String {
    let fields = output_fields(port).iter().map(|field| match field.nullable {
        true => format!("{}: Option<{}>", field.name, field.ty),
        false => format!("{}: {}", field.name, field.ty),
    });
    fields.collect::<Vec<_>>().join(", ")
}

/// Compares a file's length and hash with the manifest.
fn verify(path: &Path, manifest: &StagedManifest) -> Result<(), Error> {
    let damaged = |cause: String| {
        Error::Held(
            Failure::new("the staged rows are not those that were sealed")
                .at(path.display().to_string())
                .cause(cause)
                .help("put the file back as it was; or have what was sealed read again and staged anew: `doctor` says how")
                .held(Cause::StagedLost.case()),
        )
    };
    let mut file = match File::open("staged", path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("the file is missing".to_owned())),
        opened => opened.map_err(|error| failed(UNREADABLE, path, error))?,
    };
    let bytes = disk::metadata("staged", path).map_err(|error| failed(UNREADABLE, path, error))?.len();
    if bytes != manifest.bytes {
        return Err(damaged(format!("it has {bytes} bytes, sealed were {}", manifest.bytes)));
    }
    let mut hash = Xxh3::new();
    let mut window = vec![0; WINDOW_BYTES];
    loop {
        match file.read(&mut window) {
            Ok(0) => break,
            Ok(read) => hash.update(window.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(UNREADABLE, path, error)),
        }
    }
    if digest(&hash) == in_order(&manifest.hash) { Ok(()) } else { Err(damaged("its hash is another".to_owned())) }
}

/// Reads staged rows in order; holds a window of the file, and at least one row.
#[derive(Debug)]
pub struct StagedRows<'a> {
    file: Option<(&'a Path, File)>,
    types: &'a [Type],
    remaining: u64,
    window: Vec<u8>,
    /// Where the next row begins in the window.
    start: usize,
    stop: Option<&'a AtomicBool>,
}

impl StagedRows<'_> {
    /// The next row.
    ///
    /// # Errors
    /// [`Error::Store`] when the file cannot be read; [`Error::Held`] when it has fewer rows than were sealed, or more;
    /// [`Error::Interrupted`].
    pub fn next_row(&mut self) -> Result<Option<RowReader<'_>>, Error> {
        if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(Error::Interrupted);
        }
        if self.remaining == 0 {
            let has_more = self.start < self.window.len() || self.fill()?;
            return if has_more { Err(self.miscounted()) } else { Ok(None) };
        }
        self.remaining -= 1;
        let length = loop {
            let rest = self.window.get(self.start..).unwrap_or_default();
            let length = RowReader::new(rest).encoded(self.types.iter().copied()).len();
            // A row that reaches the window's end may go on behind it.
            if length < rest.len() || !self.fill()? {
                break length;
            }
        };
        if length == 0 {
            return Err(self.miscounted());
        }
        let row = self.start..self.start + length;
        self.start = row.end;
        Ok(Some(RowReader::new(self.window.get(row).unwrap_or_default())))
    }

    #[cold]
    fn miscounted(&self) -> Error {
        let place = self.file.as_ref().map(|(path, _)| path.display().to_string());
        Error::Held(
            Failure::new("the staged rows are not as many as were sealed")
                .at(place.unwrap_or_default())
                .help("put staged rows and checkpoint store back as they were, together")
                .held(Cause::StagedLost.case()),
        )
    }

    /// Drops what has been read from the window and adds what comes next in the file; `false` at its end.
    fn fill(&mut self) -> Result<bool, Error> {
        let Some((path, file)) = &mut self.file else { return Ok(false) };
        self.window.drain(..self.start);
        self.start = 0;
        let read = file.take(WINDOW_BYTES as u64).read_to_end(&mut self.window);
        Ok(read.map_err(|error| failed(UNREADABLE, path, error))? > 0)
    }
}
