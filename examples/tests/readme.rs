//! What README shows is what runs.

#![expect(clippy::expect_used, reason = "a test may")]

const README: &str = include_str!("../../README.md");
const EXAMPLE: &str = include_str!("../src/bin/access_log_counts.rs");

/// From `flow! {` to the brace that closes it, at the line's beginning.
fn flow_in(text: &str) -> &str {
    let start = text.find("flow! {").expect("a flow");
    let end = text[start..].find("\n}\n").expect("its end");
    &text[start..start + end]
}

#[test]
fn readme_shows_the_flow_of_the_example_word_for_word() {
    assert_eq!(flow_in(README), flow_in(EXAMPLE));
}
