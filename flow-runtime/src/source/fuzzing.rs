//! Files, and what the store knows of them, under attack.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

use std::{fs, time::Duration};

use super::{Input, KnownShard, LastRead, Next, Position, Reading, ShardFrom, SourceTap, open};
use crate::{Error, fuzzing};

/// Any file is read to its end or refused, its pieces one behind the other; and every piece but the last ends a line.
pub(crate) fn files(bytes: &[u8]) {
    let mut input = fuzzing::Input::new(bytes);
    let from = input.flag().then(|| Position::counted(input.byte().into()));
    let folder = fuzzing::folder();
    let path = folder.path().join("a.log");
    fs::write(&path, input.rest()).unwrap();
    let tap = open(&Input::Address(format!("file:{}", path.display())), "log").unwrap();
    let Ok(mut shards) = tap.shards(&[]) else { return };
    if let (Some(from), Some(shard)) = (from, shards.first_mut()) {
        shard.from = from;
    }
    let _ = read(&*tap, &shards);
}

fn read(tap: &dyn SourceTap, shards: &[ShardFrom]) -> Result<(), Error> {
    let mut reader = tap.open(shards, Reading { take_tail: true, once: true, is_look: false, is_aside: false })?;
    let mut at = shards.first().map(|shard| shard.from.clone());
    let mut ends_line = true;
    while let Next::Piece(piece) = reader.next(Vec::new(), Duration::ZERO)? {
        assert!(ends_line && !piece.bytes.is_empty());
        assert_eq!(at.as_ref(), Some(&piece.from));
        ends_line = piece.bytes.ends_with(b"\n");
        at = Some(piece.to);
    }
    Ok(())
}

/// Whatever the store says that it knows of files, a file is read on, read from its beginning, or held; and any position is
/// a number or refused. Of a mark, `_` stands for what would be right.
pub(crate) fn file_identities(bytes: &[u8]) {
    let folder = fuzzing::folder();
    let path = folder.path().join("a.log");
    fs::write(&path, "first line\nsecond line\n").unwrap();
    let tap = open(&Input::Address(format!("file:{}", path.display())), "log").unwrap();
    let shards = tap.shards(&[]).unwrap();
    let known: Vec<KnownShard> =
        String::from_utf8_lossy(bytes).lines().map(|line| known(line, &shards[0].shard.mark)).collect();
    match tap.shards(&known) {
        Ok(shards) => drop(read(&*tap, &shards)),
        Err(Error::Held(_) | Error::Input(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

fn known(line: &str, mark: &str) -> KnownShard {
    let mut words = line.split(' ');
    let id = words.next().unwrap_or_default();
    let right = mark.split(':').chain(std::iter::repeat(""));
    let mark: Vec<&str> =
        id.split(':').zip(right).map(|(given, right)| if given == "_" { right } else { given }).collect();
    let mut position = || Position::new(words.next().unwrap_or("0"));
    let (next, first) = (position(), position());
    if let Some(count) = next.count() {
        assert_eq!(next.after(0), Position::counted(count));
        assert_eq!(next.after(7).count(), Some(count.saturating_add(7)));
    }
    let last = Some(LastRead { first, next: next.clone(), hash: id.to_owned() });
    KnownShard { id: id.to_owned(), name: "a.log".to_owned(), mark: mark.join(":"), next, last, covered_us: None }
}
