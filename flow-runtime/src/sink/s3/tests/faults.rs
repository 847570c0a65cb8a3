//! Calls that fail or lose their answers at every place, and others who act in between.

use super::*;

const ITERATIONS: [&[(&str, i64)]; 3] = [&[("a", 1), ("b", 2)], &[("c", 3)], &[("a", 4)]];

/// Loads an iteration as the driver does, each step in a process of its own: until it is staged a new attempt, and then the
/// same again.
fn load_whatever_fails(bucket: &Arc<MemoryBucket>, folder: &Folder, mode: Mode, iteration: u64) {
    let of = rows(ITERATIONS[usize::try_from(iteration).unwrap()]);
    let mut given_up = Vec::new();
    let (attempt, manifest) = loop {
        let attempt = format!("{iteration}-{}", given_up.len());
        match stage(&tap(bucket, mode), folder, &attempt, &of) {
            Ok(manifest) => break (attempt, manifest),
            Err(error) => assert!(matches!(error, Error::Target(_)), "{error}"),
        }
        given_up.push(attempt);
    };
    while let Err(error) = publish(&mut tap(bucket, mode), folder, &manifest, iteration) {
        assert!(matches!(error, Error::Target(_)), "{error}");
    }
    for attempt in given_up.iter().chain([&attempt]) {
        while let Err(error) = tap(bucket, mode).remove_staged(attempt) {
            assert!(matches!(error, Error::Target(_)), "{error}");
        }
    }
}

fn load_all(fault: Option<(usize, Fault)>, mode: Mode) -> Arc<MemoryBucket> {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    if let Some((call, fault)) = fault {
        bucket.fail(call, fault);
    }
    (0..3).for_each(|iteration| load_whatever_fails(&bucket, &folder, mode, iteration));
    bucket
}

#[test]
fn whichever_call_fails_or_loses_its_answer_each_row_is_there_once_and_nothing_is_left_over() {
    for (mode, expected) in [(Mode::Append, &["a,1", "b,2", "c,3", "a,4"][..]), (Mode::Replace, &["a,4"][..])] {
        let calls = load_all(None, mode).calls();
        assert!(calls > 20, "{calls}");
        for call in 0..calls {
            for fault in [Fault::Refused, Fault::Unanswered, Fault::Repeated] {
                let bucket = load_all(Some((call, fault)), mode);
                assert_eq!(followed(&bucket), expected, "{mode:?}, call {call}, {fault:?}");
                assert_eq!(data(&bucket).len(), 3, "{mode:?}, call {call}, {fault:?}");
                assert_eq!(bucket.keys("hits/_flow/staged/"), [""; 0], "{mode:?}, call {call}, {fault:?}");
            }
        }
    }
}

#[test]
fn of_two_that_publish_an_iteration_one_finds_it_done() {
    for attempt in ["0-x", "0-y"] {
        let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
        let staged = |attempt| stage(&tap(&bucket, Mode::Append), &folder, attempt, &rows(&[("a", 1)])).unwrap();
        let ours = staged("0-x");
        let theirs = if attempt == "0-x" { ours.clone() } else { staged(attempt) };
        let mut other = tap(&bucket, Mode::Append);
        bucket.meanwhile(move || {
            assert_eq!(publish(&mut other, &Folder::new(), &theirs, 0).unwrap(), Published::Now);
        });
        let published = publish(&mut tap(&bucket, Mode::Append), &folder, &ours, 0).unwrap();
        // What the other has written of the same attempt is what was to be written, to the last byte.
        assert_eq!(published, if attempt == "0-x" { Published::Now } else { Published::Before });
        assert_eq!(followed(&bucket), ["a,1"], "{attempt}");
    }
}

#[test]
fn who_slept_while_his_attempt_was_removed_publishes_nothing() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    let manifest = stage(&tap(&bucket, Mode::Append), &folder, "0-x", &rows(&[("a", 1)])).unwrap();
    let other = tap(&bucket, Mode::Append);
    bucket.meanwhile(move || other.remove_staged("0-x").unwrap());
    let slept = publish(&mut tap(&bucket, Mode::Append), &folder, &manifest, 0);
    assert!(matches!(slept, Err(Error::Held(_))), "{slept:?}");
    assert_eq!((followed(&bucket).len(), data(&bucket).len()), (0, 0));
}

#[test]
fn who_slept_while_others_went_on_publishes_nothing() {
    for (mode, expected) in [(Mode::Append, &["a,1", "b,2", "c,3"][..]), (Mode::Replace, &["c,3"])] {
        let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
        load(&mut tap(&bucket, mode), &folder, 0, &[("a", 1)]);
        let manifest = stage(&tap(&bucket, mode), &folder, "1-slept", &rows(&[("b", 2)])).unwrap();
        let mut other = tap(&bucket, mode);
        bucket.meanwhile(move || {
            let folder = Folder::new();
            load(&mut other, &folder, 1, &[("b", 2)]);
            load(&mut other, &folder, 2, &[("c", 3)]);
        });
        let slept = publish(&mut tap(&bucket, mode), &folder, &manifest, 1);
        assert!(!matches!(slept, Ok(Published::Now)), "{slept:?}");
        assert_eq!(followed(&bucket), expected);
    }
}

#[test]
fn who_slept_while_others_began_anew_publishes_nothing() {
    let (bucket, folder): (Arc<MemoryBucket>, _) = (Arc::default(), Folder::new());
    load(&mut tap(&bucket, Mode::Replace), &folder, 0, &[("a", 1)]);
    let manifest = stage(&tap(&bucket, Mode::Replace), &folder, "1-slept", &rows(&[("b", 2)])).unwrap();
    let other = tap(&bucket, Mode::Replace);
    bucket.meanwhile(move || {
        let (mut other, folder) = (other, Folder::new());
        other.forget("hits", true).unwrap();
        let manifest = stage(&other, &folder, "0-anew", &rows(&[("c", 3)])).unwrap();
        let staged = folder.area().staged("any", &manifest, &COUNTS).unwrap();
        let anew = Ticket { epoch: "e2".to_owned(), ..ticket(&COUNTS, 0) };
        assert_eq!(other.publish(&staged, Some(&anew)).unwrap(), Published::Now);
    });
    let slept = publish(&mut tap(&bucket, Mode::Replace), &folder, &manifest, 1);
    assert!(matches!(slept, Err(Error::Held(_))), "{slept:?}");
    assert_eq!(followed(&bucket), ["c,3"]);
}
