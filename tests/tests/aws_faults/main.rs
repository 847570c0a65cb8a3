//! Flows on services of AWS that go wrong at every call, and die at every effect: nothing is lost, nothing is doubled.
//!
//! `calls.rs` breaks each call in each way that there is, by a proxy, and compares with `table.rs`; `deaths.rs` kills and stops
//! the process; `tables.rs` breaks what no run of these flows calls; `items.rs` does all of it to what writes items; `scene.rs` is the flow and what must come of it. All of both:
//!
//! ```sh
//! FLOW_FAULTS=whole cargo test -p flow-tests --test aws_faults -- --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "a test may")]

mod calls;
mod deaths;
mod items;
mod scene;
mod table;
mod tables;
