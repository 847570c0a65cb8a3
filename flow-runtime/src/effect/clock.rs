//! The clocks of the world that a thread is in.

use std::time::Duration;

use super::world::with;

/// Microseconds since the epoch of Unix.
pub(crate) fn now_us() -> i64 {
    with(|world| world.now_us())
}

/// The time since some moment, by a clock that is never set: for differences.
pub(crate) fn elapsed() -> Duration {
    with(|world| world.elapsed())
}

/// Lets this time go by.
pub(crate) fn sleep(time: Duration) {
    with(|world| world.sleep(time));
}
