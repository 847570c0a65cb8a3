//! A flow with branches, a `Merge`, Rust code that returns a `String`, and quoted delimited text; what the macro prints
//! for it is `../expansion/page_troubles.rs`.

use super::page_of;

flow_runtime::flow! {
    /// Failed and slow requests, by page.
    pub flow PageTroubles {
        source requests: TextDelimited(delimiter = ",", quote = '"', header) {
            path: &str, status: i16, millis: Option<i64>, agent: &str
        };
        sink troubles key(page, why) { page: &str, why: &str, hits: i64 add, slowest: Option<i64> };
        trap bad_requests;

        pages = requests -> Each(path => page_of => ALL, page: &str) -> Discard(path, agent);

        failed = pages -> Filter(status >= 400) -> Insert(why: &str = "failed");
        slow = pages -> Filter(millis.is_some_and(|millis| millis > 1_000)) -> Insert(why: &str = "slow");

        Merge(failed, slow)
            -> GroupBy(page, why)
            -> Every(Count => hits)
            -> Every(millis => Max => slowest)
            -> troubles;
    }
}
