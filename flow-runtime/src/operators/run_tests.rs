//! Runs come back as they were written, or not at all.

use std::fs;

use tempfile::TempDir;

use super::{super::Accumulators, *};

/// Text of any length.
#[derive(Debug, Default)]
struct Texts(String);

impl Accumulators for Texts {
    fn merge(&mut self, other: Self) {
        self.0.push_str(&other.0);
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        self.0.as_str().encode(bytes);
    }

    fn decode(row: &mut RowReader<'_>) -> Self {
        Self(<&str>::decode(row).to_owned())
    }
}

type Groups = Vec<(Vec<u8>, String)>;

fn groups() -> Groups {
    // Empty ones, many of one block, and such that are larger than a block.
    let lengths = [0, 1, 300, 3 * BLOCK_BYTES, 5, BLOCK_BYTES].into_iter().chain((0..3000).map(|n| n % 40));
    lengths.enumerate().map(|(n, length)| (format!("key {n}").into_bytes(), "é".repeat(length))).collect()
}

fn written(place: &SpillPlace, groups: &Groups) -> Run {
    let mut writer = place.create().unwrap();
    groups.iter().for_each(|(key, text)| writer.push(key, &Texts(text.clone())).unwrap());
    writer.finish().unwrap()
}

fn read(run: Run) -> Result<Groups, Error> {
    let mut reader = run.open()?;
    let mut groups = Vec::new();
    while let Some(key) = reader.key() {
        let key = key.to_vec();
        groups.push((key, reader.take::<Texts>()?.0));
    }
    Ok(groups)
}

fn place() -> (TempDir, SpillPlace) {
    let folder = tempfile::tempdir().unwrap();
    let place = SpillPlace::new(folder.path().join("spill"));
    (folder, place)
}

#[test]
fn groups_come_back_as_they_were_written() {
    let (_folder, place) = place();
    for groups in [groups(), Vec::new(), vec![(Vec::new(), String::new())]] {
        assert!(read(written(&place, &groups)).unwrap() == groups);
    }
    assert!(place.written_bytes() > 8 * BLOCK_BYTES as u64);
}

#[test]
fn a_run_removes_itself_and_a_place_its_directory() {
    let (folder, place) = place();
    let run = written(&place, &groups());
    assert!(run.path.exists());
    drop(run);
    assert_eq!(fs::read_dir(folder.path().join("spill")).unwrap().count(), 0);
    drop(place);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_run_that_is_not_what_was_written_is_refused() {
    let (_folder, place) = place();
    let length = fs::metadata(&written(&place, &groups()).path).map_or(0, |file| file.len() as usize);
    let tamperings: [fn(&mut Vec<u8>); 6] = [
        |bytes| bytes[0] ^= 1,
        |bytes| bytes[7] = 255,
        |bytes| bytes[8] ^= 1,
        |bytes| bytes[HEADER_BYTES + 9] ^= 1,
        |bytes| bytes.truncate(100),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
    ];
    for (nth, tamper) in tamperings.into_iter().enumerate() {
        let run = written(&place, &groups());
        let mut bytes = fs::read(&run.path).unwrap();
        assert_eq!(bytes.len(), length);
        tamper(&mut bytes);
        fs::write(&run.path, bytes).unwrap();
        let error = read(run).unwrap_err();
        assert!(matches!(error, Error::Store(_)), "tampering {nth}: {error}");
        assert!(error.to_string().starts_with("cannot read groups back from disk ("), "tampering {nth}: {error}");
    }
    let run = written(&place, &groups());
    fs::remove_file(&run.path).unwrap();
    assert!(matches!(read(run), Err(Error::Store(_))));
}

#[test]
fn a_place_that_cannot_be_written_to_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = SpillPlace::new(folder.path().join("file/spill")).create().unwrap_err().to_string();
    assert!(error.starts_with("cannot write groups to disk ("), "{error}");
    assert!(error.contains("--memory"), "{error}");
}
