//! What a service does about a failure: pure functions over the error and how often something has failed.

use std::time::Duration;

use crate::Error;

/// Waits double from the first to the last of these.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Wait, and try again.
    Retry,
    /// End with it: it does not pass by itself, or was tried often enough.
    End,
}

/// Decides what to do after `failures` failures in a row, of which `retries` may be tried again; any number by default.
pub(super) fn course(error: &Error, failures: u32, retries: Option<u32>) -> Course {
    match may_pass(error) && retries.is_none_or(|retries| failures <= retries) {
        true => Course::Retry,
        false => Course::End,
    }
}

/// Whether trying again may help, although nobody changes the command or the program: a disk has room again, a database
/// is back, a file appears. An iteration that is held needs a person, and the person the lock.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Input(_) | Error::Target(_) | Error::Store(_) | Error::Busy(_) => true,
        Error::Config(_)
        | Error::Record(_)
        | Error::Memory(_)
        | Error::Held(_)
        | Error::Interrupted
        | Error::Imbalance(_) => false,
    }
}

/// How long to wait after `failures` failures in a row. Half of it is left to chance, so that many services that failed
/// together do not come back together; `chance` is any number.
pub(super) fn wait(failures: u32, chance: u64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let half = doubled.min(LONGEST_WAIT) / 2;
    half + half.mul_f64((chance % 1000) as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;

    #[test]
    fn what_may_pass_is_tried_again_without_end_and_nothing_else_is() {
        let failure = || Failure::new("it failed");
        for (error, expected) in [
            (Error::Input(failure()), Course::Retry),
            (Error::Target(failure()), Course::Retry),
            (Error::Store(failure()), Course::Retry),
            (Error::Busy(failure()), Course::Retry),
            (Error::Config(failure()), Course::End),
            (Error::Record(failure()), Course::End),
            (Error::Memory(failure()), Course::End),
            (Error::Held(failure()), Course::End),
            (Error::Interrupted, Course::End),
            (Error::Imbalance(failure()), Course::End),
        ] {
            assert_eq!(course(&error, 1_000, None), expected, "{error:?}");
        }
    }

    #[test]
    fn retries_come_to_an_end_when_they_are_counted() {
        let error = Error::Target(Failure::new("it failed"));
        let courses: Vec<Course> = (1..=3).map(|failures| course(&error, failures, Some(2))).collect();
        assert_eq!(courses, [Course::Retry, Course::Retry, Course::End]);
        assert_eq!(course(&error, 1, Some(0)), Course::End);
    }

    #[test]
    fn waits_double_up_to_a_minute_and_half_of_each_is_chance() {
        let seconds = |failures, chance| wait(failures, chance).as_secs_f64();
        let shortest: Vec<f64> = [1, 2, 3, 6, 7, 100].map(|failures| seconds(failures, 0)).into();
        assert_eq!(shortest, [0.5, 1.0, 2.0, 16.0, 30.0, 30.0]);
        assert_eq!((seconds(1, 500), seconds(100, 1_999)), (0.75, 59.97));
    }
}
