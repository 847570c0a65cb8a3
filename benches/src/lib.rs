//! What is measured, and how: [`jobs`] has the flows and their files, [`by_hand`] the access-log job as good everyday Rust
//! without flow; `bare_sdk` reads a stream without flow, `canned` is one in memory; [`interleaved`] runs contenders in turn
//! and compares their times as ratios, [`process`] tells what a process has taken.

#[cfg(feature = "aws")]
pub mod bare_sdk;
pub mod by_hand;
pub mod canned;
pub mod interleaved;
pub mod jobs;
pub mod process;
