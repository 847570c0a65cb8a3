//! What is staged: in which objects, and whether it is all still there.

use super::*;
use crate::value::RowReader;

static DAYS: PortPlan = sink("hits", &[nullable("day", Type::Text), nullable("site", Type::Text)], &[]);

fn days(of: &[(Option<&str>, &str)]) -> RowBuffer {
    let mut buffer = RowBuffer::default();
    for (day, site) in of {
        let row = buffer.row();
        day.encode(row);
        Some(*site).encode(row);
    }
    buffer
}

#[test]
fn rows_go_into_the_folders_of_their_values() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let mut tap = tap_of(&bucket, &DAYS, Mode::Append, "partition=day&compression=none");
    let of = [(Some("2026-11-22"), "a"), (None, "b"), (Some("2026-11-22"), "c")];
    let manifest = stage(&tap, &folder, "0-x", &days(&of)).unwrap();
    assert_eq!(
        data(&bucket),
        ["hits/day=2026-11-22/0-x-00001.csv", "hits/day=__HIVE_DEFAULT_PARTITION__/0-x-00002.csv"]
    );
    publish(&mut tap, &folder, &manifest, 0).unwrap();
    assert_eq!(followed(&bucket), ["2026-11-22,a", "2026-11-22,c", ",b"]);
}

#[test]
fn rows_of_many_folders_that_come_mixed_go_into_one_object_of_each() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let mut tap = tap_of(&bucket, &DAYS, Mode::Append, "partition=day&compression=none");
    let names: Vec<String> = (0..200).map(|day| format!("d{day}")).collect();
    let of: Vec<(Option<&str>, &str)> = names.iter().chain(&names).map(|day| (Some(day.as_str()), "a")).collect();
    let manifest = stage(&tap, &folder, "0-x", &days(&of)).unwrap();
    publish(&mut tap, &folder, &manifest, 0).unwrap();
    let mut found = followed(&bucket);
    found.sort();
    let mut expected: Vec<String> = of.iter().map(|(day, site)| format!("{},{site}", day.unwrap())).collect();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(data(&bucket).len(), 200);
    tap.remove_staged("0-x").unwrap();
    assert_eq!(bucket.keys("hits/_flow/staged/"), [""; 0]);
}

#[test]
fn rows_of_many_folders_do_not_all_wait_in_memory() {
    let bucket = Arc::default();
    let tap = tap_of(&bucket, &DAYS, Mode::Append, "partition=day&compression=none");
    let site = "x".repeat(1 << 20);
    let mut stager = tap.stager(0, "0-x").unwrap();
    for day in (0..80).chain(0..80) {
        stager.write(&days(&[(Some(&format!("d{day}")), &site)])).unwrap();
    }
    let before_its_end = data(&bucket).len();
    stager.finish().unwrap();
    let all = data(&bucket).len();
    assert!(before_its_end > 80 && (80..=160).contains(&all), "{before_its_end}, {all}");
}

#[test]
fn big_objects_are_uploaded_in_parts() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let mut tap = tap_of(&bucket, &COUNTS, Mode::Append, "compression=none");
    let text = "x".repeat(1 << 16);
    let mut buffer = RowBuffer::default();
    for count in 0..200_i64 {
        let row = buffer.row();
        Some(text.as_str()).encode(row);
        Some(count).encode(row);
    }
    let manifest = stage(&tap, &folder, "0-x", &buffer).unwrap();
    publish(&mut tap, &folder, &manifest, 0).unwrap();
    let found = followed(&bucket);
    let counts: Vec<&str> = found.iter().map(|line| line.rsplit_once(',').unwrap().1).collect();
    assert_eq!(counts, (0..200).map(|count| count.to_string()).collect::<Vec<_>>());
    assert_eq!((data(&bucket).len(), bucket.open_uploads()), (1, 0));
}

#[test]
fn a_row_is_refused_before_it_is_staged_just_when_its_folder_does_not_fit_a_key() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let tap = tap_of(&bucket, &DAYS, Mode::Append, "partition=day,site");
    for day in [Some("é"), Some("-"), None, Some("__HIVE_DEFAULT_PARTITION__")] {
        for length in 0..1_024 {
            let site = "x".repeat(length);
            let rows = days(&[(day, &site)]);
            let mut name = String::new();
            tap.format.folder(tap.shape.fields(), &RowReader::new(rows.bytes()), &mut name);
            let fits = name.len() <= tap.place.layout.folder_bytes_max();
            assert_eq!(tap.demands().check(rows.bytes()).is_ok(), fits, "{name}");
        }
    }
    let (fits, too_long) = ("x".repeat(900), "x".repeat(1_000));
    stage(&tap, &folder, "18446744073709551615-0123456789abcdef0123456789abcdef", &days(&[(Some("d"), &fits)]))
        .unwrap();
    let reason = tap.demands().check(days(&[(Some("d"), &too_long)]).bytes()).unwrap_err().to_string();
    assert_eq!(reason, "its folder has a name of 1012 bytes, and a key of S3 has room for 946");
    let error = stage(&tap, &folder, "0-x", &days(&[(Some("d"), &too_long)])).unwrap_err();
    assert!(matches!(error, Error::Record(_)), "{error}");
}

#[test]
fn staged_objects_that_are_gone_are_missed_before_anything_is_published() {
    for gone in ["hits/0-x-00001.csv.gz", "hits/_flow/staged/0-x/objects.json"] {
        let (bucket, folder) = (Arc::default(), Folder::new());
        let mut tap = tap(&bucket, Mode::Append);
        let manifest = stage(&tap, &folder, "0-x", &rows(&[("a", 1)])).unwrap();
        bucket.take_away(gone);
        let error = publish(&mut tap, &folder, &manifest, 0).unwrap_err();
        let case = error.failure().and_then(Failure::case).map(|case| format!("{case:?}"));
        assert!(matches!(error, Error::Held(_)) && case.unwrap().contains("StagedLost"), "{gone}: {error}");
        assert_eq!(followed(&bucket), [""; 0]);
    }
}

#[test]
fn what_is_given_up_goes_and_what_is_published_stays() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    stage(&tap, &folder, "0-x", &rows(&[("a", 1)])).unwrap();
    let manifest = stage(&tap, &folder, "0-y", &rows(&[("a", 1)])).unwrap();
    publish(&mut tap, &folder, &manifest, 0).unwrap();
    for attempt in ["0-x", "0-y", "0-y", "0-never"] {
        tap.remove_staged(attempt).unwrap();
    }
    load(&mut tap, &folder, 1, &[("b", 2)]);
    tap.remove_staged("0-y").unwrap();
    assert_eq!(followed(&bucket), ["a,1", "b,2"]);
    assert_eq!(data(&bucket), ["hits/0-y-00001.csv.gz", "hits/1-only-00001.csv.gz"]);
    assert_eq!(bucket.keys("hits/_flow/staged/"), [""; 0]);
}

#[test]
fn what_was_published_two_iterations_ago_stays_when_its_notes_are_removed_late() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    let manifest = stage(&tap, &folder, "0-x", &rows(&[("a", 1)])).unwrap();
    publish(&mut tap, &folder, &manifest, 0).unwrap();
    load(&mut tap, &folder, 1, &[("b", 2)]);
    load(&mut tap, &folder, 2, &[("c", 3)]);
    tap.remove_staged("0-x").unwrap();
    assert_eq!(followed(&bucket), ["a,1", "b,2", "c,3"]);
}

#[test]
fn an_upload_that_was_never_ended_is_thrown_away() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let tap = tap_of(&bucket, &COUNTS, Mode::Append, "compression=none");
    let text = "x".repeat(6 << 20);
    let mut stager = tap.stager(0, "0-x").unwrap();
    let mut buffer = RowBuffer::default();
    let row = buffer.row();
    Some(text.as_str()).encode(row);
    Some(1_i64).encode(row);
    stager.write(&buffer).unwrap();
    drop((stager, folder));
    assert_eq!(bucket.open_uploads(), 1);
    tap.remove_staged("0-x").unwrap();
    assert_eq!((bucket.open_uploads(), bucket.keys("hits/_flow/staged/").len()), (0, 0));
}
