//! Small flows, written by hand as `flow!` would: lines pass through, and are counted by their first word.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::{
    Plan,
    flow::{Block, Drained, Flow, Output, PortMut, PortRef, Reason, Stop},
    plan::{Balance, Drain, OperatorPlan, PortKind, PortPlan, Step},
};

pub(super) const LINES: usize = 0;
pub(super) const HOSTS: usize = 1;
pub(super) const OUT: usize = 2;
pub(super) const GROUPS: usize = 3;
pub(super) const BAD: usize = 4;
pub(super) const MORE: usize = 5;

const READ: usize = 0;
const CHECK: usize = 1;
const STOP: usize = 2;
const GROUP: usize = 3;
const SUM: usize = 4;

const PORTS: &[PortPlan] = &[
    port("lines", PortKind::Source),
    port("hosts", PortKind::Table),
    port("out", PortKind::Sink),
    port("groups", PortKind::Sink),
    port("bad", PortKind::Trap),
    port("more", PortKind::Source),
];

const OPERATORS: &[OperatorPlan] = &[
    operator("Read", "lines", "lines", Some(BAD)),
    operator("Each", "Each(check)", "checked", Some(BAD)),
    operator("Each", "Each(stop)", "checked", None),
    operator("GroupBy", "GroupBy(key)", "", Some(BAD)),
    operator("Every", "Every(Sum => total)", "", None),
];

const fn port(name: &'static str, kind: PortKind) -> PortPlan {
    PortPlan { name, kind, about: "", scheme: "", fields: &[], key: &[], grouped: false, covers: &[], line: 0 }
}

const fn operator(kind: &'static str, text: &'static str, pipe: &'static str, trap: Option<usize>) -> OperatorPlan {
    let balance = Balance::RowByRow;
    OperatorPlan { kind, text, pipe, inputs: &[], port: None, fields: &[], read: &[], balance, trap, line: 0, note: "" }
}

const fn plan(flow: &'static str, steps: &'static [Step], drains: &'static [Drain]) -> Plan {
    Plan { flow, about: "", ports: PORTS, operators: OPERATORS, steps, drains, hash: 0 }
}

/// What a worker owns.
#[derive(Default)]
pub(super) struct Worker {
    hosts: BTreeSet<String>,
    groups: BTreeMap<String, u64>,
}

/// Reads hosts, then lines: a line that is a host says so.
#[derive(Debug)]
pub(super) struct Grouped;

/// Reads two sources in one step.
#[derive(Debug)]
pub(super) struct Paired;

/// Reads hosts only.
#[derive(Debug)]
pub(super) struct TableOnly;

macro_rules! flow {
    ($name:ident, $steps:expr) => {
        impl Flow for $name {
            const PLAN: &'static Plan = &plan(stringify!($name), $steps, &[Drain::Freeze(READ), Drain::Group(GROUP)]);
            type Shared = BTreeSet<String>;
            type Worker = Worker;

            fn ports(&self) -> Vec<PortRef<'_>> {
                Vec::new()
            }

            fn ports_mut(&mut self) -> Vec<PortMut<'_>> {
                Vec::new()
            }

            fn read(
                port: usize,
                shared: &BTreeSet<String>,
                worker: &mut Worker,
                block: &Block<'_>,
                out: &mut Output,
            ) -> Result<(), Stop> {
                read(port, shared, worker, block, out)
            }

            fn merge(worker: &mut Worker, other: Worker) {
                worker.hosts.extend(other.hosts);
                for (key, count) in other.groups {
                    *worker.groups.entry(key).or_default() += count;
                }
            }

            fn drain(
                drain: usize,
                shared: &mut BTreeSet<String>,
                worker: &mut Worker,
                out: &mut Output,
            ) -> Result<Drained, Stop> {
                if drain == 0 {
                    *shared = std::mem::take(&mut worker.hosts);
                    return Ok(Drained::Wholly);
                }
                groups(shared, worker, out).map(|()| Drained::Wholly)
            }
        }
    };
}

flow!(Grouped, &[Step::Read(&[HOSTS]), Step::Drain(0), Step::Read(&[LINES]), Step::Drain(1)]);
flow!(Paired, &[Step::Read(&[LINES, MORE]), Step::Drain(1)]);
flow!(TableOnly, &[Step::Read(&[HOSTS]), Step::Drain(0), Step::Drain(1)]);

fn read(
    port: usize,
    hosts: &BTreeSet<String>,
    worker: &mut Worker,
    block: &Block<'_>,
    out: &mut Output,
) -> Result<(), Stop> {
    for record in block.records() {
        out.at_record(&record);
        let line = match record.text() {
            Ok(line) => line,
            Err(reason) => {
                out.trap(BAD, READ, reason, |_| ());
                continue;
            }
        };
        if port == HOSTS {
            worker.hosts.insert(line.to_owned());
            continue;
        }
        out.count(CHECK).rows_in += 1;
        match line.split(' ').next() {
            Some("trap") => {
                out.trap(BAD, CHECK, Reason::new("it says so"), |_| ());
                continue;
            }
            Some("stop") => return Err(out.stop(STOP, Reason::new("it says so"), |_| ())),
            Some("panic") => panic!("it says {line}"),
            key => *worker.groups.entry(key.unwrap_or_default().to_owned()).or_default() += 1,
        }
        out.count(CHECK).rows_out += 1;
        let row = out.rows[OUT].row();
        row.extend_from_slice(line.as_bytes());
        row.extend_from_slice(if hosts.contains(line) { b" is listed\n" } else { b"\n" });
    }
    Ok(())
}

fn groups(hosts: &BTreeSet<String>, worker: &mut Worker, out: &mut Output) -> Result<(), Stop> {
    out.at_rows();
    let mut text = String::new();
    for (key, count) in &worker.groups {
        match key.as_str() {
            "drain-trap" => out.trap(BAD, GROUP, Reason::new("it says so"), |row| row.field("key", &key)),
            "drain-stop" => return Err(out.stop(SUM, Reason::new("it says so"), |row| row.field("key", &key))),
            "drain-panic" => panic!("in a drain"),
            key => writeln!(text, "{key} {count}").unwrap(),
        }
    }
    if worker.groups.is_empty() {
        writeln!(text, "hosts {}", hosts.len()).unwrap();
    }
    out.rows[GROUPS].row().extend_from_slice(text.as_bytes());
    Ok(())
}
