//! Files as sources: positions, growth, identity, and what is refused.

use std::{fs, io::Write as _, path::Path};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn tap(path: impl AsRef<Path>) -> FileTap {
    FileTap::open(&format!("file:{}", path.as_ref().display()).parse().unwrap()).unwrap()
}

/// Reads to the end, through one buffer: what was read of each shard, and what an iteration would keep.
fn read_on(tap: &FileTap, known: &[KnownShard], take_tail: bool) -> (Vec<String>, Vec<KnownShard>) {
    let shards = tap.shards(known).unwrap();
    let mut texts = vec![String::new(); shards.len()];
    let mut next: Vec<Position> = shards.iter().map(|shard| shard.from.clone()).collect();
    let mut reader = tap.open(&shards, take_tail).unwrap();
    let mut buffer = Vec::new();
    while let Next::Piece(piece) = reader.next(buffer, Duration::ZERO).unwrap() {
        assert_eq!(piece.from, next[piece.shard], "pieces of a shard follow each other");
        assert_eq!(piece.to, piece.from.after(piece.bytes.len()));
        assert_eq!(piece.starts_shard, piece.from.count() == Some(0));
        texts[piece.shard].push_str(&String::from_utf8_lossy(&piece.bytes));
        next[piece.shard] = piece.to;
        buffer = piece.bytes;
    }
    let known = shards.into_iter().zip(next).map(|(ShardFrom { shard, .. }, next)| {
        let Shard { id, name, mark, .. } = shard;
        KnownShard { id, name, mark, next, last: None }
    });
    (texts, known.collect())
}

fn first_failure(tap: &FileTap, known: &[KnownShard]) -> Error {
    let shards = match tap.shards(known) {
        Ok(shards) => shards,
        Err(error) => return error,
    };
    let mut reader = match tap.open(&shards, true) {
        Ok(reader) => reader,
        Err(error) => return error,
    };
    loop {
        match reader.next(Vec::new(), Duration::ZERO) {
            Ok(Next::End) => panic!("nothing failed"),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

#[test]
fn a_file_is_read_in_whole_lines_and_its_tail_is_left_for_later() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "one\r\ntwo\nthr").unwrap();
    let (texts, known) = read_on(&tap(&path), &[], false);
    assert_eq!(texts, ["one\r\ntwo\n"]);
    assert_eq!(known[0].next.as_str(), "9");

    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"ee\nfour\n").unwrap();
    let (texts, known) = read_on(&tap(&path), &known, false);
    assert_eq!(texts, ["three\nfour\n"]);
    assert_eq!(read_on(&tap(&path), &known, false).0, [""]);
}

#[test]
fn the_tail_is_taken_on_demand() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("hosts");
    fs::write(&path, "one\ntwo").unwrap();
    let (texts, known) = read_on(&tap(&path), &[], true);
    assert_eq!((texts[0].as_str(), known[0].next.as_str()), ("one\ntwo", "7"));
}

#[test]
fn a_reader_stops_exactly_where_the_file_was_read_to_before() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "one\ntwo\nthree\n").unwrap();
    let up_to = |from: u64, until: u64| {
        let mut shards = tap(&path).shards(&[]).unwrap();
        shards[0].from = Position::counted(from);
        shards[0].until = Some(Position::counted(until));
        let mut reader = tap(&path).open(&shards, false).unwrap();
        let mut text = Vec::new();
        loop {
            match reader.next(Vec::new(), Duration::ZERO)? {
                Next::Piece(piece) => text.extend(piece.bytes),
                Next::Idle | Next::End => return Ok::<_, Error>(String::from_utf8(text).unwrap()),
            }
        }
    };
    for (from, until, text) in [(0, 8, "one\ntwo\n"), (4, 4, ""), (4, 6, "tw"), (6, 14, "o\nthree\n")] {
        assert_eq!(up_to(from, until).unwrap(), text);
    }
    let error = up_to(4, 15).unwrap_err().to_string();
    assert!(error.contains("ends before the place that it was read to"), "{error}");
    assert!(error.contains("a.log, position 15): the file has 14 bytes"), "{error}");
}

#[test]
fn an_empty_file_has_no_records() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("empty");
    fs::write(&path, "").unwrap();
    assert_eq!(read_on(&tap(&path), &[], true), (Vec::new(), Vec::new()));
}

#[test]
fn a_renamed_file_keeps_its_position_and_its_successor_is_new() {
    let dir = TempDir::new().unwrap();
    let (log, rotated) = (dir.path().join("a.log"), dir.path().join("a.log.1"));
    fs::write(&log, "one\n").unwrap();
    let all = tap(dir.path().join("a.log*"));
    let (_, known) = read_on(&all, &[], false);

    fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(b"two\n").unwrap();
    fs::rename(&log, &rotated).unwrap();
    fs::write(&log, "three\n").unwrap();
    let (texts, next) = read_on(&all, &known, false);
    assert_eq!(texts, ["three\n", "two\n"]);
    assert_eq!(next[1].id, known[0].id);
    assert!(next[1].name.ends_with("a.log.1"));
}

#[test]
fn a_glob_is_read_in_the_order_of_paths_without_folders_and_hidden_files() {
    let dir = TempDir::new().unwrap();
    for (name, text) in [("b.log", "b\n"), ("a.log", "a\n"), (".c.log", "c\n")] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    fs::create_dir(dir.path().join("d.log")).unwrap();
    assert_eq!(read_on(&tap(dir.path().join("*.log")), &[], false).0, ["a\n", "b\n"]);
}

#[test]
fn a_file_under_two_names_is_read_once() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("a.log"), "a\n").unwrap();
    fs::hard_link(dir.path().join("a.log"), dir.path().join("b.log")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("a.log"), dir.path().join("c.log")).unwrap();
    assert_eq!(read_on(&tap(dir.path().join("*.log")), &[], false).0, ["a\n"]);
}

#[test]
fn a_name_with_brackets_is_a_name_first() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("a[1].log"), "a\n").unwrap();
    assert_eq!(read_on(&tap(dir.path().join("a[1].log")), &[], false).0, ["a\n"]);
}

#[test]
fn a_shrunk_or_changed_file_is_held() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    let long = "line\n".repeat(1000);
    fs::write(&path, &long).unwrap();
    let (_, known) = read_on(&tap(&path), &[], false);

    fs::write(&path, &long[..2000]).unwrap();
    let error = tap(&path).shards(&known).unwrap_err();
    assert!(matches!(error, Error::Held(_)), "{error}");
    assert!(error.to_string().contains("it was read to byte 5000, now it has 2000 bytes"), "{error}");

    for (other, says) in
        [("", "has shrunk"), ("other\n", "has shrunk"), (&long.replace("line", "LINE"), "begins differently")]
    {
        fs::write(&path, other).unwrap();
        let error = tap(&path).shards(&known).unwrap_err();
        assert!(matches!(error, Error::Held(_)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_file_that_is_replaced_between_listing_and_reading_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "one\n").unwrap();
    let shards = tap(&path).shards(&[]).unwrap();
    fs::write(dir.path().join("new"), "two\n").unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    let error = tap(&path).open(&shards, false).unwrap().next(Vec::new(), Duration::ZERO).unwrap_err();
    assert!(matches!(error, Error::Input(_)) && error.to_string().contains("was replaced"), "{error}");
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_read_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, "line\n".repeat(BLOCK_BYTES)).unwrap();
    let shards = tap(&path).shards(&[]).unwrap();
    let mut reader = tap(&path).open(&shards, false).unwrap();
    assert!(matches!(reader.next(Vec::new(), Duration::ZERO), Ok(Next::Piece(_))));
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(BLOCK_BYTES as u64).unwrap();
    let error = reader.next(Vec::new(), Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("became shorter"), "{error}");
}

#[test]
fn what_cannot_be_read_is_refused_with_its_path_and_cause() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    std::os::unix::fs::symlink("nowhere", path("dangling")).unwrap();
    for (path, cause) in [
        (path("missing"), "No such file or directory (os error 2); check the address; relative paths begin in /"),
        (path("dangling"), "it is a link to nowhere"),
        ("/proc/self/status".into(), "does not tell its length"),
        (dir.path().to_owned(), "a directory cannot be read"),
        (path("socket"), "not a regular file"),
        (path("*.log"), "no file matches"),
        (path("a[.log"), "the glob is malformed"),
    ] {
        let error = first_failure(&tap(&path), &[]);
        let text = error.to_string();
        assert!(text.contains(&*path.to_string_lossy()), "{text}");
        assert!(text.contains(cause), "{text}");
    }
}

#[test]
fn bad_addresses_are_refused() {
    for (address, says) in [("file:", "names no file"), ("file:a.log?follow=yes", "unknown option `follow`")] {
        let error = FileTap::open(&address.parse().unwrap()).unwrap_err();
        assert!(matches!(error, Error::Config(_)) && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_line_longer_than_many_blocks_is_one_piece() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    let text = format!("short\n{}\nshort\n", "x".repeat(5_000_000));
    fs::write(&path, &text).unwrap();
    assert_eq!(read_on(&tap(&path), &[], false).0, [text]);
}

#[test]
fn a_line_longer_than_the_limit_names_its_place() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.log");
    fs::write(&path, format!("short\n{}\n", "x".repeat(2_000_000))).unwrap();
    let shards = tap(&path).shards(&[]).unwrap();
    let mut reader = FileReader { shards, opened: 0, file: None, take_tail: true, line_bytes_max: 1_000_000 };
    assert!(matches!(reader.next(Vec::new(), Duration::ZERO), Ok(Next::Piece(_))));
    let error = reader.next(Vec::new(), Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("a line is longer than 1000000 bytes"), "{error}");
    assert!(error.to_string().contains("a.log, position 6"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_come_back_whole_and_once(lengths in prop::collection::vec(0..300_000_usize, 0..12), tail in 0..9_usize) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("a.log");
        let mut text: String = lengths.iter().map(|length| "x".repeat(*length) + "\n").collect();
        let terminated = text.len();
        text.push_str(&"y".repeat(tail));
        fs::write(&path, &text).unwrap();
        prop_assert_eq!(read_on(&tap(&path), &[], false).0.concat(), &text[..terminated]);
        prop_assert_eq!(read_on(&tap(&path), &[], true).0.concat(), text);
    }
}
