//! Every call that a run makes, under every fault that can happen to it.

use std::{collections::BTreeMap, sync::Mutex, thread};

use flow_tests::{
    aws::Cloud,
    program::Ended,
    services::{Fault, Proxy, Rule},
};

use super::{
    scene::{Input, Scene, is_whole},
    table::{Outcome, is_possible, is_tried_later, outcome},
};

/// Rows that are tried at once: most of the time they wait for an answer that does not come.
const THREADS: usize = 8;

/// How many lines an iteration reads.
const LINES: usize = 20;

/// Of an operation, calls that go wrong one at a time if all is tried.
const CALLS_MAX: u64 = 12;

/// A call that goes wrong.
#[derive(Clone, Debug)]
struct Case {
    operation: &'static str,
    /// Its number among those of its operation in the run, from 1.
    call: u64,
    fault: Fault,
    outcome: Outcome,
}

/// Services with proxies before them.
struct Breakable {
    proxies: [Proxy; 2],
    cloud: Cloud,
}

impl Breakable {
    fn new(input: Input) -> Option<Self> {
        // Where a run reads several iterations, a slow service takes too long.
        let cloud = if input == Input::Aggregates { Cloud::fast()? } else { Cloud::exact()? };
        let proxies = [Proxy::before(cloud.streams, &[]), Proxy::before(cloud.tables, &[])];
        let cloud = cloud.with_streams_through(&proxies[0]).with_tables_through(&proxies[1]);
        Some(Self { proxies, cloud })
    }

    /// Calls are counted anew, and break by this rule.
    fn obey(&self, rule: Option<Rule>) {
        self.proxies.iter().for_each(|proxy| proxy.obey(rule.as_slice()));
    }

    fn calls(&self) -> BTreeMap<String, u64> {
        self.proxies.iter().flat_map(Proxy::calls).collect()
    }

    fn struck(&self) -> usize {
        self.proxies.iter().map(|proxy| proxy.struck().len()).sum()
    }
}

/// The operations that one of the first iterations calls, and how often at most.
fn operations(input: Input) -> Option<BTreeMap<String, u64>> {
    let services = Breakable::new(input)?;
    let mut scene = Scene::new(&services.cloud, input);
    let mut most = BTreeMap::new();
    for _ in 0..2 {
        scene.prepare(LINES).unwrap();
        services.obey(None);
        let ended = scene.run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for (operation, calls) in services.calls() {
            let known: &mut u64 = most.entry(operation).or_default();
            *known = calls.max(*known);
        }
    }
    scene.recover().unwrap();
    assert_eq!(scene.differences(), [""; 0]);
    if input == Input::Aggregates {
        // The rest is the same whatever was read.
        most.retain(|operation, _| operation.starts_with("kinesis.get_"));
    }
    if input == Input::Archive {
        most.retain(|operation, _| operation.starts_with("s3."));
    }
    Some(most)
}

/// All that can go wrong with these operations: with their first calls, and with later ones where that is something else.
fn cases(operations: &BTreeMap<String, u64>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (operation, calls) in operations {
        for fault in Fault::ALL.into_iter().filter(|fault| is_possible(operation, *fault)) {
            let outcome = outcome(operation, fault);
            let outcome = outcome.unwrap_or_else(|| panic!("table.rs has no row for {operation} {fault:?}"));
            let is_tried = |call: &u64| *call == 1 || is_whole() || is_tried_later(operation, *call, fault);
            for call in (1..=CALLS_MAX.min(*calls)).filter(is_tried) {
                cases.push(Case { operation: operation.clone().leak(), call, fault, outcome });
            }
        }
    }
    cases
}

/// An iteration one of whose calls goes wrong, and what comes then; whether the call was made.
fn attempt(services: &Breakable, scene: &mut Scene, case: &Case) -> Result<bool, String> {
    for is_fresh in [false, true] {
        // What only a first iteration calls needs a flow that nothing has run in.
        if is_fresh {
            *scene = Scene::new(&services.cloud, scene.input);
            scene.grow(LINES);
        } else {
            scene.prepare(LINES)?;
        }
        services.obey(Some(Rule::nth(case.operation, case.call, case.fault)));
        let ended = scene.run();
        let struck = services.struck();
        services.obey(None);
        if struck == 0 {
            fits(&ended, Outcome::GoesOn)?;
            continue;
        }
        // One shard may fail when another has given all that the bound of the iteration takes.
        let may_be_over = scene.input == Input::Aggregates && ended.code == Some(0);
        if !may_be_over {
            fits(&ended, case.outcome)?;
        }
        if !scene.differences().is_empty() {
            scene.recover()?;
        }
        let differences = scene.differences();
        return if differences.is_empty() { Ok(true) } else { Err(format!("{differences:?}")) };
    }
    if case.call == 1 { Err("the call was not made".to_owned()) } else { Ok(false) }
}

fn fits(ended: &Ended, outcome: Outcome) -> Result<(), String> {
    let is_right = match outcome {
        Outcome::GoesOn => ended.code == Some(0),
        Outcome::Ends(code, said) => ended.code == Some(code) && ended.stderr.contains(said),
    };
    if is_right { Ok(()) } else { Err(format!("{outcome:?}, and not {ended:?}")) }
}

/// Tries all cases; what did not end as it must.
fn whatever_goes_wrong(input: Input) {
    let Some(operations) = operations(input) else { return };
    let cases = cases(&operations);
    let count = cases.len();
    let (cases, wrong, made) = (Mutex::new(cases), Mutex::new(Vec::new()), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let services = Breakable::new(input).unwrap();
                let mut scene = Scene::new(&services.cloud, input);
                while let Some(case) = { cases.lock().unwrap().pop() } {
                    match attempt(&services, &mut scene, &case) {
                        Ok(is_made) => *made.lock().unwrap() += usize::from(is_made),
                        Err(what) => {
                            scene = Scene::new(&services.cloud, input);
                            wrong.lock().unwrap().push(format!("{case:?}: {what}"));
                        }
                    }
                }
            });
        }
    });
    let (wrong, made) = (wrong.into_inner().unwrap(), made.into_inner().unwrap());
    println!("{made} of {count} calls gone wrong, of {operations:?}: {} not as they must", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    // How often a stream is read differs a little from run to run.
    assert!(made >= count * 9 / 10, "{made} of {count} calls were made");
}

#[test]
fn whatever_goes_wrong_with_a_call_about_a_stream_or_the_store_nothing_is_lost_or_doubled() {
    whatever_goes_wrong(Input::Stream);
}

#[test]
fn whatever_goes_wrong_within_an_aggregate_nothing_of_it_is_lost_or_doubled() {
    whatever_goes_wrong(Input::Aggregates);
}

#[test]
fn whatever_goes_wrong_with_a_call_about_objects_or_the_store_nothing_is_lost_or_doubled() {
    whatever_goes_wrong(Input::Objects);
}

#[test]
fn whatever_goes_wrong_with_a_call_about_what_is_written_below_prefixes_nothing_is_lost_or_doubled() {
    whatever_goes_wrong(Input::Archive);
}
