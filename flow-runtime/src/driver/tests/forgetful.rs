//! A disk that forgets at a crash what nobody made durable: bytes that were not synced, names whose folder was not.
//!
//! It stands on the real one and is told by the world what is synced. Databases it leaves alone: SQLite syncs for itself,
//! and does not pass the door.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

use super::{bench::Bench, recovery::targets};
use crate::{
    Error,
    effect::{Effect, Mutant},
    iteration::State,
};

/// What is durable below a folder.
#[derive(Debug)]
pub(super) struct ForgetfulDisk {
    root: PathBuf,
    /// By inode.
    files: HashMap<u64, Vec<u8>>,
    /// The names in each folder, with their inodes.
    folders: HashMap<PathBuf, Vec<(PathBuf, u64)>>,
}

impl ForgetfulDisk {
    /// Everything that is there is durable.
    pub(super) fn new(root: &Path) -> Self {
        let root = fs::canonicalize(root).unwrap();
        let mut disk = Self { root: root.clone(), files: HashMap::new(), folders: HashMap::new() };
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            disk.sync(&folder);
            for (path, _) in disk.folders[&folder].clone() {
                disk.sync(&path);
                folders.extend(path.is_dir().then_some(path));
            }
        }
        disk
    }

    /// An effect has happened.
    pub(super) fn note(&mut self, effect: &Effect<'_>) {
        let Some(path) = effect.path.and_then(|path| fs::canonicalize(path).ok()) else { return };
        let name = effect.to_string();
        if name.ends_with(".sync") {
            self.sync(&path);
        } else if name.ends_with(".open") && fs::metadata(&path).is_ok_and(|found| found.len() == 0) {
            // A new file may have the inode of one that is gone.
            self.files.remove(&inode(&path));
        }
    }

    fn sync(&mut self, path: &Path) {
        if path.is_dir() {
            let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            let names = names.map(|path| (path.clone(), inode(&path))).collect();
            self.folders.insert(path.to_owned(), names);
        } else {
            self.files.insert(inode(path), fs::read(path).unwrap());
        }
    }

    /// Forgets what is not durable.
    pub(super) fn crash(&self) {
        self.crash_below(&self.root);
    }

    fn crash_below(&self, folder: &Path) {
        let durable = self.folders.get(folder).map(Vec::as_slice).unwrap_or_default();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if is_database(&path) || durable.iter().any(|(name, _)| *name == path) {
                continue;
            }
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        for (path, inode) in durable.iter().filter(|(path, _)| !is_database(path)) {
            if self.folders.contains_key(path) {
                fs::create_dir_all(path).unwrap();
                self.crash_below(path);
                continue;
            }
            let bytes = self.files.get(inode).map(Vec::as_slice).unwrap_or_default();
            // A file that is as it should be stays the same file.
            if fs::read(path).ok().as_deref() != Some(bytes) {
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |found| found.ino())
}

fn is_database(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    [".db", ".db-wal", ".db-shm", ".db-journal"].iter().any(|ending| name.ends_with(ending))
}

/// Acts that leave a trace.
const CHANGES: [&str; 12] = [
    "write",
    "sync",
    "rename",
    "cut",
    "remove",
    "commit",
    "finish",
    "seal",
    "publish",
    "output_loaded",
    "loaded",
    "done",
];

/// The moments of an iteration that change something, and what became of a crash at each: nothing, or what was wrong.
fn crashes(mutant: Option<Mutant>) -> Vec<(String, Option<String>)> {
    let iteration = |dies_at: Option<usize>| {
        let bench = Bench::new("a 1\nbad 2\n");
        bench.world.break_by(mutant);
        bench.run().unwrap();
        bench.append("b 3\nbad 4\na 5\n");
        bench.world.stand_on(ForgetfulDisk::new(bench.folder.path()));
        let passed = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&passed);
        bench.world.watch(move |effect, moment| {
            let mut seen = seen.lock().unwrap();
            if CHANGES.iter().any(|change| effect.ends_with(change)) {
                seen.push(format!("{effect} {moment:?}"));
            }
            dies_at.is_none_or(|dies_at| seen.len() <= dies_at)
        });
        let ran = bench.run();
        bench.world.crash();
        bench.world.restart();
        let passed = passed.lock().unwrap().clone();
        (bench, ran.is_err(), passed)
    };
    let (undisturbed, _, moments) = iteration(None);
    let right = targets(&undisturbed);
    let is_wrong = |index: usize| {
        let (bench, died, _) = iteration(Some(index));
        let again = if died { bench.run().map(drop) } else { Ok(()) };
        match again {
            Err(Error::Busy(failure)) => panic!("{failure}"),
            Err(error) => Some(error.to_string()),
            Ok(()) if targets(&bench) != right => Some(format!("{:?}, not {right:?}", targets(&bench))),
            Ok(()) if bench.states() != [State::Done; 2] => Some(format!("{:?}", bench.states())),
            Ok(()) => None,
        }
    };
    let indexes: Vec<usize> = (0..moments.len()).collect();
    // Most of the time they wait for the disk.
    let outcomes: Vec<Option<String>> = thread::scope(|threads| {
        let chunks = indexes.chunks(indexes.len().div_ceil(8));
        let workers =
            chunks.map(|some| threads.spawn(|| some.iter().map(|index| is_wrong(*index)).collect::<Vec<_>>()));
        let workers: Vec<_> = workers.collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    moments.into_iter().zip(outcomes).collect()
}

#[test]
fn whenever_the_power_fails_what_was_sealed_is_there_and_the_rest_is_read_again() {
    let wrong: Vec<_> = crashes(None).into_iter().filter(|(_, wrong)| wrong.is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_mutant_that_does_not_sync_what_it_stages_is_caught_by_a_power_failure() {
    let caught = crashes(Some(Mutant::StagedNotSynced)).into_iter().find_map(|(moment, wrong)| Some((moment, wrong?)));
    let (moment, wrong) = caught.unwrap();
    println!("staged_not_synced: the power fails at {moment}: {wrong}");
}

#[test]
fn a_mutant_that_does_not_check_counts_is_caught_by_a_flow_that_loses_a_row() {
    let published = |mutant| {
        let bench = Bench::new("a 1\nlose 2\n");
        bench.world.break_by(mutant);
        bench.run().is_ok()
    };
    assert_eq!((published(None), published(Some(Mutant::CountsNotChecked))), (false, true));
    println!("counts_not_checked: a flow that loses a row is published");
}
