//! What happens to which object, from iteration to iteration.

use flow_tests::program::hit;

use super::{Setting, gzip};

#[test]
fn an_object_that_comes_late_under_a_lower_key_is_found() {
    let Some(setting) = Setting::new("late-keys") else { return };
    setting.put("logs/b", 2);
    setting.put("logs-of-others/a", 100);
    assert_eq!(setting.count("logs", ""), 2);
    setting.put("logs/a", 3);
    setting.put("logs/c/d", 4);
    assert_eq!(setting.count("logs", ""), 9);
    let ended = setting.run("run --log s3://late-keys/logs");
    assert!(ended.stderr.contains("nothing new"), "{ended:?}");
    assert_eq!(setting.counted(), 9);
}

#[test]
fn an_upload_that_began_before_an_iteration_and_ends_after_it_is_found() {
    let Some(setting) = Setting::new("late-uploads") else { return };
    let upload = setting.service.begin_upload(setting.bucket, "logs/a");
    setting.put("logs/b", 2);
    assert_eq!(setting.count("logs/", ""), 2);
    // Its key comes before the one that was read, and so does the time at which it was begun.
    setting.service.complete_upload(setting.bucket, "logs/a", &upload, &[&hit("a").repeat(3), &hit("a").repeat(4)]);
    assert_eq!(setting.count("logs/", ""), 9);
    let ended = setting.run("run --log s3://late-uploads/logs/");
    assert!(ended.stderr.contains("nothing new"), "{ended:?}");
    assert_eq!(setting.counted(), 9);
}

#[test]
fn an_address_is_one_object_a_prefix_or_a_glob() {
    for (bucket, address, hits) in [
        ("meant-object", "logs/a.log", 1),
        ("meant-prefix", "logs/", 7),
        ("meant-glob", "logs/*.log", 3),
        ("meant-deeper", "logs/**/*.log", 7),
        ("meant-all", "", 15),
    ] {
        let Some(setting) = Setting::new(bucket) else { return };
        setting.put("logs/a.log", 1);
        setting.put("logs/b.log", 2);
        setting.put("logs/x/c.log", 4);
        setting.put("logs-2/d.log", 8);
        assert_eq!(setting.count(address, ""), hits, "{address}");
    }
}

#[test]
fn objects_of_many_pages_are_read_all() {
    let Some(setting) = Setting::new("pages") else { return };
    for object in 0..1_100 {
        setting.put(&format!("logs/{object}"), 1);
    }
    assert_eq!(setting.count("logs/", ""), 1_100);
}

#[test]
fn compressed_objects_are_cut_by_bounds_and_read_on_exactly() {
    let Some(setting) = Setting::new("compressed") else { return };
    let text = hit("a").repeat(1_000);
    setting.service.put_object(setting.bucket, "logs/a.gz", gzip(&text));
    setting.service.put_object(setting.bucket, "logs/b", zstd::encode_all(text.as_bytes(), 1).unwrap());
    setting.service.put_object(setting.bucket, "logs/c.gz", gzip(""));
    setting.service.put_object(setting.bucket, "logs/d", format!("\u{feff}{}", text.trim_end()));
    for counted in [700, 1_400, 2_100, 2_800, 3_000] {
        assert_eq!(setting.count("logs/", "--max-records 700"), counted);
    }
    let ended = setting.run("run --log s3://compressed/logs/");
    assert!(ended.stderr.contains("nothing new"), "{ended:?}");
    let trapped = setting.place.text("bad_lines.csv");
    assert!(!trapped.contains("GET"), "{trapped}");
}

#[test]
fn an_overwritten_object_is_held_until_somebody_says_what_is_in_it() {
    for (bucket, option, counted) in
        [("overwritten-anew", "--accept-gap", 8), ("overwritten-end", "--accept-gap=end", 3)]
    {
        let Some(setting) = Setting::new(bucket) else { return };
        setting.put("logs/a", 3);
        assert_eq!(setting.count("logs/", ""), 3);
        setting.put("logs/a", 5);
        let refused = setting.run(&format!("run --log s3://{bucket}/logs/")).refusal(3);
        assert!(
            refused.contains(&format!("overwritten after it was read (port `log`, s3://{bucket}/logs/a")),
            "{refused}"
        );
        let doctor = setting.run(&format!("doctor --log s3://{bucket}/logs/"));
        assert!(doctor.stdout.contains("source-overwritten") && doctor.stdout.contains(option), "{doctor:?}");
        assert_eq!(setting.count("logs/", option), counted);
        assert_eq!(setting.count("logs/", ""), counted);
        setting.put("logs/b", 1);
        assert_eq!(setting.count("logs/", ""), counted + 1);
    }
}

#[test]
fn an_object_that_is_put_again_as_it_was_is_the_same() {
    let Some(setting) = Setting::new("put-again") else { return };
    setting.put("logs/a", 3);
    assert_eq!(setting.count("logs/", ""), 3);
    setting.put("logs/a", 3);
    assert_eq!(setting.count("logs/", ""), 3);
}

#[test]
fn a_deleted_object_is_missed_only_where_it_was_not_read_to_its_end() {
    let Some(setting) = Setting::new("deleted") else { return };
    setting.put("logs/a", 1);
    setting.put("logs/b", 1);
    setting.put("logs/c", 2);
    assert_eq!(setting.count("logs/", "--max-records 3"), 3);
    setting.service.delete_object(setting.bucket, "logs/a");
    let check = setting.run("check --log s3://deleted/logs/");
    assert!(!check.stdout.contains("is not there"), "{check:?}");
    setting.service.delete_object(setting.bucket, "logs/c");
    let check = setting.run("check --log s3://deleted/logs/");
    assert!(check.stdout.contains("the object was deleted before it was read to its end"), "{check:?}");
}

#[test]
fn a_version_that_was_overwritten_is_read_again_where_versions_are_kept() {
    for (bucket, keeps_versions) in [("versions-kept", true), ("versions-lost", false)] {
        let Some(setting) = Setting::new(bucket) else { return };
        if keeps_versions {
            setting.service.keep_versions(bucket);
        }
        setting.put("logs/a", 2);
        setting.put("logs/b", 3);
        assert_eq!(setting.count("logs/", ""), 5);
        setting.put("logs/b", 1);
        let again = setting.run(&format!("replay 0 --log s3://{bucket}/logs/ --counts stdout: --bad-lines stdout:"));
        match keeps_versions {
            true => assert!(again.code == Some(0) && again.stdout.contains('5'), "{again:?}"),
            false => {
                let refused = again.refusal(1);
                assert!(refused.contains("overwritten since it was listed"), "{refused}");
            }
        }
    }
}

#[test]
fn what_cannot_be_listed_or_read_is_told_by_check() {
    let Some(setting) = Setting::new("check-me") else { return };
    for (address, says) in [
        ("s3://check-me/logs", "no such object, and none below it (port `log`, s3://check-me/logs)"),
        ("s3://check-me/*.log", "no object matches (port `log`, s3://check-me/*.log)"),
        ("s3://no-such-bucket/logs", "NoSuchBucket"),
        ("s3:check-me", "the address names no bucket"),
    ] {
        let check = setting.run(&format!("check --log {address}"));
        assert!(check.code != Some(0) && check.stdout.contains(says), "{address}: {check:?}");
    }
}

#[test]
fn a_sealed_range_whose_last_byte_is_an_empty_line_is_read_again() {
    /// So many bytes are read at first: three, which may be a byte order mark, and a block.
    const FIRST_BYTES: usize = 3 + 256 * 1024;
    let Some(setting) = Setting::new("last-byte") else { return };
    let long = "x".repeat(FIRST_BYTES - 1);
    setting.service.put_object(setting.bucket, "logs/a", format!("{long}\n\n{}", hit("a")));
    let ended = setting.run("run --log s3://last-byte/logs/ --max-records 2");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let again = setting.run("replay 0 --log s3://last-byte/logs/ --counts stdout: --bad-lines stdout:");
    assert_eq!(again.code, Some(0), "{again:?}");
}
