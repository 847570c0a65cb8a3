//! What ends a run without a result, and that nothing hangs when it does.

use super::{
    scripted::{Said, scripted},
    *,
};

fn fails(lines: &dyn SourceTap, workers: usize) -> String {
    Setting::with_workers(workers).run_lines(lines).0.unwrap_err().to_string()
}

#[test]
fn a_record_that_no_trap_takes_ends_the_run_with_its_place() {
    let (dir, _) = many_lines();
    fs::write(dir.path().join("b.log"), "x\r\nstop here\r\nx\nstop there\n").unwrap();
    for workers in [1, 2, 7] {
        let text = fails(&*files(&dir, "*.log"), workers);
        assert!(text.starts_with("a record failed and no trap takes it (port `lines`, "), "{text}");
        let rest = "/b.log, position 3): Each(stop): it says so; it is `stop here`; \
                    mend it, or add `trap bad for checked;` to the flow to set such records aside";
        assert!(text.ends_with(rest), "{text}");
    }
}

#[test]
fn a_panic_in_the_flows_code_ends_the_run_with_the_records_place() {
    for workers in [1, 2, 7] {
        let text = fails(&MemoryRecords::lines(["x", "panic now", "x"]), workers);
        let expected = "the flow's code panicked (port `lines`, memory, position 1): \
                        it says panic now; it is `panic now`; \
                        mend the code; where it returns a Result, a failing record can go to a trap";
        assert_eq!(text, expected);
    }
}

#[test]
fn a_row_that_fails_in_a_drain_is_trapped_or_ends_the_run() {
    let (executed, gathered) = Setting::default().run_lines(&MemoryRecords::lines(["drain-trap 1", "x"]));
    executed.unwrap();
    assert_eq!(gathered.trapped, ["key=\"drain-trap\" | - - - | GroupBy(key) | it says so"]);
    assert_eq!(gathered.groups, "x 1\n");

    let text = fails(&MemoryRecords::lines(["drain-stop 1"]), 2);
    let expected = "a row failed and no trap takes it (when all records had been read): \
                    Every(Sum => total): it says so; it is `key=\"drain-stop\"`; \
                    what a whole group comes to is never trapped: use a wider type, or group by more";
    assert_eq!(text, expected);
    let text = fails(&MemoryRecords::lines(["drain-panic 1"]), 2);
    assert!(text.starts_with("the flow's code panicked (when all records had been read): in a drain"), "{text}");
}

#[test]
fn a_readers_failure_or_panic_ends_the_run_with_its_port() {
    let text = fails(&scripted(|answer| if answer < 3 { Said::Lines("x\n") } else { Said::Failure }), 2);
    assert_eq!(text, "the disk is gone (port `lines`, shard)");
    let text = fails(&scripted(|_| Said::Panic), 2);
    assert!(text.starts_with("the reader panicked (port `lines`): a reader's own fault"), "{text}");
    let hosts = scripted(|_| Said::Failure);
    let lines = scripted(|_| Said::Lines("x\n"));
    let inputs = vec![source(LINES, &lines), table(&hosts)];
    let error = Setting::default().run::<Grouped>(inputs, &mut Gathered::default()).unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone (port `hosts`, shard)");
}

#[test]
fn a_full_disk_ends_the_run_though_the_source_never_ends() {
    for workers in [1, 2, 7] {
        let (lines, hosts) = (scripted(|_| Said::Lines("x\ny\n")), MemoryRecords::default());
        let mut gathered = Gathered { rows_max: Some(100), ..Gathered::default() };
        let inputs = vec![source(LINES, &lines), table(&hosts)];
        let error = Setting::with_workers(workers).run::<Grouped>(inputs, &mut gathered).unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error}");
    }
}

#[test]
fn the_stop_flag_ends_a_run_that_waits_and_one_that_works() {
    for waits in [true, false] {
        let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(3600)), ..Bounds::default() };
        let setting = Setting::with_bounds(bounds);
        let stop = Arc::clone(&setting.stop);
        let lines = scripted(move |answer| {
            stop.store(answer >= 3, Ordering::SeqCst);
            if waits && answer > 0 { Said::Wait } else { Said::Lines("x\n") }
        });
        let error = setting.run_lines(&lines).0.unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
    }
}

#[test]
fn an_input_without_a_job_is_refused() {
    let lines = MemoryRecords::lines(["x"]);
    let error = Setting::default().run::<Grouped>(vec![source(LINES, &lines)], &mut Gathered::default()).unwrap_err();
    assert_eq!(error.to_string(), "port `hosts` is not bound");
}
