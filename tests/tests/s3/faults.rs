//! What goes wrong with calls of S3 and DynamoDB: nothing is lost or doubled.

use std::time::{Duration, Instant};

use flow_tests::{
    program::{Running, hit, until},
    services::{CREDENTIALS, Calls, Fault, Proxy, Rule},
};

use super::Setting;

/// Lines of some 60 kB, so that an object of several parts has few of them.
fn long_hits(hits: usize) -> String {
    let path = "x".repeat(60_000);
    hit("a").replace("/x", &format!("/{path}")).repeat(hits)
}

/// Call, fault, and whether the run comes through.
const TROUBLES: [(Rule, bool); 14] = [
    (Rule::first("s3.list_objects_v2", 3, Fault::Throttled), true),
    (Rule::nth("s3.list_objects_v2", 1, Fault::InternalError), true),
    (Rule::nth("s3.list_objects_v2", 1, Fault::Unavailable), true),
    (Rule::nth("s3.list_objects_v2", 1, Fault::ResetBefore), true),
    (Rule::nth("s3.list_objects_v2", 1, Fault::TruncatedBody), true),
    (Rule::nth("s3.list_objects_v2", 1, Fault::ExpiredCredentials), false),
    (Rule::first("s3.head_object", 2, Fault::Throttled), true),
    (Rule::nth("s3.head_object", 1, Fault::ResetAfter), true),
    (Rule::first("s3.get_object", 3, Fault::Throttled), true),
    (Rule::nth("s3.get_object", 2, Fault::InternalError), true),
    (Rule::nth("s3.get_object", 2, Fault::ResetAfter), true),
    (Rule::first("s3.get_object", 1, Fault::TruncatedBody), true),
    (Rule::first("s3.get_object", 5, Fault::TruncatedBody), true),
    (Rule::nth("s3.get_object", 2, Fault::ExpiredCredentials), false),
];

#[test]
fn nothing_is_lost_or_doubled_whatever_goes_wrong_with_a_call() {
    let Some(mut setting) = Setting::new("troubles") else { return };
    // A part and a bit, and a small object.
    setting.service.put_object(setting.bucket, "logs/a", long_hits(150));
    setting.put("logs/b", 7);
    for (rule, comes_through) in TROUBLES {
        setting.place = Setting::folder();
        let proxy = Proxy::before(setting.service, &[rule]);
        setting.endpoint = proxy.endpoint();
        let ended = setting.run("run --log s3://troubles/logs/");
        assert!(!proxy.struck().is_empty(), "{rule:?} struck nothing");
        assert_eq!(ended.code == Some(0), comes_through, "{rule:?}: {ended:?}");
        if !comes_through {
            assert!(ended.stderr.contains("give credentials") && setting.counted() == 0, "{rule:?}: {ended:?}");
            proxy.obey(&[]);
        }
        assert_eq!(setting.count("logs/", ""), 157, "{rule:?}");
    }
}

/// Shorter than a call waits for its answer, which is 15 s.
const PROMPTLY: Duration = Duration::from_secs(12);

#[test]
fn a_signal_is_heeded_while_a_call_does_not_come_back() {
    let Some(mut setting) = Setting::new("stalled") else { return };
    setting.put("logs/a", 7);
    setting.service.create_table("stalled", &["id"]);
    let (log, hosts) = ("--log s3://stalled/logs/", "--hosts dynamodb://stalled");
    for (ports, operation, calls) in [
        (log.to_owned(), "s3.get_object", Calls::All),
        // The first shows that the table is there.
        (format!("{log} {hosts}"), "dynamodb.scan", Calls::Every(2)),
    ] {
        setting.place = Setting::folder();
        let proxy = Proxy::before(setting.service, &[Rule { operation, calls, fault: Fault::Stalled }]);
        setting.endpoint = proxy.endpoint();
        let mut command = setting.place.command(&format!("run {ports}"));
        command.envs(CREDENTIALS).env("AWS_ENDPOINT_URL", &setting.endpoint);
        let run = Running::start(command);
        until("a call is stalled", || (!proxy.struck().is_empty()).then_some(()));
        let asked = Instant::now();
        run.signal("TERM");
        let ended = run.end();
        assert!(asked.elapsed() < PROMPTLY, "{operation}: {:?}, {ended:?}", asked.elapsed());
        assert!(ended.code != Some(0) && setting.counted() == 0, "{operation}: {ended:?}");
        // What it began is begun anew.
        proxy.obey(&[]);
        assert_eq!(setting.count("logs/", ""), 7, "{operation}");
    }
}
