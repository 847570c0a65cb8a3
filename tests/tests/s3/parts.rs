//! Objects that are uploaded in parts, while calls go wrong and the process dies.

use flow_tests::{
    manifests::followed,
    program::Running,
    services::{Fault, Proxy, Rule},
};

use super::Setting;

const LINES: usize = 200;

/// What goes wrong with an upload; each is got over.
const TROUBLES: [Rule; 8] = [
    Rule::nth("s3.create_multipart_upload", 1, Fault::ResetAfter),
    Rule::nth("s3.create_multipart_upload", 1, Fault::Throttled),
    Rule::nth("s3.upload_part", 1, Fault::ResetAfter),
    Rule::nth("s3.upload_part", 2, Fault::InternalError),
    Rule::nth("s3.upload_part", 2, Fault::ResetBefore),
    Rule::nth("s3.complete_multipart_upload", 1, Fault::ResetAfter),
    Rule::nth("s3.complete_multipart_upload", 1, Fault::ResetBefore),
    Rule::nth("s3.complete_multipart_upload", 1, Fault::InternalError),
];

/// So many bad lines that they take two parts and a bit.
fn bad_lines() -> String {
    let rest = "x".repeat(60_000);
    (0..LINES).map(|line| format!("no hit {line} {rest}\n")).collect()
}

/// What is there once, below the prefix, and no upload is open.
fn assert_whole(setting: &Setting, prefix: &str, what: &str) {
    let found = followed(setting.service, setting.bucket, prefix);
    let number = |line: &String| line.split(' ').nth(2).unwrap().parse().unwrap();
    let found: Vec<usize> = found.iter().map(number).collect();
    assert_eq!(found, (0..LINES).collect::<Vec<_>>(), "{what}");
    let open = setting.service.http("GET", &format!("/{}?uploads", setting.bucket), "", b"").text();
    assert!(open.contains("ListMultipartUploadsResult") && !open.contains("<UploadId>"), "{what}: {open}");
}

#[test]
fn whatever_goes_wrong_with_an_upload_in_parts_it_is_whole_and_nothing_is_left_over() {
    let Some(mut setting) = Setting::new("parts") else { return };
    for (number, rule) in TROUBLES.into_iter().enumerate() {
        setting.place = Setting::folder();
        setting.place.write("access.log", bad_lines());
        let proxy = Proxy::before(setting.service, &[rule]);
        setting.endpoint = proxy.endpoint();
        let trap = format!("--bad-lines s3://parts/{number}?compression=none");
        let ended = setting.run(&format!("run {trap}"));
        assert!(ended.code == Some(0) && !proxy.struck().is_empty(), "{rule:?}: {ended:?}");
        // An upload whose beginning was not answered is found by going through all.
        let cleaned = setting.run(&format!("clean --grace 1ms {trap}"));
        assert_eq!(cleaned.code, Some(0), "{rule:?}: {cleaned:?}");
        assert_whole(&setting, &number.to_string(), &format!("{rule:?}"));
    }
}

#[test]
fn wherever_a_process_dies_that_uploads_in_parts_they_are_uploaded_anew_and_nothing_is_left_over() {
    let Some(mut setting) = Setting::new("parts-deaths") else { return };
    for effect in ["create_multipart_upload#1", "upload_part#1", "upload_part#2", "complete_multipart_upload#1"] {
        for moment in ["before", "after"] {
            setting.place = Setting::folder();
            setting.place.write("access.log", bad_lines());
            let (prefix, fault) =
                (format!("{effect}-{moment}").replace('#', "-"), format!("s3.{effect}:{moment}:kill"));
            let trap = format!("--bad-lines s3://parts-deaths/{prefix}?compression=none");
            let mut command = setting.command(&format!("run {trap}"));
            command.env("FLOW_FAULT", &fault);
            assert_eq!(Running::start(command).end().code, None, "{fault}");
            let ended = setting.run(&format!("run {trap}"));
            assert_eq!(ended.code, Some(0), "{fault}: {ended:?}");
            assert_whole(&setting, &prefix, &fault);
        }
    }
}
