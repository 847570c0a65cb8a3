//! Lines, and what the system says of memory, under attack.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

use std::fs;

use super::{Bounds, limits::Meter, machine, workers::find_lines};
use crate::{
    flow::Span,
    fuzzing::{self, Input},
    source::{Framing, Piece, Position},
};

/// Any bytes are lines, the same as whoever splits them plainly finds; and bounds cut them behind whole ones.
pub(crate) fn lines(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (records, size) = (u64::from(input.byte()), u64::from(input.byte()));
    let bytes = input.rest();
    assert_eq!(found(bytes), plainly(bytes));

    let mut piece = Piece {
        shard: 0,
        bytes: bytes.to_vec(),
        framing: Framing::Lines,
        from: Position::counted(7),
        to: Position::counted(7).after(bytes.len()),
        starts_shard: true,
        arrived: None,
    };
    let bounds = Bounds { max_records: Some(records), max_bytes: Some(size), ..Bounds::default() };
    let mut meter = Meter::new(&bounds);
    if meter.reached().is_some() {
        return;
    }
    meter.admit(&mut piece);
    let (admitted, all) = (plainly(&piece.bytes), plainly(bytes));
    assert_eq!(piece.to, Position::counted(7).after(piece.bytes.len()));
    assert_eq!(admitted, all[..admitted.len()]);
    assert!(admitted.len() as u64 <= records);
    assert_eq!(meter.reached().is_none(), admitted.len() as u64 != records && (piece.bytes.len() as u64) < size);
    assert!(meter.reached().is_some() || piece.bytes == bytes, "no bound is reached, and some lines are missing");
}

fn found(bytes: &[u8]) -> Vec<&[u8]> {
    let mut spans: Vec<Span> = Vec::new();
    find_lines(bytes, &mut spans);
    spans.iter().map(|span| &bytes[span.start..span.end]).collect()
}

fn plainly(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for line in &mut lines {
        if let Some(whole) = line.strip_suffix(b"\n") {
            *line = whole.strip_suffix(b"\r").unwrap_or(whole);
        }
    }
    lines
}

/// Any text in the files of the system is some limit or none.
pub(crate) fn memory_limits(bytes: &[u8]) {
    let root = fuzzing::folder();
    let mut texts = bytes.split(|byte| *byte == 0);
    for name in ["proc/meminfo", "proc/self/cgroup", "cgroup/memory.max", "cgroup/memory/memory.limit_in_bytes"] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, texts.next().unwrap_or_default()).unwrap();
    }
    machine::memory_bytes(&root.path().join("proc"), &root.path().join("cgroup"));
}
