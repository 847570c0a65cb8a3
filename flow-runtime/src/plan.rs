//! A flow as data: its ports, its operators, the order in which tables are read and drained.
//!
//! The macro prints it as a constant; pictures, checks, the command line and the driver read it. Nothing here runs.

use crate::value::Type;

/// What a flow is.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The flow's name as written: `AccessLogCounts`.
    pub flow: &'static str,
    /// The flow's doc comment.
    pub about: &'static str,
    /// Ports in the order of their declaration, which is the order of the struct's fields.
    pub ports: &'static [PortPlan],
    /// Operators, inputs before their users; the decoding of an input port and the writing of a sink count as operators.
    pub operators: &'static [OperatorPlan],
    /// What is done, in order.
    pub steps: &'static [Step],
    /// What [`Step::Drain`] does, by its index.
    pub drains: &'static [Drain],
    /// A digest of the flow's text: it changes when the program does.
    pub hash: u64,
}

impl Plan {
    /// The port with this name.
    #[must_use]
    pub fn port(&self, name: &str) -> Option<(usize, &'static PortPlan)> {
        self.ports.iter().enumerate().find(|(_, port)| port.name == name)
    }

    /// The name under which command line and store know the flow: `access_log_counts`.
    #[must_use]
    pub fn logical_name(&self) -> String {
        let mut name = String::new();
        for (index, letter) in self.flow.chars().enumerate() {
            if letter.is_uppercase() && index > 0 {
                name.push('_');
            }
            name.extend(letter.to_lowercase());
        }
        name
    }
}

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortKind {
    /// An input that goes on where the last iteration ended.
    Source,
    /// An input that is read whole in every iteration.
    Table,
    /// An output.
    Sink,
    /// Where records go that fail.
    Trap,
}

/// One port.
#[derive(Debug, PartialEq, Eq)]
pub struct PortPlan {
    /// As written: `bad_lines`.
    pub name: &'static str,
    /// What it is for.
    pub kind: PortKind,
    /// The port's doc comment.
    pub about: &'static str,
    /// How bytes become fields: `TextLine`, `TextDelimited(delimiter = "|")`; empty for sinks and traps.
    pub scheme: &'static str,
    /// The fields of an input or a sink; those of a trap are [`TRAP_FIELDS`](crate::trap::TRAP_FIELDS).
    pub fields: &'static [FieldPlan],
    /// Indexes into `fields`: what merging a sink's rows goes by.
    pub key: &'static [usize],
    /// Whether a sink's rows come from a group, so that a mode must be chosen.
    pub grouped: bool,
    /// What a trap covers, as written; empty for all that has no other trap.
    pub covers: &'static [&'static str],
    /// Line of the declaration in its source file, 0 if unknown.
    pub line: u32,
}

/// The command line's name of a port: `bad_lines` is bound by `--bad-lines`.
pub(crate) fn option_name(port: &str) -> String {
    port.replace('_', "-")
}

/// One field.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldPlan {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether it may be null.
    pub nullable: bool,
    /// A sink's column type, as in `as varchar(100)`.
    pub column: Option<&'static str>,
    /// Whether merging adds it to what is there.
    pub add: bool,
}

/// One operator.
#[derive(Debug, PartialEq, Eq)]
pub struct OperatorPlan {
    /// `Each`, `HashJoin`, …; `Read` for the decoding of an input port, `Write` for a sink.
    pub kind: &'static str,
    /// As a person would write it: `HashJoin(hits on ip, listed on userip, RightJoin)`.
    pub text: &'static str,
    /// The pipe it belongs to; the port for `Read` and `Write`; empty in the unnamed last part.
    pub pipe: &'static str,
    /// Indexes of the operators it takes rows from; for a join first the streamed, then the held side.
    pub inputs: &'static [usize],
    /// Its port, for `Read` and `Write`.
    pub port: Option<usize>,
    /// The fields that come out.
    pub fields: &'static [FieldPlan],
    /// Which of `fields` somebody reads: the others are never extracted.
    pub read: &'static [bool],
    /// How its counts add up.
    pub balance: Balance,
    /// The port of the trap that takes what it refuses.
    pub trap: Option<usize>,
    /// Line in its source file, 0 if unknown.
    pub line: u32,
    /// A remark for people: a group key that an outer join made nullable.
    pub note: &'static str,
}

/// How an operator's counts add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// in = out + filtered + trapped.
    RowByRow,
    /// Nothing is emitted for it and nothing counted: what comes in goes out.
    Through,
    /// A join: what comes in is the streamed side; what goes out is whatever matched.
    FanOut,
    /// A group: what goes out is one row for each key.
    Group,
}

/// One step of an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read these input ports (indexes into [`Plan::ports`]) to their end, on all workers.
    Read(&'static [usize]),
    /// Do this drain (an index into [`Plan::drains`]), on one worker.
    Drain(usize),
}

/// What is done with a table when all that feeds it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Freeze the held side of this join (an index into [`Plan::operators`]).
    Freeze(usize),
    /// Push on the held rows of this join that met no partner.
    Unmatched(usize),
    /// Push on the rows of this group.
    Group(usize),
}
