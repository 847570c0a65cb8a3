//! Iterations as JSON, for scripts: one object a line.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::iteration::{
    IterationDetail, IterationRow, Output, Range, SealedDetail, TableVersion, Tried,
    listing::{FormerListing, Listing},
};

/// One object for each iteration, oldest first; with `all`, those from before resets come first.
pub(super) fn list(flow: &str, listing: &Listing, all: bool) -> String {
    let former = listing.former.iter().filter(|_| all);
    let former = former.flat_map(|FormerListing { epoch, ended, rows, .. }| {
        rows.iter().map(move |row| (row, epoch.as_str(), Some(*ended)))
    });
    let present = listing.rows.iter().map(|row| (row, listing.epoch.as_str(), None));
    former.chain(present).map(|(row, epoch, reset)| line(&of_row(flow, row, epoch, reset))).collect()
}

fn of_row(flow: &str, row: &IterationRow, epoch: &str, reset: Option<SystemTime>) -> Value {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let rows: serde_json::Map<_, _> = row.rows.iter().map(|(port, rows)| (port.clone(), json!(rows))).collect();
    json!({
        "flow": flow,
        "epoch": epoch,
        "reset": reset.map(seconds),
        "iteration": row.number,
        "state": row.state.as_str(),
        "started": seconds(row.started),
        "elapsed_seconds": row.took.map(|took| took.as_secs_f64()),
        "records": row.records,
        "bytes": row.bytes,
        "trapped": row.trapped,
        "rows": rows,
        "note": row.note,
    })
}

/// One iteration in full, as one object; times are seconds since 1970.
pub(super) fn one(flow: &str, detail: &IterationDetail) -> String {
    let sealed = detail.sealed.as_ref();
    let (ranges, tables, outputs, counts) = match sealed {
        Some(SealedDetail { seal, tables_before, .. }) => (
            seal.ranges.iter().map(range).collect(),
            seal.tables.iter().map(|version| table(version, tables_before)).collect(),
            seal.outputs.iter().map(output).collect(),
            seal.counts.iter().map(counts).collect(),
        ),
        None => (Vec::new(), Vec::new(), Vec::new(), Vec::new()),
    };
    line(&json!({
        "flow": flow,
        "iteration": detail.iteration,
        "state": detail.state.as_str(),
        "note": detail.note,
        "attempt": sealed.map(|sealed| &sealed.attempt),
        "sealed": sealed.map(|sealed| seconds(sealed.seal.sealed_us)),
        "loaded": sealed.and_then(|sealed| sealed.loaded_us).map(seconds),
        "done": sealed.and_then(|sealed| sealed.done_us).map(seconds),
        "attempts": detail.tries.iter().map(tried).collect::<Vec<_>>(),
        "ranges": ranges,
        "tables": tables,
        "outputs": outputs,
        "operators": counts,
    }))
}

fn tried(tried: &Tried) -> Value {
    json!({
        "id": tried.attempt.id,
        "state": tried.state.as_str(),
        "opened": seconds(tried.attempt.opened_us),
        "owner": tried.attempt.owner,
        "plan_hash": format!("{:016x}", tried.attempt.plan_hash),
        "note": tried.note,
    })
}

fn range(range: &Range) -> Value {
    json!({
        "port": range.port,
        "shard": range.shard,
        "name": range.name,
        "first": range.first.as_str(),
        "next": range.next.as_str(),
        "records": range.records,
        "bytes": range.bytes,
        "hash": range.hash,
        "covered": range.covered_us.map(seconds),
    })
}

/// `changed` is null when the table was never read before.
fn table(version: &TableVersion, before: &[TableVersion]) -> Value {
    let before = before.iter().find(|before| before.port == version.port);
    json!({
        "port": version.port,
        "records": version.records,
        "bytes": version.bytes,
        "hash": version.hash,
        "changed": before.map(|before| before.hash != version.hash),
    })
}

fn output(output: &Output) -> Value {
    let staged = &output.staged;
    json!({
        "port": staged.port,
        "target": output.place,
        "mode": output.mode.as_str(),
        "rows": staged.rows,
        "bytes": staged.bytes,
        "hash": staged.hash,
        "fields": staged.fields,
        "loaded": output.loaded,
    })
}

fn counts(row: &crate::iteration::OperatorCounts) -> Value {
    let counts = row.counts;
    json!({
        "operator": row.operator,
        "rows_in": counts.rows_in,
        "rows_out": counts.rows_out,
        "filtered": counts.filtered,
        "trapped": counts.trapped,
    })
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

fn line(object: &Value) -> String {
    format!("{object}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{detail::tests::a_detail, listing::tests::a_row};

    fn objects(text: &str) -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn iterations_are_one_object_a_line_and_those_before_a_reset_come_first() {
        let former = FormerListing { epoch: "e1".to_owned(), ended: a_row().started, rows: vec![a_row()], earlier: 0 };
        let listing =
            Listing { epoch: "e2".to_owned(), rows: vec![a_row(), a_row()], former: vec![former], earlier: 0 };
        assert_eq!(objects(&list("job", &listing, false)).len(), 2);
        let objects = objects(&list("job", &listing, true));
        let epochs: Vec<_> = objects.iter().map(|row| (row["epoch"].clone(), row["reset"].clone())).collect();
        assert_eq!(epochs, [(json!("e1"), json!(1.785e9)), (json!("e2"), json!(null)), (json!("e2"), json!(null))]);
        assert_eq!(
            objects[2],
            json!({
                "flow": "job", "epoch": "e2", "reset": null, "iteration": 0, "state": "done", "started": 1.785e9,
                "elapsed_seconds": 1.24, "records": 1_234_567, "bytes": 105_800_000, "trapped": 3,
                "rows": {"bad_lines": 3, "counts": 1_000}, "note": "",
            })
        );
    }

    #[test]
    fn one_iteration_has_its_attempts_ranges_tables_outputs_and_counts() {
        let object = &objects(&one("job", &a_detail()))[0];
        assert_eq!((&object["state"], &object["attempt"]), (&json!("loaded"), &json!("3-b")));
        assert_eq!((&object["sealed"], &object["done"]), (&json!(1_785_000_001.24), &json!(null)));
        assert_eq!(object["attempts"][0]["note"], "interrupted");
        assert_eq!((&object["ranges"][0]["first"], &object["ranges"][0]["next"]), (&json!("100"), &json!("1340")));
        assert_eq!(
            (&object["tables"][0]["hash"], &object["tables"][0]["changed"]),
            (&json!("c".repeat(32)), &json!(true))
        );
        assert_eq!(
            (&object["outputs"][0]["target"], &object["outputs"][0]["loaded"]),
            (&json!("sqlite:/c.db?table=counts"), &json!(true))
        );
        assert_eq!(
            object["operators"][0],
            json!({"operator": "read log", "rows_in": 12, "rows_out": 11, "filtered": 0, "trapped": 1})
        );
    }

    #[test]
    fn what_is_not_sealed_has_no_ranges() {
        let open = IterationDetail { sealed: None, ..a_detail() };
        let object = &objects(&one("job", &open))[0];
        assert_eq!((&object["ranges"], &object["sealed"]), (&json!([]), &json!(null)));
    }
}
