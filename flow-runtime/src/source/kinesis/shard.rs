//! Reads one shard: an iterator, a read, pieces, until the end of the shard, the place that was asked for, or for ever. What is
//! pushed instead of read is `pushed.rs`'.
//!
//! Where to go on is in one place, `wanted.from`: it moves when records were handed on, and every iterator is made from it.
//! So whatever expires, fails or is lost, no record is left out, and none comes twice.

use std::{mem, sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::{
    hole,
    pace::{LOOK_AGAIN, SharedPace, Tip},
    page::{self, ShardRead, Taken, Wanted},
    place::Place,
    pushed::Subscribed,
    reader::{Said, Spare, State},
    service::Service,
    watch::{ReadTo, Watch},
};
use crate::{
    Error,
    aws::{
        Attempts, Kind, Patience, Trouble,
        clients::kinesis::{Beginning, Page, StreamRecord},
        limits,
    },
    effect::{clock, network::pause},
    source::Moved,
};

/// How long to go on while every try is throttled: somebody else reads all that there is to read.
const THROTTLED_MAX: Duration = Duration::from_secs(10 * 60);

/// Time between two complaints about that.
const COMPLAIN_AGAIN: Duration = Duration::from_secs(60);

/// How far the clock of this machine may be ahead of the service's.
const CLOCKS_APART: Duration = Duration::from_secs(15 * 60);

/// A shard, to be read.
#[derive(Debug)]
pub(super) struct ShardReader<S> {
    pub(super) service: Arc<S>,
    /// What the service calls it.
    pub(super) id: String,
    pub(super) of: ShardRead,
    pub(super) wanted: Wanted,
    /// Whether it will come to an end: only that ends it.
    pub(super) is_closed: bool,
    pub(super) covered_us: Option<i64>,
    /// The ARN of the consumer to which its records are pushed; else they are read.
    pub(super) consumer: Option<Arc<str>>,
    pub(super) pace: SharedPace,
    /// Whether one record is enough.
    pub(super) is_look: bool,
    /// Its parents, as far as they are read too.
    pub(super) parents: Vec<watch::Receiver<Option<Ended>>>,
    /// Says that it is read to its end.
    pub(super) ended: watch::Sender<Option<Ended>>,
    pub(super) watch: Arc<Watch<S>>,
    /// Reads of all shards that may be under way, or wait to be handed on.
    pub(super) reads: Arc<Semaphore>,
    pub(super) said: mpsc::Sender<Said>,
    pub(super) spare: Spare,
    /// When it was last said that others read too much.
    pub(super) complained: Option<Duration>,
    /// The service has answered, if only that others read too much.
    pub(super) was_heard: bool,
}

/// That a shard is read to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// [`ShardReader::covered_us`].
    pub(super) covered_us: Option<i64>,
}

/// Where records come from.
enum Feed<S: Service> {
    Read { iterator: Option<String> },
    Pushed(Subscribed<S::Pushed>),
}

/// What a read gave, or was pushed.
pub(super) struct Answer {
    pub(super) page: Page,
    /// Held until its records are handed on.
    pub(super) turn: OwnedSemaphorePermit,
    /// What came before then is there, but for what it says to be behind.
    pub(super) asked_us: i64,
}

/// How often a read was tried.
pub(super) struct Tries {
    began: Duration,
    all: u32,
    failed: u32,
}

/// Nobody listens any more.
pub(super) struct Left;

/// Why reading ends early.
pub(super) enum Ends {
    Left,
    Failed(Error),
}

impl Tries {
    pub(super) fn new() -> Self {
        Self { began: clock::elapsed(), all: 0, failed: 0 }
    }
}

impl From<Left> for Ends {
    fn from(Left: Left) -> Self {
        Self::Left
    }
}

impl From<Error> for Ends {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<S: Service> ShardReader<S> {
    /// Reads, and says what it has read, until nobody listens.
    pub(super) async fn run(mut self) {
        if let Err(Ends::Failed(error)) = self.read().await {
            let _ = self.said.send(Said::Failed(error)).await;
        }
    }

    async fn read(&mut self) -> Result<(), Ends> {
        let mut covered = Vec::new();
        for parent in &mut self.parents {
            // Who is gone without an end has failed, and said so.
            let ended = parent.wait_for(Option::is_some).await.map_err(|_| Ends::Left)?;
            covered.push(ended.and_then(|ended| ended.covered_us));
        }
        if self.wanted.from == Place::Oldest {
            // Whatever is in it came after what was read of its parents.
            self.covered_us = self.covered_us.max(covered.into_iter().min().flatten());
        }
        let mut tip = Tip::default();
        let mut feed: Feed<S> = match self.consumer {
            Some(_) => Feed::Pushed(Subscribed::default()),
            None => Feed::Read { iterator: None },
        };
        loop {
            let Answer { page, turn, asked_us } = match &mut feed {
                Feed::Read { iterator } => self.page(iterator).await?,
                Feed::Pushed(subscribed) => self.pushed(subscribed).await?,
            };
            self.heed_holes(&page, asked_us).await?;
            let (count, behind) = (page.records.len(), page.behind);
            if matches!(feed, Feed::Read { .. }) {
                self.pace.after_read(page.records.iter().map(|record| record.data.len()).sum());
            }
            let is_whole = self.hand_on(page.records, !behind.is_zero()).await?;
            // After what it has answered: a time-out may end the reading as soon as it is known.
            self.heard().await?;
            drop(turn);
            if self.is_look && count > 0 {
                // What else there is, is read by who keeps it.
                return Ok(());
            }
            let Some(next) = page.next.filter(|_| !is_whole) else { return self.end(is_whole).await };
            match &mut feed {
                Feed::Read { iterator } => *iterator = Some(next),
                Feed::Pushed(subscribed) => subscribed.go_on_after(&next),
            }
            if !tip.is_reached(count, behind) {
                continue;
            }
            match (&feed, self.is_closed) {
                // A read tells for sure that nothing more comes; not every service pushes that.
                (Feed::Pushed(_), true) if count == 0 => feed = Feed::Read { iterator: None },
                (_, true) => {}
                (_, false) => {
                    let behind_us = i64::try_from(behind.as_micros()).unwrap_or(i64::MAX);
                    self.rest(asked_us.saturating_sub(behind_us)).await?;
                    if matches!(feed, Feed::Read { .. }) {
                        pause(LOOK_AGAIN).await;
                    }
                }
            }
        }
    }

    /// Reads once, however often that must be tried, with a new iterator where there is none.
    async fn page(&mut self, iterator: &mut Option<String>) -> Result<Answer, Ends> {
        let (mut tries, mut expired) = (Tries::new(), 0);
        let most = if self.is_look { 1 } else { limits::READ_RECORDS_MAX };
        loop {
            pause(self.pace.before_read()).await;
            let token = match iterator.take() {
                Some(token) => token,
                None => self.iterator().await?,
            };
            // Never fails: it is never closed.
            let turn = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| Ends::Left)?;
            let asked_us = clock::now_us();
            let trouble = match self.service.records(&token, most).await {
                Ok(page) => return Ok(Answer { page, turn, asked_us }),
                Err(trouble) => trouble,
            };
            // Others have theirs while this one waits.
            drop(turn);
            match trouble.kind {
                // It was waited for long before it was used: that is no trouble, and the next one begins where this did.
                Kind::IteratorExpired if expired < Patience::USUAL.attempts => {
                    expired += 1;
                    tracing::debug!(shard = self.of.name, place = %self.wanted.from, "the iterator has expired");
                }
                _ => {
                    // The same iterator gives the same records, also if the answer to the first call was lost.
                    *iterator = Some(token);
                    self.wait_after(trouble, &mut tries, "throttled by other readers of the stream").await?;
                }
            }
        }
    }

    /// Waits before the next try, if there is to be one; says now and then why it is throttled.
    pub(super) async fn wait_after(&mut self, trouble: Trouble, tries: &mut Tries, why: &str) -> Result<(), Ends> {
        tries.all += 1;
        let attempt = tries.all;
        match trouble.kind {
            Kind::Throttled if since(tries.began) < THROTTLED_MAX => {
                self.heard().await?;
                self.complain(&trouble, why);
            }
            Kind::Passing if tries.failed + 1 < Patience::USUAL.attempts => {
                tries.failed += 1;
                tracing::debug!(shard = self.of.name, %trouble, attempt, "reading again");
            }
            _ => {
                return Err(self.failed(&trouble.at_attempt(attempt, attempt.max(Patience::USUAL.attempts))).into());
            }
        }
        pause(Patience::USUAL.wait_after(attempt, fastrand::f64())).await;
        Ok(())
    }

    /// Says in the log what others do, now and then.
    pub(super) fn complain(&mut self, trouble: &Trouble, what: &str) {
        if self.complained.is_none_or(|then| since(then) >= COMPLAIN_AGAIN) {
            self.complained = Some(clock::elapsed());
            tracing::warn!(shard = self.of.name, %trouble, "{what}");
        }
    }

    /// Says once that the service has answered.
    pub(super) async fn heard(&mut self) -> Result<(), Left> {
        if mem::replace(&mut self.was_heard, true) {
            return Ok(());
        }
        self.say(Said::At(self.of.index, State::Reading)).await
    }

    /// An iterator that begins where reading goes on.
    async fn iterator(&self) -> Result<String, Error> {
        let from = self.wanted.from.beginning();
        let trouble = match self.iterator_at(from).await {
            Ok(iterator) => return Ok(iterator),
            Err(trouble) => trouble,
        };
        match &self.wanted.from {
            // To the service, this time is still to come.
            Place::Time(us) if trouble.kind == Kind::Invalid && is_about_now(*us) => {
                self.iterator_at(Beginning::Latest).await.map_err(|trouble| self.failed(&trouble))
            }
            // kinesis-local and others say that it is missing.
            place @ (Place::At(..) | Place::After(_)) if matches!(trouble.kind, Kind::Invalid | Kind::Missing) => {
                Err(hole::refused(&self.of.name, place, self.covered_us, &trouble))
            }
            _ => Err(self.failed(&trouble)),
        }
    }

    async fn iterator_at(&self, from: Beginning<'_>) -> Result<String, Trouble> {
        let mut attempts = Attempts::new(Patience::USUAL);
        loop {
            match self.service.iterator(&self.id, from).await {
                Err(trouble) => attempts.wait_after(trouble).await?,
                answer => return answer,
            }
        }
    }

    /// Makes sure that nothing was forgotten before what was read now. What was sealed is known by its hash.
    async fn heed_holes(&self, page: &Page, asked_us: i64) -> Result<(), Error> {
        if self.wanted.until.is_some() {
            return Ok(());
        }
        let Self { id, of: ShardRead { name, .. }, wanted: Wanted { from: place, .. }, covered_us, .. } = self;
        let read = ReadTo { id, name, place, covered_us: *covered_us };
        let missing = self.watch.missing(read, page, asked_us).await.map_err(|trouble| self.failed(&trouble))?;
        missing.map_or(Ok(()), |missing| Err(missing.held()))
    }

    /// Hands on what was read; says whether that is all that was asked for.
    async fn hand_on(&mut self, records: Vec<StreamRecord>, is_behind: bool) -> Result<bool, Ends> {
        let before = self.wanted.from.clone();
        let spare = Arc::clone(&self.spare);
        let mut buffer = || spare.lock().map_or_else(|_| Vec::new(), |mut spare| spare.pop().unwrap_or_default());
        let Taken { pieces, is_whole, elsewhere } =
            page::take(&self.of, &mut self.wanted, records, is_behind, &mut buffer)?;
        if elsewhere > 0 {
            let shard = &self.of.name;
            tracing::warn!(shard, records = elsewhere, "an aggregate of another shard was left out: it is sent again");
        }
        let has_moved = pieces.last().map(|piece| &piece.to) != Some(&self.wanted.from.position());
        for piece in pieces {
            self.covered_us = piece.arrived.map(|arrived| arrived.last_us).or(self.covered_us);
            self.say(Said::Piece(piece)).await?;
        }
        if has_moved && before != self.wanted.from {
            self.moved(None).await?;
        }
        Ok(is_whole)
    }

    /// Nothing more will be read of it: it is closed, or read up to where it was asked for.
    async fn end(&mut self, is_whole: bool) -> Result<(), Ends> {
        if !is_whole {
            if let Some(until) = self.wanted.until.as_ref().filter(|until| **until != Place::End) {
                return Err(hole::ended_before(&self.of.name, &self.wanted.from, until).into());
            }
            self.wanted.from = Place::End;
            self.moved(None).await?;
        }
        self.say(Said::At(self.of.index, State::Ended)).await?;
        self.ended.send_replace(Some(Ended { covered_us: self.covered_us }));
        Ok(())
    }

    /// Nothing more is there now, of what came up to `covered_us`.
    async fn rest(&mut self, covered_us: i64) -> Result<(), Ends> {
        if let Some(until) = &self.wanted.until {
            return Err(hole::ended_before(&self.of.name, &self.wanted.from, until).into());
        }
        self.covered_us = self.covered_us.max(Some(covered_us));
        self.moved(self.covered_us).await?;
        self.say(Said::At(self.of.index, State::AtRest)).await.map_err(Ends::from)
    }

    async fn moved(&self, covered_us: Option<i64>) -> Result<(), Ends> {
        let moved = Moved { shard: self.of.index, to: self.wanted.from.position(), covered_us };
        self.say(Said::Moved(moved)).await.map_err(Ends::from)
    }

    async fn say(&self, said: Said) -> Result<(), Left> {
        self.said.send(said).await.map_err(|_| Left)
    }

    pub(super) fn failed(&self, trouble: &Trouble) -> Error {
        let place = format!("{}, position {}", self.of.name, self.wanted.from);
        Error::Input(trouble.failure("cannot read the shard").at(place))
    }
}

pub(super) fn since(then: Duration) -> Duration {
    clock::elapsed().saturating_sub(then)
}

pub(super) fn is_about_now(us: i64) -> bool {
    let apart = i64::try_from(CLOCKS_APART.as_micros()).unwrap_or(i64::MAX);
    clock::now_us().saturating_sub(us).abs() <= apart
}
