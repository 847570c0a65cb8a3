//! Calls to the table that go wrong: every kind of fault at every operation, which a run survives; and an outage, which it does
//! not, with a clear error and nothing lost.

use flow_tests::{
    program::{counted, hit},
    services::{Calls, Fault, Proxy, Rule},
};

use super::Machine;

/// What a run is to survive, wherever it strikes: it is tried again, and the reply to what was done may be lost.
const SURVIVED: [Fault; 6] = [
    Fault::Throttled,
    Fault::InternalError,
    Fault::Unavailable,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::TruncatedBody,
];

const OPERATIONS: [&str; 3] = ["dynamodb.get_item", "dynamodb.put_item", "dynamodb.query"];

#[test]
fn whatever_goes_wrong_with_a_call_each_iteration_is_there_once() {
    for fault in SURVIVED {
        let Some(mut machine) = Machine::with_table() else { return };
        let proxy = Proxy::before(machine.service, &[]);
        machine.endpoint = proxy.endpoint();
        machine.succeed("");
        machine.place.append("access.log", hit("a"));
        proxy.obey(&OPERATIONS.map(|operation| Rule { operation, calls: Calls::Every(2), fault }));
        machine.succeed("");
        let struck = proxy.struck();
        for operation in ["dynamodb.get_item", "dynamodb.put_item"] {
            assert!(struck.iter().any(|struck| struck.operation == operation), "{fault:?}: {struck:?}");
        }
        proxy.obey(&[Rule { operation: "dynamodb.transact_write_items", calls: Calls::First(1), fault }]);
        machine.succeed("reset --force --yes");
        assert_eq!(proxy.struck().len(), 1, "{fault:?}");
        proxy.obey(&[]);
        assert_eq!(machine.place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 1)]), "{fault:?}");
    }
}

#[test]
fn an_outage_ends_a_run_with_what_to_do_and_the_next_one_goes_on() {
    let Some(mut machine) = Machine::with_table() else { return };
    let proxy = Proxy::before(machine.service, &[]);
    machine.endpoint = proxy.endpoint();
    machine.succeed("");
    machine.place.append("access.log", hit("a"));
    // The first calls are answered: the run has begun.
    proxy.obey(&[Rule { operation: "dynamodb.put_item", calls: Calls::All, fault: Fault::ExpiredCredentials }]);
    let ended = machine.run("");
    assert!(ended.code != Some(0) && ended.stderr.contains("credentials"), "{ended:?}");
    proxy.obey(&[]);
    machine.succeed("");
    assert_eq!(machine.place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 1)]));
}
