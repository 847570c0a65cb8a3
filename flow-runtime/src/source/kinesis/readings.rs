//! Iterations over a stream in memory: what each test of reading begins with.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    fake::{CONSUMER, Fake, with_clock},
    pace::Paces,
    place::Start,
    reader::{How, Shards},
    survey::Survey,
};
use crate::{
    Error,
    source::{Framing, Gaps, KnownShard, Next, Reading, ShardFrom},
};

pub(super) const WAIT: Duration = Duration::from_millis(5);

/// How a stream is read that nobody else reads.
pub(super) fn polled() -> How {
    How { paces: Arc::new(Paces::new(5)), consumer: None }
}

pub(super) fn paused<T>(test: impl Future<Output = T>) -> T {
    with_clock(|_| test)
}

/// What several iterations have read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Whether what it reads is pushed.
    pub(super) is_pushed: bool,
    pub(super) known: Vec<KnownShard>,
    /// For each shard its records.
    pub(super) records: BTreeMap<String, Vec<String>>,
    /// All records in the order in which they came.
    pub(super) all: Vec<String>,
    pub(super) lag: Vec<bool>,
}

impl Read {
    fn how(&self) -> How {
        How { consumer: self.is_pushed.then(|| CONSUMER.into()), ..polled() }
    }

    /// One iteration: until nothing is new, or so many records are read.
    pub(super) async fn on(&mut self, fake: &Arc<Fake>, most: usize) -> Result<usize, Error> {
        let survey = Survey { service: &**fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards = survey.list(&self.known).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.of(fake, shards, most).await
    }

    pub(super) async fn of(&mut self, fake: &Arc<Fake>, shards: Vec<ShardFrom>, most: usize) -> Result<usize, Error> {
        self.by(fake, &self.how(), shards, most).await
    }

    /// The same, by a pace that others may have, too.
    pub(super) async fn by(
        &mut self,
        fake: &Arc<Fake>,
        how: &How,
        mut shards: Vec<ShardFrom>,
        most: usize,
    ) -> Result<usize, Error> {
        let mut reader = Shards::start(fake, &shards, how, Reading::default())?;
        let mut count = 0;
        while count < most {
            match reader.next(Vec::new(), WAIT).await? {
                Next::Piece(piece) => {
                    let Framing::Listed(listed) = &piece.framing else { panic!("records are listed") };
                    assert_eq!(piece.from, shards[piece.shard].from, "pieces of a shard follow each other");
                    let taken = listed.len().min(most - count);
                    for (span, _) in &listed[..taken] {
                        let text = String::from_utf8_lossy(&piece.bytes[span.start..span.end]).into_owned();
                        let shard = shards[piece.shard].shard.name.clone();
                        self.records.entry(shard).or_default().push(text.clone());
                        self.all.push(text);
                    }
                    count += taken;
                    self.lag.extend(piece.arrived.map(|arrived| arrived.is_behind));
                    let cut = listed.get(taken).map(|(_, position)| position.clone());
                    shards[piece.shard].from = cut.unwrap_or(piece.to);
                    shards[piece.shard].covered_us = piece.arrived.map(|arrived| arrived.last_us);
                }
                Next::Moved(moved) => shards[moved.shard].from = moved.to,
                Next::Idle | Next::End => break,
                _ => {}
            }
        }
        for ShardFrom { shard, from, covered_us, .. } in shards {
            let known = KnownShard {
                id: shard.id.clone(),
                name: shard.name,
                mark: shard.mark,
                next: from,
                last: None,
                covered_us,
            };
            self.known.retain(|known| known.id != shard.id);
            self.known.push(known);
        }
        Ok(count)
    }

    /// Reads the children and grandchildren of two shards behind their parents.
    pub(super) async fn generations(&mut self, fake: &Arc<Fake>) {
        put(fake, 0, 0..35);
        put(fake, 1, 35..50);
        fake.reshard(&[0], 2);
        put(fake, 2, 50..60);
        fake.reshard(&[1, 3], 1);
        put(fake, 4, 60..75);
        assert_eq!(self.on(fake, usize::MAX).await.unwrap(), 75);
        let at = |record: usize| self.all.iter().position(|read| *read == record.to_string()).unwrap();
        assert!(at(34) < at(50) && at(34) < at(60) && at(49) < at(60), "{:?}", self.all);
        assert_eq!(self.next().iter().filter(|next| **next == "end").count(), 3);
    }

    pub(super) fn next(&self) -> Vec<&str> {
        self.known.iter().map(|known| known.next.as_str()).collect()
    }
}

pub(super) fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

pub(super) fn put(fake: &Fake, shard: usize, range: std::ops::Range<usize>) {
    let records = numbered(range);
    fake.put(shard, &records.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Reads until there is a piece, of shards one of which does not answer.
pub(super) async fn read_piece(reader: &mut Shards) {
    for _ in 0..4_000 {
        match reader.next(Vec::new(), WAIT).await.unwrap() {
            Next::Piece(_) => return,
            Next::Idle | Next::End => panic!("one has not answered"),
            Next::Moved(_) | Next::Looking | Next::Waiting => assert!(!reader.has_looked(), "one has not answered"),
        }
    }
    panic!("the shard that could be read was not");
}
