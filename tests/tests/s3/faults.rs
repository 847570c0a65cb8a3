//! What goes wrong with calls of S3 and DynamoDB: nothing is lost or doubled.

use flow_tests::{
    program::hit,
    services::{Fault, Proxy, Rule},
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
