//! A crate that forbids every lint there is forbids them in its own code, not in what `flow!` prints.

#![deny(warnings, future_incompatible, let_underscore, nonstandard_style, unused, keyword_idents)]
#![forbid(missing_docs, missing_debug_implementations, missing_copy_implementations, unreachable_pub, unnameable_types)]
#![forbid(unused_qualifications, unused_results, unused_lifetimes, trivial_casts, trivial_numeric_casts, single_use_lifetimes)]
#![forbid(variant_size_differences, explicit_outlives_requirements, unit_bindings, redundant_lifetimes)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::cargo, clippy::unwrap_used, clippy::expect_used)]
#![deny(clippy::absolute_paths, clippy::missing_inline_in_public_items, clippy::exhaustive_structs, clippy::shadow_reuse)]
#![forbid(unsafe_code)]

use std::num::TryFromIntError;

use flow_runtime::{Flow, flow};

flow! {
    /// Hits by page.
    pub flow Pages {
        source requests: TextDelimited(delimiter = ",") { page: &str, status: i16, size: Option<i64> };
        table owners: TextDelimited { owned: &str, owner: Option<&str> };
        sink totals key(page) { page: Option<&str>, hits: i64 add, kb: Option<f64> };
        trap bad;

        good = requests -> Filter(status < 400) -> Insert(kb: f64 = 1.0);
        failed = requests -> Filter(status >= 400) -> Insert(kb: f64 = f64::from(status));

        merged = Merge(good, failed);
        HashJoin(merged on page, owners on owned, RightJoin)
            -> Assert(owner => NotNull)
            -> GroupBy(page)
            -> Every(Count => hits)
            -> Every(kb => Max => kb)
            -> totals;
    }
}

flow! {
    flow Lines {
        source log: TextDelimited { line: &str, len: i64 };
        sink lines { line: &str, words: i64 };

        log -> Filter(line.len() > 3) -> Each(line => words_of => ALL, words: i64) -> lines;
    }
}

fn words_of(line: &str) -> Result<i64, TryFromIntError> {
    line.split_whitespace().count().try_into()
}

const fn name<F: Flow>(_: &F) -> &'static str {
    F::PLAN.flow
}

fn main() {
    assert_eq!(name(&Pages::default()), "Pages");
    assert_eq!(name(&Lines::default()), "Lines");
}
