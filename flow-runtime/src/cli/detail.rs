//! One iteration in full, for people: what was tried, read, staged and loaded, and when.

use jiff::Timestamp;

use super::{aligned::aligned, units};
use crate::{
    iteration::{IterationDetail, Seal, SealedDetail, TableVersion},
    visible::beginning,
};

/// Digits of a hash that are shown; `--json` has all of them.
const HASH_SHOWN: usize = 12;

/// Letters of a reason for which an attempt was given up that are shown in its line.
const NOTE_SHOWN: usize = 100;

/// Says all that a store has of an iteration.
pub(super) fn text(flow: &str, detail: &IterationDetail) -> String {
    let note = if detail.note.is_empty() { String::new() } else { format!(": {}", detail.note) };
    let mut parts = vec![format!("iteration {} of {flow} is {}{note}\n", detail.iteration, detail.state)];
    if let Some(sealed) = &detail.sealed {
        parts.push(times(detail, sealed));
    }
    parts.push(tries(detail));
    if let Some(SealedDetail { seal, tables_before, .. }) = &detail.sealed {
        parts.extend([ranges(seal), tables(seal, tables_before), outputs(seal), counts(seal)]);
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn times(detail: &IterationDetail, sealed: &SealedDetail) -> String {
    let opened = detail.tries.iter().find(|tried| tried.attempt.id == sealed.attempt);
    let times = [
        ("opened", opened.map(|tried| tried.attempt.opened_us)),
        ("sealed", Some(sealed.seal.sealed_us)),
        ("loaded", sealed.loaded_us),
        ("done", sealed.done_us),
    ];
    let line = |(what, at): (&str, Option<i64>)| vec![what.to_owned(), at.map_or_else(|| "not yet".to_owned(), time)];
    aligned(times.into_iter().map(line).collect(), &[], "  ")
}

fn tries(detail: &IterationDetail) -> String {
    let rows = detail.tries.iter().map(|tried| {
        let attempt = &tried.attempt;
        let note = beginning(tried.note.as_bytes(), NOTE_SHOWN);
        vec![attempt.id.clone(), tried.state.as_str().to_owned(), time(attempt.opened_us), attempt.owner.clone(), note]
    });
    table(&["attempt", "state", "opened (UTC)", "by", "note"], rows.collect(), &[])
}

fn ranges(seal: &Seal) -> String {
    let rows = seal.ranges.iter().map(|range| {
        let positions = format!("{}..{}", range.first, range.next);
        let (records, bytes) = (units::count(range.records), units::bytes(range.bytes));
        vec![range.port.clone(), range.name.clone(), positions, records, bytes, short(&range.hash)]
    });
    table(&["source", "shard", "first..next", "records", "bytes", "hash"], rows.collect(), &[2, 3, 4])
}

fn tables(seal: &Seal, before: &[TableVersion]) -> String {
    let rows = seal.tables.iter().map(|version| {
        let was = match before.iter().find(|before| before.port == version.port) {
            None => "first time".to_owned(),
            Some(before) if before.hash == version.hash => "as the time before".to_owned(),
            Some(before) => {
                format!("changed: it had {}, {}", units::counted(before.records, "record"), short(&before.hash))
            }
        };
        let (records, bytes) = (units::count(version.records), units::bytes(version.bytes));
        vec![version.port.clone(), records, bytes, short(&version.hash), was]
    });
    table(&["table", "records", "bytes", "hash", ""], rows.collect(), &[1, 2])
}

fn outputs(seal: &Seal) -> String {
    let rows = seal.outputs.iter().map(|output| {
        let loaded = if output.loaded { "loaded" } else { "not loaded" };
        let staged = &output.staged;
        vec![
            staged.port.clone(),
            output.place.clone(),
            output.mode.as_str().to_owned(),
            units::count(staged.rows),
            units::bytes(staged.bytes),
            short(&staged.hash),
            loaded.to_owned(),
        ]
    });
    table(&["output", "target", "mode", "rows", "bytes", "hash", ""], rows.collect(), &[3, 4])
}

fn counts(seal: &Seal) -> String {
    let rows = seal.counts.iter().map(|row| {
        let counts = row.counts;
        let numbers = [counts.rows_in, counts.rows_out, counts.filtered, counts.trapped];
        [vec![row.operator.clone()], numbers.map(units::count).to_vec()].concat()
    });
    table(&["operator", "in", "out", "filtered", "trapped"], rows.collect(), &[1, 2, 3, 4])
}

/// Rows under their headings; nothing without rows.
fn table(headings: &[&str], mut rows: Vec<Vec<String>>, right: &[usize]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    rows.insert(0, headings.iter().map(|heading| (*heading).to_owned()).collect());
    aligned(rows, right, "  ")
}

fn time(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map(|time| time.strftime("%F %T%.3f").to_string()).unwrap_or_default()
}

fn short(hash: &str) -> String {
    hash.chars().take(HASH_SHOWN).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        flow::Counts,
        iteration::{Attempt, OperatorCounts, Output, Range, State, Tried, decide::AttemptState},
        sink::{Mode, staging::StagedManifest},
        source::Position,
    };

    fn tried(id: &str, state: AttemptState, note: &str) -> Tried {
        let [id, owner, note] = [id, "pid 4711", note].map(str::to_owned);
        let attempt = Attempt { id, iteration: 3, owner, opened_us: 1_785_000_000_000_000, plan_hash: 1 };
        Tried { attempt, state, note }
    }

    pub(in crate::cli) fn a_detail() -> IterationDetail {
        let hash = |digit: &str| digit.repeat(32);
        let [port, shard, name, mark] = ["log", "1:2:3:4:5", "access.log", "m"].map(str::to_owned);
        let (first, next) = (Position::new("100"), Position::new("1340"));
        let (hash_read, covered_us) = (hash("a"), Some(1_785_000_000_500_000));
        let (records, bytes) = (12, 1_240);
        let range = Range { port, shard, name, mark, first, next, records, bytes, hash: hash_read, covered_us };
        let version =
            |records, digit| TableVersion { port: "hosts".to_owned(), records, bytes: 240, hash: hash(digit) };
        let [port, file, fields] = ["counts", "counts.rows", "ip: &str"].map(str::to_owned);
        let staged = StagedManifest { port, file: Some(file), rows: 2, bytes: 30, hash: hash("d"), fields };
        let output = Output { staged, place: "sqlite:/c.db?table=counts".to_owned(), mode: Mode::Merge, loaded: true };
        let counts = Counts { rows_in: 12, rows_out: 11, filtered: 0, trapped: 1 };
        let seal = Seal {
            sealed_us: 1_785_000_001_240_000,
            note: String::new(),
            ranges: vec![range],
            tables: vec![version(12, "c")],
            outputs: vec![output],
            counts: vec![OperatorCounts { operator: "read log".to_owned(), counts }],
        };
        let sealed = SealedDetail {
            attempt: "3-b".to_owned(),
            seal,
            loaded_us: Some(1_785_000_001_300_000),
            done_us: None,
            tables_before: vec![version(11, "b")],
        };
        IterationDetail {
            iteration: 3,
            state: State::Loaded,
            note: String::new(),
            tries: vec![tried("3-a", AttemptState::Revoked, "interrupted"), tried("3-b", AttemptState::Sealed, "")],
            sealed: Some(sealed),
        }
    }

    #[test]
    fn an_iteration_is_told_from_its_attempts_to_its_counts() {
        let expected = "\
iteration 3 of job is loaded

  opened  2026-07-25 17:20:00.000
  sealed  2026-07-25 17:20:01.240
  loaded  2026-07-25 17:20:01.300
  done    not yet

  attempt  state    opened (UTC)             by        note
  3-a      revoked  2026-07-25 17:20:00.000  pid 4711  interrupted
  3-b      sealed   2026-07-25 17:20:00.000  pid 4711

  source  shard       first..next  records   bytes  hash
  log     access.log    100..1340       12  1.2 kB  aaaaaaaaaaaa

  table  records  bytes  hash
  hosts       12  240 B  cccccccccccc  changed: it had 11 records, bbbbbbbbbbbb

  output  target                     mode   rows  bytes  hash
  counts  sqlite:/c.db?table=counts  merge     2   30 B  dddddddddddd  loaded

  operator  in  out  filtered  trapped
  read log  12   11         0        1
";
        assert_eq!(text("job", &a_detail()), expected);
    }

    #[test]
    fn an_iteration_that_is_held_before_its_seal_has_its_attempts_and_why() {
        let held = IterationDetail {
            state: State::Held,
            note: "access.log shrank".to_owned(),
            tries: vec![tried("3-a", AttemptState::Held, "access.log shrank")],
            sealed: None,
            ..a_detail()
        };
        let text = text("job", &held);
        assert!(text.starts_with("iteration 3 of job is held: access.log shrank\n\n  attempt  state"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}
