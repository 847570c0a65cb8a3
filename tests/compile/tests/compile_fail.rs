//! What the compiler must refuse, and what it must not: one file a mistake in `compile_fail/`, by kind, with the messages
//! beside it; and flows in `compile_pass/` that stand in awkward company.
//!
//! `TRYBUILD=overwrite cargo test -p flow-compile-tests` writes the messages anew: read them before you
//! commit them.

#[test]
fn every_mistake_gets_its_own_message() {
    trybuild::TestCases::new().compile_fail("compile_fail/*/*.rs");
}

// By itself: trybuild compiles all cases at once, unless one of them is to run.
#[test]
fn good_flows_get_no_message_and_run() {
    trybuild::TestCases::new().pass("compile_pass/*.rs");
}
