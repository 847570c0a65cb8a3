//! What closes an iteration: bounds on records, bytes and times, and the end.

use std::{sync::mpsc, thread};

use proptest::prelude::*;

use super::{
    scripted::{Said, scripted},
    *,
};
use crate::{
    driver::{intake::Intake, run::Event},
    effect::effect,
    source::{Next, Reader, Reading, ShardFrom},
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// However iterations are cut, together they read every record once, and each stays within its bounds.
    #[test]
    fn bounds_are_exact(max_records in 1_500_u64..50_000, max_bytes in 20_000_u64..2_000_000, workers in 1..4_usize) {
        let (dir, passed) = many_lines();
        let lines = files(&dir, "*.log");
        let bounds = Bounds { max_records: Some(max_records), max_bytes: Some(max_bytes), ..Bounds::default() };
        let (mut known, mut out) = (Vec::new(), String::new());
        loop {
            let setting = Setting { workers, ..Setting::with_bounds(bounds) };
            let hosts = MemoryRecords::default();
            let mut gathered = Gathered::default();
            let inputs = vec![job(LINES, &*lines, true, &known), table(&hosts)];
            let executed = setting.run::<Grouped>(inputs, &mut gathered).unwrap();
            out.push_str(&gathered.out);
            known = known_after(&executed, 0);
            let shards = &executed.inputs[0].shards;
            let records: u64 = shards.iter().map(|shard| shard.records).sum();
            let bytes: u64 = shards.iter().map(|shard| shard.bytes).sum();
            match executed.closed_by {
                ClosedBy::MaxRecords => prop_assert!(records == max_records && bytes < max_bytes + 100),
                ClosedBy::MaxBytes => prop_assert!(records <= max_records && (max_bytes..max_bytes + 100).contains(&bytes)),
                closed_by => {
                    prop_assert!(records < max_records && bytes < max_bytes, "{closed_by:?}");
                    break;
                }
            }
        }
        prop_assert!(out == passed);
    }
}

#[test]
fn tables_are_read_whole_whatever_the_bounds() {
    let (lines, hosts) = (MemoryRecords::lines(["x", "y", "z"]), MemoryRecords::lines(["q", "r"]));
    let bounds = Bounds { max_records: Some(1), max_bytes: Some(1), ..Bounds::default() };
    let inputs = vec![source(LINES, &lines), table(&hosts)];
    let executed = Setting::with_bounds(bounds).run::<Grouped>(inputs, &mut Gathered::default()).unwrap();
    assert_eq!(executed.inputs.iter().map(|input| input.shards[0].records).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_table_that_is_slow_is_read_to_its_end() {
    let hosts = scripted(|answer| match answer {
        0 | 2 => Said::Idle,
        1 => Said::Lines("q\n"),
        3 => Said::Lines("r\n"),
        _ => Said::End,
    });
    for no_data_timeout in [None, Some(Duration::from_secs(10))] {
        let bounds = Bounds { no_data_timeout, ..Bounds::default() };
        let inputs = vec![table(&hosts)];
        let executed = Setting::with_bounds(bounds).run::<TableOnly>(inputs, &mut Gathered::default()).unwrap();
        assert_eq!(executed.inputs[0].shards[0].records, 2);
    }
}

#[test]
fn an_iteration_is_closed_by_its_time_and_keeps_what_was_read() {
    let bounds = Bounds { iteration_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let seconds = Arc::clone(&setting.seconds);
    let lines = scripted(move |_| {
        seconds.fetch_add(1, Ordering::SeqCst);
        Said::Lines("x\n")
    });
    let (executed, gathered) = setting.run_lines(&lines);
    let executed = executed.unwrap();
    assert_eq!(executed.closed_by, ClosedBy::IterationTimeout);
    let read = &executed.inputs[0].shards[0];
    assert!(read.records > 0);
    assert_eq!((read.records as usize, &read.next), (gathered.out.lines().count(), &Position::counted(read.bytes)));
}

#[test]
fn a_source_that_waits_is_closed_when_nothing_came_for_long_enough() {
    let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let seconds = Arc::clone(&setting.seconds);
    let lines = scripted(move |answer| {
        if answer == 0 || answer == 3 {
            return Said::Lines("x\n");
        }
        seconds.fetch_add(1, Ordering::SeqCst);
        Said::Idle
    });
    let (executed, gathered) = setting.run_lines(&lines);
    assert_eq!(executed.unwrap().closed_by, ClosedBy::NoDataTimeout);
    assert_eq!(gathered.out, "x\nx\n");
}

#[test]
fn a_source_whose_records_wait_for_the_workers_does_not_wait_itself() {
    let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let seconds = Arc::clone(&setting.seconds);
    let lines = scripted(|answer| if answer < 20 { Said::Lines("x\n") } else { Said::End });
    let hosts = scripted(move |answer| {
        seconds.fetch_add(1, Ordering::SeqCst);
        if answer < 100 { Said::Lines("q\n") } else { Said::End }
    });
    let mut gathered = Gathered::default();
    let executed = setting.run::<Grouped>(vec![source(LINES, &lines), table(&hosts)], &mut gathered).unwrap();
    assert_eq!((executed.closed_by, gathered.out.lines().count()), (ClosedBy::End, 20));
}

#[test]
fn without_a_bound_on_waiting_a_source_that_waits_has_ended() {
    let lines = scripted(|answer| if answer == 0 { Said::Lines("x\n") } else { Said::Idle });
    let (executed, gathered) = Setting::default().run_lines(&lines);
    assert_eq!((executed.unwrap().closed_by, gathered.out.as_str()), (ClosedBy::End, "x\n"));
}

#[test]
fn a_source_whose_records_come_only_now_is_waited_for() {
    let lines = scripted(|answer| match answer {
        5 => Said::Lines("x\n"),
        9 => Said::End,
        _ => Said::Waiting,
    });
    let (executed, gathered) = Setting::default().run_lines(&lines);
    assert_eq!((executed.unwrap().closed_by, gathered.out.as_str()), (ClosedBy::End, "x\n"));
}

#[test]
fn a_source_that_waits_does_not_hold_up_another() {
    let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let (seconds, progress) = (Arc::clone(&setting.seconds), Arc::clone(&setting.progress));
    // No time passes before the other one is done.
    let waiting = scripted(move |_| {
        let is_done = progress.records.load(Ordering::Relaxed) == 2;
        seconds.fetch_add(u64::from(is_done), Ordering::SeqCst);
        Said::Idle
    });
    let busy = MemoryRecords::lines(["x", "y"]);
    let mut gathered = Gathered::default();
    setting.run::<Paired>(vec![source(LINES, &waiting), source(MORE, &busy)], &mut gathered).unwrap();
    assert_eq!(gathered.out, "x\ny\n");
}

#[test]
fn a_source_that_another_is_joined_with_is_read_as_far_as_it_goes_and_not_waited_for() {
    let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let seconds = Arc::clone(&setting.seconds);
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    let held = scripted(move |answer| {
        counted.fetch_add(1, Ordering::SeqCst);
        match answer {
            0 => Said::Lines("x\n"),
            1..1000 => Said::Idle,
            _ => Said::End,
        }
    });
    let lines = scripted(move |answer| {
        if answer == 0 || answer == 3 {
            return Said::Lines("x\n");
        }
        seconds.fetch_add(1, Ordering::SeqCst);
        Said::Idle
    });
    let mut gathered = Gathered::default();
    let inputs = vec![source(LINES, &lines), source(HOSTS, &held)];
    let executed = setting.run::<Grouped>(inputs, &mut gathered).unwrap();
    assert_eq!((executed.closed_by, gathered.out.as_str()), (ClosedBy::NoDataTimeout, "x is listed\nx is listed\n"));
    assert!(asked.load(Ordering::SeqCst) < 1000, "it was waited for");
}

#[test]
fn readers_read_ahead_no_further_than_they_have_buffers() {
    struct Watching(Arc<AtomicU64>, u64);
    impl Collect for Watching {
        fn rows(&mut self, port: usize, _rows: &RowBuffer, _origin: &Origin<'_>) -> Result<(), Error> {
            self.1 += u64::from(port == OUT);
            // Every piece handed on gives one buffer back.
            assert!(self.0.load(Ordering::SeqCst) <= self.1 + 2 * 2 + 1);
            Ok(())
        }

        fn trapped(&mut self, _port: usize, _record: &TrappedRecord<'_>, _origin: &Origin<'_>) -> Result<(), Error> {
            Ok(())
        }
    }
    let answers = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&answers);
    let lines = scripted(move |answer| {
        counted.fetch_add(1, Ordering::SeqCst);
        if answer < 1000 { Said::Lines("x\n") } else { Said::End }
    });
    let hosts = MemoryRecords::default();
    let mut watching = Watching(answers, 0);
    Setting::default().run::<Grouped>(vec![source(LINES, &lines), table(&hosts)], &mut watching).unwrap();
    assert_eq!(watching.1, 1000);
}

#[test]
fn a_source_is_heard_once_even_if_the_time_is_over_before() {
    let bounds = Bounds { iteration_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let late = Duration::from_secs(11);
    let lines = MemoryRecords::lines(["x"]);
    thread::scope(|threads| {
        let (events, said) = mpsc::channel();
        let mut intake = Intake::new(Grouped::PLAN, vec![source(LINES, &lines)], &bounds);
        intake.open(0, threads, 1, &events).unwrap();
        intake.heed_time(late);
        let Event::Answered { input, answer, has_looked } = said.recv().unwrap() else { panic!("no worker runs") };
        intake.answered(input, answer, has_looked).unwrap();
        intake.heed_time(late);
        assert!(intake.next(&[0]).is_some());
        assert_eq!(intake.into_reads().1, ClosedBy::IterationTimeout);
    });
}

#[test]
fn a_source_that_is_still_looking_is_read_however_short_the_time_is() {
    let bounds = [
        Bounds { iteration_timeout: Some(Duration::from_secs(10)), ..Bounds::default() },
        Bounds { no_data_timeout: Some(Duration::from_secs(10)), ..Bounds::default() },
    ];
    for bounds in bounds {
        let setting = Setting::with_bounds(bounds);
        let seconds = Arc::clone(&setting.seconds);
        // The first look takes longer than the iteration may.
        let lines = scripted(move |answer| match answer {
            0..20 => {
                seconds.fetch_add(1, Ordering::SeqCst);
                Said::Looking
            }
            20 => Said::Lines("x\n"),
            _ => {
                seconds.fetch_add(1, Ordering::SeqCst);
                Said::Looking
            }
        });
        let (executed, gathered) = setting.run_lines(&lines);
        assert!(matches!(executed.unwrap().closed_by, ClosedBy::IterationTimeout | ClosedBy::NoDataTimeout));
        assert_eq!(gathered.out, "x\n");
    }
}

#[test]
fn a_source_of_which_a_part_was_not_looked_at_is_not_closed_by_time() {
    let bounds = Bounds { iteration_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let late = Duration::from_secs(11);
    let lines = MemoryRecords::default();
    let mut intake = Intake::new(Grouped::PLAN, vec![source(LINES, &lines)], &bounds);
    for has_looked in [false, true] {
        assert!(!intake.is_read(&[0]));
        intake.answered(0, Ok(Next::Waiting), has_looked).unwrap();
        intake.heed_time(late);
    }
    assert!(intake.is_read(&[0]));
    assert_eq!(intake.into_reads().1, ClosedBy::IterationTimeout);
}

#[test]
fn a_source_that_was_closed_by_time_is_not_read_from_its_beginning_again() {
    #[derive(Debug)]
    struct OpenedOnce(MemoryRecords, AtomicU64);
    impl SourceTap for OpenedOnce {
        fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
            self.0.shards(known)
        }

        fn open(&self, shards: &[ShardFrom], reading: Reading) -> Result<Box<dyn Reader>, Error> {
            assert_eq!(self.1.fetch_add(1, Ordering::SeqCst), 0, "opened again");
            self.0.open(shards, reading)
        }
    }
    let bounds = Bounds { iteration_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let late = Duration::from_secs(11);
    let lines = OpenedOnce(MemoryRecords::lines(["x"]), AtomicU64::new(0));
    thread::scope(|threads| {
        let (events, said) = mpsc::channel();
        let mut intake = Intake::new(Grouped::PLAN, vec![source(LINES, &lines)], &bounds);
        // Sources are opened to see whether there is anything new, and once more when their step comes.
        for _ in 0..2 {
            intake.open(0, threads, 1, &events).unwrap();
            let Event::Answered { input, answer, has_looked } = said.recv().unwrap() else { panic!("no worker runs") };
            intake.answered(input, answer, has_looked).unwrap();
            intake.heed_time(late);
        }
        assert!(intake.next(&[0]).is_some());
        assert!(intake.next(&[0]).is_none());
        assert!(intake.is_read(&[0]));
    });
}

#[test]
fn a_drain_takes_what_has_been_read_and_asks_for_no_more() {
    let setting = Setting::default();
    let drain = Arc::clone(&setting.drain);
    let endless = scripted(move |answer| {
        drain.store(answer >= 3, Ordering::SeqCst);
        Said::Lines("x\n")
    });
    let (executed, gathered) = setting.run_lines(&endless);
    let executed = executed.unwrap();
    let records = executed.inputs[0].shards[0].records;
    assert_eq!(executed.closed_by, ClosedBy::Drain);
    assert!(records >= 4 && gathered.out.lines().count() as u64 == records, "{records}: {gathered:?}");
}

#[test]
fn a_reader_that_hangs_is_not_hidden_by_another_that_looks_for_more() {
    let setting = Setting::with_bounds(Bounds { no_data_timeout: Some(Duration::from_secs(1)), ..Bounds::default() });
    let (progress, seconds) = (Arc::clone(&setting.progress), Arc::clone(&setting.seconds));
    let (release, released) = mpsc::channel::<()>();
    let hanging = scripted(move |_| {
        let _ = released.recv();
        Said::End
    });
    let (beats, mut release) = (Arc::new(AtomicU64::new(u64::MAX)), Some(release));
    let seen = Arc::clone(&beats);
    let looking = scripted(move |answer| match answer {
        10 => {
            seen.store(progress.beats(), Ordering::SeqCst);
            Said::Idle
        }
        // It has been heard many times since, and the other not once.
        60 => {
            let moved = progress.beats() - seen.load(Ordering::SeqCst);
            seen.store(moved, Ordering::SeqCst);
            drop(release.take());
            seconds.store(9, Ordering::SeqCst);
            Said::Idle
        }
        _ => Said::Idle,
    });
    let inputs = vec![source(LINES, &hanging), source(HOSTS, &looking)];
    setting.run::<Grouped>(inputs, &mut Gathered::default()).unwrap();
    assert_eq!(beats.load(Ordering::SeqCst), 0);
    assert!(setting.progress.beats() > 0);
}

#[test]
fn a_reader_that_gets_things_done_does_not_hang_however_long_it_says_nothing() {
    let setting = Setting::with_bounds(Bounds { no_data_timeout: Some(Duration::from_secs(1)), ..Bounds::default() });
    let (progress, seconds) = (Arc::clone(&setting.progress), Arc::clone(&setting.seconds));
    let (ask, asked) = mpsc::channel::<()>();
    let (done, was_done) = mpsc::channel();
    let skipping = scripted(move |_| {
        while asked.recv().is_ok() {
            effect("file.read", || Ok::<(), Error>(())).unwrap();
            done.send(()).unwrap();
        }
        Said::End
    });
    let (beats, mut ask) = (Arc::new(AtomicU64::new(0)), Some(ask));
    let seen = Arc::clone(&beats);
    let looking = scripted(move |answer| {
        if let Some(ask) = &ask {
            ask.send(()).unwrap();
            was_done.recv().unwrap();
        }
        if answer == 60 {
            seen.store(progress.beats(), Ordering::SeqCst);
            ask = None;
            seconds.store(9, Ordering::SeqCst);
        }
        Said::Idle
    });
    let inputs = vec![source(LINES, &skipping), source(HOSTS, &looking)];
    setting.run::<Grouped>(inputs, &mut Gathered::default()).unwrap();
    assert!(beats.load(Ordering::SeqCst) > 10, "{beats:?}");
}

#[test]
fn a_shard_that_moves_without_a_record_is_no_news_and_keeps_how_far_it_came() {
    let lines = scripted(|answer| if answer < 3 { Said::Moved(10) } else { Said::Idle });
    let (executed, gathered) = Setting::with_workers(1).run_lines(&lines);
    let executed = executed.unwrap();
    let read = &executed.inputs[0].shards[0];
    assert_eq!((executed.new_records, read.next.as_str(), read.covered_us), (false, "30", Some(7)));
    assert_eq!(gathered.out, "");
}

#[test]
fn a_move_behind_a_piece_that_is_cut_is_left_to_the_next_iteration() {
    for (max_records, next) in [(1, "2"), (2, "4"), (3, "14")] {
        let lines = scripted(|answer| match answer {
            0 => Said::Lines("x\nx\n"),
            1 => Said::Moved(10),
            _ => Said::Idle,
        });
        let bounds = Bounds { max_records: Some(max_records), ..Bounds::default() };
        let (executed, _) = Setting::with_bounds(bounds).run_lines(&lines);
        assert_eq!(executed.unwrap().inputs[0].shards[0].next.as_str(), next, "{max_records}");
    }
}
