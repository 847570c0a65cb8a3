//! Spilled runs under attack.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

use std::fs;

use super::*;
use crate::{
    fuzzing::{self, Input},
    operations::{Count, MaxText, SumDecimal},
};

#[derive(Debug, Default)]
struct Groups(Count, MaxText, SumDecimal);

impl Accumulators for Groups {
    fn merge(&mut self, _: Self) {}

    fn encode(&self, bytes: &mut Vec<u8>) {
        self.0.encode(bytes);
        self.1.encode(bytes);
        self.2.encode(bytes);
    }

    fn decode(row: &mut RowReader<'_>) -> Self {
        Self(Count::decode(row), MaxText::decode(row), SumDecimal::decode(row))
    }
}

/// Any file is read to an end or refused, be its blocks damaged, or of the right hash with nonsense in them.
pub(crate) fn runs(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let is_file = input.flag();
    let content: Vec<u8> = match is_file {
        true => input.rest().to_vec(),
        false => input.rest().chunks(100).flat_map(block).collect(),
    };
    let folder = fuzzing::folder();
    let run = Run { path: folder.path().join("0.run"), bytes: content.len() as u64 };
    fs::write(&run.path, &content).unwrap();
    let groups = read(run);
    assert!(is_file || groups.is_ok(), "what was written is refused: {groups:?}");
    assert!(groups.is_err() || groups.unwrap() <= content.len(), "a group takes at least a byte");
}

/// How many groups there are.
fn read(run: Run) -> Result<usize, Error> {
    let mut reader = run.open()?;
    let mut groups = 0;
    while reader.key().is_some() {
        groups += 1;
        let mut written = Vec::new();
        reader.take::<Groups>()?.encode(&mut written);
        let mut again = Vec::new();
        Groups::decode(&mut RowReader::new(&written)).encode(&mut again);
        assert_eq!(again, written);
    }
    Ok(groups)
}

fn block(groups: &[u8]) -> Vec<u8> {
    [&(groups.len() as u64).to_le_bytes()[..], &xxh3_64(groups).to_le_bytes(), groups].concat()
}
