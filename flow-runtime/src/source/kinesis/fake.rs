//! A stream in memory, with the habits of the service and faults to order; and a clock that goes on when somebody waits.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    pace::Paces,
    place::Start,
    reader::{How, KinesisReader},
    service::{Pushed, Service},
    survey::Survey,
};
use crate::{
    Error,
    aws::{
        Kind, Trouble,
        clients::{
            consumers::{Consumer, ConsumerState},
            kinesis::{About, Beginning, ListedShard, Page, StreamRecord},
        },
        limits, wait,
    },
    effect::{World, clock, in_world, network::pause},
    source::{Gaps, KnownShard, Reader, Reading, ShardFrom, SourceTap},
};

/// A clock that goes on by what is waited for, and takes no time; or stands still, for as long as anybody waits.
#[derive(Debug, Default)]
pub(super) struct Clock {
    us: AtomicU64,
    stands_still: AtomicBool,
}

impl Clock {
    pub(super) fn advance(&self, time: Duration) {
        self.us.fetch_add(time.as_micros() as u64, Ordering::SeqCst);
    }

    pub(super) fn stop(&self) {
        self.stands_still.store(true, Ordering::SeqCst);
    }
}

impl World for Clock {
    fn now_us(&self) -> i64 {
        1_800_000_000_000_000 + self.us.load(Ordering::SeqCst) as i64
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.us.load(Ordering::SeqCst))
    }

    fn sleep(&self, time: Duration) {
        if !self.stands_still.load(Ordering::SeqCst) {
            self.advance(time);
        }
    }
}

/// Waits for a test that has this clock.
pub(super) fn with_clock<T, F: Future<Output = T>>(test: impl FnOnce(Arc<Clock>) -> F) -> T {
    let clock = Arc::new(Clock::default());
    in_world(Arc::clone(&clock) as Arc<dyn World>, || wait(async { Ok::<T, Error>(test(clock).await) }).unwrap())
}

/// How long an iterator lives.
const ITERATOR_LIFE: Duration = Duration::from_secs(300);

/// How long a subscription lasts.
const SUBSCRIPTION_LIFE: Duration = Duration::from_secs(300);

/// How often a subscription says something when it has nothing to say.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The ARN of the one consumer there is.
pub(super) const CONSUMER: &str = "arn:aws:kinesis:eu-central-1:1:stream/s/consumer/c:1";

#[derive(Debug)]
pub(super) struct Fake {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) about: About,
    pub(super) shards: Vec<FakeShard>,
    /// Records of one read.
    pub(super) page: usize,
    /// Shards of one page of the list.
    pub(super) shards_a_page: usize,
    /// What becomes of the next reads.
    pub(super) faults: VecDeque<Fault>,
    /// What becomes of the next pages of the list.
    pub(super) list_faults: VecDeque<Fault>,
    /// So many shards, from the first on, are read empty by others.
    pub(super) throttled: usize,
    /// Reads of this shard never come back.
    pub(super) hanging: Option<usize>,
    /// What every read says to be behind when it is at the end.
    pub(super) behind_at_end: Duration,
    /// When each read was, of which shard.
    pub(super) reads: Vec<(String, Duration)>,
    /// What a look at the consumer finds, each in turn and the last for ever.
    pub(super) consumer: VecDeque<ConsumerState>,
    /// With which codes the next subscriptions are refused.
    pub(super) subscribe_faults: VecDeque<&'static str>,
    /// To which shard each was, from where, and when.
    pub(super) subscriptions: Vec<(usize, String, Duration)>,
    /// The latest of each shard: another takes it over.
    latest: HashMap<usize, usize>,
    /// Whether the end of a shard is pushed.
    pub(super) tells_ends: bool,
    next_sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Trouble(Kind),
    /// What the service calls by this code.
    Code(&'static str),
    /// The read is done, and its answer lost.
    AnswerLost,
    /// No record, although there are some, and a little closer to them.
    Empty(Duration),
    Never,
    /// A subscription ends.
    End,
}

const THROTTLED: Fault = Fault::Trouble(Kind::Throttled);

#[derive(Clone, Debug)]
pub(super) struct FakeShard {
    pub(super) listed: ListedShard,
    pub(super) is_listed: bool,
    pub(super) records: Vec<StreamRecord>,
    /// How many of them have aged out.
    pub(super) trimmed: usize,
}

pub(super) fn trouble(kind: Kind) -> Trouble {
    Trouble::new("kinesis.fake", kind, "it was made to fail")
}

/// With its code, by which it is sorted.
fn coded(code: &str) -> Trouble {
    let mut trouble = trouble(Kind::of_answer(Some(code), 400));
    trouble.code = Some(code.to_owned());
    trouble
}

impl Fake {
    /// A stream of so many shards, which keeps records for a day.
    pub(super) fn of(shards: usize) -> Self {
        let about = About { created_ms: 1_000, retention: Duration::from_secs(24 * 3600) };
        let state = State {
            about,
            shards: Vec::new(),
            page: 10,
            shards_a_page: 1,
            faults: VecDeque::new(),
            list_faults: VecDeque::new(),
            throttled: 0,
            hanging: None,
            behind_at_end: Duration::ZERO,
            reads: Vec::new(),
            consumer: VecDeque::from([ConsumerState::Active]),
            subscribe_faults: VecDeque::new(),
            subscriptions: Vec::new(),
            latest: HashMap::new(),
            tells_ends: true,
            next_sequence: 100,
        };
        let fake = Self { state: Arc::new(Mutex::new(state)) };
        for _ in 0..shards {
            fake.state().add_shard(&[]);
        }
        fake
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Puts records into a shard.
    pub(super) fn put(&self, shard: usize, records: &[&str]) {
        let mut state = self.state();
        for record in records {
            state.put(shard, record.as_bytes(), clock::now_us());
        }
    }

    /// Closes shards, and makes so many children of them.
    pub(super) fn reshard(&self, parents: &[usize], children: usize) {
        let mut state = self.state();
        let ids: Vec<String> = parents.iter().map(|parent| state.shards[*parent].listed.id.clone()).collect();
        parents.iter().for_each(|parent| state.shards[*parent].listed.is_closed = true);
        for _ in 0..children {
            state.add_shard(&ids);
        }
    }
}

impl State {
    fn add_shard(&mut self, parents: &[String]) {
        let id = format!("shardId-{:012}", self.shards.len());
        let listed = ListedShard { id, parents: parents.to_vec(), hash_keys: None, is_closed: false };
        self.shards.push(FakeShard { listed, is_listed: true, records: Vec::new(), trimmed: 0 });
    }

    pub(super) fn put(&mut self, shard: usize, data: &[u8], arrived_us: i64) {
        self.next_sequence += 1;
        let sequence = self.next_sequence.to_string();
        let record = StreamRecord { sequence, arrived_us: Some(arrived_us), data: data.to_vec() };
        self.shards[shard].records.push(record);
    }

    /// A shard, and the record in it at which to begin.
    fn begin(&self, shard: &str, from: Beginning<'_>) -> Result<(usize, usize), Trouble> {
        let Some(shard) = self.shards.iter().position(|known| known.listed.id == shard && known.is_listed) else {
            return Err(trouble(Kind::Missing));
        };
        let records = &self.shards[shard].records;
        let number = |text: &str| text.parse::<u64>().unwrap();
        let find =
            |is_there: &dyn Fn(&StreamRecord) -> bool| records.iter().position(is_there).unwrap_or(records.len());
        let index = match from {
            Beginning::Oldest => 0,
            Beginning::Latest => records.len(),
            Beginning::Time(us) => find(&|record| record.arrived_us >= Some(us)),
            Beginning::At(at) => find(&|record| number(&record.sequence) >= number(at)),
            Beginning::After(after) => find(&|record| number(&record.sequence) > number(after)),
        };
        Ok((shard, index))
    }

    /// How long ago a record came, and a minute at least.
    fn behind(&self, record: &StreamRecord) -> Duration {
        let ago = clock::now_us() - record.arrived_us.unwrap_or_default();
        Duration::from_micros(ago.max(60_000_000) as u64)
    }

    /// The page at `index` of a shard, of so many records at most.
    fn page(&self, shard: usize, index: usize, most: usize) -> Page {
        let FakeShard { listed, records, trimmed, .. } = &self.shards[shard];
        // What has aged out is passed over without a word.
        let index = index.max(*trimmed);
        let end = records.len().min(index + self.page.min(most));
        let is_at_end = end == records.len();
        Page {
            records: records[index..end].to_vec(),
            next: (!is_at_end || !listed.is_closed).then(|| token(shard, end)),
            behind: if is_at_end { self.behind_at_end } else { self.behind(&records[end - 1]) },
        }
    }
}

/// A stream in memory as a tap, for whole iterations.
#[derive(Debug)]
pub(crate) struct FakeTap(Arc<Fake>);

impl FakeTap {
    /// A stream of one shard, which keeps records for a day.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Fake::of(1)))
    }

    pub(crate) fn put(&self, records: &[&str]) {
        self.0.put(0, records);
    }

    /// All that was put has aged out.
    pub(crate) fn forget(&self) {
        let shard = &mut self.0.state().shards[0];
        shard.trimmed = shard.records.len();
    }

    /// The stream is deleted, and another made under its name.
    pub(crate) fn make_anew(&self) {
        self.forget();
        self.0.state().about.created_ms += 1_000;
    }

    /// The same stream, for another owner.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl SourceTap for FakeTap {
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        self.survey(known, Gaps::Refuse, 0)?.into_iter().collect()
    }

    fn survey(
        &self,
        known: &[KnownShard],
        gaps: Gaps,
        created_us: i64,
    ) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        wait(Survey { service: &*self.0, name: "s", start: Start::Oldest, gaps, created_us }.list(known))
    }

    fn open(&self, shards: &[ShardFrom], reading: Reading) -> Result<Box<dyn Reader>, Error> {
        let (service, shards) = (Arc::clone(&self.0), shards.to_vec());
        let how = How { paces: Arc::new(Paces::new(5)), consumer: None };
        Ok(Box::new(KinesisReader { service, shards, how, reading, begun: None }))
    }
}

/// An iterator, with the time at which it was made.
fn token(shard: usize, index: usize) -> String {
    format!("{shard}:{index}:{}", clock::elapsed().as_millis())
}

impl Service for Fake {
    type Pushed = FakePushed;

    async fn about(&self) -> Result<About, Trouble> {
        Ok(self.state().about)
    }

    async fn shards(&self, token: Option<&str>) -> Result<(Vec<ListedShard>, Option<String>), Trouble> {
        let mut state = self.state();
        if let Some(Fault::Trouble(kind)) = state.list_faults.pop_front() {
            return Err(trouble(kind));
        }
        let listed: Vec<_> = state.shards.iter().filter(|shard| shard.is_listed).map(|s| s.listed.clone()).collect();
        let from: usize = token.map_or(0, |token| token.parse().unwrap());
        let end = listed.len().min(from + state.shards_a_page);
        Ok((listed[from..end].to_vec(), (end < listed.len()).then(|| end.to_string())))
    }

    async fn iterator(&self, shard: &str, from: Beginning<'_>) -> Result<String, Trouble> {
        let (shard, index) = self.state().begin(shard, from)?;
        Ok(token(shard, index))
    }

    async fn records(&self, iterator: &str, most: i32) -> Result<Page, Trouble> {
        let parts: Vec<u64> = iterator.split(':').map(|part| part.parse().unwrap()).collect();
        let (shard, index) = (parts[0] as usize, parts[1] as usize);
        let fault = {
            let mut state = self.state();
            let id = state.shards[shard].listed.id.clone();
            state.reads.push((id, clock::elapsed()));
            let fault = match () {
                () if state.hanging == Some(shard) => Some(Fault::Never),
                () if shard < state.throttled => Some(THROTTLED),
                () => state.faults.pop_front(),
            };
            fault.unwrap_or(Fault::None)
        };
        if fault == THROTTLED {
            // As with every answer that is waited for, others have their turn.
            tokio::task::yield_now().await;
        }
        if clock::elapsed() > Duration::from_millis(parts[2]) + ITERATOR_LIFE {
            return Err(trouble(Kind::IteratorExpired));
        }
        match fault {
            Fault::None => Ok(self.state().page(shard, index, most as usize)),
            Fault::Trouble(kind) => Err(trouble(kind)),
            Fault::Code(code) => Err(coded(code)),
            Fault::AnswerLost => Err(trouble(Kind::Passing)),
            Fault::Empty(behind) => Ok(Page { records: Vec::new(), next: Some(token(shard, index)), behind }),
            Fault::Never => std::future::pending().await,
            Fault::End => panic!("a read has no end"),
        }
    }

    async fn consumer(&self, name: &str) -> Result<Option<Consumer>, Trouble> {
        let mut state = self.state();
        let found = if state.consumer.len() > 1 { state.consumer.pop_front() } else { state.consumer.front().copied() };
        let found = found.filter(|_| name == "c");
        Ok(found.map(|state| Consumer { arn: CONSUMER.to_owned(), state }))
    }

    async fn subscribe(&self, consumer: &str, shard: &str, from: Beginning<'_>) -> Result<FakePushed, Trouble> {
        let mut state = self.state();
        assert_eq!(consumer, CONSUMER);
        if let Some(code) = state.subscribe_faults.pop_front() {
            return Err(coded(code));
        }
        let (shard, index) = state.begin(shard, from)?;
        let now = clock::elapsed();
        let last = state.latest.get(&shard).map(|last| state.subscriptions[*last].2);
        if last.is_some_and(|last| now < last + limits::SUBSCRIBE_AGAIN) {
            return Err(trouble(Kind::InUse));
        }
        let number = state.subscriptions.len();
        state.subscriptions.push((shard, format!("{from:?}"), now));
        state.latest.insert(shard, number);
        Ok(FakePushed { state: Arc::clone(&self.state), shard, index, number, began: now })
    }
}

/// A subscription.
#[derive(Debug)]
pub(super) struct FakePushed {
    state: Arc<Mutex<State>>,
    shard: usize,
    index: usize,
    number: usize,
    began: Duration,
}

impl FakePushed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What is there now; nothing if that is nothing new.
    fn event(&mut self) -> Option<Page> {
        let state = Arc::clone(&self.state);
        let state = state.lock().unwrap();
        let mut page = state.page(self.shard, self.index, usize::MAX);
        let is_closed = state.shards[self.shard].listed.is_closed;
        let is_end = page.records.is_empty() && is_closed && state.tells_ends;
        // What comes next would have at least this.
        page.next = (!is_end).then(|| state.next_sequence.to_string());
        if let Some(record) = page.records.last() {
            page.next = Some(record.sequence.clone());
        }
        let has_records = !page.records.is_empty();
        self.index = self.index.max(state.shards[self.shard].trimmed) + page.records.len();
        (has_records || is_end).then_some(page)
    }
}

impl Pushed for FakePushed {
    async fn next(&mut self) -> Result<Option<Page>, Trouble> {
        let fault = self.state().faults.pop_front().unwrap_or(Fault::None);
        if self.state().latest[&self.shard] != self.number {
            return Err(trouble(Kind::InUse));
        }
        match fault {
            Fault::None => {}
            Fault::Trouble(kind) => return Err(trouble(kind)),
            Fault::Code(code) => return Err(coded(code)),
            Fault::AnswerLost => return Err(trouble(Kind::Passing)),
            Fault::Empty(behind) => return Ok(Some(Page { next: Some(String::new()), behind, ..Page::default() })),
            Fault::Never => std::future::pending().await,
            Fault::End => return Ok(None),
        }
        if clock::elapsed() > self.began + SUBSCRIPTION_LIFE {
            return Ok(None);
        }
        if let Some(page) = self.event() {
            return Ok(Some(page));
        }
        pause(HEARTBEAT).await;
        let (next, behind) = {
            let state = self.state();
            (state.next_sequence.to_string(), state.behind_at_end)
        };
        Ok(Some(self.event().unwrap_or(Page { next: Some(next), behind, ..Page::default() })))
    }
}
