//! Whole flows over streams, their iterations in DynamoDB, as their users run them.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod examples;
mod iterations;
mod secrets;
mod volume;
mod warehouse;

use std::{
    thread,
    time::{Duration, Instant},
};

/// Waits until `holds`, without taking the processor from what it waits for.
fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(180), "waited too long until {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
