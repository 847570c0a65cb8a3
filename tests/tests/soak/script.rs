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

/// What awaits a process. Effects are counted from 1, whatever their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    /// It goes to its end; a service is asked to end at this effect.
    None(u64),
    /// It kills itself before this effect, or after it.
    KillAt(u64, Moment),
    /// It is killed from outside, at any moment from this effect on.
    KillFrom(u64, u32),
    /// It stands still before this effect, or after it, until somebody continues it.
    StopAt(u64, Moment),
    /// It is stopped from outside, at any moment from this effect on.
    StopFrom(u64, u32),
    /// This effect fails, or its answer is lost.
    ErrorAt(u64, Moment),
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
    pub(crate) doom: Doom,
}

impl Start {
    /// A run that nothing happens to.
    pub(crate) const CALM: Self = Self { follows: false, records_max: None, doom: Doom::None(0) };

    fn any(random: &mut Rng, effects: u64) -> Self {
        let at = random.u64(1..=effects);
        let moment = if random.bool() { Moment::Before } else { Moment::After };
        let delay = random.u32(..20_000);
        let doom = match random.u32(..20) {
            0..4 => Doom::None(at),
            4..9 => Doom::KillAt(at, moment),
            9..12 => Doom::KillFrom(at, delay),
            12..15 => Doom::StopAt(at, moment),
            15..17 => Doom::StopFrom(at, delay),
            _ => Doom::ErrorAt(at, moment),
        };
        let records_max = (random.u32(..5) == 0).then(|| random.u64(1..20));
        Self { follows: random.u32(..3) == 0, records_max, doom }
    }

    /// Its arguments behind those of the flow.
    pub(crate) fn arguments(&self) -> String {
        let follows = if self.follows { " --follow --poll-interval 5ms --retries 0" } else { "" };
        let bound = self.records_max.map(|records| format!(" --max-records {records}"));
        follows.to_owned() + &bound.unwrap_or_default()
    }

    /// As `FLOW_FAULT` has it.
    pub(crate) fn fault(&self) -> Option<String> {
        let (at, moment, what) = match self.doom {
            Doom::KillAt(at, moment) => (at, moment, "kill"),
            Doom::StopAt(at, moment) => (at, moment, "stop"),
            Doom::ErrorAt(at, moment) => (at, moment, "error"),
            Doom::None(_) | Doom::KillFrom(..) | Doom::StopFrom(..) => return None,
        };
        let moment = match moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        Some(format!("any#{at}:{moment}:{what}"))
    }

    /// The effect at which something happens.
    pub(crate) fn at(&self) -> u64 {
        match self.doom {
            Doom::None(at)
            | Doom::KillAt(at, _)
            | Doom::KillFrom(at, _)
            | Doom::StopAt(at, _)
            | Doom::StopFrom(at, _)
            | Doom::ErrorAt(at, _) => at,
        }
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
        for start in [first, second] {
            let kind = if start.follows { "service" } else { "run" };
            writeln!(f, "  {kind} {:?}, at most {:?} records", start.doom, start.records_max)?;
        }
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
        let effects = 160 + 8 * files as u64;
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
