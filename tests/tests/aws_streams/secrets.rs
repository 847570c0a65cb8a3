//! No secret is in what a flow says, writes or keeps.

use std::fs;

use flow_tests::{
    aws::Cloud,
    program::{Ended, Place, Running},
};

const SECRET: &str = "wJalrXUtnFEMIbPxRfiCYsecret";

#[test]
fn no_command_tells_the_secret_and_nothing_that_is_kept_has_it() {
    let Some(cloud) = Cloud::exact() else { return };
    let (streams, tables) = (cloud.streams, cloud.tables);
    let cloud = cloud.with_secret(SECRET);
    streams.create_stream("secrets", 1);
    let place = Place::new(env!("CARGO_BIN_EXE_fault_flows"));
    let ports = "--lines kinesis://secrets?start=oldest --rows file:rows.csv \
                 --counts sqlite:counts.db?table=counts&mode=merge --bad file:bad.csv";
    let mut said = Vec::new();
    let mut ask = |arguments: &str| -> Ended {
        let mut command = cloud.on(place.command(arguments));
        command.env("FLOW_UNDER_TEST", "split").env("FLOW_EFFECTS", place.path("effects"));
        let ended = Running::start(command).end();
        said.push((arguments.to_owned(), ended.clone()));
        ended
    };
    let with = |command: &str, checkpoint: &str| format!("{command} {ports} --checkpoint dynamodb://{checkpoint}");
    let setup = ask(&with("setup --yes", "secrets"));
    assert_eq!(setup.code, Some(0), "{setup:?}");
    place.write("lines", "1,a,60\n2,b,70\nbad\n");
    let published = ask("publish kinesis://secrets --from lines");
    assert_eq!(published.code, Some(0), "{published:?}");
    for command in ["check", "plan --iam", "run --log-level trace --log-format json", "run --json"] {
        let ended = ask(&with(command, "secrets"));
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
    }
    ask("plan");
    ask("iterations --checkpoint dynamodb://secrets");
    ask("iterations 0 --checkpoint dynamodb://secrets");
    ask(&with("doctor", "secrets"));
    // Failing calls are told with all that is known of them.
    for command in ["run --log-level trace", "check", "doctor"] {
        let refused = ask(&with(command, "not-there"));
        assert_ne!(refused.code, Some(0), "{command}: {refused:?}");
    }
    ask("publish kinesis://not-there --from lines");

    for (arguments, ended) in &said {
        assert!(!format!("{ended:?}").contains(SECRET), "{arguments}: {ended:?}");
    }
    assert_eq!(place.text("bad.csv").matches("bad").count(), 1);
    for name in place.names() {
        let bytes = fs::read(place.path(&name)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{name}");
    }
    let items = format!("{:?}", tables.items("secrets"));
    assert!(items.len() > 100 && !items.contains(SECRET), "{items}");
}
