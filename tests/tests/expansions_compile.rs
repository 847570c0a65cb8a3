//! The printed expansions, compiled as plain Rust: what the macro prints is what a person could have written by hand
//! against the contract.

#[path = "../expansion/access_log_counts.rs"]
mod access_log_counts_by_hand;

mod page_troubles_by_hand {
    include!("../expansion/page_troubles.rs");

    fn page_of(path: &str) -> String {
        path.split('?').next().unwrap_or_default().to_lowercase()
    }
}

use flow_runtime::Flow as _;

#[test]
fn a_printed_plan_is_the_plan_of_the_macro() {
    assert_eq!(access_log_counts_by_hand::AccessLogCounts::PLAN.flow, "AccessLogCounts");
    assert_eq!(page_troubles_by_hand::PageTroubles::PLAN.flow, "PageTroubles");
}
