//! Rows and trapped records below a prefix, read by who follows the manifests and knows nothing of flow.

use std::{fs, time::Duration};

use flow_runtime::{
    Sink, Source, Trap,
    driver::{self, Checkpoint, Clean, Options},
    flow,
};
use flow_tests::{
    aws::run_with_credentials,
    manifests::followed,
    program::{Running, hit},
    services::ministack,
};
use serde_json::json;

use super::Setting;

flow! {
    /// Hits by day.
    pub flow Archive {
        source hits: TextDelimited(delimiter = " ") { day: Option<&str>, site: &str };
        sink kept { day: Option<&str>, site: &str };
        trap bad_lines;
        hits -> kept;
    }
}

#[test]
fn rows_are_published_below_a_prefix() {
    if ministack().is_some() {
        run_with_credentials("outputs::rows_are_published_below_a_prefix_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn rows_are_published_below_a_prefix_indeed() {
    let service = ministack().unwrap();
    for (bucket, options, lines) in [
        ("kept-csv", "mode=append", ["2026-11-21,a", "2026-11-22,b", "2026-11-22,c"]),
        (
            "kept-json",
            "mode=append&format=json&partition=day",
            [
                r#"{"day":"2026-11-21","site":"a"}"#,
                r#"{"day":"2026-11-22","site":"b"}"#,
                r#"{"day":"2026-11-22","site":"c"}"#,
            ],
        ),
    ] {
        service.create_bucket(bucket);
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("hits.txt");
        let checkpoint = Checkpoint::Sqlite(folder.path().join("store.db"));
        let run = || {
            let flow = Archive {
                hits: Source::at(format!("file:{}", log.display())),
                kept: Sink::at(format!("s3://{bucket}/hits?{options}&endpoint={}", service.endpoint())),
                bad_lines: Trap::unbound(),
            };
            let mut options = Options::default();
            options.checkpoint = checkpoint.clone();
            driver::run(&flow, &options).unwrap()
        };
        fs::write(&log, "2026-11-21 a\n2026-11-22 b\n").unwrap();
        run();
        assert_eq!(followed(service, bucket, "hits"), lines[..2], "{options}");
        fs::write(&log, "2026-11-21 a\n2026-11-22 b\n2026-11-22 c\n").unwrap();
        run();
        assert!(run().nothing_new);
        assert_eq!(followed(service, bucket, "hits"), lines, "{options}");
    }
}

#[test]
fn more_folders_than_a_list_has_on_a_page_are_published_replaced_and_cleaned() {
    if ministack().is_some() {
        run_with_credentials(
            "outputs::more_folders_than_a_list_has_on_a_page_are_published_replaced_and_cleaned_indeed",
        );
    }
}

#[test]
#[ignore = "needs credentials"]
fn more_folders_than_a_list_has_on_a_page_are_published_replaced_and_cleaned_indeed() {
    const FOLDERS: usize = 1_003;
    let service = ministack().unwrap();
    service.create_bucket("folders");
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("hits.txt");
    let checkpoint = Checkpoint::Sqlite(folder.path().join("store.db"));
    let target =
        format!("s3://folders/hits?mode=replace&partition=site&compression=none&endpoint={}", service.endpoint());
    let flow = || Archive {
        hits: Source::at(format!("file:{}", log.display())),
        kept: Sink::at(&target),
        bad_lines: Trap::unbound(),
    };
    let run = || {
        let mut options = Options::default();
        options.checkpoint = checkpoint.clone();
        driver::run(&flow(), &options).unwrap()
    };
    let lines: String = (0..FOLDERS).map(|site| format!("d s{site}\n")).collect();
    fs::write(&log, &lines).unwrap();
    run();
    assert_eq!(followed(service, "folders", "hits").len(), FOLDERS);
    fs::write(&log, format!("{lines}d last\n")).unwrap();
    run();
    assert_eq!(followed(service, "folders", "hits"), ["d,last"]);
    let at_once = Clean { grace: Duration::ZERO, ..Clean::default() };
    let removed = driver::clean(&flow(), &checkpoint, at_once).unwrap();
    let bytes: usize = (0..FOLDERS).map(|site| format!("d,s{site}\n").len()).sum();
    assert_eq!(
        removed.in_targets.iter().map(|(_, port, bytes)| (&**port, *bytes)).collect::<Vec<_>>(),
        [("kept", bytes as u64)]
    );
    let nothing = driver::clean(&flow(), &checkpoint, at_once).unwrap();
    assert!(nothing.in_targets.is_empty() && nothing.failed.is_empty(), "{nothing:?}");
    assert_eq!(followed(service, "folders", "hits"), ["d,last"]);
}

#[test]
fn what_is_trapped_below_a_prefix_is_retried() {
    let Some(setting) = Setting::new("trapped") else { return };
    setting.place.write("access.log", format!("{}no hit\n{}", hit("a"), hit("a")));
    let trap = "--bad-lines s3://trapped/bad";
    assert_eq!(setting.run(&format!("run {trap}")).code, Some(0));
    assert_eq!(setting.counted(), 2);
    let found = followed(setting.service, "trapped", "bad");
    assert!(found.len() == 1 && found[0].starts_with("no hit,"), "{found:?}");
    let retried = setting.run(&format!("retry-trap bad_lines {trap}"));
    assert_eq!(retried.code, Some(0), "{retried:?}");
    // It is still no hit: what fails again is trapped again, behind the first.
    assert_eq!(followed(setting.service, "trapped", "bad").len(), 2);
}

/// The effects on S3 of an iteration that traps a record, in the order of their beginning.
fn effects(setting: &Setting, arguments: &str) -> Vec<String> {
    let mut command = setting.command(arguments);
    command.env("FLOW_EFFECTS", setting.place.path("effects"));
    assert_eq!(Running::start(command).end().code, Some(0));
    let passed = setting.place.text("effects");
    passed.lines().filter(|effect| effect.starts_with("s3.")).map(str::to_owned).collect()
}

#[test]
fn wherever_a_process_dies_each_trapped_record_is_there_once_and_nothing_is_left_over() {
    let Some(setting) = Setting::new("trap-deaths") else { return };
    let run = "run --bad-lines s3://trap-deaths/bad";
    setting.place.write("access.log", "no hit 0\n");
    assert_eq!(setting.run(run).code, Some(0));
    setting.place.append("access.log", "no hit 1\n");
    let effects = effects(&setting, run);
    assert!(effects.iter().any(|effect| effect.starts_with("s3.put_object")), "{effects:?}");
    let mut lines = 2;
    for effect in &effects {
        for fault in ["before:kill", "after:kill", "after:error"] {
            setting.place.append("access.log", format!("no hit {lines}\n"));
            lines += 1;
            let mut command = setting.command(run);
            command.env("FLOW_FAULT", format!("{effect}:{fault}"));
            let broken = Running::start(command).end();
            // An answer that is lost may be got again.
            assert_eq!(broken.code.is_none(), fault.ends_with("kill"), "{effect}:{fault}: {broken:?}");
            // What it had begun, and what it had not.
            for _ in 0..2 {
                let ended = setting.run(run);
                assert_eq!(ended.code, Some(0), "{effect}:{fault}: {broken:?}, {ended:?}");
            }
            let found = followed(setting.service, "trap-deaths", "bad");
            let found: Vec<&str> = found.iter().map(|line| line.split(',').next().unwrap()).collect();
            let expected: Vec<String> = (0..lines).map(|line| format!("no hit {line}")).collect();
            assert_eq!(found, expected, "{effect}:{fault}: {broken:?}");
        }
    }
    let cleaned = setting.run("clean --json --dry-run --grace 1ms --bad-lines s3://trap-deaths/bad").json();
    assert_eq!((&cleaned["in_targets"], &cleaned["staged"]), (&json!([]), &json!([])), "{cleaned}");
}
