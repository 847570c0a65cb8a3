use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

use super::*;

/// Notes what passes, and breaks what is at this place of the list.
#[derive(Debug, Default)]
struct Watcher {
    passed: Mutex<Vec<(String, Moment, Option<PathBuf>)>>,
    breaks: Option<usize>,
}

impl Watcher {
    fn names(&self) -> Vec<String> {
        let passed = self.passed.lock().unwrap();
        passed.iter().filter(|(_, moment, _)| *moment == Moment::Before).map(|(name, ..)| name.clone()).collect()
    }
}

impl World for Watcher {
    fn now_us(&self) -> i64 {
        7
    }

    fn permit(&self, effect: &Effect<'_>, moment: Moment) -> Result<(), Broken> {
        let mut passed = self.passed.lock().unwrap();
        passed.push((effect.to_string(), moment, effect.path.map(Path::to_owned)));
        match self.breaks == Some(passed.len() - 1) {
            true => Err(effect.broken(moment)),
            false => Ok(()),
        }
    }
}

fn watched<T>(breaks: Option<usize>, act: impl FnOnce() -> T) -> (T, Arc<Watcher>) {
    let watcher = Arc::new(Watcher { breaks, ..Watcher::default() });
    (in_world(Arc::clone(&watcher) as Arc<dyn World>, act), watcher)
}

#[test]
fn each_effect_is_asked_for_before_and_after_with_its_name_and_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let (_, watcher) = watched(None, || {
        let mut file = disk::File::create("stage", &path).unwrap();
        file.write_all(b"row").unwrap();
        file.sync().unwrap();
        effect("sqlite.commit", || Ok::<_, io::Error>(())).unwrap();
    });
    assert_eq!(watcher.names(), ["stage.open", "stage.write", "stage.sync", "sqlite.commit"]);
    let passed = watcher.passed.lock().unwrap();
    assert_eq!(passed[3], ("stage.write".to_owned(), Moment::After, Some(path)));
    assert_eq!((passed[7].1, &passed[7].2), (Moment::After, &None));
}

#[test]
fn what_is_broken_before_does_not_happen_and_what_is_broken_after_has_happened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for (breaks, happened, says) in
        [(2, "", "stage.write was made to fail"), (3, "row", "the answer of stage.write was made to be lost")]
    {
        let (written, _) = watched(Some(breaks), || disk::File::create("stage", &path).unwrap().write_all(b"row"));
        assert_eq!(written.unwrap_err().to_string(), says);
        assert_eq!(fs::read_to_string(&path).unwrap(), happened);
    }
}

#[test]
fn threads_inherit_the_world_and_nobody_keeps_it() {
    let (in_thread, _) = watched(None, || thread::spawn(inherited(owner)).join().unwrap());
    assert_eq!(in_thread, "a test");
    assert_ne!(owner(), "a test");
    let died = thread::spawn(|| {
        let died = std::panic::catch_unwind(|| watched(None, || panic!("on purpose")).0);
        (died.is_err(), owner() == "a test")
    });
    assert_eq!(died.join().unwrap(), (true, false));
}

#[test]
fn a_transaction_that_is_not_committed_leaves_nothing() {
    let connection = sqlite::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    // Two moments of the beginning come first.
    for (breaks, rows) in [(2, 0), (3, 1)] {
        let (committed, _) = watched(Some(breaks), || {
            let transaction = sqlite::begin("store", &connection).unwrap();
            transaction.execute("INSERT INTO t VALUES (1)", []).unwrap();
            sqlite::commit("store", transaction)
        });
        assert!(committed.is_err());
        let found: i64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(found, rows);
    }
}
