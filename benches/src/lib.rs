//! What is measured, and how: [`jobs`] has the flows and their files, [`by_hand`] the access-log job as good everyday Rust
//! without flow; [`interleaved`] runs contenders in turn and compares their times as ratios, [`process`] tells what a process
//! has taken.

pub mod by_hand;
pub mod interleaved;
pub mod jobs;
pub mod process;
