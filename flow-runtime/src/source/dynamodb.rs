//! `dynamodb://` tables: all items of a table of DynamoDB, each as a JSON object.
//!
//! A scan is no snapshot and has no order: what is written while it goes on may be in it or not, and nobody can read on from
//! where it ended. So it is bound to a `table` port, and what was read is hashed whatever its order.

use std::{collections::VecDeque, time::Duration};

use tokio::{task::JoinHandle, time::timeout};

use super::{Framing, KnownShard, Next, Piece, Position, Reader, Reading, Shard, ShardFrom, SourceTap};
use crate::{
    Address, Error, Failure,
    aws::{
        ACCOUNT_OPTIONS, Account, Attempts, Kind, Patience, Trouble,
        clients::{
            Tables,
            scan::{Items, SCAN, Segment},
        },
        retrying, spawn, wait,
    },
    flow::Span,
};

/// Segments that are read side by side, unless the address says how many.
const SEGMENTS: u16 = 4;

/// The most of them: a page of each, up to a megabyte, is held in memory.
const SEGMENTS_MAX: u16 = 64;

/// For a page of a table whose capacity is used up: some five minutes.
const PATIENCE: Patience = Patience { attempts: 60, first: Duration::from_millis(200), most: Duration::from_secs(10) };

/// A table by its name.
#[derive(Debug)]
pub(super) struct DynamoDbTap {
    tables: Tables,
    table: String,
    segments: u16,
}

impl DynamoDbTap {
    pub(super) fn open(address: &Address) -> Result<Self, Error> {
        let options: Vec<&str> = ["segments"].into_iter().chain(ACCOUNT_OPTIONS).collect();
        address.allow_options(&options)?;
        let wrong = |what: &str, help: &str| Error::Config(Failure::new(what).at(address.to_string()).help(help));
        let table = address.path().strip_prefix("//").filter(|table| !table.is_empty() && !table.contains('/'));
        let table = table.ok_or_else(|| wrong("the address names no table", "as in dynamodb://campaigns"))?;
        let segments = match address.option("segments") {
            None => SEGMENTS,
            Some(text) => {
                text.parse().ok().filter(|segments| (1..=SEGMENTS_MAX).contains(segments)).ok_or_else(|| {
                    wrong("the option `segments` is no number of segments", &format!("from 1 to {SEGMENTS_MAX}"))
                })?
            }
        };
        Ok(Self { tables: wait(Tables::of(&Account::of(address)))?, table: table.to_owned(), segments })
    }

    fn name(&self) -> String {
        format!("dynamodb://{}", self.table)
    }
}

impl SourceTap for DynamoDbTap {
    /// Reads one item, which shows that the table is there and may be read.
    fn shards(&self, _known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        let probe = Segment::all(1).next();
        if let Some(probe) = probe {
            wait(retrying(Patience::USUAL, async || self.tables.scan(&self.table, &probe, Some(1)).await))
                .map_err(|trouble| failed(&self.name(), &trouble))?;
        }
        let (id, name, start) = (self.name(), self.name(), Position::counted(0));
        let shard = Shard { id, name, mark: String::new(), start: start.clone() };
        Ok(vec![ShardFrom { shard, from: start, until: None, covered_us: None, gap: None }])
    }

    fn is_ordered(&self) -> bool {
        false
    }

    fn open(&self, shards: &[ShardFrom], reading: Reading) -> Result<Box<dyn Reader>, Error> {
        if !reading.once {
            return Err(Error::Config(
                Failure::new("a table of DynamoDB is read whole, and cannot be read on from where an iteration ended")
                    .at(self.name())
                    .help("declare the port as `table`, or run with --checkpoint none"),
            ));
        }
        let mut reader =
            ScanReader { tables: self.tables.clone(), table: self.table.clone(), pages: VecDeque::new(), records: 0 };
        if !shards.is_empty() {
            Segment::all(self.segments).try_for_each(|segment| reader.ask(segment))?;
        }
        Ok(Box::new(reader))
    }
}

fn failed(name: &str, trouble: &Trouble) -> Error {
    Error::Input(trouble.failure("cannot read the table").at(name))
}

/// Reads the segments of a table side by side, a page of each in turn.
#[derive(Debug)]
struct ScanReader {
    tables: Tables,
    table: String,
    /// The next page of each segment that has one.
    pages: VecDeque<Page>,
    /// Read so far.
    records: u64,
}

#[derive(Debug)]
struct Page(JoinHandle<Result<Items, Trouble>>);

impl Drop for Page {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ScanReader {
    fn ask(&mut self, segment: Segment) -> Result<(), Error> {
        self.pages.push_back(Page(spawn(page(self.tables.clone(), self.table.clone(), segment))?));
        Ok(())
    }
}

async fn page(tables: Tables, table: String, segment: Segment) -> Result<Items, Trouble> {
    let mut attempts = Attempts::new(PATIENCE);
    loop {
        match tables.scan(&table, &segment, None).await {
            Ok(items) => return Ok(items),
            Err(trouble) => attempts.wait_after(trouble).await?,
        }
    }
}

impl Reader for ScanReader {
    fn next(&mut self, _buffer: Vec<u8>, patience: Duration) -> Result<Next, Error> {
        let Some(page) = self.pages.front_mut() else { return Ok(Next::End) };
        let Ok(answer) = wait(async { Ok::<_, Error>(timeout(patience, &mut page.0).await) })? else {
            return Ok(Next::Looking);
        };
        self.pages.pop_front();
        let answer = answer.unwrap_or_else(|error| Err(Trouble::new(SCAN, Kind::Passing, error.to_string())));
        let Items { json, ends, next } =
            answer.map_err(|trouble| failed(&format!("dynamodb://{}", self.table), &trouble))?;
        if let Some(next) = next {
            self.ask(next)?;
        }
        // Pages may be empty.
        Ok(if ends.is_empty() { Next::Looking } else { Next::Piece(self.advance(json, &ends)) })
    }
}

impl ScanReader {
    fn advance(&mut self, bytes: Vec<u8>, ends: &[usize]) -> Piece {
        let from = self.records;
        let mut start = 0;
        let mut listed = Vec::with_capacity(ends.len());
        for end in ends {
            listed.push((Span { start, end: *end }, Position::counted(self.records)));
            start = end + 1;
            self.records += 1;
        }
        Piece {
            shard: 0,
            bytes,
            framing: Framing::Listed(listed),
            from: Position::counted(from),
            to: Position::counted(self.records),
            starts_shard: from == 0,
            arrived: None,
        }
    }
}
