//! Every call that a run makes, under every fault that can happen to it.

use std::{collections::BTreeMap, sync::Mutex, thread};

use flow_tests::{
    aws::Cloud,
    program::Ended,
    services::{Fault, Proxy, Rule},
};

use super::{
    scene::{Input, Scene},
    table::{Outcome, is_possible, outcome},
};

/// Rows that are tried at once: most of the time they wait for an answer that does not come.
const THREADS: usize = 8;

/// How many lines an iteration reads.
const LINES: usize = 20;

/// A call that goes wrong.
#[derive(Clone, Debug)]
struct Case {
    operation: &'static str,
    fault: Fault,
    outcome: Outcome,
}

/// Services with proxies before them.
struct Breakable {
    proxies: [Proxy; 2],
    cloud: Cloud,
}

impl Breakable {
    fn new() -> Option<Self> {
        let cloud = Cloud::exact()?;
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

/// The operations that the first two iterations call.
fn operations(input: Input) -> Option<Vec<String>> {
    let services = Breakable::new()?;
    let mut scene = Scene::new(&services.cloud, input);
    services.obey(None);
    for _ in 0..2 {
        scene.grow(LINES);
        let ended = scene.run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(scene.differences(), [""; 0]);
    Some(services.calls().into_keys().collect())
}

/// All that can go wrong with these operations.
fn cases(operations: &[String]) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in operations {
        for fault in Fault::ALL.into_iter().filter(|fault| is_possible(operation, *fault)) {
            let outcome = outcome(operation, fault);
            let outcome = outcome.unwrap_or_else(|| panic!("table.rs has no row for {operation} {fault:?}"));
            cases.push(Case { operation: operation.clone().leak(), fault, outcome });
        }
    }
    cases
}

/// An iteration one of whose calls goes wrong, and what comes then.
fn attempt(services: &Breakable, scene: &mut Scene, case: &Case) -> Result<(), String> {
    for is_fresh in [false, true] {
        // What only a first iteration calls needs a flow that nothing has run in.
        if is_fresh {
            *scene = Scene::new(&services.cloud, scene.input);
        }
        scene.grow(LINES);
        services.obey(Some(Rule::nth(case.operation, 1, case.fault)));
        let ended = scene.run();
        let struck = services.struck();
        services.obey(None);
        if struck == 0 {
            fits(&ended, Outcome::GoesOn)?;
            continue;
        }
        fits(&ended, case.outcome)?;
        if !scene.differences().is_empty() {
            scene.recover()?;
        }
        let differences = scene.differences();
        return if differences.is_empty() { Ok(()) } else { Err(format!("{differences:?}")) };
    }
    Err("the call was not made".to_owned())
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
    let (cases, wrong) = (Mutex::new(cases), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let services = Breakable::new().unwrap();
                let mut scene = Scene::new(&services.cloud, input);
                while let Some(case) = { cases.lock().unwrap().pop() } {
                    if let Err(what) = attempt(&services, &mut scene, &case) {
                        scene = Scene::new(&services.cloud, input);
                        wrong.lock().unwrap().push(format!("{} {:?}: {what}", case.operation, case.fault));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{count} calls gone wrong, of {operations:?}: {} not as they must", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn whatever_goes_wrong_with_a_call_about_a_stream_or_the_store_nothing_is_lost_or_doubled() {
    whatever_goes_wrong(Input::Stream);
}

#[test]
fn whatever_goes_wrong_with_a_call_about_objects_or_the_store_nothing_is_lost_or_doubled() {
    whatever_goes_wrong(Input::Objects);
}
