//! Trying again what may be otherwise in a moment. The SDK's own retries are off: these are counted, told, and pass the door
//! of effects one by one.

use std::time::Duration;

use super::Trouble;
use crate::effect::network::pause;

/// How often to try, and how long to wait in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How often a call is made at most.
    pub(crate) attempts: u32,
    /// The longest wait after the first attempt; it doubles with each.
    pub(crate) first: Duration,
    /// The longest wait of all.
    pub(crate) most: Duration,
}

impl Patience {
    /// For a call that somebody waits for: eight calls, between which some six seconds go by on average, and thirteen
    /// at most; what each takes is not counted.
    pub(crate) const USUAL: Self =
        Self { attempts: 8, first: Duration::from_millis(100), most: Duration::from_secs(10) };

    /// How long to wait after the `attempt`th call, from 1 on; `random` is from 0 to 1.
    ///
    /// Exponential with full jitter, so that those who failed together do not come together again (AWS Architecture Blog,
    /// "Exponential Backoff And Jitter", read 2026-11-22).
    pub(crate) fn wait_after(&self, attempt: u32, random: f64) -> Duration {
        let longest = self.first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(self.most);
        longest.mul_f64(random.clamp(0.0, 1.0))
    }
}

/// The attempts at a call, in a task that [`retrying`] cannot be sent with.
#[derive(Debug)]
pub(crate) struct Attempts {
    patience: Patience,
    made: u32,
}

impl Attempts {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, made: 0 }
    }

    /// Waits before the next attempt, if there is to be one.
    ///
    /// # Errors
    /// The trouble that the last attempt failed with, which then says how many there were.
    pub(crate) async fn wait_after(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        self.made += 1;
        let Self { patience, made: attempt } = *self;
        if !trouble.may_pass() || attempt >= patience.attempts {
            return Err(if attempt > 1 { trouble.at_attempt(attempt, patience.attempts) } else { trouble });
        }
        let wait = patience.wait_after(attempt, fastrand::f64());
        tracing::debug!(%trouble, attempt, of = patience.attempts, wait_ms = wait.as_millis(), "trying again");
        pause(wait).await;
        Ok(())
    }
}

/// Makes a call until it succeeds, or fails for good, or often enough; the trouble then says how often.
pub(crate) async fn retrying<T>(
    patience: Patience,
    mut call: impl AsyncFnMut() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let mut attempts = Attempts::new(patience);
    loop {
        match call().await {
            Err(trouble) => attempts.wait_after(trouble).await?,
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_are_anywhere_below() {
        let waits: Vec<_> = (1..=9).map(|attempt| Patience::USUAL.wait_after(attempt, 1.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(Patience::USUAL.wait_after(u32::MAX, 0.5), Duration::from_secs(5));
        assert_eq!(Patience::USUAL.wait_after(3, 0.0), Duration::ZERO);
    }
}
