//! What a flow under test is bound to: which targets, in which modes.

use flow_tests::{
    postgres,
    services::{
        self,
        redshift::{Isolation, Redshift},
    },
};

/// A kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Sqlite,
    /// Tried where there is a server; its tables are in a schema of the chain.
    Postgres,
    /// The same in what stands in for Redshift, of this isolation; rows are staged below a prefix of the chain.
    Redshift(Isolation),
}

/// What happens to rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Append,
    Replace,
    Merge,
}

/// What a sink or trap has: also the letter by which the oracle tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Rows,
    Counts,
    Bad,
}

/// A port with its target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) port: Port,
    pub(crate) kind: Kind,
    pub(crate) mode: Mode,
}

/// A flow, and what it is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Combination {
    pub(crate) flow: &'static str,
    pub(crate) outputs: &'static [Output],
}

const fn output(port: Port, kind: Kind, mode: Mode) -> Output {
    Output { port, kind, mode }
}

/// All that is tried. A new target is a [`Kind`], and a line for each flow here.
pub(crate) const COMBINATIONS: &[Combination] = &{
    use Kind::{File, Postgres, Sqlite};
    use Mode::{Append, Merge, Replace};
    use Port::{Bad, Counts, Rows};
    [
        Combination { flow: "counted", outputs: &[output(Counts, Sqlite, Merge)] },
        Combination { flow: "counted", outputs: &[output(Counts, Sqlite, Append)] },
        Combination { flow: "counted", outputs: &[output(Counts, Sqlite, Replace)] },
        Combination { flow: "counted", outputs: &[output(Counts, File, Append)] },
        Combination { flow: "counted", outputs: &[output(Counts, File, Replace)] },
        Combination { flow: "filtered", outputs: &[output(Rows, Sqlite, Append)] },
        Combination { flow: "filtered", outputs: &[output(Rows, Sqlite, Replace)] },
        Combination { flow: "filtered", outputs: &[output(Rows, File, Append)] },
        Combination { flow: "filtered", outputs: &[output(Rows, File, Replace)] },
        Combination {
            flow: "split",
            outputs: &[output(Rows, File, Append), output(Counts, Sqlite, Merge), output(Bad, File, Append)],
        },
        Combination { flow: "counted", outputs: &[output(Counts, Postgres, Merge)] },
        Combination { flow: "filtered", outputs: &[output(Rows, Postgres, Append)] },
        Combination { flow: "filtered", outputs: &[output(Rows, Postgres, Replace)] },
        Combination {
            flow: "split",
            outputs: &[output(Rows, Sqlite, Replace), output(Counts, File, Append), output(Bad, Sqlite, Append)],
        },
    ]
};

/// The bucket that rows are staged in for [`Kind::Redshift`].
pub(crate) const BUCKET: &str = "faults";

/// All that is tried on the way into Redshift, in either isolation.
pub(crate) const INTO_REDSHIFT: &[Combination] = &{
    use Isolation::{Serializable, Snapshot};
    use Kind::{File, Redshift};
    use Mode::{Append, Merge, Replace};
    use Port::{Bad, Counts, Rows};
    [
        Combination { flow: "filtered", outputs: &[output(Rows, Redshift(Snapshot), Append)] },
        Combination { flow: "filtered", outputs: &[output(Rows, Redshift(Serializable), Append)] },
        Combination { flow: "filtered", outputs: &[output(Rows, Redshift(Snapshot), Replace)] },
        Combination { flow: "filtered", outputs: &[output(Rows, Redshift(Serializable), Replace)] },
        Combination { flow: "counted", outputs: &[output(Counts, Redshift(Snapshot), Merge)] },
        Combination { flow: "counted", outputs: &[output(Counts, Redshift(Serializable), Merge)] },
        Combination {
            flow: "split",
            outputs: &[
                output(Rows, Redshift(Snapshot), Append),
                output(Counts, Redshift(Snapshot), Merge),
                output(Bad, File, Append),
            ],
        },
    ]
};

impl Port {
    /// Its name in the flow.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Counts => "counts",
            Self::Bad => "bad",
        }
    }
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

impl Output {
    /// The target's file; of a server's table there is none.
    pub(crate) fn file(&self) -> String {
        match self.kind {
            Kind::File => format!("{}.csv", self.port.name()),
            Kind::Sqlite => format!("{}.db", self.port.name()),
            Kind::Postgres | Kind::Redshift(_) => "none".to_owned(),
        }
    }

    fn argument(&self, schema: &str) -> String {
        let (name, file, mode) = (self.port.name(), self.file(), self.mode.name());
        // A trap is appended to; it has no other mode.
        let mode = if self.port == Port::Bad { String::new() } else { format!("&mode={mode}") };
        match self.kind {
            Kind::File => format!("--{name} file:{file}?header=false{mode}"),
            Kind::Sqlite => format!("--{name} sqlite:{file}?table={name}{mode}"),
            Kind::Postgres => {
                let server = postgres::find().map(|server| server.address(&format!("table={schema}.{name}{mode}")));
                format!("--{name} {}", server.unwrap_or_default())
            }
            Kind::Redshift(isolation) => {
                let address = |warehouse: &Redshift| {
                    let endpoint = services::ministack().map(services::Service::endpoint).unwrap_or_default();
                    warehouse.address(&format!(
                        "table={schema}.{name}{mode}&staging=s3://{BUCKET}/{schema}&role=default&endpoint={endpoint}\
                         &sslmode=disable&compression=none"
                    ))
                };
                format!("--{name} {}", services::redshift_of(isolation).map(address).unwrap_or_default())
            }
        }
    }
}

impl Kind {
    /// What the names of the server's own effects begin with, if it is one.
    pub(crate) const fn effects(self) -> Option<&'static [&'static str]> {
        match self {
            Self::File | Self::Sqlite => None,
            Self::Postgres => Some(&["postgres."]),
            Self::Redshift(_) => Some(&[
                "redshift.",
                "s3.",
                "store.seal",
                "target.",
                "store.output_loaded",
                "store.loaded",
                "store.done",
            ]),
        }
    }

    /// Whether those who read it while a process dies are to find all or nothing of an iteration.
    pub(crate) const fn is_transactional(self) -> bool {
        matches!(self, Self::Postgres | Self::Redshift(_))
    }
}

impl Combination {
    /// The server that it needs, if any.
    pub(crate) fn server(&self) -> Option<Kind> {
        self.outputs.iter().map(|output| output.kind).find(|kind| kind.effects().is_some())
    }

    /// The arguments of its program, parted by blanks.
    pub(crate) fn arguments(&self, schema: &str) -> String {
        let outputs: Vec<String> = self.outputs.iter().map(|output| output.argument(schema)).collect();
        format!("{} --workers 1", outputs.join(" "))
    }

    /// Whether records that are none have a trap to go to.
    pub(crate) fn has_trap(&self) -> bool {
        self.outputs.iter().any(|output| output.port == Port::Bad)
    }
}

impl std::fmt::Display for Combination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.flow, self.arguments("schema"))?;
        match self.server() {
            Some(Kind::Redshift(isolation)) => write!(f, " ({isolation:?})"),
            _ => Ok(()),
        }
    }
}
