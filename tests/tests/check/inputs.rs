//! Inputs that are missing or unreadable, and positions that are not there any more.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
};

use flow_tests::program::{Running, hit};

use super::{check, finds, notes, place};

#[test]
fn an_input_that_is_missing_is_found() {
    let place = place();
    fs::remove_file(place.path("hosts.txt")).unwrap();
    finds(&place, "", 1, &["cannot read the file (port `hosts`, hosts.txt): No such file", "check the address"]);
}

#[test]
fn a_glob_that_matches_nothing_is_found() {
    finds(&place(), "--hosts file:*.list", 1, &["no file matches (port `hosts`, *.list)"]);
}

#[test]
fn an_input_that_is_no_file_is_found() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    finds(&place, "--hosts file:folder", 1, &["a directory cannot be read (port `hosts`, folder)", "file:folder/*"]);
}

#[test]
fn an_input_that_may_not_be_read_is_found() {
    let place = place();
    fs::set_permissions(place.path("hosts.txt"), PermissionsExt::from_mode(0o000)).unwrap();
    fs::set_permissions(place.folder(), PermissionsExt::from_mode(0o777)).unwrap();
    // Who may do everything may read it all the same, so the check is somebody else's.
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let command = match is_root {
        false => place.command("check"),
        true => place.command_after("set -- setpriv --reuid 65534 --clear-groups \"$0\" \"$@\"; exec \"$@\"", "check"),
    };
    let ended = Running::start(command).end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let denied = "error: cannot read the file (port `hosts`, hosts.txt): Permission denied";
    assert!(ended.stdout.contains(denied) && ended.stdout.contains("make it readable for the user"), "{ended:?}");
}

#[test]
fn a_source_that_has_shrunk_is_found_with_both_sizes() {
    let place = place();
    place.succeed("");
    let length = place.text("access.log").len();
    place.write("access.log", hit("a") + &hit("b"));
    let read = format!("it was read to byte {length}, now it has {} bytes", 2 * hit("a").len());
    finds(&place, "", 3, &["the file has shrunk (port `log`, access.log)", &read]);
}

#[test]
fn a_source_that_begins_differently_is_found() {
    let place = place();
    place.succeed("");
    place.write("access.log", hit("z").repeat(50));
    finds(&place, "", 3, &["it begins differently (port `log`, access.log)", "it was read to byte"]);
}

#[test]
fn every_source_that_is_not_what_it_was_is_found() {
    let place = place();
    place.write("b.log", hit("b").repeat(50));
    place.succeed("--log file:*.log");
    place.write("access.log", "");
    place.write("b.log", hit("z").repeat(60));
    let said = check(&place, "--log file:*.log", 3);
    assert!(said[0].contains("access.log") && said[1].contains("b.log") && said.len() == 3, "{said:?}");
}

#[test]
fn a_file_that_was_replaced_is_noted_and_read_from_its_beginning() {
    let place = place();
    place.succeed("");
    // As long as it is somewhere, the new file cannot have its number; beside the new one it would be found again.
    fs::create_dir(place.path("away")).unwrap();
    fs::rename(place.path("access.log"), place.path("away/access.log")).unwrap();
    place.write("access.log", hit("z"));
    notes(
        &place,
        "",
        &["nothing of what was read before is there (1 of 1) (port `log`): the last of them is access.log"],
    );
    assert_eq!(place.counts("counts.db").len(), 3);
}

#[test]
fn one_file_of_several_that_is_gone_is_noted() {
    let place = place();
    place.write("b.log", hit("b"));
    place.succeed("--log file:*.log");
    fs::create_dir(place.path("away")).unwrap();
    fs::rename(place.path("b.log"), place.path("away/b.log")).unwrap();
    let noted = format!(
        "some of what was read before is not there (1 of 2) (port `log`): the last of them is b.log, read to position {}",
        hit("b").len()
    );
    notes(&place, "--log file:*.log", &[&noted]);
}
