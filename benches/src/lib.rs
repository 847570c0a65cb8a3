//! What the benches compare flow with, and how: [`by_hand`] holds the same jobs as good everyday Rust without flow,
//! [`interleaved`] runs contenders in turn and compares their times as ratios.

pub mod by_hand;
pub mod interleaved;
