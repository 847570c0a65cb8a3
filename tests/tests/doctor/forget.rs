//! `forget`: has a target forget, and only one that disagrees with the store.

use std::fs;

use flow_tests::program::{counted, hit};

use super::{STORE, place};

#[test]
fn a_target_that_agrees_with_the_store_is_left_alone() {
    let place = place();
    let told = place.succeed("forget --all --empty --yes").stdout;
    assert_eq!(told.matches("agrees with the checkpoint store, and is left alone").count(), 2, "{told}");
    place.append("access.log", hit("b"));
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
}

#[test]
fn nothing_is_done_until_it_is_asked_for() {
    let place = place();
    fs::remove_file(place.path(STORE)).unwrap();
    let before = place.names();
    for refused in ["forget counts --empty", "forget --all --empty --yes"] {
        let text = place.refused(refused, 2);
        assert!(
            text.contains("the checkpoint store does not know the flow") && text.contains("--store-is-lost"),
            "{text}"
        );
    }
    let ended = place.run("forget counts --empty --store-is-lost");
    assert_eq!(place.names(), before);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stdout.contains("counts: sqlite:counts.db?table=counts: its ledger would forget the flow, ALL"),
        "{ended:?}"
    );
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 1)]));
    let told = place.succeed("forget counts --empty --yes --store-is-lost").stdout;
    assert!(
        told.contains("its ledger has forgotten the flow, its rows are gone (the target was loaded from"),
        "{told}"
    );
    assert_eq!(place.counts("counts.db"), []);
    let told = place.succeed("forget counts --empty --yes").stdout;
    assert!(told.contains("agrees with the checkpoint store"), "{told}");
}

#[test]
fn a_port_is_named_as_in_the_flow_or_as_its_option() {
    let place = place();
    for port in ["bad_lines", "bad-lines"] {
        place.succeed(&format!("forget {port} --yes"));
    }
    let text = place.refused("forget hosts --yes", 2);
    assert!(text.contains("the flow has no sink or trap `hosts`"), "{text}");
}
