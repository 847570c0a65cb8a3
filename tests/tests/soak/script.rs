//! What happens in a round, made from its seed alone.

use std::fmt;

use fastrand::Rng;

use super::{
    combination::{Combination, Kind, Mode, Output, Port},
    logs::Change,
};

/// How much happens in a round: it ends when each of these is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) bouts: u64,
    pub(crate) kills: u64,
    pub(crate) records: u64,
    /// The most lines that are written at once.
    pub(crate) lines_max: u64,
    /// On the disk of temporary files; else in memory, where the system has such a place.
    pub(crate) on_disk: bool,
}

impl Extent {
    pub(crate) const SMALL: Self = Self { bouts: 4, kills: 0, records: 0, lines_max: 25, on_disk: false };
    pub(crate) const LARGE: Self = Self { bouts: 100, kills: 100, records: 1_000_000, lines_max: 9_000, on_disk: true };
}

const fn output(port: Port, kind: Kind, mode: Mode) -> Output {
    Output { port, kind, mode }
}

/// What the flow is bound to. Groups are not appended: where an iteration ends is left to chance here.
const COMBINATIONS: &[Combination] = &{
    use Kind::{File, Sqlite};
    use Mode::{Append, Merge, Replace};
    use Port::{Bad, Counts, Rows};
    [
        Combination {
            flow: "split",
            outputs: &[output(Rows, File, Append), output(Counts, Sqlite, Merge), output(Bad, File, Append)],
        },
        Combination {
            flow: "split",
            outputs: &[output(Rows, Sqlite, Append), output(Counts, File, Replace), output(Bad, Sqlite, Append)],
        },
        Combination {
            flow: "split",
            outputs: &[output(Rows, File, Replace), output(Counts, Sqlite, Merge), output(Bad, Sqlite, Append)],
        },
        Combination {
            flow: "split",
            outputs: &[output(Rows, Sqlite, Replace), output(Counts, Sqlite, Merge), output(Bad, File, Append)],
        },
    ]
};

/// Effects that change what others see, and how many of the name a run may have: half of what happens, happens there.
const TELLING: &[(&str, u64)] = &[
    ("store.open_attempt", 1),
    ("stage.write", 3),
    ("stage.sync", 3),
    ("store.seal", 1),
    ("store.commit", 5),
    ("target.publish", 3),
    ("file.cut", 2),
    ("file.write", 2),
    ("file.sync", 2),
    ("file.rename", 2),
    ("sidecar.write", 4),
    ("sidecar.rename", 4),
    ("sqlite.begin", 2),
    ("sqlite.rows", 2),
    ("sqlite.commit", 2),
    ("store.output_loaded", 3),
    ("store.loaded", 1),
    ("store.done", 1),
    ("staged.remove", 1),
];

/// An effect of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The nth of all.
    Nth(u64),
    /// The nth of a name.
    Named(&'static str, u64),
}

impl At {
    fn any(random: &mut Rng, effects: u64) -> Self {
        if random.bool() {
            return Self::Nth(random.u64(1..=effects));
        }
        let (name, ordinals) = TELLING[random.usize(..TELLING.len())];
        Self::Named(name, random.u64(1..=ordinals))
    }

    /// Whether it is the `nth` of all, told of by `line`.
    pub(crate) fn is(self, nth: u64, line: &str) -> bool {
        match self {
            Self::Nth(ordinal) => ordinal == nth,
            Self::Named(name, ordinal) => line.strip_prefix(name) == Some(&format!("#{ordinal}")),
        }
    }
}

/// As `FLOW_FAULT` has it.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nth(ordinal) => write!(f, "any#{ordinal}"),
            Self::Named(name, ordinal) => write!(f, "{name}#{ordinal}"),
        }
    }
}

/// What awaits a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It goes to its end; a service is asked to end.
    Nothing,
    /// It kills itself before the effect, or after it.
    Kill(Moment),
    /// It is killed from outside, some moments after the effect began.
    KillLater(u32),
    /// It stands still before the effect, or after it, until somebody continues it.
    Stop(Moment),
    /// It is stopped from outside, some moments after the effect began.
    StopLater(u32),
    /// The effect fails, or its answer is lost.
    Error(Moment),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// A process to be started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Whether it is a service.
    pub(crate) follows: bool,
    pub(crate) records_max: Option<u64>,
    pub(crate) what: What,
    pub(crate) at: At,
}

impl Start {
    /// A run that nothing happens to.
    pub(crate) const CALM: Self = Self { follows: false, records_max: None, what: What::Nothing, at: At::Nth(1) };

    fn any(random: &mut Rng, effects: u64) -> Self {
        let at = At::any(random, effects);
        let moment = if random.bool() { Moment::Before } else { Moment::After };
        let moments = random.u32(..20_000);
        let what = match random.u32(..20) {
            0..3 => What::Nothing,
            3..8 => What::Kill(moment),
            8..11 => What::KillLater(moments),
            11..15 => What::Stop(moment),
            15..17 => What::StopLater(moments),
            _ => What::Error(moment),
        };
        let records_max = (random.u32(..5) == 0).then(|| random.u64(1..20));
        Self { follows: random.u32(..3) == 0, records_max, what, at }
    }

    /// Its arguments behind those of the flow.
    pub(crate) fn arguments(&self) -> String {
        let follows = if self.follows { " --follow --poll-interval 5ms --retries 0" } else { "" };
        let bound = self.records_max.map(|records| format!(" --max-records {records}"));
        follows.to_owned() + &bound.unwrap_or_default()
    }

    /// As `FLOW_FAULT` has it.
    pub(crate) fn fault(&self) -> Option<String> {
        let (moment, what) = match self.what {
            What::Kill(moment) => (moment, "kill"),
            What::Stop(moment) => (moment, "stop"),
            What::Error(moment) => (moment, "error"),
            What::Nothing | What::KillLater(_) | What::StopLater(_) => return None,
        };
        let moment = match moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        Some(format!("{}:{moment}:{what}", self.at))
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.follows { "service" } else { "run" };
        write!(f, "{kind}, {:?} at {}", self.what, self.at)?;
        self.records_max.map_or(Ok(()), |records| write!(f, ", at most {records} records"))
    }
}

/// Two processes at once, and what is written meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Bout {
    pub(crate) before: Vec<Change>,
    pub(crate) starts: [Start; 2],
    /// Each after so many effects of the first process.
    pub(crate) meanwhile: Vec<(u64, Change)>,
    /// Whether another run goes to its end while one of the two stands still.
    pub(crate) has_third: bool,
}

impl fmt::Display for Bout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.starts;
        writeln!(f, "  {:?}", self.before)?;
        writeln!(f, "  {first}\n  {second}")?;
        write!(f, "  meanwhile {:?}; a third: {}", self.meanwhile, self.has_third)
    }
}

/// What happens in a round.
#[derive(Debug)]
pub(crate) struct Script {
    random: Rng,
    extent: Extent,
    pub(crate) combination: Combination,
    pub(crate) is_lock_off: bool,
}

impl Script {
    pub(crate) fn new(seed: u64, extent: Extent) -> Self {
        let mut random = Rng::with_seed(seed);
        let combination = COMBINATIONS[random.usize(..COMBINATIONS.len())];
        Self { is_lock_off: random.bool(), random, extent, combination }
    }

    /// What comes next, when there are so many files.
    pub(crate) fn bout(&mut self, files: usize) -> Bout {
        // About what a run has that reads, loads and ends.
        let effects = 240 + 12 * files as u64;
        let before = (0..self.random.usize(..3)).map(|_| self.change()).collect();
        let starts = [Start::any(&mut self.random, effects), Start::any(&mut self.random, effects)];
        let mut meanwhile: Vec<(u64, Change)> =
            (0..self.random.usize(..4)).map(|_| (self.random.u64(1..effects), self.change())).collect();
        meanwhile.sort_by_key(|(effects, _)| *effects);
        Bout { before, starts, meanwhile, has_third: self.random.bool() }
    }

    pub(crate) fn change(&mut self) -> Change {
        let lines = self.random.u64(1..=self.extent.lines_max);
        match self.random.u32(..12) {
            0..5 => Change::Append { file: self.random.usize(..), lines },
            5..7 => Change::AppendHalf { file: self.random.usize(..), lines },
            7..9 => Change::Rotate { file: self.random.usize(..) },
            9 => Change::Appear { lines },
            _ => Change::Compress { file: self.random.usize(..) },
        }
    }
}
