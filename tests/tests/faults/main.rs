//! Flows that are broken at every effect of an iteration, one after the other, as real processes: whatever fails, dies,
//! stands still or runs twice, their targets have in the end what `awk` says of the input.
//!
//! `matrix.rs` has what is tried, `scenario.rs` how one goes, `chain.rs` the folder in which many follow each other, and
//! `oracle.rs` what is right. `replaying.rs` does the same to rows that are replaced. `mutants.rs` breaks flow itself on purpose and sees to it that this is noticed.
//!
//! `FLOW_FAULTS_OF=text` takes only what has the text in its description: `counted`, `sqlite:`, `Serializable`.
//!
//! ```sh
//! cargo test -p flow-tests --test faults -- --nocapture                     # some of each kind: minutes
//! FLOW_FAULTS=whole cargo test -p flow-tests --test faults -- --nocapture   # all: an hour
//! FLOW_FAULTS=deaths FLOW_FAULTS_OF=redshift cargo test -p flow-tests --test faults -- --nocapture   # in between
//! ```

#![expect(clippy::unwrap_used, reason = "a test may")]

mod chain;
mod combination;
mod matrix;
mod mutants;
mod oracle;
mod replaying;
mod scenario;

use combination::{COMBINATIONS, Combination, INTO_REDSHIFT};
use matrix::{Extent, Matrix};

#[test]
fn whatever_is_broken_nothing_is_lost_doubled_or_invented() {
    play(COMBINATIONS);
}

#[test]
fn whatever_is_broken_on_the_way_into_redshift_nothing_is_lost_doubled_or_invented() {
    play(INTO_REDSHIFT);
}

fn play(combinations: &[Combination]) {
    let matrix = Matrix::new(Extent::of_environment(), combinations);
    if matrix.is_empty() {
        return println!("nothing is asked for, or what it needs is not there");
    }
    let report = matrix.play();
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn whatever_is_broken_while_rows_are_replaced_the_former_ones_are_there_or_the_new_ones() {
    replaying::play_all();
}

#[test]
fn every_mutant_is_caught() {
    all_caught(&mutants::hunt_all());
}

#[test]
fn every_mutant_on_the_way_into_redshift_is_caught() {
    all_caught(&mutants::hunt_all_into_redshift());
}

fn all_caught(reports: &[Result<String, String>]) {
    let alive: Vec<&String> = reports.iter().filter_map(|report| report.as_ref().err()).collect();
    reports.iter().flatten().for_each(|caught| println!("{caught}"));
    println!("{} mutants, {} alive", reports.len(), alive.len());
    assert!(alive.is_empty(), "{alive:#?}");
}
