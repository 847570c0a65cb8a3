//! `s3://` sinks and traps: objects of delimited text or JSON, each iteration exactly once for readers that follow the
//! manifests.
//!
//! A prefix is one port's, as a file is. Before the seal the rows are uploaded (`stager.rs`, `format.rs`, `../objects/`). To
//! publish them a manifest is written, which names the one before it, and then `current.json` is changed, on condition that it
//! is as it was read: that is the one step, and the ledger (`place.rs`, `manifest.rs`). Replace names no manifest before its
//! own. Whoever slept meanwhile, of this epoch or another, has read another `current.json`, and changes nothing.
//!
//! Beyond DESIGN's manifests of fixed names: with `current.json` for Append, too, a reader has all of an iteration or nothing of
//! it by reading one object, the ledger is one object whatever the number of iterations, and a manifest is never written
//! twice, whichever attempt it is of.
//!
//! Who lists keys instead sees more: objects of attempts that are not sealed yet or were given up, from their upload to their
//! removal, and with Replace those of former iterations.

mod chain;
mod format;
mod layout;
mod manifest;
mod place;
mod read_back;
mod remove;
mod staged;
mod stager;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use format::Format;
pub(super) use format::{NULL_FOLDER, is_plain};
use layout::Layout;
pub(super) use layout::identity;
use manifest::{Current, Manifest, VERSION};
use place::{Found, Place};
use read_back::S3Trap;
use remove::{SWAPS_MAX, contended};
use stager::S3Stager;

use super::{
    Demands, Head, LeftBehind, Mode, Published, SinkShape, SinkTap, Staged, Stager, Ticket, TrapReader,
    ledger::{Described, Turn, turn},
    objects::S3Bucket,
    would_double,
};
use crate::{
    Address, Error, Failure,
    aws::{ACCOUNT_OPTIONS, Account},
    plan::PortKind,
};

/// What a person does to have the ledger forget the flow.
const HOW_TO_FORGET: &str = "have its ledger forget the flow with `forget`";

/// Publishes below a prefix.
#[derive(Debug)]
pub(super) struct S3SinkTap {
    place: Place,
    format: Format,
    shape: SinkShape,
}

impl S3SinkTap {
    pub(super) fn open(address: &Address, shape: SinkShape) -> Result<Self, Error> {
        let options: Vec<&str> = format::OPTIONS.into_iter().chain(["from", "mode"]).chain(ACCOUNT_OPTIONS).collect();
        address.allow_options(&options)?;
        if shape.mode == Mode::Merge {
            let failure = Failure::new("objects cannot be merged into").at(address.to_string());
            let help = "take the mode append or replace, or a sqlite: or postgres: address";
            return Err(Error::Config(failure.help(help)));
        }
        let (layout, format) = (Layout::of(address, shape.fields())?, Format::of(address, shape.fields())?);
        refuse_long_folders(address, shape, &format)?;
        let bucket = Arc::new(S3Bucket::open(&Account::of(address), &layout.bucket)?);
        Ok(Self { place: Place { bucket, layout }, format, shape })
    }

    fn port(&self) -> &'static str {
        self.shape.port.name
    }

    /// What the ledger says, which must be this port's.
    fn ledger(&self, flow: Option<&str>) -> Result<Found, Error> {
        let found = self.place.current(self.port())?;
        self.refuse_foreign(flow, &found).map(|()| found)
    }

    fn refuse_foreign(&self, flow: Option<&str>, found: &Found) -> Result<(), Error> {
        let is_ours = |of: &str| flow.is_none_or(|flow| flow == of) && found.current.port == self.port();
        match &found.current.flow {
            Some(of) if !is_ours(of) => Err(self.foreign(&found.current)),
            _ => Ok(()),
        }
    }

    fn turn(&self, found: &Found, ticket: &Ticket) -> Result<Turn, Error> {
        let place = self.place.layout.place();
        let target = Described { place: &place, how_to_forget: HOW_TO_FORGET };
        turn(found.current.last().as_ref(), ticket, self.shape.mode, target)
    }

    /// Refuses to add the rows of a run without a store to any that are there.
    fn refuse_without_store(&self, found: &Found) -> Result<(), Error> {
        let place = self.place.layout.place();
        if let Some(flow) = &found.current.flow {
            let failure = Failure::new("a flow with a checkpoint publishes to this prefix").at(place);
            let cause = format!("its ledger names port `{}` of flow {flow}", found.current.port);
            return Err(Error::Target(failure.cause(cause).help("keep the checkpoint, or give another prefix")));
        }
        match self.shape.mode {
            Mode::Append if found.current.manifest.is_some() => Err(would_double(&place, self.shape)),
            _ => Ok(()),
        }
    }

    fn foreign(&self, current: &Current) -> Error {
        let flow = current.flow.as_deref().unwrap_or_default();
        Error::Target(
            Failure::new("another port publishes to this prefix")
                .at(self.place.layout.place())
                .cause(format!("its ledger names port `{}` of flow {flow}", current.port))
                .help("give each port a prefix of its own"),
        )
    }

    /// The manifest of what is staged, and the attempt that it is of.
    fn manifest(&self, staged: &Staged, ticket: Option<&Ticket>, found: &Found) -> Result<(Manifest, String), Error> {
        let (attempt, entries) = match staged.address() {
            Some(address) => self.entries(address)?,
            None => ("no-rows".to_owned(), Vec::new()),
        };
        let rows: u64 = entries.iter().map(|entry| entry.meta.record_count).sum();
        if rows != staged.row_count() {
            let cause = format!("its objects have {rows} rows, sealed were {}", staged.row_count());
            return Err(self.lost(staged.address().unwrap_or_default(), &cause));
        }
        let previous = found.current.manifest.clone().filter(|_| self.shape.mode == Mode::Append);
        let manifest = Manifest {
            version: VERSION,
            flow: ticket.map(|ticket| ticket.flow.clone()),
            port: self.port().to_owned(),
            epoch: ticket.map(|ticket| ticket.epoch.clone()),
            iteration: ticket.map(|ticket| ticket.iteration),
            hash: staged.hash().to_owned(),
            rows,
            previous,
            entries,
        };
        Ok((manifest, attempt))
    }
}

/// What has trapped a record must not refuse it once more: only what is short may name the folders of a trap.
fn refuse_long_folders(address: &Address, shape: SinkShape, format: &Format) -> Result<(), Error> {
    let mut names = format.partition().iter().map(|index| shape.fields()[*index].name);
    match names.find(|name| shape.port.kind == PortKind::Trap && !["source", "operator"].contains(name)) {
        None => Ok(()),
        Some(name) => Err(Error::Config(
            Failure::new(format!("the folders of a trap cannot be named by `{name}`, which may be of any length"))
                .at(address.to_string())
                .help("part a trap by source, by operator, or not at all"),
        )),
    }
}

impl SinkTap for S3SinkTap {
    fn mode(&self) -> Mode {
        self.shape.mode
    }

    /// A row whose folder does not fit a key.
    fn demands(&self) -> Demands {
        match self.format.partition() {
            [] => Demands::default(),
            partition => Demands::of_folders(self.shape.fields(), partition, self.place.layout.folder_bytes_max()),
        }
    }

    /// Whether something may be written is not known before it is: nothing is.
    fn check(&self) -> Result<(), Error> {
        self.ledger(None).map(drop)
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        let found = self.ledger(Some(&ticket.flow))?;
        self.turn(&found, ticket).map(|turn| turn == Turn::Skip)
    }

    fn check_without_store(&self) -> Result<(), Error> {
        self.refuse_without_store(&self.ledger(None)?)
    }

    fn stager(&self, _iteration: u64, attempt: &str) -> Option<Box<dyn Stager>> {
        let (place, format) = (self.place.clone(), self.format.clone());
        Some(Box::new(S3Stager::new(place, format, self.shape.fields(), attempt)))
    }

    fn check_staged(&self, address: &str) -> Result<(), Error> {
        self.check_objects(address)
    }

    fn remove_staged(&self, attempt: &str) -> Result<(), Error> {
        remove::remove(&self.place, self.port(), attempt)
    }

    fn left_behind(&self, flow: &str) -> Result<Vec<LeftBehind>, Error> {
        self.ledger(Some(flow))?;
        remove::left_behind(&self.place, self.port())
    }

    fn remove_left_behind(&self, attempts: &[String]) -> Result<(), Error> {
        remove::remove_left_behind(&self.place, self.port(), attempts)
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        for _ in 0..SWAPS_MAX {
            // The ledger before the list of what is staged: who removes that changes the ledger after it (`remove.rs`).
            let found = self.ledger(ticket.map(|ticket| ticket.flow.as_str()))?;
            match ticket {
                Some(ticket) if self.turn(&found, ticket)? == Turn::Skip => return Ok(Published::Before),
                Some(_) => {}
                None => self.refuse_without_store(&found)?,
            }
            let (manifest, attempt) = self.manifest(staged, ticket, &found)?;
            let (recent, index) = match self.shape.mode {
                Mode::Append => chain::followed(&self.place, &found.current, &attempt)?,
                Mode::Replace | Mode::Merge => (Vec::new(), None),
            };
            let next = Current {
                version: VERSION,
                revision: 0,
                recent,
                index,
                flow: manifest.flow.clone(),
                port: manifest.port.clone(),
                epoch: manifest.epoch.clone(),
                iteration: manifest.iteration,
                hash: ticket.map(|ticket| ticket.hash.clone()).unwrap_or_default(),
                manifest: Some(self.place.put_manifest(&manifest, &attempt)?),
            };
            if self.place.swap(&found, next)? {
                return Ok(Published::Now);
            }
        }
        Err(contended(&self.place))
    }

    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        for _ in 0..SWAPS_MAX {
            let found = self.place.current_or_none(self.port())?;
            self.refuse_foreign(Some(flow), &found)?;
            // What is not named any more, clean-up finds.
            let kept = if empty { Current::empty(self.port()) } else { found.current.clone() };
            let Current { manifest, recent, index, .. } = kept;
            let next = Current { revision: 0, manifest, recent, index, ..Current::empty(self.port()) };
            if self.place.swap(&found, next)? {
                return Ok(());
            }
        }
        Err(contended(&self.place))
    }

    fn trapped(&self, flow: &str) -> Result<Option<Box<dyn TrapReader>>, Error> {
        let manifests = chain::manifests(&self.place, &self.ledger(Some(flow))?.current)?;
        if manifests.is_empty() {
            return Ok(None);
        }
        Ok(Some(Box::new(S3Trap::of(self.place.clone(), self.format.clone(), manifests))))
    }

    /// Nothing: whoever wants to see them follows the manifests.
    fn head(&self, _rows_max: usize) -> Result<Option<Head>, Error> {
        Ok(None)
    }
}
