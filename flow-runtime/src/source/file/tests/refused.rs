//! What cannot be read, and what is said of it.

use super::*;

fn first_failure(tap: &FileTap) -> Error {
    let shards = match tap.shards(&[]) {
        Ok(shards) => shards,
        Err(error) => return error,
    };
    let mut reader = tap.open(&shards, Reading::default()).unwrap();
    loop {
        match reader.next(Vec::new(), Duration::ZERO) {
            Ok(Next::End) => panic!("nothing failed"),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

#[test]
fn a_file_that_is_replaced_between_listing_and_reading_waits_for_the_next_time() {
    let folder = Folder::new("a.log");
    folder.write("a.log", "one\n");
    let shards = folder.shards().unwrap();
    folder.write("new", "two\n");
    folder.rename("new", "a.log");
    let read = |reading| folder.tap.open(&shards, reading).unwrap().next(Vec::new(), Duration::ZERO);
    assert!(matches!(read(Reading::default()), Ok(Next::End)));
    let error = read(Reading { take_tail: true, once: true, is_look: false, is_aside: false }).unwrap_err();
    assert!(matches!(error, Error::Input(_)) && error.to_string().contains("was replaced"), "{error}");
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_read_is_refused() {
    let folder = Folder::new("a.log");
    folder.write("a.log", "line\n".repeat(reader::BLOCK_BYTES));
    let mut reader = folder.tap.open(&folder.shards().unwrap(), Reading::default()).unwrap();
    assert!(matches!(reader.next(Vec::new(), Duration::ZERO), Ok(Next::Piece(_))));
    let file = fs::OpenOptions::new().write(true).open(folder.path("a.log")).unwrap();
    file.set_len(reader::BLOCK_BYTES as u64).unwrap();
    let error = reader.next(Vec::new(), Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("became shorter"), "{error}");
}

#[test]
fn what_cannot_be_read_is_refused_with_its_path_and_cause() {
    let folder = Folder::new("");
    std::os::unix::net::UnixListener::bind(folder.path("socket")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("dangling")).unwrap();
    fs::create_dir(folder.path("folder")).unwrap();
    for (path, cause) in [
        (
            folder.path("missing"),
            "No such file or directory (os error 2); check the address; relative paths begin in /",
        ),
        (folder.path("dangling"), "it is a link to nowhere"),
        (folder.path("dangl*"), "it is a link to nowhere"),
        ("/proc/self/status".into(), "does not tell its length"),
        (folder.path("folder"), "a directory cannot be read"),
        (folder.path("socket"), "not a regular file"),
        (folder.path("*.log"), "no file matches"),
        (folder.path("a[.log"), "the glob is malformed"),
    ] {
        let text = first_failure(&tap(&format!("file:{}", path.display()))).to_string();
        assert!(text.contains(path.to_string_lossy().trim_end_matches('*')), "{text}");
        assert!(text.contains(cause), "{text}");
    }
}

#[test]
fn bad_addresses_are_refused() {
    for (address, says) in [
        ("file:", "names no file"),
        ("file:a.log?follow=yes", "unknown option `follow`"),
        ("file:a.log?compression=lzma", "unknown compression `lzma`"),
    ] {
        let error = FileTap::open(&address.parse().unwrap()).unwrap_err();
        assert!(matches!(error, Error::Config(_)) && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_line_longer_than_the_limit_names_its_place() {
    let folder = Folder::new("a.log");
    folder.write("a.log", format!("short\n{}\n", "x".repeat(2_000_000)));
    let mut reader = FileReader::new(&folder.shards().unwrap(), Expected::Auto, Reading::default());
    reader.line_bytes_max = 1_000_000;
    assert!(matches!(reader.next(Vec::new(), Duration::ZERO), Ok(Next::Piece(_))));
    let error = reader.next(Vec::new(), Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("a line is longer than 1000000 bytes"), "{error}");
    assert!(error.to_string().contains("a.log, position 6"), "{error}");
}

#[test]
fn the_pipe_that_nobody_writes_to_is_not_opened() {
    let folder = Folder::new("fifo");
    let made = std::process::Command::new("mkfifo").arg(folder.path("fifo")).status().unwrap();
    assert!(made.success());
    assert!(first_failure(&folder.tap).to_string().contains("not a regular file"));
}
