//! The worlds that are searched, as data: small ones in every run of the tests, larger ones by a command, and one for
//! each mutant that is large enough to catch it.
//!
//! The small ones come to 278,646 worlds by 611,177 steps, 7 s of a processor without optimisation. The larger ones, with
//! optimisation, took 77 s of a processor and 524 MB:
//!
//! ```text
//!                                        worlds       steps  deep
//! three iterations                      167,342     388,214    89
//! three iterations, a replaced file     885,297   2,561,920    86
//! three faults                          594,838   1,870,848    76
//! two runs, two faults                  648,614   2,302,930    66
//! two runs, two faults, files           228,517     692,054    70
//! two runs, two iterations              580,114   1,769,644    74
//! two runs, a clean-up                2,061,702   7,611,065    82
//! two runs, a reset                     261,845     711,101    76
//! two runs, a reset, a replaced table 1,107,976   3,780,472    73
//! two resets, two faults                878,330   2,650,160    71
//! all at once, a pause                1,217,006   2,445,015    89
//! all at once, two pauses             4,628,434   8,838,995    98
//! all at once, any pauses, no fault   4,566,021  16,450,970    82
//! together                           17,826,036  52,073,388
//! ```

use super::{
    mutants::Mutant,
    world::{
        Kind::{Database, File},
        PORTS, Setup, TRAP,
    },
};
use crate::sink::Mode::{Append, Merge, Replace};

/// A world, and what it is called.
pub(super) type Named = (&'static str, Setup);

/// One run, a record for the sinks and one for the trap, nothing goes wrong.
const ONE: Setup = Setup {
    modes: [Append, Replace, Append],
    kinds: [Database; 3],
    ports: 0b111,
    runs: 1,
    faults: 0,
    pauses: None,
    attempts: 2,
    records: (2, 2),
    renames: false,
    cleans: 0,
    resets: 0,
    network: false,
    is_deterministic: false,
    mutant: None,
    only_rule: None,
};

const TWO: Setup = Setup { runs: 2, ..ONE };

/// Two iterations, each with a row for the sinks or the trap.
const GROWS: Setup = Setup { records: (1, 2), ..TWO };

/// A call that fails, or whose reply is lost, or that arrives late or twice; or a death.
pub(super) const NETWORK: Setup = Setup { network: true, faults: 1, ..ONE };

const FILES: Setup = Setup { kinds: [File; 3], ..ONE };

/// A table to merge into, between files to append to.
const MIXED: Setup = Setup { modes: [Append, Merge, Append], kinds: [File, Database, File], ..NETWORK };

/// Everything: two runs, a clean-up and a reset, over a network.
const CROWD: Setup = Setup { runs: 2, cleans: 1, resets: 1, ..MIXED };

/// Nothing but a file that is replaced.
const REPLACED: Setup = Setup { modes: [Replace; 3], ports: 0b001, ..FILES };

pub(super) const SMALL: [Named; 12] = [
    ("two faults", Setup { faults: 2, records: (0, 2), renames: true, ..ONE }),
    ("two faults, files", Setup { faults: 2, attempts: 3, records: (1, 3), ..FILES }),
    ("a clean-up", Setup { cleans: 1, ..NETWORK }),
    ("two runs", Setup { faults: 1, records: (1, 1), modes: [Replace, Merge, Append], ..TWO }),
    ("two runs stage the same", Setup { is_deterministic: true, ..GROWS }),
    ("two runs, files", Setup { runs: 2, faults: 1, records: (1, 1), ..FILES }),
    ("two runs, mixed", Setup { runs: 2, faults: 1, pauses: Some(1), ..MIXED }),
    ("a reset", Setup { resets: 1, records: (1, 1), ..NETWORK }),
    ("a reset, the same again", Setup { resets: 1, is_deterministic: true, faults: 1, ..FILES }),
    ("two resets", Setup { resets: 2, ..ONE }),
    ("all at once, no pause", Setup { pauses: Some(0), records: (1, 2), ..CROWD }),
    ("all at once, a pause", Setup { pauses: Some(1), faults: 0, records: (1, 1), ..CROWD }),
];

pub(super) const LARGER: [Named; 13] = [
    ("three iterations", Setup { attempts: 3, records: (1, 3), ..TWO }),
    ("three iterations, a replaced file", Setup { attempts: 3, faults: 1, records: (0, 2), runs: 2, ..REPLACED }),
    ("three faults", Setup { faults: 3, attempts: 3, records: (0, 2), renames: true, ..NETWORK }),
    ("two runs, two faults", Setup { runs: 2, faults: 2, records: (1, 1), ..NETWORK }),
    ("two runs, two faults, files", Setup { runs: 2, faults: 2, records: (1, 1), ..FILES }),
    ("two runs, two iterations", Setup { runs: 2, records: (1, 2), ..NETWORK }),
    ("two runs, a clean-up", Setup { runs: 2, cleans: 1, ..MIXED }),
    ("two runs, a reset", Setup { resets: 1, records: (1, 1), ..TWO }),
    ("two runs, a reset, a replaced table", Setup { resets: 1, records: (1, 1), faults: 1, ports: 0b010, ..TWO }),
    ("two resets, two faults", Setup { resets: 2, faults: 2, records: (1, 1), ports: 0b001, ..NETWORK }),
    ("all at once, a pause", Setup { pauses: Some(1), records: (1, 2), ..CROWD }),
    ("all at once, two pauses", Setup { pauses: Some(2), ..CROWD }),
    (
        "all at once, any pauses, no fault",
        Setup { faults: 0, records: (1, 1), modes: [Replace, Merge, Append], kinds: [File, Database, File], ..CROWD },
    ),
];

/// Each mutant, in a world that is large enough for it.
pub(super) const MUTANTS: [(Mutant, Setup); 27] = [
    (Mutant::SealsWithoutCondition, TWO),
    (Mutant::SealIgnoresRevocation, TWO),
    (Mutant::SealIgnoresEpoch, Setup { resets: 1, ..ONE }),
    (Mutant::TakesLostReplyForLostRace, Setup { faults: 1, ..ONE }),
    (Mutant::TakesSilenceForWin, Setup { faults: 1, ..ONE }),
    (Mutant::StagesWithoutSync, ONE),
    (Mutant::SavesPositionsBeforeLoad, ONE),
    (Mutant::PublishesTrapApart, ONE),
    (Mutant::LeavesTrapOutOfManifest, ONE),
    (Mutant::NumbersByAttempt, ONE),
    (Mutant::DoneWithoutTrap, ONE),
    (Mutant::EmptyIterationRunsOperators, ONE),
    (Mutant::ReadsPositionsBeforeNumber, TWO),
    (Mutant::ReadsUnfinishedBeforeNumber, GROWS),
    (Mutant::DropsLedgerCheck, Setup { faults: 1, ..ONE }),
    (Mutant::ChecksLedgerBeforeTransaction, TWO),
    (Mutant::DropsOrderCheck, GROWS),
    (Mutant::LedgerIgnoresEpoch, Setup { resets: 1, ..NETWORK }),
    (Mutant::ReplacesWithoutLedger, GROWS),
    (Mutant::AppendsWithoutTruncating, Setup { faults: 1, ..FILES }),
    (Mutant::HoldsWithoutLookingAgain, GROWS),
    (Mutant::CleansWithoutRevoking, TWO),
    (Mutant::CleansAllThatIsStaged, TWO),
    (Mutant::ForgetsRevoked, Setup { runs: 2, ..NETWORK }),
    (Mutant::KeepsRowsUnderTheName, Setup { resets: 1, ..TWO }),
    (Mutant::ResetsWithoutFence, Setup { resets: 1, ..NETWORK }),
    (Mutant::FencesWithoutComparing, Setup { resets: 2, ..NETWORK }),
];

/// A mutant that needs a larger world: three iterations, and a run that slept through two of them.
pub(super) const LARGER_MUTANT: (Mutant, Setup) =
    (Mutant::ShorterFileForgetsLedger, Setup { runs: 2, faults: 1, attempts: 3, records: (0, 2), ..REPLACED });

/// What is in a world, for people.
pub(super) fn contents(setup: &Setup) -> String {
    let mut things = Vec::new();
    let mut count = |count: u8, one: &str, more: &str| match count {
        0 => {}
        1 => things.push(format!("1 {one}")),
        _ => things.push(format!("{count} {more}")),
    };
    count(setup.runs as u8, "run", "runs");
    count(setup.faults, "fault", "faults");
    count(setup.cleans, "clean-up", "clean-ups");
    count(setup.resets, "reset", "resets");
    count(setup.records.1, "record", "records");
    count(setup.records.1 - setup.records.0, "of them later", "of them later");
    for port in 0..PORTS {
        if setup.ports & 1 << port != 0 {
            let what = if port == TRAP { "trap" } else { "sink" };
            things.push(format!("{what}: {:?} {:?}", setup.modes[port], setup.kinds[port]));
        }
    }
    things.extend(setup.network.then(|| "network".to_owned()));
    things.extend(setup.pauses.map(|pauses| format!("pauses counted: {pauses}")));
    things.join(", ")
}
