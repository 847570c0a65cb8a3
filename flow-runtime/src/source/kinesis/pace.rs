//! How fast a shard may be read: buckets that fill with time, and when its present end is reached. Arithmetic, but for the
//! clock that [`Paces`] look at.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    aws::{Account, limits},
    effect::clock,
};

/// Time between two looks at a shard that had nothing new.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Reads without a record, and without coming closer to the end, after which a shard that says there is more has none: so
/// does one that is silent.
const EMPTY_READS_MAX: u32 = 5;

/// How fast the shards of a stream are read, by all who read it together. They outlive readers and taps: who looks, reads
/// and looks again has one limit for all of it.
#[derive(Debug)]
pub(super) struct Paces {
    reads_per_second: u32,
    shards: Mutex<HashMap<String, Arc<Mutex<Pace>>>>,
}

/// A stream, and how often each of its shards may be read in a second.
type Limited = (Account, String, u32);

/// Those of this process.
static PACES: LazyLock<Mutex<HashMap<Limited, Arc<Paces>>>> = LazyLock::new(Mutex::default);

impl Paces {
    /// For whoever of this process reads this stream.
    pub(super) fn of(account: &Account, stream: &str, reads_per_second: u32) -> Arc<Self> {
        let limited = (account.clone(), stream.to_owned(), reads_per_second);
        let mut all = PACES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(limited).or_insert_with(|| Arc::new(Self::new(reads_per_second))))
    }

    /// For who alone reads a stream.
    pub(super) fn new(reads_per_second: u32) -> Self {
        Self { reads_per_second, shards: Mutex::default() }
    }

    /// That of a shard.
    pub(super) fn shard(&self, id: &str) -> SharedPace {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = shards.get(id) {
            return SharedPace(Arc::clone(pace));
        }
        let now = clock::elapsed();
        // One that nobody has, and that is as new, is as good as none: shards come and go.
        shards.retain(|_, pace| {
            Arc::strong_count(pace) > 1 || !pace.lock().unwrap_or_else(PoisonError::into_inner).is_rested(now)
        });
        let pace = Arc::new(Mutex::new(Pace::new(self.reads_per_second, now)));
        SharedPace(Arc::clone(shards.entry(id.to_owned()).or_insert(pace)))
    }
}

#[cfg(test)]
impl Paces {
    /// How many shards have one.
    pub(super) fn known(&self) -> usize {
        self.shards.lock().unwrap().len()
    }
}

/// The pace of one shard.
#[derive(Clone, Debug)]
pub(super) struct SharedPace(Arc<Mutex<Pace>>);

impl SharedPace {
    /// As [`Pace::before_read`].
    pub(super) fn before_read(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).before_read(clock::elapsed())
    }

    /// As [`Pace::after_read`].
    pub(super) fn after_read(&self, bytes: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).after_read(bytes, clock::elapsed());
    }
}

/// Reads of one shard. All readers of the stream together have the service's limits.
#[derive(Debug)]
struct Pace {
    reads: Bucket,
    bytes: Bucket,
}

impl Pace {
    /// For so many reads in a second, and the same part of the bytes.
    fn new(reads_per_second: u32, now: Duration) -> Self {
        let share = f64::from(reads_per_second) / f64::from(limits::READS_PER_SECOND);
        Self {
            // Nothing is saved up: two bursts could fall into one second.
            reads: Bucket::full(f64::from(reads_per_second), 1.0, now),
            bytes: Bucket::full(
                share * f64::from(limits::READ_BYTES_PER_SECOND),
                share.max(1.0) * f64::from(limits::READ_BYTES_MAX),
                now,
            ),
        }
    }

    /// How long to wait before the next read, which is then counted.
    fn before_read(&mut self, now: Duration) -> Duration {
        let wait = self.reads.wait_for(1.0, now).max(self.bytes.wait_for(0.0, now));
        self.reads.take(1.0, now);
        wait
    }

    /// Counts what was read.
    fn after_read(&mut self, bytes: usize, now: Duration) {
        self.bytes.take(bytes as f64, now);
    }

    /// Whether it is as if nothing had ever been read.
    fn is_rested(&mut self, now: Duration) -> bool {
        self.reads.is_full(now) && self.bytes.is_full(now)
    }
}

/// Fills steadily up to what it holds; may be owed something.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    most: f64,
    level: f64,
    at: Duration,
}

impl Bucket {
    fn full(per_second: f64, most: f64, now: Duration) -> Self {
        Self { per_second, most, level: most, at: now }
    }

    fn fill(&mut self, now: Duration) {
        let seconds = now.saturating_sub(self.at).as_secs_f64();
        self.level = (self.level + seconds * self.per_second).min(self.most);
        self.at = now;
    }

    fn is_full(&mut self, now: Duration) -> bool {
        self.fill(now);
        self.level >= self.most
    }

    /// How long until there is so much in it.
    fn wait_for(&mut self, amount: f64, now: Duration) -> Duration {
        self.fill(now);
        Duration::from_secs_f64(((amount - self.level) / self.per_second).max(0.0))
    }

    fn take(&mut self, amount: f64, now: Duration) {
        self.fill(now);
        self.level -= amount;
    }
}

/// Whether a shard is read to where it ends now.
#[derive(Debug, Default)]
pub(super) struct Tip {
    empty_reads: u32,
    /// The least that reads without a record were behind.
    least_behind: Option<Duration>,
}

impl Tip {
    /// Takes in what a read gave; says whether nothing more is there.
    ///
    /// A read may be empty although more is there: then it is closer to the end than the one before. One that is full may
    /// be the last, or say that it is, with more behind it.
    pub(super) fn is_reached(&mut self, records: usize, behind: Duration) -> bool {
        if records > 0 {
            *self = Self::default();
            return behind.is_zero() && i32::try_from(records).is_ok_and(|records| records < limits::READ_RECORDS_MAX);
        }
        if self.least_behind.is_none_or(|least| behind < least) {
            (self.empty_reads, self.least_behind) = (0, Some(behind));
        }
        self.empty_reads += 1;
        behind.is_zero() || self.empty_reads >= EMPTY_READS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn no_second_has_more_reads_than_are_allowed() {
        let mut pace = Pace::new(5, Duration::ZERO);
        let (mut now, mut reads) = (Duration::ZERO, Vec::new());
        for _ in 0..50 {
            now += pace.before_read(now);
            reads.push(now);
            pace.after_read(100, now);
        }
        assert_eq!(reads[0], Duration::ZERO);
        for window in reads.windows(6) {
            assert!(window[5] - window[0] + MILLISECOND >= Duration::from_secs(1), "{window:?}");
        }
        assert!(now <= Duration::from_secs(10), "{now:?}");
    }

    #[test]
    fn a_large_read_is_waited_off() {
        let mut pace = Pace::new(5, Duration::ZERO);
        let large = limits::READ_BYTES_MAX as usize;
        pace.before_read(Duration::ZERO);
        pace.after_read(large, Duration::ZERO);
        assert_eq!(pace.before_read(Duration::ZERO), Duration::from_millis(200));
        pace.after_read(large, Duration::ZERO);
        assert_eq!(pace.before_read(Duration::ZERO), Duration::from_secs(5));
    }

    #[test]
    fn a_share_of_the_reads_is_a_share_of_the_bytes() {
        let mut pace = Pace::new(1, Duration::ZERO);
        pace.before_read(Duration::ZERO);
        pace.after_read(limits::READ_BYTES_MAX as usize + limits::READ_BYTES_PER_SECOND as usize, Duration::ZERO);
        assert_eq!(pace.before_read(Duration::from_secs(1)), Duration::from_secs(4));
    }

    #[test]
    fn the_end_is_reached_when_nothing_is_behind_or_nothing_moves() {
        let seconds = Duration::from_secs;
        for (says, reads, reached) in [
            ("an empty read with nothing behind it", vec![(0, 0)], true),
            ("some records with nothing behind them", vec![(7, 0)], true),
            ("a full read, whatever it says", vec![(10_000, 0)], false),
            ("some records with more behind them", vec![(7, 9)], false),
            ("empty reads that come closer", vec![(0, 9), (0, 8), (0, 7), (0, 6), (0, 5), (0, 4), (0, 3)], false),
            ("empty reads that do not come closer", vec![(0, 9), (0, 9), (0, 9), (0, 10), (0, 11)], true),
            ("a record between empty reads", vec![(0, 9), (0, 9), (0, 9), (1, 9), (0, 9), (0, 9)], false),
        ] {
            let mut tip = Tip::default();
            let heard: Vec<bool> =
                reads.into_iter().map(|(records, behind)| tip.is_reached(records, seconds(behind))).collect();
            assert_eq!(heard.last(), Some(&reached), "{says}");
            assert!(heard[..heard.len() - 1].iter().all(|reached| !reached), "{says}");
        }
    }
}
