//! What needs a person: staged objects that are gone, a ledger that is damaged; and what clean-up leaves alone.

use std::process::Command;

use flow_tests::{
    manifests::followed,
    program::{Ended, Running, hit},
    services::CREDENTIALS,
};

use super::Setting;

impl Setting {
    /// Runs until an iteration is sealed, and no further.
    fn seal(&self, arguments: &str) {
        self.die("after", arguments);
    }

    /// Runs until just before or after an iteration is sealed.
    fn die(&self, moment: &str, arguments: &str) {
        let mut command = self.command(arguments);
        command.env("FLOW_FAULT", format!("store.seal#1:{moment}:kill"));
        assert_eq!(Running::start(command).end().code, None);
    }

    /// The keys below a prefix.
    fn keys(&self, prefix: &str) -> Vec<String> {
        let listed = self.service.http("GET", &format!("/{}?list-type=2&prefix={prefix}", self.bucket), "", b"").text();
        let keys = listed.split("<Key>").skip(1).map(|rest| rest.split_once("</Key>").unwrap().0.to_owned());
        keys.collect()
    }

    /// Objects of rows below a prefix.
    fn objects(&self, prefix: &str) -> Vec<String> {
        self.keys(prefix).into_iter().filter(|key| !key.contains("/_flow/")).collect()
    }

    /// Runs the commands of the first remedy that `doctor` prints for this cause; how the last of them ended.
    fn cure(&self, cause: &str, ports: &str) -> Ended {
        let doctor = self.run(&format!("doctor {ports}"));
        assert!(doctor.code == Some(3) && doctor.stdout.contains(&format!("{cause}: ")), "{doctor:?}");
        let from_first = doctor.stdout.lines().skip_while(|line| !line.starts_with("    $ "));
        let commands = from_first.map_while(|line| line.strip_prefix("    $ "));
        let paste = |command: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]).current_dir(self.place.folder());
            shell.envs(CREDENTIALS).env("AWS_ENDPOINT_URL", &self.endpoint);
            Running::start(shell).end()
        };
        commands.map(paste).last().unwrap()
    }
}

fn firsts(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split(',').next().unwrap()).collect()
}

#[test]
fn staged_objects_that_are_lost_are_staged_again_as_doctor_says() {
    let Some(setting) = Setting::new("lost") else { return };
    let ports = "--bad-lines s3://lost/bad";
    for round in 0..2 {
        setting.place.append("access.log", format!("{}no hit {round}\n", hit("a")));
        let before = setting.objects("bad/");
        setting.seal(&format!("run {ports}"));
        let staged = setting.objects("bad/").into_iter().filter(|key| !before.contains(key)).collect::<Vec<_>>();
        let list = setting.keys("bad/_flow/staged/").into_iter().find(|key| key.ends_with("/objects.json"));
        setting.service.delete_object("lost", if round == 0 { &staged[0] } else { list.as_ref().unwrap() });
        let held = setting.run(&format!("run {ports}"));
        assert!(held.code == Some(3) && held.stderr.contains("missing"), "{held:?}");
        let cured = setting.cure("staged-lost", ports);
        assert_eq!(cured.code, Some(0), "{cured:?}");
    }
    assert_eq!(firsts(&followed(setting.service, "lost", "bad")), ["no hit 0", "no hit 1"]);
    assert_eq!(setting.counted(), 2);
}

#[test]
fn a_prefix_whose_ledger_is_damaged_begins_anew_as_doctor_says() {
    let Some(setting) = Setting::new("damaged") else { return };
    let ports = "--bad-lines s3://damaged/bad";
    setting.place.write("access.log", "no hit 0\n");
    assert_eq!(setting.run(&format!("run {ports}")).code, Some(0));
    setting.service.put_object("damaged", "bad/_flow/current.json", "no JSON");
    setting.place.append("access.log", "no hit 1\n");
    let held = setting.run(&format!("run {ports}"));
    assert!(held.code == Some(3) && held.stderr.contains("damaged"), "{held:?}");
    let cured = setting.cure("prefix-damaged", ports);
    assert_eq!(cured.code, Some(0), "{cured:?}");
    assert_eq!(firsts(&followed(setting.service, "damaged", "bad")), ["no hit 1"]);
}

#[test]
fn clean_up_leaves_alone_what_is_sealed_here_and_by_another_store() {
    let Some(mut setting) = Setting::new("cleaned") else { return };
    let ports = "--bad-lines s3://cleaned/bad";
    setting.place.write("access.log", "no hit 0\n");
    assert_eq!(setting.run(&format!("run {ports}")).code, Some(0));
    setting.place.append("access.log", "no hit 1\n");
    setting.seal(&format!("run {ports}"));
    let staged = setting.objects("bad/");
    assert_eq!(staged.len(), 2);
    let cleaned = setting.run(&format!("clean --grace 1ms {ports}"));
    assert_eq!((cleaned.code, setting.objects("bad/")), (Some(0), staged.clone()), "{cleaned:?}");
    // Another store of a flow of this name has something to clean elsewhere, and is told whose this is.
    let ours = std::mem::replace(&mut setting.place, Setting::folder());
    setting.place.write("access.log", hit("a"));
    assert_eq!(setting.run("run --bad-lines s3://cleaned/other").code, Some(0));
    let cleaned = setting.run(&format!("clean --grace 1ms {ports}"));
    assert!(cleaned.code == Some(1) && cleaned.stderr.contains("another checkpoint store"), "{cleaned:?}");
    assert_eq!(setting.objects("bad/"), staged);
    setting.place = ours;
    assert_eq!(setting.run(&format!("run {ports}")).code, Some(0));
    assert_eq!(firsts(&followed(setting.service, "cleaned", "bad")), ["no hit 0", "no hit 1"]);
}

#[test]
fn what_a_dead_run_has_staged_below_a_former_prefix_is_told_and_cleaned_by_its_address() {
    let Some(setting) = Setting::new("former") else { return };
    let (former, now) = ("--bad-lines s3://former/before", "--bad-lines s3://former/after");
    setting.place.write("access.log", "no hit 0\n");
    setting.die("before", &format!("run {former}"));
    assert!(!setting.objects("before/").is_empty());
    let run = setting.run(&format!("run {now}"));
    assert!(run.code == Some(0), "{run:?}");
    for ports in [now, ""] {
        let cleaned = setting.run(&format!("clean {ports}"));
        assert!(cleaned.code == Some(0) && cleaned.stderr.contains("s3://former/before"), "{cleaned:?}");
    }
    assert!(!setting.objects("before/").is_empty());
    let cleaned = setting.run(&format!("clean {former}"));
    assert_eq!((cleaned.code, setting.objects("before/")), (Some(0), Vec::new()), "{cleaned:?}");
    assert_eq!(firsts(&followed(setting.service, "former", "after")), ["no hit 0"]);
}
