//! Every target over its seeds in `fuzz/seeds/`, and over what some random damage makes of them: the same in each run.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use fastrand::Rng;

use super::{TARGETS, Target};

/// A target may take so many bytes at once, and so many for each byte of its input.
const BYTES_MAX: u64 = 4 << 20;
const BYTES_MAX_PER_BYTE: u64 = 256;

/// Targets that are only there with this feature.
const WITH_AWS: [&str; 2] = ["aggregates", "items"];

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder)
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    files(&fuzz("seeds").join(target.name)).iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Runs the target; says on which bytes it panicked.
fn run(target: &Target, bytes: &[u8]) {
    let mut panicked = false;
    let memory = allocation_counter::measure(|| {
        panicked = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err();
    });
    assert!(!panicked, "{} panics on \"{}\"", target.name, bytes.escape_ascii());
    let allowed = BYTES_MAX + BYTES_MAX_PER_BYTE * bytes.len() as u64;
    assert!(memory.bytes_max <= allowed, "{} takes {memory:?} for \"{}\"", target.name, bytes.escape_ascii());
}

/// Damages a seed as disks, people and attackers do.
fn damaged(seeds: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut bytes = random.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        let end = random.usize(at..=bytes.len().min(at + 16));
        match random.u8(..8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.insert(at, random.u8(..)),
            3 => bytes.extend_from_within(at..end),
            4 => {
                let other = random.choice(seeds).cloned().unwrap_or_default();
                let from = random.usize(..=other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            5 => bytes[at..end].fill(random.choice([0, 0x7f, 0x80, 0xff, b'"', b'\n', b'9']).unwrap_or(0)),
            _ if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            _ => {}
        }
    }
    bytes
}

#[test]
fn every_target_has_seeds_and_a_program() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert!(names.is_sorted());
    let stems = |folder: &str| -> Vec<String> {
        let stem = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_there = |name: &String| cfg!(feature = "aws") || !WITH_AWS.contains(&name.as_str());
        files(&fuzz(folder)).iter().map(stem).filter(is_there).collect()
    };
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("seeds"), names);
    assert!(TARGETS.iter().all(|target| !seeds(target).is_empty()));
}

#[test]
fn no_seed_and_nothing_that_damage_makes_of_it_breaks_a_promise() {
    for target in TARGETS {
        let seeds = seeds(target);
        seeds.iter().for_each(|seed| run(target, seed));
        let mut random = Rng::with_seed(0);
        for _ in 0..target.mutations {
            run(target, &damaged(&seeds, &mut random));
        }
    }
}
