//! The sink on a bucket in memory: what a reader finds that follows the manifests, whatever happens meanwhile.

mod chain;
mod clean;
mod conforms;
mod faults;
mod figures;
mod memory;
mod staging;
mod traps;

use std::{io::Read as _, sync::Arc};

use memory::{Fault, MemoryBucket};
use serde_json::Value;

use super::*;
use crate::{
    held::Cause,
    plan::PortPlan,
    sink::{
        fixtures::{BAD_LINES, COUNTS, Place as Folder, nullable, plan_of, sink, ticket},
        objects::Bucket,
        staging::StagedManifest,
    },
    value::{Encode as _, RowBuffer, Type},
};

/// A tap of `COUNTS` on this bucket, as each process opens its own.
fn tap(bucket: &Arc<MemoryBucket>, mode: Mode) -> S3SinkTap {
    tap_of(bucket, &COUNTS, mode, "")
}

fn tap_of(bucket: &Arc<MemoryBucket>, port: &'static PortPlan, mode: Mode, options: &str) -> S3SinkTap {
    let address: Address = format!("s3://warehouse/hits?{options}").parse().unwrap();
    let shape = SinkShape { port, mode };
    let (layout, format) =
        (Layout::of(&address, shape.fields()).unwrap(), Format::of(&address, shape.fields()).unwrap());
    let bucket = Arc::clone(bucket) as Arc<dyn Bucket>;
    S3SinkTap { place: Place { bucket, layout }, format, shape }
}

fn rows(rows: &[(&str, i64)]) -> RowBuffer {
    let mut buffer = RowBuffer::default();
    for (ip, count) in rows {
        let row = buffer.row();
        Some(*ip).encode(row);
        Some(*count).encode(row);
    }
    buffer
}

/// Has the tap stage these rows; the folder is that of the machine, which stays without rows.
fn stage(tap: &S3SinkTap, folder: &Folder, attempt: &str, rows: &RowBuffer) -> Result<StagedManifest, Error> {
    let port = tap.shape.port;
    let mut staging = folder.area().attempt(attempt, plan_of(port)).staged_by(vec![tap.stager(0, attempt)]);
    staging.write(0, rows)?;
    Ok(staging.finish()?.remove(0))
}

fn publish(
    tap: &mut S3SinkTap,
    folder: &Folder,
    manifest: &StagedManifest,
    iteration: u64,
) -> Result<Published, Error> {
    let port = tap.shape.port;
    let staged = folder.area().staged("any", manifest, port)?;
    staged.address().map_or(Ok(()), |address| tap.check_staged(address))?;
    tap.publish(&staged, Some(&ticket(port, iteration)))
}

/// Stages and publishes an iteration as it should be.
fn load(tap: &mut S3SinkTap, folder: &Folder, iteration: u64, of: &[(&str, i64)]) -> Published {
    let attempt = format!("{iteration}-only");
    let manifest = stage(tap, folder, &attempt, &rows(of)).unwrap();
    let published = publish(tap, folder, &manifest, iteration).unwrap();
    tap.remove_staged(&attempt).unwrap();
    published
}

/// What a reader finds who begins at `current.json` and knows nothing of this program: lines, of the oldest first.
fn followed(bucket: &MemoryBucket) -> Vec<String> {
    let json = |key: &str| serde_json::from_slice::<Value>(&bucket.get(key).unwrap()).unwrap();
    if bucket.keys("hits/_flow/current.json").is_empty() {
        return Vec::new();
    }
    let mut manifests = Vec::new();
    let mut next = json("hits/_flow/current.json")["manifest"].as_str().map(str::to_owned);
    while let Some(key) = next {
        let manifest = json(&key);
        next = manifest["previous"].as_str().map(str::to_owned);
        manifests.insert(0, manifest);
    }
    let entries = manifests.iter().flat_map(|manifest| manifest["entries"].as_array().unwrap());
    let texts = entries.map(|entry| {
        let key = entry["url"].as_str().unwrap().strip_prefix("s3://warehouse/").unwrap();
        let bytes = bucket.get(key).unwrap_or_else(|| panic!("{key} is missing"));
        assert_eq!(entry["meta"]["content_length"], bytes.len());
        let mut text = String::new();
        match key.rsplit_once('.').unwrap().1 {
            "gz" => flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).map(drop).unwrap(),
            _ => text = String::from_utf8(bytes).unwrap(),
        }
        assert_eq!(entry["meta"]["record_count"], text.lines().count());
        text
    });
    texts.collect::<String>().lines().map(str::to_owned).collect()
}

/// The objects of rows that are there, whoever names them.
fn data(bucket: &MemoryBucket) -> Vec<String> {
    bucket.keys("hits/").into_iter().filter(|key| !key.contains("/_flow/")).collect()
}

#[test]
fn appended_iterations_follow_one_another() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    for (iteration, of) in [(0, [("a", 1)]), (1, [("b", 2)]), (2, [("a", 3)])] {
        assert_eq!(load(&mut tap(&bucket, Mode::Append), &folder, iteration, &of), Published::Now);
    }
    assert_eq!(followed(&bucket), ["a,1", "b,2", "a,3"]);
    assert_eq!(bucket.keys("hits/_flow/staged/"), [""; 0]);
}

#[test]
fn replaced_rows_are_not_found_any_more() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    load(&mut tap(&bucket, Mode::Replace), &folder, 0, &[("a", 1), ("b", 2)]);
    load(&mut tap(&bucket, Mode::Replace), &folder, 1, &[("c", 3)]);
    assert_eq!(followed(&bucket), ["c,3"]);
}

#[test]
fn an_iteration_without_rows_is_published_too() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    for mode in [Mode::Append, Mode::Replace] {
        let bucket = Arc::clone(&bucket);
        let mut tap = tap(&bucket, mode);
        if mode == Mode::Append {
            load(&mut tap, &folder, 0, &[("a", 1)]);
        }
        let none = stage(&tap, &folder, "1-none", &RowBuffer::default()).unwrap();
        let iteration = if mode == Mode::Append { 1 } else { 2 };
        assert_eq!(publish(&mut tap, &folder, &none, iteration).unwrap(), Published::Now);
        assert_eq!(followed(&bucket).len(), if mode == Mode::Append { 1 } else { 0 });
    }
}

#[test]
fn what_was_published_is_found_in_the_ledger() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    let manifest = stage(&tap, &folder, "0-a", &rows(&[("a", 1)])).unwrap();
    assert!(!tap.check_ledger(&ticket(&COUNTS, 0)).unwrap());
    assert_eq!(publish(&mut tap, &folder, &manifest, 0).unwrap(), Published::Now);
    assert_eq!(publish(&mut tap, &folder, &manifest, 0).unwrap(), Published::Before);
    assert!(tap.check_ledger(&ticket(&COUNTS, 0)).unwrap());
    assert_eq!(followed(&bucket), ["a,1"]);
}

#[test]
fn a_ledger_that_disagrees_is_held_and_nothing_changes() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    load(&mut tap, &folder, 0, &[("a", 1)]);
    let manifest = stage(&tap, &folder, "1-b", &rows(&[("b", 1)])).unwrap();
    let staged = folder.area().staged("any", &manifest, &COUNTS).unwrap();
    let next = ticket(&COUNTS, 1);
    for wrong in [
        Ticket { epoch: "e2".to_owned(), ..next.clone() },
        Ticket { iteration: 2, after: Some(1), ..next.clone() },
        Ticket { iteration: 0, after: None, hash: "another".to_owned(), ..next.clone() },
    ] {
        assert!(matches!(tap.publish(&staged, Some(&wrong)), Err(Error::Held(_))), "{wrong:?}");
    }
    assert_eq!(followed(&bucket), ["a,1"]);
    let other = tap_of(&bucket, &BAD_LINES, Mode::Append, "").check();
    assert!(matches!(other, Err(Error::Target(_))), "{other:?}");
}

#[test]
fn without_a_store_rows_are_replaced_or_added_to_none() {
    let (bucket, folder) = (Arc::default(), Folder::new());
    let publish = |mode, attempt: &str, of: &[(&str, i64)]| {
        let mut tap = tap(&bucket, mode);
        let manifest = stage(&tap, &folder, attempt, &rows(of)).unwrap();
        tap.publish(&folder.area().staged("any", &manifest, &COUNTS).unwrap(), None)
    };
    publish(Mode::Append, "0-a", &[("a", 1)]).unwrap();
    assert!(matches!(publish(Mode::Append, "0-b", &[("a", 1)]), Err(Error::Target(_))));
    publish(Mode::Replace, "0-c", &[("c", 1)]).unwrap();
    assert_eq!(followed(&bucket), ["c,1"]);
    load(&mut tap(&bucket, Mode::Append), &folder, 0, &[("d", 1)]);
    assert!(matches!(publish(Mode::Replace, "0-d", &[("d", 1)]), Err(Error::Target(_))), "a flow's rows stay");
}

#[test]
fn who_forgets_begins_anew_with_or_without_the_rows() {
    for empty in [false, true] {
        let (bucket, folder) = (Arc::default(), Folder::new());
        let mut tap = tap(&bucket, Mode::Append);
        load(&mut tap, &folder, 0, &[("a", 1)]);
        tap.forget("hits", empty).unwrap();
        tap.forget("hits", empty).unwrap();
        let manifest = stage(&tap, &folder, "0-again", &rows(&[("b", 2)])).unwrap();
        let staged = folder.area().staged("any", &manifest, &COUNTS).unwrap();
        let anew = Ticket { epoch: "e2".to_owned(), ..ticket(&COUNTS, 0) };
        assert_eq!(tap.publish(&staged, Some(&anew)).unwrap(), Published::Now);
        let expected: &[&str] = if empty { &["b,2"] } else { &["a,1", "b,2"] };
        assert_eq!(followed(&bucket), expected);
    }
}

#[test]
fn a_ledger_that_cannot_be_read_is_held() {
    let bucket: Arc<MemoryBucket> = Arc::default();
    let body = bytes::Bytes::from_static(b"{");
    Bucket::put(&*bucket, "hits/_flow/current.json", &body, crate::aws::clients::objects::If::Always).unwrap();
    let error = tap(&bucket, Mode::Append).check().unwrap_err();
    assert!(matches!(error, Error::Held(_)) && error.to_string().contains("current.json"), "{error}");
}

#[test]
fn a_ledger_that_is_damaged_is_held_until_it_is_forgotten() {
    for damage in ["no JSON", r#"{"version":2}"#] {
        let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
        let mut tap = tap(&bucket, Mode::Append);
        load(&mut tap, &folder, 0, &[("a", 1)]);
        let damaged = bytes::Bytes::from_static(damage.as_bytes());
        Bucket::put(&*bucket, "hits/_flow/current.json", &damaged, crate::aws::clients::objects::If::Always).unwrap();
        let error = tap.check().unwrap_err();
        let cause = error.failure().and_then(Failure::case).map(|case| case.cause);
        assert!(matches!(error, Error::Held(_)) && cause == Some(Cause::PrefixDamaged), "{error}");
        tap.forget("hits", true).unwrap();
        assert_eq!(load(&mut tap, &folder, 0, &[("b", 2)]), Published::Now);
        assert_eq!(followed(&bucket), ["b,2"]);
    }
}

#[test]
fn a_list_of_staged_objects_that_is_damaged_is_as_one_that_is_lost() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let mut tap = tap(&bucket, Mode::Append);
    let manifest = stage(&tap, &folder, "0-x", &rows(&[("a", 1)])).unwrap();
    let damaged = bytes::Bytes::from_static(b"no JSON");
    let always = crate::aws::clients::objects::If::Always;
    Bucket::put(&*bucket, "hits/_flow/staged/0-x/objects.json", &damaged, always).unwrap();
    let error = publish(&mut tap, &folder, &manifest, 0).unwrap_err();
    assert_eq!(error.failure().and_then(Failure::case).map(|case| case.cause), Some(Cause::StagedLost), "{error}");
}
