//! The access-log flow as its macro would print it, for the tests of the command line; it reads and writes nothing.

use crate::{
    Flow, Plan, Sink, Source, Table, Trap,
    flow::{Block, Drained, Output, PortMut, PortRef, Stop},
    plan::{Balance, Drain, FieldPlan, OperatorPlan, PortKind, PortPlan, Step},
    value::Type,
};

/// Hits of every listed host.
#[derive(Debug)]
pub(crate) struct AccessLogCounts {
    pub(crate) log: Source,
    pub(crate) hosts: Table,
    pub(crate) counts: Sink,
    pub(crate) bad_lines: Trap,
}

impl AccessLogCounts {
    /// Bound as the example program binds it.
    pub(crate) fn bound() -> Self {
        Self {
            log: Source::at("file:access.log"),
            hosts: Table::at("file:hosts.txt"),
            counts: Sink::at("sqlite:counts.db").merge(),
            bad_lines: Trap::at("file:bad.csv"),
        }
    }

    /// Bound nowhere.
    pub(crate) fn unbound() -> Self {
        Self { log: Source::unbound(), hosts: Table::unbound(), counts: Sink::unbound(), bad_lines: Trap::unbound() }
    }
}

impl Flow for AccessLogCounts {
    const PLAN: &'static Plan = &PLAN;
    type Shared = ();
    type Worker = ();

    fn ports(&self) -> Vec<PortRef<'_>> {
        let Self { log, hosts, counts, bad_lines } = self;
        vec![PortRef::Source(log), PortRef::Table(hosts), PortRef::Sink(counts), PortRef::Trap(bad_lines)]
    }

    fn ports_mut(&mut self) -> Vec<PortMut<'_>> {
        let Self { log, hosts, counts, bad_lines } = self;
        vec![PortMut::Source(log), PortMut::Table(hosts), PortMut::Sink(counts), PortMut::Trap(bad_lines)]
    }

    fn read(_: usize, (): &(), (): &mut (), _: &Block<'_>, _: &mut Output) -> Result<(), Stop> {
        Ok(())
    }

    fn merge((): &mut (), (): ()) {}

    fn drain(_: usize, (): &mut (), (): &mut (), _: &mut Output) -> Result<Drained, Stop> {
        Ok(Drained::Wholly)
    }
}

/// The plan of [`AccessLogCounts`].
pub(crate) static PLAN: Plan = Plan {
    flow: "AccessLogCounts",
    about: "Hits of every listed host.",
    ports: &[
        PortPlan {
            about: "The web server's log.",
            scheme: "TextLine",
            fields: &[text("data", false)],
            ..port("log", PortKind::Source)
        },
        PortPlan {
            scheme: r#"TextDelimited(delimiter = "|")"#,
            fields: &[text("ip", true)],
            ..port("hosts", PortKind::Table)
        },
        PortPlan {
            fields: &[FieldPlan { column: Some("varchar(100)"), ..text("ip", true) }, FieldPlan { add: true, ..COUNT }],
            key: &[0],
            grouped: true,
            ..port("counts", PortKind::Sink)
        },
        PortPlan { covers: &["hits"], ..port("bad_lines", PortKind::Trap) },
    ],
    operators: &[
        OperatorPlan {
            pipe: "log",
            port: Some(0),
            fields: &[text("data", false)],
            read: &[true],
            ..operator("Read", "TextLine", &[])
        },
        OperatorPlan {
            pipe: "hits",
            fields: &[text("data", false)],
            read: &[true],
            balance: Balance::Through,
            ..operator("Assert", "Assert(NotNull)", &[0])
        },
        OperatorPlan {
            pipe: "hits",
            fields: &[text("ip", false), text("time", false), text("request", false)],
            read: &[true, false, false],
            trap: Some(3),
            ..operator("Each", r##"Each(data => RegexParser(r#"^(\S+) "(.+?)""#) => ip, time, request)"##, &[1])
        },
        OperatorPlan {
            pipe: "hits",
            fields: &[text("ip", false)],
            read: &[true],
            balance: Balance::Through,
            trap: Some(3),
            ..operator("Retain", "Retain(ip)", &[2])
        },
        OperatorPlan {
            pipe: "hosts",
            port: Some(1),
            fields: &[text("ip", true)],
            read: &[true],
            ..operator("Read", r#"TextDelimited(delimiter = "|")"#, &[])
        },
        OperatorPlan {
            pipe: "listed",
            fields: &[text("userip", true)],
            read: &[true],
            balance: Balance::Through,
            ..operator("Rename", "Rename(ip => userip)", &[4])
        },
        OperatorPlan {
            fields: &[text("ip", true), text("userip", true)],
            read: &[true, false],
            balance: Balance::FanOut,
            ..operator("HashJoin", "HashJoin(hits on ip, listed on userip, RightJoin)", &[3, 5])
        },
        OperatorPlan {
            fields: &[text("ip", true), COUNT],
            read: &[true, true],
            balance: Balance::Group,
            line: 27,
            note: "the key `ip` may be null: the outer join made it so",
            ..operator("GroupBy", "GroupBy(ip)", &[6])
        },
        OperatorPlan {
            pipe: "counts",
            port: Some(2),
            fields: &[text("ip", true), COUNT],
            read: &[false, false],
            ..operator("Write", "counts", &[7])
        },
    ],
    steps: &[Step::Read(&[1]), Step::Drain(0), Step::Read(&[0]), Step::Drain(1), Step::Drain(2)],
    drains: &[Drain::Freeze(6), Drain::Unmatched(6), Drain::Group(7)],
    hash: 0x5eed,
};

const COUNT: FieldPlan = FieldPlan { name: "count", ty: Type::I64, nullable: false, column: None, add: false };

const fn text(name: &'static str, nullable: bool) -> FieldPlan {
    FieldPlan { name, ty: Type::Text, nullable, column: None, add: false }
}

const fn port(name: &'static str, kind: PortKind) -> PortPlan {
    PortPlan { name, kind, about: "", scheme: "", fields: &[], key: &[], grouped: false, covers: &[], line: 0 }
}

const fn operator(kind: &'static str, text: &'static str, inputs: &'static [usize]) -> OperatorPlan {
    OperatorPlan {
        kind,
        text,
        pipe: "",
        inputs,
        port: None,
        fields: &[],
        read: &[],
        balance: Balance::RowByRow,
        trap: None,
        line: 0,
        note: "",
    }
}
