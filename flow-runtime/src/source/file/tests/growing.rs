//! Files that grow, and the ends of lines.

use super::*;

#[test]
fn a_file_is_read_in_whole_lines_and_its_tail_is_left_for_later() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", "one\r\ntwo\nthr");
    assert_eq!(folder.read(), texts([("a.log", "one\r\ntwo\n")]));
    assert_eq!(folder.known[0].next.as_str(), "9");

    folder.append("a.log", "ee\nfour\n");
    assert_eq!(folder.read(), texts([("a.log", "three\nfour\n")]));
    assert_eq!(folder.read(), []);
}

#[test]
fn a_tail_that_was_taken_is_a_record_and_so_is_what_follows_it() {
    let mut folder = Folder::new("a.log");
    folder.reading.take_tail = true;
    folder.write("a.log", "one\nthr");
    assert_eq!(folder.read(), texts([("a.log", "one\nthr")]));
    folder.append("a.log", "ee\n");
    assert_eq!(folder.read(), texts([("a.log", "ee\n")]));
}

#[test]
fn an_empty_file_has_no_records_until_it_has_some() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", "");
    assert_eq!(folder.shards().unwrap(), []);
    folder.append("a.log", "one\n");
    assert_eq!(folder.read(), texts([("a.log", "one\n")]));
}

#[test]
fn a_reader_stops_exactly_where_the_file_was_read_to_before() {
    let folder = Folder::new("a.log");
    folder.write("a.log", "one\ntwo\nthree\n");
    let up_to = |from: u64, until: u64| {
        let mut shards = folder.shards().unwrap();
        shards[0].from = Position::counted(from);
        shards[0].until = Some(Position::counted(until));
        let mut reader = folder.tap.open(&shards, Reading::default()).unwrap();
        let mut text = Vec::new();
        while let Next::Piece(piece) = reader.next(Vec::new(), Duration::ZERO)? {
            text.extend(piece.bytes);
        }
        Ok::<_, Error>(String::from_utf8(text).unwrap())
    };
    for (from, until, text) in [(0, 8, "one\ntwo\n"), (4, 4, ""), (4, 6, "tw"), (6, 14, "o\nthree\n")] {
        assert_eq!(up_to(from, until).unwrap(), text);
    }
    let error = up_to(4, 15).unwrap_err().to_string();
    assert!(error.contains("ends before the place that it was read to"), "{error}");
    assert!(error.contains("a.log, position 15): the file has 14 bytes"), "{error}");
}

#[test]
fn a_file_that_was_first_seen_with_a_few_bytes_is_known_by_more_as_it_grows() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", "2026-11-22 one\n");
    folder.read();
    folder.append("a.log", "2026-11-22 two\n");
    folder.read();
    // As long as it was and with the beginning that it was first seen with, but another.
    folder.write("a.log", "2026-11-22 one\n2026-11-22 six\n2026-11-22 ten\n");
    assert!(folder.held().contains("begins differently"), "{}", folder.held());
}

#[test]
fn a_shard_keeps_its_id_while_its_mark_grows() {
    let mut folder = Folder::new("a.log*");
    folder.write("a.log", "one\n");
    folder.read();
    let first = folder.known.clone();
    folder.append("a.log", "two\n");
    folder.rename("a.log", "a.log.1");
    folder.read();
    assert_eq!((folder.known.len(), &folder.known[0].id), (1, &first[0].id));
    assert_ne!(folder.known[0].mark, first[0].mark);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_record() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", b"\xef\xbb");
    assert_eq!(folder.read(), []);
    folder.append("a.log", b"\xbfone\n");
    assert_eq!(folder.read(), texts([("a.log", "one\n")]));
    folder.append("a.log", "\u{feff}two\n");
    assert_eq!(folder.read(), texts([("a.log", "\u{feff}two\n")]));
}

#[test]
fn a_file_appears_under_a_glob_and_in_a_folder_that_was_not_there() {
    let mut folder = Folder::new("*/*.log");
    fs::create_dir(folder.path("a")).unwrap();
    folder.write("a/1.log", "one\n");
    assert_eq!(folder.read(), texts([("a/1.log", "one\n")]));
    folder.write("a/2.log", "two\n");
    fs::create_dir(folder.path("b")).unwrap();
    folder.write("b/1.log", "three\n");
    assert_eq!(folder.read(), texts([("a/2.log", "two\n"), ("b/1.log", "three\n")]));
}

#[test]
fn what_was_there_once_may_be_gone_and_come_back() {
    for address in ["a.log", "*.log"] {
        let mut folder = Folder::new(address);
        folder.write("a.log", "one\n");
        folder.read();
        folder.remove("a.log");
        assert_eq!(folder.read(), []);
        folder.write("a.log", "two\n");
        assert_eq!(folder.read(), texts([("a.log", "two\n")]));
    }
}

#[test]
fn a_file_that_is_deleted_before_its_turn_is_not_there_any_more() {
    let folder = Folder::new("*.log");
    folder.write("a.log", "one\n");
    folder.write("b.log", "two\n");
    let shards = folder.shards().unwrap();
    folder.remove("a.log");
    let mut reader = folder.tap.open(&shards, Reading::default()).unwrap();
    let Next::Piece(piece) = reader.next(Vec::new(), Duration::ZERO).unwrap() else { panic!("b.log is there") };
    assert_eq!((piece.shard, piece.bytes), (1, b"two\n".to_vec()));
    // Who reads once only would read less than was there.
    let once = Reading { once: true, take_tail: true, is_look: false, is_aside: false };
    let error = folder.tap.open(&shards, once).unwrap().next(Vec::new(), Duration::ZERO).unwrap_err().to_string();
    assert!(error.contains("a.log") && error.contains("deleted while the run began"), "{error}");
}

#[test]
fn a_file_that_is_deleted_while_it_is_open_is_read_to_its_end() {
    let folder = Folder::new("a.log");
    let text = lines("a", 3 * reader::BLOCK_BYTES);
    folder.write("a.log", &text);
    let mut reader = folder.tap.open(&folder.shards().unwrap(), Reading::default()).unwrap();
    let mut read = Vec::new();
    while let Next::Piece(piece) = reader.next(Vec::new(), Duration::ZERO).unwrap() {
        read.extend(piece.bytes);
        let _ = fs::remove_file(folder.path("a.log"));
    }
    assert_eq!(String::from_utf8(read).unwrap(), text);
}

#[test]
fn a_thousand_files_are_read_with_one_open_at_a_time() {
    let folder = Folder::new("*.log");
    for number in 0..1000 {
        folder.write(&format!("{number:04}.log"), format!("{number:04}\n"));
    }
    let open_files = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open_files();
    let shards = folder.shards().unwrap();
    let mut reader = folder.tap.open(&shards, Reading::default()).unwrap();
    let mut read = Vec::new();
    while let Next::Piece(piece) = reader.next(Vec::new(), Duration::ZERO).unwrap() {
        read.push(String::from_utf8(piece.bytes).unwrap());
        // Other tests open files, too.
        assert!(open_files() < before + 500);
    }
    assert_eq!(read, (0..1000).map(|number| format!("{number:04}\n")).collect::<Vec<_>>());
}

#[test]
fn a_file_that_a_flow_writes_is_read_without_its_ledger() {
    let mut folder = Folder::new("*");
    folder.write("x.csv", "row\n");
    folder.write("x.csv.flow", "{}\n");
    assert_eq!(folder.read(), texts([("x.csv", "row\n")]));
}

#[test]
fn a_glob_is_read_in_the_order_of_paths_without_folders_and_hidden_files() {
    let mut folder = Folder::new("*.log");
    for (name, text) in [("b.log", "b\n"), ("a.log", "a\n"), (".c.log", "c\n")] {
        folder.write(name, text);
    }
    fs::create_dir(folder.path("d.log")).unwrap();
    assert_eq!(folder.read(), texts([("a.log", "a\n"), ("b.log", "b\n")]));
}

#[test]
fn a_file_under_two_names_is_read_once() {
    let mut folder = Folder::new("*.log");
    folder.write("a.log", "a\n");
    fs::hard_link(folder.path("a.log"), folder.path("b.log")).unwrap();
    std::os::unix::fs::symlink(folder.path("a.log"), folder.path("c.log")).unwrap();
    assert_eq!(folder.read(), texts([("a.log", "a\n")]));
}

#[test]
fn a_name_with_brackets_is_a_name_first() {
    let mut folder = Folder::new("a[1].log");
    folder.write("a[1].log", "a\n");
    assert_eq!(folder.read(), texts([("a[1].log", "a\n")]));
}

#[test]
fn a_line_longer_than_many_blocks_is_one_piece() {
    let mut folder = Folder::new("a.log");
    let text = format!("short\n{}\nshort\n", "x".repeat(5_000_000));
    folder.write("a.log", &text);
    assert_eq!(folder.read(), texts([("a.log", &text)]));
}
