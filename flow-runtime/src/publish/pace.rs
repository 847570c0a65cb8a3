//! How fast to publish.

use std::time::Duration;

/// So many records a second, sent in ten portions, and none at once that were not sent before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    per_second: u64,
    began: Duration,
    records: u64,
}

impl Pace {
    pub(crate) fn new(per_second: u64, began: Duration) -> Self {
        Self { per_second: per_second.max(1), began, records: 0 }
    }

    /// Counts a record that was taken. After the last of a portion: until when to wait.
    pub(crate) fn taken(&mut self, now: Duration) -> Option<Duration> {
        self.records += 1;
        if !self.records.is_multiple_of((self.per_second / 10).max(1)) {
            return None;
        }
        let due = self.began + Duration::from_secs_f64(self.records as f64 / self.per_second as f64);
        // Who was held up does not catch up in a rush.
        if due < now {
            self.began += now - due;
        }
        Some(due).filter(|due| *due > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_second_has_ten_portions() {
        let mut pace = Pace::new(1_000, seconds(5.0));
        let waits: Vec<Duration> = (0..1_000).filter_map(|_| pace.taken(seconds(5.0))).collect();
        assert_eq!(waits.len(), 10);
        assert_eq!((waits[0], waits[9]), (seconds(5.1), seconds(6.0)));
    }

    #[test]
    fn slow_paces_wait_after_each_record() {
        let mut pace = Pace::new(3, seconds(0.0));
        let waits: Vec<u128> = (0..3).filter_map(|_| pace.taken(seconds(0.0))).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [333, 666, 1000]);
    }

    #[test]
    fn what_was_held_up_is_not_made_up_for() {
        let mut pace = Pace::new(10, seconds(0.0));
        assert_eq!(pace.taken(seconds(60.0)), None);
        assert_eq!(pace.taken(seconds(60.0)).map(|wait| wait.as_millis()), Some(60_100));
    }
}
