//! What is tried: every combination, every effect, everything that can happen to it.

use std::{
    collections::{BTreeMap, VecDeque},
    env, fmt,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use flow_tests::{postgres, services};

use super::{
    chain::Chain,
    combination::{Combination, Kind},
    oracle::Verdict,
    scenario::{Moment, Scenario, Situation, What},
};

/// How many flows run at once: most of the time they wait for the disk.
const THREADS: usize = 8;

/// Scenarios that follow each other in one folder.
const CHAIN_SCENARIOS_MAX: usize = 25;

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Of effects with the same name, the first and the last; of those that only look, the first. What happens just after
    /// an effect is not told from what happens just before the next.
    Some,
    /// Every effect of an iteration that has something to load: there a process dies, and it or another one goes on, or it sleeps.
    Deaths,
    /// Everything.
    Whole,
}

impl Extent {
    /// As `FLOW_FAULTS` says.
    pub(crate) fn of_environment() -> Self {
        match env::var("FLOW_FAULTS").unwrap_or_default().as_str() {
            "" => Self::Some,
            "deaths" => Self::Deaths,
            "whole" => Self::Whole,
            other => panic!("FLOW_FAULTS={other}: write deaths or whole"),
        }
    }

    /// What can happen to an effect, the `index`th of the run.
    fn happenings(self, situation: Situation, index: usize) -> Vec<(Moment, What)> {
        use Moment::{After, Before};
        use What::{Error, Kill, KillAmongTwo, Stop, StopUnlocked, StopUnlockedOtherDies};
        if self == Self::Deaths {
            return vec![(Before, Kill), (After, KillAmongTwo), (Before, StopUnlocked)];
        }
        if self == Self::Some && situation == Situation::Idle {
            return vec![(Before, Error), (Before, Kill), (After, StopUnlocked)];
        }
        let mut happenings =
            vec![(Before, Error), (After, Error), (Before, Kill), (After, KillAmongTwo), (Before, StopUnlocked)];
        if self == Self::Whole {
            happenings.extend([(After, Kill), (Before, KillAmongTwo), (After, StopUnlocked), (Before, Stop)]);
        }
        if self == Self::Whole || index.is_multiple_of(5) {
            happenings.push((After, Stop));
        }
        if self == Self::Whole || index % 5 == 2 {
            happenings.push((Before, StopUnlockedOtherDies));
        }
        happenings
    }

    /// The same on the way into a warehouse, where others may wait for the process. Unless it is all to be tried, it dies at
    /// each effect, and at every third one something else happens.
    fn happenings_in_warehouse(self, situation: Situation, index: usize) -> Vec<(Moment, What)> {
        use Moment::{After, Before};
        use What::{
            Error, Kill, KillAmongTwo, StopAwaited, StopAwaitedDies, StopUnlocked, StopUnlockedOtherPublishes,
            StopUnlockedOtherSeals,
        };
        if self != Self::Some {
            let mut happenings = self.happenings(situation, index);
            if self == Self::Deaths {
                return happenings;
            }
            happenings.extend([(Before, StopAwaited), (After, StopAwaited), (Before, StopAwaitedDies)]);
            happenings.extend([(Before, StopUnlockedOtherSeals), (After, StopUnlockedOtherPublishes)]);
            return happenings;
        }
        let others = [
            (After, Error),
            (Before, StopAwaited),
            (After, KillAmongTwo),
            (Before, StopAwaitedDies),
            (Before, Error),
            (After, StopUnlockedOtherPublishes),
            (After, StopUnlocked),
        ];
        let mut happenings = vec![(if index.is_multiple_of(2) { Before } else { After }, Kill)];
        if index.is_multiple_of(3) {
            happenings.push(others[index / 3 % others.len()]);
        }
        happenings
    }

    /// The effects that are broken, of those that a run has.
    fn thinned(self, effects: &[String]) -> Vec<String> {
        let mut by_name: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for effect in effects {
            by_name.entry(effect.split('#').next().unwrap_or_default()).or_default().push(effect);
        }
        let is_taken = |effect: &&String| {
            let name = effect.split('#').next().unwrap_or_default();
            let alike = &by_name[name];
            let only_looks = ["look", "read", "probe"].iter().any(|act| name.ends_with(act));
            self != Self::Some || alike.first() == Some(effect) || (!only_looks && alike.last() == Some(effect))
        };
        effects.iter().filter(is_taken).cloned().collect()
    }
}

/// Scenarios of one kind, to be played one after the other.
type Job = (Combination, Vec<Scenario>);

/// All that is tried.
#[derive(Debug)]
pub(crate) struct Matrix {
    extent: Extent,
    jobs: Mutex<VecDeque<Job>>,
}

impl Matrix {
    pub(crate) fn new(extent: Extent, combinations: &[Combination]) -> Self {
        let part = env::var("FLOW_FAULTS_OF").unwrap_or_default();
        let has_server = |combination: &Combination| match combination.server() {
            Some(Kind::Redshift(isolation)) => services::redshift_of(isolation).is_some(),
            Some(_) => postgres::find().is_some(),
            None => true,
        };
        let asked_for = combinations.iter().filter(|combination| has_server(combination));
        let asked_for = asked_for.filter(|combination| combination.to_string().contains(&part));
        let jobs = asked_for.enumerate().flat_map(|(index, combination)| jobs(extent, *combination, index)).collect();
        Self { extent, jobs: Mutex::new(jobs) }
    }

    /// Whether nothing is asked for, or its servers are not there.
    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Plays it.
    pub(crate) fn play(self) -> Report {
        let report = Mutex::new(Report { extent: Some(self.extent), ..Report::default() });
        let began = Instant::now();
        thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    while let Some((combination, scenarios)) = next(&self.jobs) {
                        play(combination, &scenarios, &report);
                    }
                });
            }
        });
        let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.took = began.elapsed();
        report
    }
}

fn next(jobs: &Mutex<VecDeque<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn play(combination: Combination, scenarios: &[Scenario], report: &Mutex<Report>) {
    let mut chain = Chain::new(combination, None);
    for scenario in scenarios {
        let played = scenario.play(&mut chain);
        let is_right = played.verdict.is_right();
        report.lock().unwrap_or_else(PoisonError::into_inner).add(&chain, scenario, played.is_struck, played.verdict);
        // What went wrong is not to be found again in all that follows.
        if !is_right || scenario.situation == Situation::Fresh {
            chain = Chain::new(combination, None);
        }
    }
}

/// Everything that can happen to one combination, the `number`th.
fn jobs(extent: Extent, combination: Combination, number: usize) -> Vec<Job> {
    let mut chain = Chain::new(combination, None);
    chain.grow();
    let fresh = chain.effects();
    chain.grow();
    let grown = chain.effects();
    let idle = chain.effects();
    let anew: Vec<String> = fresh.into_iter().filter(|effect| !grown.contains(effect)).collect();
    let mut jobs = Vec::new();
    for (situation, effects) in [(Situation::Fresh, anew), (Situation::Grown, grown), (Situation::Idle, idle)] {
        if extent == Extent::Deaths && situation != Situation::Grown {
            continue;
        }
        let mut scenarios = Vec::new();
        // The rest is as with other targets, and a server takes its time over who stands still.
        let own = combination.server().and_then(Kind::effects).filter(|_| extent == Extent::Some);
        let is_taken = |effect: &String| own.is_none_or(|own| own.iter().any(|start| effect.starts_with(start)));
        for (index, effect) in extent.thinned(&effects).into_iter().filter(is_taken).enumerate() {
            let happenings = match combination.server() {
                Some(Kind::Redshift(_)) => extent.happenings_in_warehouse(situation, index + number),
                _ => extent.happenings(situation, index),
            };
            for (moment, what) in happenings {
                scenarios.push(Scenario { situation, effect: effect.clone(), moment, what });
            }
        }
        jobs.extend(scenarios.chunks(CHAIN_SCENARIOS_MAX).map(|some| (combination, some.to_vec())));
    }
    jobs
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    extent: Option<Extent>,
    scenarios: usize,
    /// Those whose process did not come to the effect, by what they were.
    missed: BTreeMap<String, usize>,
    total: Verdict,
    failures: Vec<String>,
    took: Duration,
}

impl Report {
    fn add(&mut self, chain: &Chain, scenario: &Scenario, is_struck: bool, verdict: Verdict) {
        self.scenarios += usize::from(is_struck);
        if !is_struck {
            *self.missed.entry(format!("{:?} {:?}", scenario.situation, scenario.what)).or_default() += 1;
        }
        if self.scenarios.is_multiple_of(500) {
            eprintln!("{} scenarios", self.scenarios);
        }
        if !verdict.is_right() {
            let failure = format!("{}: {scenario}: {}", chain.combination, verdict.told.join("; "));
            eprintln!("{failure}");
            self.failures.push(failure);
        }
        self.total += verdict;
    }

    /// Whether nothing was lost, doubled or invented, and nearly all of it was really tried: of two that run at once either
    /// may be first, but most of those come to pass too.
    pub(crate) fn is_clean(&self) -> bool {
        let missed = |is_race: bool| -> usize {
            let alike = self.missed.iter().filter(|(what, _)| what.ends_with("KillAmongTwo") == is_race);
            alike.map(|(_, count)| count).sum()
        };
        self.failures.is_empty() && missed(false) * 20 < self.scenarios && missed(true) * 10 < self.scenarios
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in self.failures.iter().take(40) {
            writeln!(f, "{failure}")?;
        }
        writeln!(f, "{} scenarios, {}", self.scenarios, self.total)?;
        if postgres::find().is_none() {
            writeln!(f, "(without PostgreSQL, which is not there)")?;
        }
        let extent = match self.extent {
            Some(Extent::Whole) => "every effect, everything that can happen to it",
            Some(Extent::Deaths) => "every effect of an iteration with something to load, deaths and sleep",
            _ => {
                "of effects with one name the first and the last, of looks and reads the first; of runs into a server its own; \
                 FLOW_FAULTS=whole for all"
            }
        };
        write!(f, "({extent}; in {} s; did not come to pass: {:?})", self.took.as_secs(), self.missed)
    }
}
