//! One scenario: a run that something happens to at one of its effects, and what is done about it.

use std::fmt;

use flow_tests::program::until;

use super::{
    chain::{Chain, Start, said},
    oracle::Verdict,
};

/// When, about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// What happens at an effect, and who goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It fails; or, after it, its answer is lost.
    Error,
    /// The process is killed, and the same command is given again.
    Kill,
    /// The process is killed while another one runs, which does not heed the lock.
    KillAmongTwo,
    /// The process stands still until another one has run to its end, which is kept out by the lock.
    Stop,
    /// The same, without a lock; and the other one goes on with the iteration after it.
    StopUnlocked,
    /// The same, without a lock, and the other one is killed when it is about to read.
    StopUnlockedOtherDies,
    /// The same, and the other one is killed when it has sealed and is about to publish.
    StopUnlockedOtherSeals,
    /// The same, and the other one is killed when it has published and has not noted it.
    StopUnlockedOtherPublishes,
    /// The process stands still until another one waits for a table that it holds, or has come to its end.
    StopAwaited,
    /// The same, and it is killed when it has done what it stood still before.
    StopAwaitedDies,
}

impl What {
    /// Where the other process dies, if it does.
    fn other_dies_at(self) -> &'static str {
        match self {
            Self::StopUnlockedOtherDies => "store.open_attempt#1:before:kill",
            Self::StopUnlockedOtherSeals => "target.publish#1:before:kill",
            Self::StopUnlockedOtherPublishes => "target.publish#1:after:kill",
            _ => "",
        }
    }
}

/// Where a scenario begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    /// Nothing has ever run.
    Fresh,
    /// There are new lines.
    Grown,
    /// There is nothing new.
    Idle,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) situation: Situation,
    /// `name#ordinal`
    pub(crate) effect: String,
    pub(crate) moment: Moment,
    pub(crate) what: What,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} {:?} {:?}", self.situation, self.effect, self.moment, self.what)
    }
}

/// How a scenario ended.
#[derive(Debug)]
pub(crate) struct Played {
    /// Whether the process came to the effect.
    pub(crate) is_struck: bool,
    pub(crate) verdict: Verdict,
}

impl Scenario {
    fn fault(&self) -> String {
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        let what = match self.what {
            What::Error => "error",
            What::Kill | What::KillAmongTwo => "kill",
            _ => "stop",
        };
        let dies =
            if self.what == What::StopAwaitedDies { format!(",{}:after:kill", self.effect) } else { String::new() };
        format!("{}:{moment}:{what}{dies}", self.effect)
    }

    /// Whether the run goes on as if nothing had happened: a lost answer is not a lost race.
    fn must_succeed(&self) -> bool {
        (self.effect.as_str(), self.moment, self.what) == ("store.seal#1", Moment::After, What::Error)
    }

    /// Plays it in a chain, which goes on from there to its end; the targets are looked at then.
    pub(crate) fn play(&self, chain: &mut Chain) -> Played {
        let batches = chain.batches();
        if self.situation != Situation::Idle {
            chain.grow();
        }
        let is_lock_off = !matches!(self.what, What::Error | What::Kill | What::Stop);
        let broken = chain.start(&Start { fault: self.fault(), is_lock_off });
        let other = Start { fault: self.what.other_dies_at().to_owned(), is_lock_off };
        let mut ends = Vec::new();
        match self.what {
            What::Error | What::Kill => {}
            What::KillAmongTwo => ends.push(chain.start(&other).end()),
            What::Stop | What::StopUnlocked => {
                if broken.stands_still() {
                    ends.push(chain.start(&other).end());
                    // What has been read as one iteration must not grow.
                    if self.what == What::StopUnlocked && ends.iter().all(|ended| ended.code == Some(0)) {
                        chain.grow();
                        ends.push(chain.start(&other).end());
                    }
                    broken.signal("CONT");
                }
            }
            What::StopUnlockedOtherDies | What::StopUnlockedOtherSeals | What::StopUnlockedOtherPublishes => {
                if broken.stands_still() {
                    ends.push(chain.start(&other).end());
                    broken.signal("CONT");
                }
            }
            What::StopAwaited | What::StopAwaitedDies => {
                if broken.stands_still() {
                    let other = chain.start(&other);
                    until("the other waits or has ended", || {
                        (chain.is_waited_for() || other.has_ended()).then_some(())
                    });
                    broken.signal("CONT");
                    ends.push(other.end());
                }
            }
        }
        let broken = broken.end();
        let is_struck = chain.passed().contains(&self.effect);
        if is_struck && self.must_succeed() && broken.code != Some(0) {
            let stuck = Verdict::stuck(format!("a lost answer is a lost race: {}", said(&broken)));
            return Played { is_struck, verdict: stuck };
        }
        ends.push(broken);
        // Nobody is needed: whoever was overtaken says so, and nothing is held.
        let held = ends.iter().find(|ended| ended.code == Some(3)).map(|ended| Verdict::stuck(said(ended)));
        let mut verdict = held.unwrap_or_default();
        verdict += chain.judge_readers(batches);
        verdict += chain.recover();
        verdict += chain.judge();
        Played { is_struck, verdict }
    }
}
