//! What clean-up finds by going through all keys, and what it leaves alone.

use super::*;

/// The attempts that have left something, and how many bytes.
fn left(tap: &S3SinkTap) -> Vec<(String, bool)> {
    tap.left_behind("hits").unwrap().into_iter().map(|left| (left.attempt, left.bytes > 0)).collect()
}

#[test]
fn what_nothing_names_is_found_and_removed_and_nothing_else() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    load(&mut tap, &folder, 0, &[("a", 1)]);
    stage(&tap, &folder, "1-dead", &rows(&[("b", 2)])).unwrap();
    // A write of who slept, that arrives after all was removed.
    let late = bytes::Bytes::from_static(b"late");
    let always = crate::aws::clients::objects::If::Always;
    Bucket::put(&*bucket, "hits/1-late-00001.csv.gz", &late, always).unwrap();
    Bucket::begin_upload(&*bucket, "hits/1-late-00002.csv.gz").unwrap();
    Bucket::put(&*bucket, "hits/of-others.csv", &late, always).unwrap();
    assert_eq!(left(&tap), [("1-dead".to_owned(), true), ("1-late".to_owned(), true)]);
    for attempt in ["1-dead", "1-late", "0-only"] {
        tap.remove_left_behind(attempt).unwrap();
    }
    assert!(left(&tap).is_empty());
    assert_eq!(data(&bucket), ["hits/0-only-00001.csv.gz", "hits/of-others.csv"]);
    assert_eq!((followed(&bucket), bucket.open_uploads()), (vec!["a,1".to_owned()], 0));
}

#[test]
fn what_was_replaced_is_found_as_well() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Replace);
    load(&mut tap, &folder, 0, &[("a", 1)]);
    assert!(left(&tap).is_empty());
    load(&mut tap, &folder, 1, &[("b", 2)]);
    assert_eq!(left(&tap), [("0-only".to_owned(), true)]);
    tap.remove_left_behind("0-only").unwrap();
    assert_eq!((left(&tap), followed(&bucket)), (Vec::new(), vec!["b,2".to_owned()]));
    assert_eq!(data(&bucket), ["hits/1-only-00001.csv.gz"]);
}
