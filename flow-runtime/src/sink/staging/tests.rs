use std::fs;

use proptest::prelude::*;

use super::*;
use crate::{
    origin::PieceOrigin,
    sink::fixtures::{BAD_LINES, COUNTS, Place, plan_of, restage},
    trap::FailedRecord,
    value::{Decode, Encode, RowBuffer, RowReader},
};

type Counted = (Option<String>, Option<i64>);

fn buffer(rows: &[Counted]) -> RowBuffer {
    let mut buffer = RowBuffer::default();
    for (ip, count) in rows {
        let row = buffer.row();
        ip.as_deref().encode(row);
        count.encode(row);
    }
    buffer
}

fn read(staged: &Staged) -> Vec<Counted> {
    let mut rows = staged.rows().unwrap();
    let mut read = Vec::new();
    while let Some(mut row) = rows.next_row().unwrap() {
        read.push((Option::<&str>::decode(&mut row).map(str::to_owned), Decode::decode(&mut row)));
        assert!(row.is_empty());
    }
    read
}

fn held(result: Result<Staged, Error>) -> String {
    match result {
        Err(Error::Held(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_come_back_in_the_order_of_their_writing() {
    let place = Place::new();
    let area = place.area();
    let mut attempt = area.attempt("a", plan_of(&COUNTS));
    attempt.write(0, &buffer(&[(Some("1.2.3.4".into()), Some(1)), (None, Some(2))])).unwrap();
    attempt.write(0, &buffer(&[(Some(String::new()), None)])).unwrap();
    assert_eq!(attempt.rows(0), 3);
    let manifests = attempt.finish().unwrap();
    assert_eq!((manifests[0].port.as_str(), manifests[0].rows), ("counts", 3));
    assert_eq!(manifests[0].fields, "ip: Option<&str>, count: Option<i64>");
    let staged = area.staged("a", &manifests[0], &COUNTS).unwrap();
    assert_eq!(read(&staged), [(Some("1.2.3.4".into()), Some(1)), (None, Some(2)), (Some(String::new()), None)]);
    assert_eq!(read(&staged).len(), 3, "reading again begins anew");
}

#[test]
fn a_sink_without_rows_has_a_manifest_and_no_file() {
    let place = Place::new();
    let area = place.area();
    let manifests = area.attempt("a", plan_of(&COUNTS)).finish().unwrap();
    assert_eq!((manifests.len(), manifests[0].rows, &manifests[0].file), (1, 0, &None));
    assert!(area.attempts().unwrap().is_empty());
    assert!(read(&area.staged("a", &manifests[0], &COUNTS).unwrap()).is_empty());
}

#[test]
fn a_trap_without_rows_has_no_manifest() {
    let place = Place::new();
    let area = place.area();
    let mut attempt = area.attempt("a", plan_of(&BAD_LINES));
    attempt.write(0, &RowBuffer::default()).unwrap();
    assert!(attempt.finish().unwrap().is_empty());
    assert!(area.attempts().unwrap().is_empty());
}

#[test]
fn a_trapped_record_is_staged_with_its_place_and_reason() {
    let place = Place::new();
    let mut rows = RowBuffer::default();
    let (record, source, shard, position) = (Some(&b"\xff"[..]), Some("log"), Some("access.log"), Some("7"));
    FailedRecord { record, source, shard, position, operator: "Each", reason: "not UTF-8" }.encode(&mut rows);
    let staged = place.stage_buffer(&BAD_LINES, &rows);
    let mut staged_rows = staged.rows().unwrap();
    let mut row = staged_rows.next_row().unwrap().unwrap();
    assert_eq!(<&[u8]>::decode(&mut row), b"\xff");
    assert_eq!(<&str>::decode(&mut row), "log");
}

#[test]
fn damaged_missing_and_changed_rows_are_held() {
    let place = Place::new();
    let area = place.area();
    let manifest = restage(&area, "a", &COUNTS, &buffer(&[(Some("1.2.3.4".into()), Some(1))]));
    let file = place.path("staging/a/counts.rows");
    let whole = fs::read(&file).unwrap();

    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&file, damaged).unwrap();
    let text = held(area.staged("a", &manifest, &COUNTS));
    assert!(text.contains("counts.rows") && text.contains("its hash is another"), "{text}");

    fs::write(&file, &whole[..3]).unwrap();
    let text = held(area.staged("a", &manifest, &COUNTS));
    assert!(text.contains(&format!("it has 3 bytes, sealed were {}", whole.len())), "{text}");

    fs::remove_file(&file).unwrap();
    assert!(held(area.staged("a", &manifest, &COUNTS)).contains("the file is missing"));

    let manifest = StagedManifest { fields: "ip: &str".into(), ..manifest };
    let text = held(area.staged("a", &manifest, &COUNTS));
    assert!(text.contains("staged were (ip: &str), now they are (ip: Option<&str>, count: Option<i64>)"), "{text}");
}

#[test]
fn rows_that_the_manifest_counts_otherwise_are_held() {
    let place = Place::new();
    let area = place.area();
    let sealed = restage(&area, "a", &COUNTS, &buffer(&[(Some("1.2.3.4".into()), Some(1)), (None, Some(2))]));
    for rows in [0, 1, 3] {
        let manifest = StagedManifest { rows, ..sealed.clone() };
        let staged = area.staged("a", &manifest, &COUNTS).unwrap();
        let mut rows = staged.rows().unwrap();
        let error = std::iter::from_fn(|| rows.next_row().map(|row| row.map(drop)).transpose()).find_map(Result::err);
        let text = error.unwrap().to_string();
        assert!(text.contains("counts.rows") && text.contains("not as many as were sealed"), "{text}");
    }
}

#[test]
fn an_attempt_is_removed_with_all_its_rows_and_twice_is_once() {
    let place = Place::new();
    let area = place.area();
    restage(&area, "a", &COUNTS, &buffer(&[(None, None)]));
    restage(&area, "b", &COUNTS, &buffer(&[(None, None)]));
    assert_eq!(area.attempts().unwrap(), ["a", "b"]);
    area.remove("a").unwrap();
    area.remove("a").unwrap();
    assert_eq!(area.attempts().unwrap(), ["b"]);
}

#[test]
fn a_full_disk_is_an_error_of_the_store() {
    let place = Place::new();
    let area = place.area();
    fs::create_dir(place.path("staging/a")).unwrap();
    std::os::unix::fs::symlink("/dev/full", place.path("staging/a/counts.rows")).unwrap();
    let mut attempt = area.attempt("a", plan_of(&COUNTS));
    attempt.write(0, &buffer(&[(None, Some(1))])).unwrap();
    let error = attempt.finish().unwrap_err();
    assert!(matches!(error, Error::Store(_)));
    let text = error.to_string();
    assert!(
        text.contains("counts.rows") && text.contains("No space left") && text.contains("free some space"),
        "{text}"
    );
}

#[test]
fn a_staging_place_that_cannot_be_made_is_an_error_of_the_store() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    let error = StagingArea::open(place.path("file/staging")).unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
    assert!(error.to_string().contains("file/staging"), "{error}");
}

#[test]
fn a_manifest_survives_the_seal() {
    let place = Place::new();
    let manifest = restage(&place.area(), "a", &COUNTS, &buffer(&[(None, Some(1))]));
    let sealed = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<StagedManifest>(&sealed).unwrap(), manifest);
}

#[test]
fn a_row_larger_than_the_window_is_read_whole() {
    let place = Place::new();
    let rows = [(Some("x".repeat(1 << 20)), Some(1)), (Some("y".repeat(300)), Some(2))];
    assert_eq!(read(&place.stage_buffer(&COUNTS, &buffer(&rows))), rows);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Rows that end at, before and behind the window's edge.
    #[test]
    fn rows_of_any_length_come_back(lengths in prop::collection::vec(0_usize..20_000, 0..60)) {
        let place = Place::new();
        let rows: Vec<Counted> =
            lengths.iter().map(|&length| (Some("x".repeat(length)), i64::try_from(length).ok())).collect();
        let staged = place.stage_buffer(&COUNTS, &buffer(&rows));
        prop_assert_eq!(read(&staged), rows);
    }
}

#[test]
fn bytes_of_a_reader_are_those_of_one_row() {
    let place = Place::new();
    let staged = place.stage_buffer(&COUNTS, &buffer(&[(Some("a".into()), Some(1)), (Some("b".into()), Some(2))]));
    let mut rows = staged.rows().unwrap();
    let first = rows.next_row().unwrap().map(|row| row.rest().to_vec()).unwrap();
    let mut reader = RowReader::new(&first);
    assert_eq!((<&str>::decode(&mut reader), i64::decode(&mut reader)), ("a", 1));
    assert!(reader.is_empty());
}

/// Remembers the bytes that it was given.
#[derive(Debug, Default)]
struct Elsewhere(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Stager for Elsewhere {
    fn place(&self) -> String {
        "shelf://a".to_owned()
    }

    fn write(&mut self, rows: &RowBuffer) -> Result<(), Error> {
        self.0.lock().unwrap().extend(rows.bytes());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<String, Error> {
        Ok("shelf://a/1".to_owned())
    }
}

#[test]
fn a_target_that_stages_rows_itself_has_the_same_manifest_and_no_rows_on_this_disk() {
    let place = Place::new();
    let area = place.area();
    let rows = buffer(&[(Some("1.2.3.4".into()), Some(1)), (None, Some(2))]);
    let elsewhere = Elsewhere::default();
    let staged = std::sync::Arc::clone(&elsewhere.0);
    let mut attempt = area.attempt("a", plan_of(&COUNTS)).staged_by(vec![Some(Box::new(elsewhere))]);
    attempt.write(0, &rows).unwrap();
    attempt.write(0, &rows).unwrap();
    assert_eq!(
        (attempt.rows(0), attempt.finish().unwrap()),
        (4, {
            let mut here = area.attempt("b", plan_of(&COUNTS));
            here.write(0, &rows).unwrap();
            here.write(0, &rows).unwrap();
            let here = here.finish().unwrap();
            here.into_iter().map(|here| StagedManifest { file: Some("shelf://a/1".to_owned()), ..here }).collect()
        })
    );
    assert_eq!(*staged.lock().unwrap(), [rows.bytes(), rows.bytes()].concat());
    assert_eq!((noted(&area, "a"), area.bytes("a").unwrap()), (vec![at("counts", Some("shelf://a"))], 0));
    assert_eq!((noted(&area, "b"), noted(&area, "none")), (Vec::new(), Vec::new()));
}

fn noted(area: &StagingArea, attempt: &str) -> Vec<super::Elsewhere> {
    area.elsewhere(attempt).unwrap()
}

fn at(port: &str, place: Option<&str>) -> super::Elsewhere {
    super::Elsewhere { port: port.to_owned(), place: place.map(str::to_owned) }
}

#[test]
fn where_rows_are_staged_is_noted_whole_or_is_not_known() {
    let place = Place::new();
    let area = place.area();
    area.note_elsewhere("a", "counts", "shelf://a").unwrap();
    area.note_elsewhere("a", "bad_lines", "shelf://b").unwrap();
    assert_eq!(noted(&area, "a"), [at("bad_lines", Some("shelf://b")), at("counts", Some("shelf://a"))]);
    for torn in ["", "shelf://"] {
        fs::write(place.path("staging/a/counts.elsewhere"), torn).unwrap();
        assert_eq!(noted(&area, "a")[1], at("counts", None), "{torn}");
    }
}

#[test]
fn rows_that_another_kind_of_target_has_staged_cannot_be_read() {
    let place = Place::new();
    let mut attempt = place.area().attempt("a", plan_of(&COUNTS)).staged_by(vec![Some(Box::new(Elsewhere::default()))]);
    attempt.write(0, &buffer(&[(None, None)])).unwrap();
    let staged = place.area().staged("a", &attempt.finish().unwrap()[0], &COUNTS).unwrap();
    assert_eq!((staged.address(), staged.row_count()), (Some("shelf://a/1"), 1));
    assert!(matches!(staged.rows(), Err(Error::Held(_))));
}

#[test]
fn shards_may_come_in_another_order_but_not_the_rows_of_one() {
    let place = Place::new();
    let area = place.area();
    // Pieces: the shard and the number in each row.
    let hash = |attempt: &str, pieces: &[(usize, &[i64])]| {
        let mut attempt = area.attempt(attempt, plan_of(&COUNTS));
        for (shard, numbers) in pieces {
            let rows: Vec<Counted> = numbers.iter().map(|number| (None, Some(*number))).collect();
            let piece = PieceOrigin {
                port: "log".into(),
                shard: ["a", "b"][*shard].into(),
                from: "".into(),
                to: "".into(),
                lineage: None,
            };
            let origin = Origin { rows: rows.len() as u64, piece: Some(piece) };
            attempt.write_from(0, &buffer(&rows), &origin).unwrap();
        }
        attempt.finish().unwrap().remove(0).hash
    };
    let sealed = hash("a", &[(0, &[1, 2]), (1, &[3]), (0, &[4])]);
    let turned = hash("b", &[(1, &[3]), (0, &[1]), (0, &[2, 4])]);
    assert!(is_by_shard(&sealed, &turned) && !is_in_order(&sealed, &turned));
    for other in [
        hash("c", &[(0, &[2, 1]), (1, &[3]), (0, &[4])]),
        hash("d", &[(0, &[1, 2]), (0, &[3]), (0, &[4])]),
        hash("e", &[(1, &[1, 2]), (0, &[3]), (1, &[4])]),
        hash("f", &[(0, &[1, 2]), (1, &[4]), (0, &[3])]),
    ] {
        assert!(!is_by_shard(&sealed, &other));
    }
}

#[test]
fn what_an_early_version_has_staged_is_known_by_its_one_hash() {
    let place = Place::new();
    let area = place.area();
    let mut manifest = restage(&area, "a", &COUNTS, &buffer(&[(None, Some(1))]));
    manifest.hash.truncate(32);
    assert_eq!(read(&area.staged("a", &manifest, &COUNTS).unwrap()).len(), 1);
}
