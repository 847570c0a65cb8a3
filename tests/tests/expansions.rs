//! What the macro prints for the flows of `flows/` is kept in `expansion/`, and is plain Rust: those files compile here
//! by themselves, and have the plan of the macro.

use flow_runtime::Flow as _;

#[path = "../flows/access_log_counts.rs"]
mod access_log_counts;
#[path = "../flows/page_troubles.rs"]
mod page_troubles;
#[path = "../flows/purchases.rs"]
mod purchases;

// Included, not modules of their own: `cargo fmt` would lay those out anew, and they would no longer be what is printed.
#[allow(unused, unreachable_pub, clippy::all, reason = "lints do not look into what a macro prints")]
mod printed_access_log_counts {
    include!("../expansion/access_log_counts.rs");
}

#[allow(unused, unreachable_pub, clippy::all, reason = "lints do not look into what a macro prints")]
mod printed_page_troubles {
    use super::page_of;
    include!("../expansion/page_troubles.rs");
}

#[allow(unused, unreachable_pub, clippy::all, reason = "lints do not look into what a macro prints")]
mod printed_purchases {
    include!("../expansion/purchases.rs");
}

fn page_of(path: &str) -> String {
    path.split('?').next().unwrap_or_default().to_lowercase()
}

#[test]
fn a_printed_plan_is_the_plan_of_the_macro() {
    let (printed, compiled) =
        (printed_access_log_counts::AccessLogCounts::PLAN, access_log_counts::AccessLogCounts::PLAN);
    assert_eq!(printed, compiled);
}

#[test]
fn a_printed_plan_with_branches_is_the_plan_of_the_macro() {
    assert_eq!(printed_page_troubles::PageTroubles::PLAN, page_troubles::PageTroubles::PLAN);
}

#[test]
fn a_printed_plan_that_reads_json_is_the_plan_of_the_macro() {
    assert_eq!(printed_purchases::Purchases::PLAN, purchases::Purchases::PLAN);
}
