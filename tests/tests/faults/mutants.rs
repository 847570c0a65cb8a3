//! flow, broken on purpose, one way at a time: each must be noticed, by a scenario that flow as it is survives.
//!
//! Two more are hunted in `flow-runtime/src/driver/tests/forgetful.rs`: of a disk that forgets, and of counts that do not
//! add up, real processes can show nothing.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use flow_tests::services::{self, redshift::Isolation};

use super::{
    chain::{Chain, Start, said},
    combination::{BUCKET, COMBINATIONS, Combination, INTO_REDSHIFT, Kind, Mode},
    oracle::Verdict,
    scenario::{
        Moment::{self, After, Before},
        Scenario,
        Situation::{self, Grown, Idle},
        What::{
            self, Error, Kill, StopAwaitedDies, StopUnlocked, StopUnlockedOtherDies, StopUnlockedOtherPublishes,
            StopUnlockedOtherSeals,
        },
    },
};

/// What a mutant is exposed to.
#[derive(Clone, Copy, Debug)]
enum Trial {
    /// Scenarios, one after the other.
    Broken(&'static [(Situation, &'static str, Moment, What)]),
    /// The target is put back to what it was an iteration ago.
    RolledBack,
    /// In the target's place is that of another checkpoint store, with as many iterations.
    Foreign,
    /// Somebody has changed the warehouse by this SQL, and a person is needed.
    Edited(&'static str),
    /// While the process stands still here, somebody does this to what is staged, and later undoes it.
    Meddled(&'static str, Moment, Meddling),
}

/// What somebody does to staged rows.
#[derive(Clone, Copy, Debug)]
enum Meddling {
    /// The last row is taken off the last file.
    Cut,
    /// Beside a file comes another like it, of nobody's.
    Strewn,
}

/// A mutant, and where it shows.
#[derive(Clone, Copy, Debug)]
struct Hunt {
    mutant: &'static str,
    flow: &'static str,
    kind: Kind,
    mode: Mode,
    trial: Trial,
}

const fn hunt(mutant: &'static str, (flow, kind, mode): (&'static str, Kind, Mode), trial: Trial) -> Hunt {
    Hunt { mutant, flow, kind, mode, trial }
}

/// A run that dies early and leaves nothing.
const ONE_MORE_RUN: Trial = Trial::Broken(&[(Grown, "store.open_attempt#1", Before, Kill)]);

const HUNTS: &[Hunt] = &{
    use Kind::{File, Sqlite};
    use Mode::{Append, Merge, Replace};
    use Trial::{Broken, Foreign, RolledBack};
    let (table, file) = (("filtered", Sqlite, Append), ("filtered", File, Append));
    let split = ("split", File, Append);
    [
        hunt("seal_without_condition", table, Broken(&[(Grown, "store.seal#1", Before, StopUnlocked)])),
        hunt("lost_reply_is_lost_race", table, Broken(&[(Grown, "store.seal#1", After, Error)])),
        hunt("ledger_check_dropped", table, Broken(&[(Grown, "target.publish#1", After, Kill)])),
        hunt("order_check_dropped", table, RolledBack),
        hunt("epoch_ignored", table, Foreign),
        hunt("position_off_by_one", table, ONE_MORE_RUN),
        hunt(
            "positions_before_seal",
            table,
            Broken(&[(Grown, "store.begin#2", Before, Kill), (Grown, "store.begin#3", Before, Kill)]),
        ),
        hunt("clean_up_without_revocation", table, Broken(&[(Grown, "store.seal#1", Before, StopUnlockedOtherDies)])),
        hunt("empty_runs_operators", ("filtered", Sqlite, Replace), Broken(&[(Idle, "lock.open#1", Before, Error)])),
        hunt("unterminated_taken_twice", split, ONE_MORE_RUN),
        hunt("replace_without_sidecar", ("filtered", File, Replace), Foreign),
        hunt("merge_by_equals", ("counted", Sqlite, Merge), ONE_MORE_RUN),
        hunt("trap_apart", split, Broken(&[(Grown, "target.publish#3", Before, Kill)])),
        hunt("append_without_cut", file, Broken(&[(Grown, "sidecar.rename#1", Before, Kill)])),
        hunt("ledger_apart", table, Broken(&[(Grown, "sqlite.commit#1", After, Kill)])),
        hunt("sidecar_before_rows", file, Broken(&[(Grown, "file.write#1", Before, Kill)])),
        hunt("loaded_before_published", table, Broken(&[(Grown, "target.publish#1", Before, Kill)])),
    ]
};

/// What is hunted on the way into Redshift.
const HUNTS_INTO_REDSHIFT: &[Hunt] = &{
    use Isolation::{Serializable, Snapshot};
    use Meddling::{Cut, Strewn};
    use Mode::{Append, Merge, Replace};
    use Trial::{Broken, Edited, Meddled};
    let table = ("filtered", Kind::Redshift(Snapshot), Append);
    let serializable = ("filtered", Kind::Redshift(Serializable), Append);
    let replaced = ("filtered", Kind::Redshift(Snapshot), Replace);
    let merged = ("counted", Kind::Redshift(Snapshot), Merge);
    let behind = "DELETE FROM {schema}.flow_ledger_rows WHERE iteration = (SELECT max(iteration) FROM {schema}.flow_ledger_rows)";
    let foreign = "UPDATE {schema}.flow_ledger_rows SET epoch = 'foreign'";
    [
        hunt("lock_dropped", table, Broken(&[(Grown, "redshift.ledger_read#last", After, StopUnlockedOtherPublishes)])),
        hunt(
            "ledger_before_lock",
            table,
            Broken(&[(Grown, "redshift.ledger_read#last", After, StopUnlockedOtherPublishes)]),
        ),
        hunt("lock_behind_snapshot", table, Broken(&[(Grown, "redshift.commit#1", Before, StopAwaitedDies)])),
        hunt("transaction_dropped", table, Broken(&[(Grown, "redshift.ledger_write#1", Before, Kill)])),
        hunt("ledger_check_dropped", merged, Broken(&[(Grown, "redshift.commit#1", After, Kill)])),
        hunt("ledger_apart", serializable, Broken(&[(Grown, "redshift.ledger_write#1", Before, Kill)])),
        hunt("order_check_dropped", table, Edited(behind)),
        hunt("epoch_ignored", table, Edited(foreign)),
        hunt("copy_alone_retried", table, Broken(&[(Grown, "redshift.copy#1", After, Error)])),
        hunt("copy_count_ignored", table, Meddled("redshift.copy#1", Before, Cut)),
        hunt("retried_from_the_middle", table, Broken(&[(Grown, "redshift.commit#1", After, Error)])),
        hunt("commit_taken_for_done", serializable, Broken(&[(Grown, "redshift.commit#1", Before, Error)])),
        hunt("replace_truncates", replaced, Broken(&[(Grown, "redshift.copy#1", Before, Kill)])),
        hunt("merge_by_equals", merged, ONE_MORE_RUN),
        hunt("manifest_from_listing", table, Meddled("s3.put_object#1", After, Strewn)),
        hunt("key_reused", table, Broken(&[(Grown, "store.seal#1", Before, StopUnlockedOtherSeals)])),
        hunt("seal_without_condition", table, Broken(&[(Grown, "store.seal#1", Before, StopUnlocked)])),
        hunt("lost_reply_is_lost_race", table, Broken(&[(Grown, "store.seal#1", After, Error)])),
        hunt("clean_up_without_revocation", table, Broken(&[(Grown, "store.seal#1", Before, StopUnlockedOtherDies)])),
        hunt("position_off_by_one", table, ONE_MORE_RUN),
        hunt(
            "positions_before_seal",
            table,
            Broken(&[(Grown, "store.begin#2", Before, Kill), (Grown, "store.begin#3", Before, Kill)]),
        ),
        hunt("empty_runs_operators", replaced, Broken(&[(Idle, "lock.open#1", Before, Error)])),
        hunt("loaded_before_published", table, Broken(&[(Grown, "target.publish#1", Before, Kill)])),
    ]
};

/// How flow as it is has to end where a person is needed.
const HELD: Option<i32> = Some(3);

/// Hunts all mutants; says of each what caught it, or that it lives.
pub(crate) fn hunt_all() -> Vec<Result<String, String>> {
    hunted(HUNTS)
}

/// The same on the way into Redshift; none where nothing stands in for it.
pub(crate) fn hunt_all_into_redshift() -> Vec<Result<String, String>> {
    let is_there =
        [Isolation::Snapshot, Isolation::Serializable].into_iter().all(|of| services::redshift_of(of).is_some());
    hunted(if is_there { HUNTS_INTO_REDSHIFT } else { &[] })
}

fn hunted(hunts: &'static [Hunt]) -> Vec<Result<String, String>> {
    let left = Mutex::new(hunts.iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let hunt_some = || -> Vec<_> { std::iter::from_fn(next).map(Hunt::run).collect() };
    thread::scope(|threads| {
        let hunters: Vec<_> = (0..4).map(|_| threads.spawn(hunt_some)).collect();
        hunters.into_iter().flat_map(|hunter| hunter.join().unwrap()).collect()
    })
}

impl Hunt {
    fn run(&self) -> Result<String, String> {
        let Self { mutant, .. } = self;
        match (self.caught(None), self.caught(Some(mutant))) {
            (Some(what), _) => Err(format!("{mutant}: flow as it is does not survive this: {what}")),
            (None, None) => Err(format!("{mutant} lives")),
            (None, Some(what)) => Ok(format!("{mutant} is caught: {what}")),
        }
    }

    fn combination(&self) -> Combination {
        let fits = |combination: &&Combination| {
            let first = combination.outputs[0];
            (combination.flow, first.kind, first.mode) == (self.flow, self.kind, self.mode)
        };
        *COMBINATIONS.iter().chain(INTO_REDSHIFT).find(fits).unwrap()
    }

    /// What went wrong, if anything did.
    fn caught(&self, mutant: Option<&'static str>) -> Option<String> {
        let mut chain = Chain::new(self.combination(), mutant);
        let told = |place: &str, verdict: Verdict| match verdict.is_right() {
            true => None,
            false => Some(format!("{place}: {verdict}: {}", verdict.told.join("; "))),
        };
        if let Some(wrong) = told("an iteration to which nothing happens", chain.go_on()) {
            return Some(wrong);
        }
        match self.trial {
            Trial::Broken(scenarios) => scenarios.iter().find_map(|(situation, effect, moment, what)| {
                let (situation, effect) = (*situation, numbered(&mut chain, effect));
                let scenario = Scenario { situation, effect, moment: *moment, what: *what };
                let played = scenario.play(&mut chain);
                told(&format!("{}, {scenario}", chain.combination), played.verdict)
            }),
            Trial::RolledBack => {
                let before = chain.targets();
                chain.go_on();
                chain.take_targets(before);
                held(&mut chain, "the target lacks an iteration")
            }
            Trial::Foreign => {
                let mut other = Chain::new(chain.combination, mutant).with_other_lines();
                other.go_on();
                chain.take_targets(other.targets());
                held(&mut chain, "the target is of another checkpoint store")
            }
            Trial::Edited(sql) => {
                chain.ask_warehouse(sql);
                held(&mut chain, "the warehouse was edited")
            }
            Trial::Meddled(effect, moment, meddling) => told(
                &format!("{}, {meddling:?} at {effect}", chain.combination),
                meddle(&mut chain, effect, moment, meddling),
            ),
        }
    }
}

/// The effect with its number: in `name#last` that of the last one of an iteration to which nothing happens.
fn numbered(chain: &mut Chain, effect: &str) -> String {
    let Some(name) = effect.strip_suffix("last") else { return effect.to_owned() };
    chain.grow();
    chain.effects().into_iter().rfind(|effect| effect.starts_with(name)).unwrap()
}

/// Plays a run that somebody meddles with.
fn meddle(chain: &mut Chain, effect: &str, moment: Moment, meddling: Meddling) -> Verdict {
    let batches = chain.batches();
    chain.grow();
    let moment = if moment == Before { "before" } else { "after" };
    let meddled = chain.start(&Start { fault: format!("{effect}:{moment}:stop"), is_lock_off: false });
    if !meddled.stands_still() {
        return Verdict::stuck(format!("never comes to {effect}: {}", said(&meddled.end())));
    }
    let key = chain.staged_files().pop().unwrap();
    let storage = services::ministack().unwrap();
    let rows = storage.object(BUCKET, &key);
    let stray = key.replace("-00001", "-00009");
    match meddling {
        Meddling::Cut => {
            let rest = rows.trim_ascii_end();
            let end = rest.iter().rposition(|byte| *byte == b'\n').unwrap();
            storage.put_object(BUCKET, &key, &rows[..=end]);
        }
        Meddling::Strewn => storage.put_object(BUCKET, &stray, &rows),
    }
    meddled.signal("CONT");
    let ended = meddled.end();
    match meddling {
        Meddling::Cut => storage.put_object(BUCKET, &key, &rows),
        Meddling::Strewn => storage.delete_object(BUCKET, &stray),
    }
    let mut verdict = chain.judge_readers(batches);
    if matches!((meddling, ended.code), (Meddling::Cut, Some(0)) | (Meddling::Strewn, Some(1..))) {
        verdict += Verdict::stuck(said(&ended));
    }
    verdict += chain.recover();
    verdict += chain.judge();
    verdict
}

/// The next run must say that a person is needed, and change nothing.
fn held(chain: &mut Chain, why: &str) -> Option<String> {
    let before = chain.targets();
    chain.grow();
    let ended = chain.start(&Start::default()).end();
    let is_changed = chain.targets() != before;
    (ended.code != HELD || is_changed)
        .then(|| format!("{}: {why}, and it goes on: {}", chain.combination, said(&ended)))
}
