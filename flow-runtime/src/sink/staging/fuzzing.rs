//! Staged rows under attack.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

use std::fs;

use xxhash_rust::xxh3::Xxh3;

use super::{StagedManifest, StagingArea, read::describe_fields, write::digest};
use crate::{
    Error,
    fuzzing::{self, Input},
    plan::{PortKind, PortPlan},
};

static TRAP: PortPlan = PortPlan {
    name: "bad_lines",
    kind: PortKind::Trap,
    about: "",
    scheme: "",
    fields: &[],
    key: &[],
    grouped: false,
    covers: &[],
    line: 0,
};

/// Any file is held that is not what its manifest says; and one that is gives as many rows as the manifest says, which are
/// all of its bytes.
pub(crate) fn staged(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (lie, rows) = (input.byte() % 8, input.byte());
    let content = input.rest();
    let place = fuzzing::folder();
    let area = StagingArea::open(place.path()).unwrap();
    fs::create_dir(place.path().join("a")).unwrap();
    fs::write(place.path().join("a/bad_lines.rows"), content).unwrap();
    let mut hash = Xxh3::new();
    hash.update(content);
    let mut manifest = StagedManifest {
        port: "bad_lines".to_owned(),
        file: Some("bad_lines.rows".to_owned()),
        rows: rows.into(),
        bytes: content.len() as u64,
        hash: digest(&hash),
        fields: describe_fields(&TRAP),
    };
    match lie {
        0 => manifest.bytes += 1,
        1 => manifest.hash.insert(0, '0'),
        2 => manifest.fields.push(' '),
        3 => manifest.file = Some("missing".to_owned()),
        _ => {}
    }
    let opened = area.staged("a", &manifest, &TRAP);
    assert_eq!(opened.is_err(), lie < 4);
    let Ok(staged) = opened else { return };
    let mut rows = staged.rows().unwrap();
    let (mut count, mut length) = (0_u64, 0);
    loop {
        match rows.next_row() {
            Ok(Some(row)) => length += row.rest().len(),
            Ok(None) => break,
            Err(error) => {
                assert!(matches!(error, Error::Held(_)), "{error}");
                return;
            }
        }
        count += 1;
    }
    assert_eq!((count, length), (manifest.rows, content.len()));
}
