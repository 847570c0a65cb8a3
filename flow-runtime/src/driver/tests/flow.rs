//! A small flow, written by hand as `flow!` would: lines go out as they are, and are counted by word together with a table.

use std::collections::BTreeMap;

use crate::{
    Flow, Plan, Sink, Source, Table, Trap,
    flow::{Block, Counts, Drained, Output, PortMut, PortRef, Reason, Stop},
    plan::{Balance, Drain, FieldPlan, OperatorPlan, PortKind, PortPlan, Step},
    value::{Encode as _, Type},
};

const LINES: usize = 0;
const OUT: usize = 2;
const TOTALS: usize = 3;
const BAD: usize = 4;

const READ_LINES: usize = 0;
const CHECK: usize = 1;
const WRITE_OUT: usize = 2;
const READ_HOSTS: usize = 3;
const GROUP: usize = 4;
const WRITE_TOTALS: usize = 5;

const fn field(name: &'static str, ty: Type, add: bool) -> FieldPlan {
    FieldPlan { name, ty, nullable: false, column: None, add }
}

const fn port(name: &'static str, kind: PortKind, fields: &'static [FieldPlan]) -> PortPlan {
    PortPlan { name, kind, about: "", scheme: "", fields, key: &[], grouped: false, covers: &[], line: 0 }
}

const fn operator(
    text: &'static str,
    inputs: &'static [usize],
    port: Option<usize>,
    balance: Balance,
    trap: Option<usize>,
) -> OperatorPlan {
    OperatorPlan { kind: "", text, pipe: "", inputs, port, fields: &[], read: &[], balance, trap, line: 0, note: "" }
}

static PLAN: Plan = Plan {
    flow: "WordTotals",
    about: "",
    ports: &[
        port("lines", PortKind::Source, &[]),
        port("hosts", PortKind::Table, &[]),
        port("out", PortKind::Sink, &[field("data", Type::Text, false)]),
        PortPlan {
            key: &[0],
            grouped: true,
            ..port("totals", PortKind::Sink, &[field("word", Type::Text, false), field("count", Type::I64, true)])
        },
        port("bad", PortKind::Trap, &[]),
    ],
    operators: &[
        operator("Read(lines)", &[], Some(LINES), Balance::RowByRow, Some(BAD)),
        operator("Each(check)", &[READ_LINES], None, Balance::RowByRow, Some(BAD)),
        operator("Write(out)", &[CHECK], Some(OUT), Balance::RowByRow, None),
        operator("Read(hosts)", &[], Some(1), Balance::RowByRow, None),
        operator("GroupBy(word)", &[CHECK, READ_HOSTS], None, Balance::Group, None),
        operator("Write(totals)", &[GROUP], Some(TOTALS), Balance::RowByRow, None),
    ],
    steps: &[Step::Read(&[1]), Step::Read(&[LINES]), Step::Drain(0)],
    drains: &[Drain::Group(GROUP)],
    hash: 42,
};

/// `bad …` is trapped, `skip …` is filtered, `panic` panics, and `lose` is lost: a fault that only counts can show.
#[derive(Debug)]
pub(super) struct WordTotals {
    pub(super) lines: Source,
    pub(super) hosts: Table,
    pub(super) out: Sink,
    pub(super) totals: Sink,
    pub(super) bad: Trap,
}

impl Flow for WordTotals {
    const PLAN: &'static Plan = &PLAN;
    type Shared = ();
    type Worker = BTreeMap<String, i64>;

    fn ports(&self) -> Vec<PortRef<'_>> {
        vec![
            PortRef::Source(&self.lines),
            PortRef::Table(&self.hosts),
            PortRef::Sink(&self.out),
            PortRef::Sink(&self.totals),
            PortRef::Trap(&self.bad),
        ]
    }

    fn ports_mut(&mut self) -> Vec<PortMut<'_>> {
        Vec::new()
    }

    fn read(
        port: usize,
        _shared: &(),
        words: &mut BTreeMap<String, i64>,
        block: &Block<'_>,
        out: &mut Output,
    ) -> Result<(), Stop> {
        for record in block.records() {
            out.at_record(&record);
            let line = record.text().unwrap_or_default();
            if port != LINES {
                pass(out, READ_HOSTS);
                gather(words, line, out);
                continue;
            }
            pass(out, READ_LINES);
            out.count(CHECK).rows_in += 1;
            match line.split(' ').next() {
                Some("bad") => out.trap(BAD, CHECK, Reason::new("it is bad"), |_| {}),
                Some("skip") => out.count(CHECK).filtered += 1,
                Some("lose") => {}
                Some("panic") => panic!("as the line says"),
                _ => {
                    out.count(CHECK).rows_out += 1;
                    line.encode(out.rows[OUT].row());
                    pass(out, WRITE_OUT);
                    gather(words, line, out);
                }
            }
        }
        Ok(())
    }

    fn merge(words: &mut BTreeMap<String, i64>, other: BTreeMap<String, i64>) {
        for (word, count) in other {
            *words.entry(word).or_default() += count;
        }
    }

    fn drain(_drain: usize, (): &mut (), words: &mut BTreeMap<String, i64>, out: &mut Output) -> Result<Drained, Stop> {
        out.at_rows();
        for (word, count) in std::mem::take(words) {
            out.count(GROUP).rows_out += 1;
            let row = out.rows[TOTALS].row();
            word.as_str().encode(row);
            count.encode(row);
            pass(out, WRITE_TOTALS);
        }
        Ok(Drained::Wholly)
    }
}

fn pass(out: &mut Output, operator: usize) {
    out.count(operator).add(Counts { rows_in: 1, rows_out: 1, ..Counts::default() });
}

fn gather(words: &mut BTreeMap<String, i64>, line: &str, out: &mut Output) {
    out.count(GROUP).rows_in += 1;
    *words.entry(line.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
}
