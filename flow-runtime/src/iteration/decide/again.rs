//! What differs when a sealed iteration is read again: its records, its tables, its rows.

use crate::{
    iteration::{Output, Range, TableVersion},
    sink::staging::{StagedManifest, is_by_shard, is_in_order},
};

/// A table, then and now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableChange {
    /// The port.
    pub port: String,
    /// How many records it had when the iteration was sealed; `None` if the flow did not have it then.
    pub records_sealed: Option<u64>,
    /// How many it has now.
    pub records: u64,
    /// Whether it holds the same as then.
    pub is_same: bool,
}

/// What is staged for an output, then and now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputChange {
    /// The sink or trap.
    pub port: String,
    /// How many rows were sealed for it; `None` if it was not among the outputs, as a trap that got nothing.
    pub rows_sealed: Option<u64>,
    /// How many there are now.
    pub rows: u64,
    /// Whether they are the same rows, those of each shard in the same order.
    pub is_same: bool,
    /// Whether they are, but the shards came in another order, as it happens where one does not wait for the other.
    pub is_reordered: bool,
}

/// The first sealed range that is not as it was, and what is there now. One without records has nothing to compare.
pub(crate) fn changed_range<'a>(sealed: &'a [Range], now: &'a [Range]) -> Option<(&'a Range, Option<&'a Range>)> {
    let mut with_records = sealed.iter().filter(|range| range.records > 0);
    with_records.find_map(|range| {
        let now = now.iter().find(|now| (&now.port, &now.shard) == (&range.port, &range.shard));
        let is_same = now.is_some_and(|now| {
            (now.records, now.bytes, &now.hash) == (range.records, range.bytes, &range.hash)
                && (&now.first, &now.next) == (&range.first, &range.next)
        });
        (!is_same).then_some((range, now))
    })
}

/// Compares the tables.
pub(crate) fn compare_tables(sealed: &[TableVersion], now: &[TableVersion]) -> Vec<TableChange> {
    let compare = |now: &TableVersion| {
        let then = sealed.iter().find(|then| then.port == now.port);
        TableChange {
            port: now.port.clone(),
            records_sealed: then.map(|then| then.records),
            records: now.records,
            is_same: then.is_some_and(|then| then.hash == now.hash),
        }
    };
    now.iter().map(compare).collect()
}

/// Compares what was staged. An output that has nothing now, as a trap, counts with no rows.
pub(crate) fn compare_outputs(sealed: &[Output], now: &[StagedManifest]) -> Vec<OutputChange> {
    let compare = |port: &str, then: Option<&StagedManifest>, now: Option<&StagedManifest>| {
        let (is_same, is_reordered) = match (then, now) {
            (Some(then), Some(now)) if (then.rows, &then.fields) == (now.rows, &now.fields) => {
                (is_by_shard(&then.hash, &now.hash), !is_in_order(&then.hash, &now.hash))
            }
            (Some(_), Some(_)) => (false, false),
            (Some(rows), None) | (None, Some(rows)) => (rows.rows == 0, false),
            (None, None) => (true, false),
        };
        let (rows_sealed, rows) = (then.map(|then| then.rows), now.map_or(0, |now| now.rows));
        OutputChange { port: port.to_owned(), rows_sealed, rows, is_same, is_reordered: is_same && is_reordered }
    };
    let then = |port: &str| sealed.iter().map(|output| &output.staged).find(|then| then.port == port);
    let gone = sealed.iter().filter(|then| !now.iter().any(|now| now.port == then.staged.port));
    let present = now.iter().map(|now| compare(&now.port, then(&now.port), Some(now)));
    present.chain(gone.map(|then| compare(&then.staged.port, Some(&then.staged), None))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sink::Mode, source::Position};

    fn range(shard: &str, records: u64, hash: &str) -> Range {
        let [port, shard, name, mark, hash] = ["log", shard, "a.log", "m", hash].map(str::to_owned);
        let (first, next) = (Position::new("0"), Position::new("40"));
        Range { port, shard, name, mark, first, next, records, bytes: 40, hash, covered_us: None }
    }

    #[test]
    fn the_first_range_that_is_not_as_it_was_is_found() {
        let sealed = [range("a", 0, "x"), range("b", 5, "h"), range("c", 5, "h")];
        assert_eq!(changed_range(&sealed, &sealed[1..]), None, "what had no records need not be there");
        for now in [range("b", 4, "h"), range("b", 5, "x"), Range { bytes: 41, ..range("b", 5, "h") }] {
            let now = [now, range("c", 5, "h")];
            assert_eq!(changed_range(&sealed, &now), Some((&sealed[1], Some(&now[0]))));
        }
        let shorter = [Range { next: Position::new("39"), ..range("b", 5, "h") }];
        assert_eq!(changed_range(&sealed, &shorter), Some((&sealed[1], Some(&shorter[0]))));
        assert_eq!(changed_range(&sealed, &sealed[..2]), Some((&sealed[2], None)));
        let elsewhere = [Range { port: "other".to_owned(), ..range("b", 5, "h") }, range("c", 5, "h")];
        assert_eq!(changed_range(&sealed, &elsewhere), Some((&sealed[1], None)));
    }

    #[test]
    fn a_table_is_the_same_by_its_hash() {
        let version = |port: &str, records, hash: &str| {
            let [port, hash] = [port, hash].map(str::to_owned);
            TableVersion { port, records, bytes: 9, hash }
        };
        let sealed = [version("hosts", 3, "h"), version("gone", 1, "h")];
        let now = [version("hosts", 3, "x"), version("new", 1, "h")];
        let changes = compare_tables(&sealed, &now);
        let told: Vec<_> = changes.iter().map(|table| (&*table.port, table.records_sealed, table.is_same)).collect();
        assert_eq!(told, [("hosts", Some(3), false), ("new", None, false)]);
        assert!(compare_tables(&sealed, &sealed).iter().all(|table| table.is_same));
    }

    #[test]
    fn rows_are_the_same_by_number_hash_and_fields() {
        let staged = |port: &str, rows, hash: &str| {
            let [port, hash, fields] = [port, hash, "ip: &str"].map(str::to_owned);
            StagedManifest { port, file: None, rows, bytes: 9, hash, fields }
        };
        let output = |staged| Output { staged, place: "stdout:".to_owned(), mode: Mode::Append, loaded: true };
        let sealed = [output(staged("counts", 3, "h")), output(staged("bad", 1, "h"))];
        let told = |now: &[StagedManifest]| {
            let changes = compare_outputs(&sealed, now).into_iter();
            changes.map(|output| (output.port, output.rows_sealed, output.rows, output.is_same)).collect::<Vec<_>>()
        };
        let told_of = |port: &str, then, now, is_same| (port.to_owned(), then, now, is_same);
        assert_eq!(
            told(&[staged("counts", 3, "x")]),
            [told_of("counts", Some(3), 3, false), told_of("bad", Some(1), 0, false)]
        );
        assert_eq!(
            told(&[staged("counts", 3, "h"), staged("bad", 1, "h"), staged("new", 0, "h")]),
            [told_of("counts", Some(3), 3, true), told_of("bad", Some(1), 1, true), told_of("new", None, 0, true)]
        );
        let told = |then: &str, now: &str| {
            let sealed = [output(staged("counts", 3, then))];
            let changes = compare_outputs(&sealed, &[staged("counts", 3, now)]);
            changes.iter().map(|output| (output.is_same, output.is_reordered)).collect::<Vec<_>>()
        };
        assert_eq!((told("h-k", "h-k"), told("h-k", "x-k")), (vec![(true, false)], vec![(true, true)]));
        assert_eq!((told("h-k", "x-l"), told("h", "x-k")), (vec![(false, false)], vec![(false, false)]));
        assert_eq!(told("h", "h-k"), [(true, false)], "sealed by an earlier version");
        let wider = StagedManifest { fields: "ip: &str, n: i64".to_owned(), ..staged("counts", 3, "h") };
        assert!(!compare_outputs(&sealed, &[wider])[0].is_same);
    }
}
