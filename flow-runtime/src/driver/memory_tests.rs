//! What is spilled, and what ends the run, by what tables say that they hold.

use super::*;
use crate::{
    flow::{Block, Drained, Output, PortMut, PortRef, Stop},
    plan::{Balance, PortKind, PortPlan},
};

const fn port(name: &'static str, kind: PortKind) -> PortPlan {
    PortPlan { name, kind, about: "", scheme: "", fields: &[], key: &[], grouped: false, covers: &[], line: 0 }
}

const fn operator(text: &'static str, inputs: &'static [usize], port: Option<usize>) -> OperatorPlan {
    let balance = Balance::RowByRow;
    OperatorPlan {
        kind: "",
        text,
        pipe: "",
        inputs,
        port,
        fields: &[],
        read: &[],
        balance,
        trap: None,
        line: 0,
        note: "",
    }
}

const JOIN: usize = 3;
const GROUP: usize = 4;

const PLAN: Plan = Plan {
    flow: "Sized",
    about: "",
    ports: &[port("log", PortKind::Source), port("hosts", PortKind::Table)],
    operators: &[
        operator("log", &[], Some(0)),
        operator("hosts", &[], Some(1)),
        operator("Rename(ip => userip)", &[1], None),
        operator("HashJoin(log on ip, hosts on userip, InnerJoin)", &[0, 2], None),
        operator("GroupBy(ip)", &[JOIN], None),
    ],
    steps: &[],
    drains: &[Drain::Freeze(JOIN), Drain::Group(GROUP)],
    hash: 0,
};

static WITH_GROUPS: Plan = PLAN;
static WITHOUT_GROUPS: Plan = Plan { drains: &[Drain::Freeze(JOIN)], ..PLAN };

/// Groups of a given size.
#[derive(Debug, Default)]
struct Sized {
    bytes: usize,
    spills: usize,
}

impl SpillGroups for Sized {
    fn held_bytes(&self) -> usize {
        self.bytes
    }

    fn spill(&mut self, _place: &SpillPlace) -> Result<(), Error> {
        self.bytes = 0;
        self.spills += 1;
        Ok(())
    }

    fn load(&mut self, _place: &SpillPlace) -> Result<(), Error> {
        Ok(())
    }
}

/// A worker whose tables are as large as a test says.
#[derive(Debug, Default)]
struct Worker {
    join: usize,
    groups: [Sized; 2],
}

impl Worker {
    fn new(join: usize, groups: [usize; 2]) -> Self {
        Self { join, groups: groups.map(|bytes| Sized { bytes, spills: 0 }) }
    }

    fn spills(&self) -> [usize; 2] {
        [self.groups[0].spills, self.groups[1].spills]
    }
}

#[derive(Debug)]
struct SizedFlow;

impl Flow for SizedFlow {
    const PLAN: &'static Plan = &WITH_GROUPS;
    type Shared = usize;
    type Worker = Worker;

    fn ports(&self) -> Vec<PortRef<'_>> {
        Vec::new()
    }

    fn ports_mut(&mut self) -> Vec<PortMut<'_>> {
        Vec::new()
    }

    fn read(_: usize, _: &usize, _: &mut Worker, _: &Block<'_>, _: &mut Output) -> Result<(), Stop> {
        Ok(())
    }

    fn merge(_: &mut Worker, _: Worker) {}

    fn drain(_: usize, _: &mut usize, _: &mut Worker, _: &mut Output) -> Result<Drained, Stop> {
        Ok(Drained::Wholly)
    }

    fn tables<'a>(frozen: &'a usize, worker: &'a mut Worker) -> Vec<TableMut<'a>> {
        let [first, second] = &mut worker.groups;
        vec![
            TableMut::Frozen { operator: JOIN, bytes: *frozen },
            TableMut::Join { operator: JOIN, bytes: worker.join },
            TableMut::Groups { operator: GROUP, groups: first },
            TableMut::Groups { operator: GROUP, groups: second },
        ]
    }
}

fn memory(plan: &'static Plan, bound_bytes: u64, workers: usize) -> Memory {
    Memory::new(plan, bound_bytes, NonZeroUsize::new(workers).unwrap(), SpillPlace::new("nowhere"))
}

fn settle(account: &mut Account<'_>, frozen: usize, worker: &mut Worker) -> Result<(), Error> {
    account.settle::<SizedFlow>(&frozen, worker)
}

#[test]
fn groups_stay_while_all_tables_of_all_workers_are_within_the_bound() {
    let memory = memory(&WITH_GROUPS, 1000, 2);
    let (mut one, mut other) = (memory.account(), memory.account());
    let (mut a, mut b) = (Worker::new(100, [300, 0]), Worker::new(100, [300, 0]));
    settle(&mut one, 200, &mut a).unwrap();
    settle(&mut other, 200, &mut b).unwrap();
    settle(&mut one, 200, &mut a).unwrap();
    assert_eq!((a.spills(), b.spills()), ([0, 0], [0, 0]));
    b.groups[0].bytes += 1;
    settle(&mut other, 200, &mut b).unwrap();
    assert_eq!((a.spills(), b.spills()), ([0, 0], [1, 0]));
}

#[test]
fn a_worker_with_few_groups_leaves_it_to_the_one_with_many() {
    let memory = memory(&WITH_GROUPS, 1000, 2);
    let (mut one, mut other) = (memory.account(), memory.account());
    let (mut few, mut many) = (Worker::new(0, [10, 0]), Worker::new(0, [995, 0]));
    settle(&mut one, 0, &mut few).unwrap();
    settle(&mut other, 0, &mut many).unwrap();
    assert_eq!((few.spills(), many.spills()), ([0, 0], [1, 0]));

    // The one with many has not come round to it.
    let mut many = Worker::new(0, [985, 0]);
    settle(&mut other, 0, &mut many).unwrap();
    few.groups[0].bytes = 20;
    settle(&mut one, 0, &mut few).unwrap();
    assert_eq!((few.spills(), many.spills()), ([0, 0], [0, 0]));
}

#[test]
fn the_largest_groups_go_first_and_no_more_than_must() {
    let memory = memory(&WITH_GROUPS, 1000, 1);
    let mut account = memory.account();
    for (groups, spills) in [([600, 500], [1, 0]), ([1100, 1100], [1, 1]), ([400, 601], [0, 1]), ([400, 600], [0, 0])] {
        let mut worker = Worker::new(0, groups);
        settle(&mut account, 0, &mut worker).unwrap();
        assert_eq!(worker.spills(), spills, "{groups:?}");
    }
}

#[test]
fn joins_leave_an_eighth_to_groups_or_end_the_run() {
    for (plan, bound) in [(&WITH_GROUPS, 7_000_000), (&WITHOUT_GROUPS, 8_000_000)] {
        let memory = memory(plan, 8_000_000, 2);
        let (mut one, mut other) = (memory.account(), memory.account());
        settle(&mut one, 0, &mut Worker::new(bound / 2, [0, 0])).unwrap();
        settle(&mut other, 0, &mut Worker::new(bound / 2, [0, 0])).unwrap();
        let error = settle(&mut other, 0, &mut Worker::new(bound / 2 + 100_000, [0, 0])).unwrap_err();
        assert!(matches!(error, Error::Memory(_)), "{error}");
        let (held, may, kept) = match plan.drains.len() {
            1 => ("8.1 MB", "8.0 MB", ""),
            _ => ("7.1 MB", "7.0 MB", "; of 8.0 MB an eighth is kept for groups"),
        };
        let expected = format!(
            "the held side of a join does not fit the memory (port `hosts`): HashJoin(log on ip, hosts on userip, \
             InnerJoin) holds {held} of it so far, but may hold {may}{kept}; give it more with --memory, hold the other \
             side (the one named second is held), or drop rows and fields before the join; nothing was published"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_frozen_side_is_there_once_and_an_account_that_is_dropped_no_more() {
    let memory = memory(&WITH_GROUPS, 1000, 2);
    let (mut one, mut other) = (memory.account(), memory.account());
    settle(&mut one, 500, &mut Worker::new(100, [0, 0])).unwrap();
    settle(&mut other, 500, &mut Worker::new(200, [50, 0])).unwrap();
    assert_eq!(memory.of_all_joins(), 800);
    drop(one);
    settle(&mut other, 500, &mut Worker::new(150, [60, 0])).unwrap();
    assert_eq!((memory.of_all_joins(), memory.groups.load(Ordering::Relaxed)), (650, 60));
    drop(other);
    assert_eq!((memory.of_all_joins(), memory.groups.load(Ordering::Relaxed)), (500, 0));
}
