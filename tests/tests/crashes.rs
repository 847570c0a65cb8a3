//! Runs that are stopped, killed, or run out of room: nothing of them is seen, and the next one is complete.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flow_tests::program::{Counted, Place, Running, counted, hit, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");
const STORE: &str = "access_log_counts.flow.db";
/// Lines of a log that takes long to read, as times go here.
const MANY: i64 = 150_000;

/// A folder with a list of `a`, `b` and with a log that begins with a bad line.
fn place(hits_of_each: usize) -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", "bad\n".to_owned() + &(hit("a") + &hit("b")).repeat(hits_of_each));
    place.write("hosts.txt", "a\nb\n");
    place
}

fn each(count: i64) -> Vec<Counted> {
    counted(&[("a", count), ("b", count)])
}

/// What attempts have staged.
fn staged(place: &Place) -> Vec<PathBuf> {
    let area = place.path(&format!("{STORE}.staging/access_log_counts"));
    let attempts =
        fs::read_dir(area).into_iter().flatten().filter_map(|attempt| fs::read_dir(attempt.ok()?.path()).ok());
    attempts.flatten().filter_map(|file| Some(file.ok()?.path())).collect()
}

/// Starts a run and waits until it is in the middle of the log: the first bad line is staged.
fn start_reading(place: &Place) -> Running {
    let run = Running::start(place.command(""));
    until("a bad line is staged", || (!staged(place).is_empty()).then_some(()));
    run
}

/// Starts a run and waits until it has sealed its iteration; it cannot load it, for the target is locked.
fn start_loading(place: &Place) -> (Running, rusqlite::Connection) {
    let target = rusqlite::Connection::open(place.path("counts.db")).unwrap();
    target.execute_batch("CREATE TABLE IF NOT EXISTS theirs (x); BEGIN IMMEDIATE").unwrap();
    let run = Running::start(place.command(""));
    until("the iteration is sealed", || {
        let states = place.database(STORE)?;
        states.query_row("SELECT 1 FROM iterations WHERE state = 'sealed'", [], |_| Ok(())).ok()
    });
    (run, target)
}

/// A run after the one that was stopped sees no trace of it.
fn completes(place: &Place) {
    assert_eq!((place.counts("counts.db"), place.text("bad_lines.csv")), (Vec::new(), String::new()));
    let outcome = place.succeed("--json").json();
    assert_eq!((&outcome["iteration"], &outcome["resumed"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(place.counts("counts.db"), each(MANY));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1);
    assert_eq!(staged(place), [] as [PathBuf; 0]);
    assert!(place.succeed("").stderr.starts_with("nothing new"));
}

#[test]
fn a_run_that_is_interrupted_or_terminated_leaves_nothing_and_the_next_is_complete() {
    let place = place(MANY as usize);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let run = start_reading(&place);
        run.signal(signal);
        let text = run.end().refusal(code);
        assert!(text.contains("interrupted: what was not sealed was abandoned, and nothing of it published"), "{text}");
        assert_eq!(staged(&place), [] as [PathBuf; 0], "it cleans up");
    }
    completes(&place);
}

#[test]
fn a_run_that_is_killed_leaves_nothing_to_see_and_the_next_is_complete() {
    let place = place(MANY as usize);
    let run = start_reading(&place);
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    assert!(!staged(&place).is_empty(), "it cannot clean up");
    completes(&place);
}

#[test]
fn what_a_killed_run_had_sealed_is_loaded_by_the_next_without_reading_it_again() {
    let place = place(3);
    let (run, target) = start_loading(&place);
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    drop(target);
    fs::rename(place.path("access.log"), place.path("away")).unwrap();
    place.write("access.log", hit("b"));
    let outcome = place.succeed("--json").json();
    assert_eq!((&outcome["resumed"], &outcome["iteration"]), (&serde_json::json!([0]), &1.into()));
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 3), ("b", 4)]));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1);
}

#[test]
fn an_interrupt_after_the_seal_does_not_break_the_loading() {
    let place = place(3);
    let (run, target) = start_loading(&place);
    run.signal("INT");
    drop(target);
    assert_eq!(run.end().code, Some(0));
    assert_eq!(place.counts("counts.db"), each(3));
    assert!(place.succeed("").stderr.starts_with("nothing new"));
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let place = place(3);
    let (run, _target) = start_loading(&place);
    // Two that come together are one: so it is asked until it hears.
    until("an interrupt after the first ends it", || {
        run.signal("INT");
        run.has_ended().then_some(())
    });
    assert_eq!(run.end().code, Some(130));
}

/// Kills at moments that nobody chose, while the log grows.
#[test]
fn runs_that_are_killed_anywhere_lose_and_double_nothing() {
    let random = &mut fastrand::Rng::with_seed(11);
    for target in ["sqlite:counts.db?mode=append", "file:counts.csv?mode=append"] {
        let place = Place::new(PROGRAM);
        place.write("hosts.txt", "a\nb\n");
        let arguments = format!("--counts {target}");
        let mut bad = String::new();
        for round in 0..12 {
            place.append("access.log", hit("a").repeat(10) + &format!("bad {round}\n") + &hit("b").repeat(5));
            bad += &format!("bad {round}\n");
            let run = Running::start(place.command(&arguments));
            // A run takes about as long as a few hundred thousand of these.
            (0..random.u32(..400_000)).for_each(|_| std::hint::spin_loop());
            run.signal(["KILL", "TERM"][random.usize(..2)]);
            let ended = run.end();
            assert!(matches!(ended.code, None | Some(0 | 143)), "{ended:?}");
        }
        place.succeed(&arguments);
        assert!(place.succeed(&arguments).stderr.starts_with("nothing new"));
        let sums = match target.starts_with("sqlite") {
            true => summed(place.counts("counts.db")),
            false => summed(place.text("counts.csv").lines().map(row_of_csv)),
        };
        assert_eq!(sums, counted(&[("a", 120), ("b", 60)]), "{target}");
        let trapped: String =
            place.text("bad_lines.csv").lines().map(|line| line.split(',').next().unwrap().to_owned() + "\n").collect();
        assert_eq!(trapped, bad, "{target}");
    }
}

fn row_of_csv(line: &str) -> Counted {
    let (host, count) = line.split_once(',').unwrap();
    (Some(host.to_owned()).filter(|host| !host.is_empty()), count.parse().unwrap())
}

/// Counts of all iterations together, of hosts that have hits.
fn summed(rows: impl IntoIterator<Item = Counted>) -> Vec<Counted> {
    let mut sums = std::collections::BTreeMap::new();
    for (host, count) in rows.into_iter().filter(|(host, _)| host.is_some()) {
        *sums.entry(host).or_default() += count;
    }
    sums.into_iter().collect()
}

/// No file may grow beyond a limit: the store, what is staged, a table, a file come to it one after the other.
#[test]
fn a_file_that_may_not_grow_stops_the_run_and_the_next_is_complete() {
    let log: String =
        (0..3_000).map(|n| if n % 3 == 0 { format!("bad line {n}\n") } else { hit(&format!("host{n}")) }).collect();
    let hosts: String = (0..3_000).map(|n| format!("host{n}\n")).collect();
    for target in ["sqlite:counts.db?mode=merge", "file:counts.csv?mode=replace"] {
        let mut outcomes = Vec::new();
        for limit_kib in [1, 8, 24, 60, 90, 130, 200, 400] {
            let place = Place::new(PROGRAM);
            place.write("access.log", &log);
            place.write("hosts.txt", &hosts);
            let arguments = format!("--counts {target}");
            // In blocks of 512 bytes.
            let limited = format!("trap '' XFSZ; ulimit -f {}", 2 * limit_kib);
            let ended = Running::start(place.command_after(&limited, &arguments)).end();
            outcomes.push(ended.code);
            if ended.code != Some(0) {
                let text = ended.refusal(1);
                assert!(text.contains("\nhelp: "), "{limit_kib} KiB: {text}");
            }
            place.succeed(&arguments);
            assert_eq!(place.text("bad_lines.csv").lines().count(), 1_000, "{limit_kib} KiB");
            let rows = match target.starts_with("sqlite") {
                true => place.counts("counts.db").len(),
                false => place.text("counts.csv").lines().count(),
            };
            assert_eq!(rows, 2_001, "{limit_kib} KiB");
            assert!(place.succeed(&arguments).stderr.starts_with("nothing new"));
        }
        assert!(outcomes.contains(&Some(0)) && outcomes.contains(&Some(1)), "{target}: {outcomes:?}");
    }
}

/// A disk of its own; gone when this is dropped.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Only the administrator may mount; others get none.
    fn mount(folder: PathBuf) -> Option<Self> {
        fs::create_dir(&folder).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "flow-tests"]).arg(&folder).output();
        mounted.ok()?.status.success().then_some(Self { folder })
    }

    /// Leaves so much room, in pages of 4 KiB.
    fn leave(&self, pages: usize) {
        let filler = self.folder.join("filler");
        let mut bytes = 1 << 20;
        // What it cannot hold is not written.
        while fs::write(&filler, vec![0; bytes]).is_err() {
            bytes -= 4096;
        }
        fs::write(filler, vec![0; bytes.saturating_sub(4096 * pages)]).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.folder.join("filler")).unwrap();
    }

    fn empty(&self) {
        for entry in fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status();
    }
}

/// Store, staged rows, table and files on a disk that is full, then a page less full, and so on.
#[test]
fn a_full_disk_stops_the_run_and_with_room_the_next_is_complete() {
    let place = place(3);
    let Some(disk) = Disk::mount(place.path("disk")) else {
        eprintln!("not run: only the administrator may mount a small disk");
        return;
    };
    for arguments in [
        "--checkpoint sqlite:disk/s.db --counts sqlite:disk/c.db --bad-lines file:disk/bad.csv",
        "--checkpoint sqlite:disk/s.db --counts sqlite:c.db --bad-lines file:bad.csv",
        "--checkpoint sqlite:s.db --counts sqlite:disk/c.db --bad-lines file:bad.csv",
        "--checkpoint sqlite:s.db --counts sqlite:c.db --bad-lines file:disk/bad.csv",
    ] {
        let mut says = Vec::new();
        for pages in 0.. {
            disk.empty();
            for name in ["s.db", "c.db", "bad.csv", "bad.csv.flow"] {
                let _ = fs::remove_file(place.path(name));
            }
            disk.leave(pages);
            let ended = place.run(arguments);
            disk.free();
            let is_over = ended.code == Some(0);
            if !is_over {
                let text = ended.refusal(1);
                assert!(text.contains("\nhelp: "), "{pages} pages: {text}");
                says.push(text);
                place.succeed(arguments);
            }
            assert!(place.succeed(arguments).stderr.starts_with("nothing new"));
            let [counts, bad] = ["c.db", "bad.csv"].map(|name| on_disk(arguments, name));
            assert_eq!(place.counts(&counts), each(3), "{arguments}, {pages} pages");
            assert_eq!(place.text(&bad).lines().count(), 1, "{arguments}, {pages} pages");
            if is_over {
                break;
            }
        }
        assert!(says.iter().any(|text| text.contains("No space left") || text.contains("disk is full")), "{says:?}");
    }
}

/// The path of a file as it stands in the arguments.
fn on_disk(arguments: &str, name: &str) -> String {
    let path = Path::new("disk").join(name).display().to_string();
    if arguments.contains(&path) { path } else { name.to_owned() }
}
