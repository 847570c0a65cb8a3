//! Rounds that nobody thought of: from a seed comes what happens to a set of growing, rotated log files, and to two processes
//! of one flow at a time that read them: killed, stopped, failed at effects and moments that the seed chooses. In the end
//! `awk` says what the targets must have.
//!
//! `script.rs` makes actions of a seed, `logs.rs` is the files, `process.rs` a process under way, `round.rs` plays, and
//! `rounds.rs` plays many. What is right is told by the oracle of `tests/faults/`.
//!
//! ```sh
//! cargo test -p flow-tests --test soak -- --nocapture                       # the rounds of every test run
//! FLOW_SOAK_SEED=17 cargo test -p flow-tests --test soak -- --nocapture     # one of them
//! FLOW_SOAK_SEED=101 FLOW_SOAK_ROUNDS=1000 cargo test -p flow-tests --test soak -- --nocapture
//! cargo test --release -p flow-tests --test soak -- --ignored --nocapture   # 1,000 kills, 10 million records
//! ```

#![expect(clippy::unwrap_used, reason = "a test may")]

#[expect(dead_code, reason = "the fault matrix has its own combinations")]
#[path = "../faults/combination.rs"]
mod combination;
mod logs;
#[path = "../faults/oracle.rs"]
mod oracle;
mod process;
mod round;
mod rounds;
mod script;

use rounds::{play, seeds};
use script::Extent;

#[test]
fn whatever_happens_nothing_is_lost_doubled_or_invented() {
    let seeds = seeds(100);
    let report = play(seeds.clone(), Extent::SMALL);
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    assert!(report.played.kills >= seeds.count() as u64 / 2, "hardly anything happened: {report}");
}

#[test]
#[ignore = "takes some ten minutes; for a release build"]
fn a_thousand_kills_and_ten_million_records_lose_double_and_invent_nothing() {
    let report = play(seeds(10), Extent::LARGE);
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}
