//! Compressed files.

use flate2::write::GzEncoder;

use super::*;

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 0).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

type Compress = fn(&str) -> Vec<u8>;

/// Both, by what names of their files end with.
const COMPRESSORS: [(&str, Compress); 2] = [("gz", gzip), ("zst", zstd)];

#[test]
fn a_compressed_file_is_known_by_its_name_or_its_beginning() {
    for (end, compress) in COMPRESSORS {
        for name in [format!("a.log.{end}"), "a.log".to_owned()] {
            let mut folder = Folder::new("a.*");
            folder.write(&name, compress("one\ntwo"));
            assert_eq!(folder.read(), texts([(&name, "one\ntwo")]));
            assert_eq!(folder.read(), []);
        }
    }
}

#[test]
fn the_address_may_say_how_files_are_compressed() {
    let mut folder = Folder::new("a.gz?compression=none");
    folder.write("a.gz", "plain\n");
    assert_eq!(folder.read(), texts([("a.gz", "plain\n")]));
    let mut folder = Folder::new("a?compression=zstd");
    folder.write("a", zstd("one\n"));
    assert_eq!(folder.read(), texts([("a", "one\n")]));
}

#[test]
fn members_and_frames_are_one_text() {
    for (end, compress) in COMPRESSORS {
        let mut folder = Folder::new("*");
        let name = format!("a.{end}");
        folder.write(&name, [compress("one\ntw"), compress(""), compress("o\nthree\n")].concat());
        assert_eq!(folder.read(), texts([(&name, "one\ntwo\nthree\n")]));
    }
}

#[test]
fn a_frame_that_is_to_be_skipped_is_skipped() {
    let mut folder = Folder::new("a.zst");
    folder.write("a.zst", [b"\x50\x2a\x4d\x18\x03\0\0\0xyz".to_vec(), zstd("one\n")].concat());
    assert_eq!(folder.read(), texts([("a.zst", "one\n")]));
}

#[test]
fn what_is_appended_to_a_compressed_file_is_read_on() {
    for (end, compress) in COMPRESSORS {
        let mut folder = Folder::new("*");
        let name = format!("a.{end}");
        folder.write(&name, compress("one\n"));
        folder.read();
        let more = compress("two\n");
        folder.append(&name, &more[..9]);
        assert_eq!(folder.read(), [], "it is not whole");
        folder.append(&name, &more[9..]);
        assert_eq!(folder.read(), texts([(&name, "two\n")]));
    }
}

#[test]
fn a_compressed_file_that_is_not_whole_waits_and_is_told_when_nobody_writes_to_it() {
    for (end, compress) in COMPRESSORS {
        let name = format!("a.{end}");
        let text = lines("a", 300_000);
        let whole = compress(&text);
        for cut in [1, 3, 5, 17, 2000, whole.len() - 1] {
            let mut folder = Folder::new("*");
            folder.write("a.log", "one\n");
            folder.write(&name, &whole[..cut]);
            let reads = folder.read();
            assert_eq!(reads, texts([("a.log", "one\n")]), "{end} {cut}");
            folder.age(&name);
            let error = folder.try_read(usize::MAX).unwrap_err().to_string();
            assert!(error.contains("ends too early") && error.contains(&name), "{error}");
            folder.append(&name, &whole[cut..]);
            assert_eq!(folder.read(), texts([(&name, &text)]), "{end} {cut}");
        }
    }
}

#[test]
fn who_reads_once_does_not_wait_for_the_rest_of_a_compressed_file() {
    let mut folder = Folder::new("a.gz");
    folder.reading = Reading { take_tail: true, once: true, is_look: false, is_aside: false };
    folder.write("a.gz", &gzip("one\n")[..5]);
    assert!(folder.try_read(9).unwrap_err().to_string().contains("ends too early"));
}

#[test]
fn a_damaged_file_stops_the_run_with_its_name_and_place() {
    for (end, compress) in COMPRESSORS {
        let folder = Folder::new("*");
        let mut bytes = compress(&lines("a", 300_000));
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        folder.write(&format!("a.{end}"), &bytes);
        let error = folder.shards().unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Input(_)) && text.contains("cannot be decompressed"), "{text}");
        assert!(text.contains(&format!("a.{end}, byte ")), "{text}");
    }
    let folder = Folder::new("a.gz");
    folder.write("a.gz", "this is plain text\n");
    let text = folder.shards().unwrap_err().to_string();
    assert!(text.contains("?compression=none"), "{text}");
}

#[test]
fn an_iteration_that_was_closed_within_a_compressed_file_is_gone_on_with() {
    for (end, compress) in COMPRESSORS {
        let mut folder = Folder::new("*");
        let (name, text) = (format!("a.{end}"), lines("a", 3 * reader::BLOCK_BYTES));
        folder.write(&name, compress(&text));
        let mut read = String::new();
        for _ in 0..6 {
            read += &folder.try_read(1).unwrap().into_iter().map(|(_, text)| text).collect::<String>();
        }
        assert_eq!(read, text);
    }
}

#[test]
fn a_file_that_is_compressed_after_it_was_read_in_part_is_read_once() {
    for (end, compress) in COMPRESSORS {
        for address in ["a.log", "a.log*"] {
            let mut folder = Folder::new(address);
            let old = lines("old", 3000);
            folder.write("a.log", &old);
            folder.read();
            folder.append("a.log", "last");
            folder.rename("a.log", "a.log.1");
            folder.write("a.log", "new\n");
            let compressed = format!("a.log.1.{end}");
            folder.write(&compressed, compress(&format!("{old}last")));
            folder.remove("a.log.1");
            assert_eq!(folder.read(), texts([(&compressed, "last"), ("a.log", "new\n")]), "{address}");
            folder.rename(&compressed, &format!("a.log.2.{end}"));
            assert_eq!(folder.read(), []);
        }
    }
}

#[test]
fn a_file_waits_while_it_is_being_compressed() {
    let mut folder = Folder::new("a.log*");
    let old = lines("old", 3000);
    folder.write("a.log.1", &old);
    folder.read();
    folder.write("a.log.1.gz", &gzip(&old)[..40]);
    assert_eq!(folder.read(), []);
    folder.write("a.log.1.gz", gzip(&old));
    assert_eq!(folder.read(), [], "both are there");
    folder.remove("a.log.1");
    assert_eq!(folder.read(), []);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_compressed_record() {
    let mut folder = Folder::new("a.gz");
    folder.write("a.gz", gzip("\u{feff}one\n"));
    assert_eq!(folder.read(), texts([("a.gz", "one\n")]));
}

#[test]
fn an_empty_compressed_file_has_no_records() {
    let mut folder = Folder::new("*");
    folder.write("a.gz", gzip(""));
    folder.write("b.zst", zstd(""));
    folder.write("c.gz", "");
    assert_eq!(folder.read(), []);
}
