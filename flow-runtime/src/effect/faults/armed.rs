//! Faults as the environment asks for them; `faults.rs` says how.

use std::{
    collections::HashMap,
    env,
    fs::File,
    io::Write as _,
    str::FromStr,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use signal_hook::{
    consts::SIGSTOP,
    low_level::{exit, raise},
};

use super::super::{Broken, Effect, Moment, Mutant};

/// What the environment asks for.
struct Armed {
    effects: Option<Mutex<File>>,
    faults: Vec<Asked>,
    is_flow_lock_off: bool,
    patience: Option<Duration>,
    ordinals: Mutex<HashMap<String, u64>>,
}

/// `name#ordinal:moment:what`
struct Asked {
    /// `name#ordinal`
    effect: String,
    moment: Moment,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Error,
    Kill,
    Stop,
}

/// The exit code of a program that was told what it cannot understand.
const MISTAKEN: i32 = 2;

/// `SIGKILL`, which signal-hook does not name.
const SIGKILL: i32 = 9;

/// All that is heeded.
const VARIABLES: [&str; 5] = ["FLOW_EFFECTS", "FLOW_FAULT", "FLOW_LOCK", "FLOW_MUTANT", "FLOW_PATIENCE_MS"];

static ARMED: LazyLock<Armed> = LazyLock::new(|| {
    let text = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
    let set: Vec<&str> = VARIABLES.into_iter().filter(|name| text(name).is_some()).collect();
    if !set.is_empty() {
        // Nobody is to find it in production without a word.
        eprintln!("this program was built to be broken by tests (feature `faults`), and heeds {}", set.join(", "));
    }
    Armed {
        effects: text("FLOW_EFFECTS").map(|path| {
            let file = File::options().append(true).create(true).open(&path);
            Mutex::new(file.unwrap_or_else(|error| mistaken("FLOW_EFFECTS", &format!("{path}: {error}"))))
        }),
        faults: text("FLOW_FAULT")
            .map(|faults| faults.split(',').map(parsed("FLOW_FAULT")).collect())
            .unwrap_or_default(),
        is_flow_lock_off: text("FLOW_LOCK").is_some_and(|lock| lock == "off"),
        patience: text("FLOW_PATIENCE_MS").map(|ms| Duration::from_millis(parsed("FLOW_PATIENCE_MS")(&ms))),
        ordinals: Mutex::default(),
    }
});

/// How this process' flow is broken.
pub(crate) static MUTANT: LazyLock<Option<Mutant>> = LazyLock::new(|| {
    env::var("FLOW_MUTANT").ok().filter(|name| !name.is_empty()).map(|name| parsed("FLOW_MUTANT")(&name))
});

fn parsed<T: FromStr<Err: ToString>>(variable: &'static str) -> impl Fn(&str) -> T {
    move |text| {
        text.parse().unwrap_or_else(|error: T::Err| mistaken(variable, &format!("{text}: {}", error.to_string())))
    }
}

/// A test that asks for what there is not must not pass.
fn mistaken(variable: &str, what: &str) -> ! {
    eprintln!("{variable}={what}");
    exit(MISTAKEN)
}

impl FromStr for Asked {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let (Some(effect), Some(moment), Some(what), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("write name#ordinal:moment:what");
        };
        Ok(Self {
            effect: effect.to_owned(),
            moment: match moment {
                "before" => Moment::Before,
                "after" => Moment::After,
                _ => return Err("the moment is before or after"),
            },
            what: match what {
                "error" => What::Error,
                "kill" => What::Kill,
                "stop" => What::Stop,
                _ => return Err("what happens is error, kill or stop"),
            },
        })
    }
}

/// What awaits one effect.
pub(crate) struct Fault {
    /// `name#ordinal`
    effect: String,
    /// `any#ordinal`, among all effects.
    of_all: String,
}

/// Numbers an effect, and notes that it begins.
pub(crate) fn next(effect: &Effect<'_>) -> Fault {
    let name = effect.to_string();
    let mut ordinals = ARMED.ordinals.lock().unwrap_or_else(PoisonError::into_inner);
    let mut numbered = |name: String| {
        let ordinal = ordinals.entry(name.clone()).or_default();
        *ordinal += 1;
        format!("{name}#{ordinal}")
    };
    let (effect, of_all) = (numbered(name), numbered("any".to_owned()));
    if let Some(file) = &ARMED.effects {
        // Written while nobody else numbers, so that the lines are in the order of the numbers.
        let written = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{effect}");
        written.unwrap_or_else(|error| mistaken("FLOW_EFFECTS", &error.to_string()));
    }
    Fault { effect, of_all }
}

impl Fault {
    /// Does what was asked for at this moment.
    pub(crate) fn strike(&self, effect: &Effect<'_>, moment: Moment) -> Result<(), Broken> {
        let is_meant =
            |asked: &&Asked| (asked.effect == self.effect || asked.effect == self.of_all) && asked.moment == moment;
        let Some(asked) = ARMED.faults.iter().find(is_meant) else {
            return Ok(());
        };
        match asked.what {
            What::Error => return Err(effect.broken(moment)),
            What::Kill => raised(SIGKILL),
            What::Stop => raised(SIGSTOP),
        }
        Ok(())
    }
}

fn raised(signal: i32) {
    raise(signal).unwrap_or_else(|error| mistaken("FLOW_FAULT", &error.to_string()));
}

/// Whether runs of one flow do not keep each other out.
pub(crate) fn is_flow_lock_off() -> bool {
    ARMED.is_flow_lock_off
}

/// How long to wait for what another process holds.
pub(crate) fn patience(usual: Duration) -> Duration {
    ARMED.patience.unwrap_or(usual)
}
