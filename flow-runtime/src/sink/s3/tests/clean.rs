//! What clean-up finds by going through all keys, and what it leaves alone.

use bytes::Bytes;

use super::*;
use crate::aws::clients::objects::If;

/// The attempts that have left something, and whether that is rows.
fn left(tap: &S3SinkTap) -> Vec<(String, bool)> {
    tap.left_behind("hits").unwrap().into_iter().map(|left| (left.attempt, left.bytes > 0)).collect()
}

fn put(bucket: &MemoryBucket, key: &str) {
    Bucket::put(bucket, key, &Bytes::from_static(b"late"), If::Always).unwrap();
}

#[test]
fn what_nothing_names_is_found_and_removed_and_nothing_else() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    load(&mut tap, &folder, 0, &[("a", 1)]);
    stage(&tap, &folder, "1-dead", &rows(&[("b", 2)])).unwrap();
    // A write of who slept, that arrives after all was removed.
    put(&bucket, "hits/1-late-00001.csv.gz");
    put(&bucket, "hits/of-others.csv");
    assert_eq!(left(&tap), [("1-dead".to_owned(), true), ("1-late".to_owned(), true)]);
    tap.remove_left_behind(&["1-dead", "1-late", "0-only"].map(str::to_owned)).unwrap();
    assert!(left(&tap).is_empty());
    assert_eq!(data(&bucket), ["hits/0-only-00001.csv.gz", "hits/of-others.csv"]);
    assert_eq!(followed(&bucket), ["a,1"]);
}

#[test]
fn uploads_that_are_open_are_found_although_there_is_no_object() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    load(&mut tap, &folder, 0, &[("a", 1)]);
    // One of who slept, and one of a beginning whose answer was lost.
    Bucket::begin_upload(&*bucket, "hits/1-late-00001.csv.gz").unwrap();
    Bucket::begin_upload(&*bucket, "hits/0-only-00001.csv.gz").unwrap();
    assert_eq!(left(&tap), [("0-only".to_owned(), false), ("1-late".to_owned(), false)]);
    tap.remove_left_behind(&["0-only", "1-late"].map(str::to_owned)).unwrap();
    assert_eq!((left(&tap), bucket.open_uploads()), (Vec::new(), 0));
    assert_eq!(followed(&bucket), ["a,1"]);
}

#[test]
fn notes_of_what_is_published_are_found() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    let manifest = stage(&tap, &folder, "0-x", &rows(&[("a", 1)])).unwrap();
    publish(&mut tap, &folder, &manifest, 0).unwrap();
    assert_eq!(left(&tap), [("0-x".to_owned(), false)]);
    tap.remove_left_behind(&["0-x".to_owned()]).unwrap();
    assert_eq!((left(&tap), followed(&bucket)), (Vec::new(), vec!["a,1".to_owned()]));
}

#[test]
fn what_was_replaced_is_found_as_well_and_is_as_old_as_its_replacement() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Replace);
    bucket.turn_clock(1);
    load(&mut tap, &folder, 0, &[("a", 1)]);
    assert!(left(&tap).is_empty());
    bucket.turn_clock(7);
    load(&mut tap, &folder, 1, &[("b", 2)]);
    bucket.turn_clock(9);
    load(&mut tap, &folder, 2, &[("c", 3)]);
    let left_us: Vec<i64> = tap.left_behind("hits").unwrap().iter().map(|left| left.written_us).collect();
    assert_eq!((left(&tap).len(), left_us), (2, vec![7, 9]));
    tap.remove_left_behind(&["0-only", "1-only"].map(str::to_owned)).unwrap();
    assert_eq!((left(&tap), followed(&bucket)), (Vec::new(), vec!["c,3".to_owned()]));
    assert_eq!(data(&bucket), ["hits/2-only-00001.csv.gz"]);
}

#[test]
fn what_was_replaced_a_moment_ago_stays_although_its_staging_is_removed() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Replace);
    let manifest = stage(&tap, &folder, "0-x", &rows(&[("a", 1)])).unwrap();
    publish(&mut tap, &folder, &manifest, 0).unwrap();
    load(&mut tap, &folder, 1, &[("b", 2)]);
    tap.remove_staged("0-x").unwrap();
    assert_eq!(data(&bucket), ["hits/0-x-00001.csv.gz", "hits/1-only-00001.csv.gz"]);
    assert_eq!((left(&tap), bucket.keys("hits/_flow/staged/").len()), (vec![("0-x".to_owned(), true)], 0));
}

#[test]
fn the_target_of_another_flow_in_a_folder_below_is_left_alone() {
    let bucket: Arc<MemoryBucket> = Arc::default();
    let tap = tap(&bucket, Mode::Append);
    // It is called as a folder of ours would be.
    for key in ["3-x-00001.csv.gz", "_flow/current.json", "_flow/staged/3-x/objects.json"] {
        put(&bucket, &format!("hits/ip=mobile/{key}"));
    }
    Bucket::begin_upload(&*bucket, "hits/ip=mobile/3-x-00002.csv.gz").unwrap();
    put(&bucket, "hits/ip=a/3-x-00001.csv.gz");
    assert_eq!(left(&tap), [("3-x".to_owned(), true)]);
    tap.remove_left_behind(&["3-x".to_owned()]).unwrap();
    assert_eq!(data(&bucket), ["hits/ip=mobile/3-x-00001.csv.gz"]);
    assert_eq!((bucket.keys("hits/ip=mobile/").len(), bucket.open_uploads()), (3, 1));
}
