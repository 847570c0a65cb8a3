//! The things that a flow needs, how it is with each, and what is to be done about it.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::ArgMatches;
use serde_json::{Value, json};

use crate::{
    Address, Error, Failure, Flow, Plan,
    aws::resources::{Resource, State, What},
    cli::{
        bind,
        options::{given_checkpoint, given_ports},
        telling::Telling,
    },
    driver::Checkpoint,
    flow::PortRef,
    plan::PortPlan,
    sink::{self, LeftBehind, SinkTap, Survey, Target},
};

/// What keeps iterations, among the names of ports.
const CHECKPOINT: &str = "checkpoint";

/// The taps whose tables are made beforehand, once it is known that their sinks can be.
const TABLE_TAPS: [&str; 3] = ["dynamodb", "postgres", "redshift"];

/// A thing, and what is to be done about it.
pub(super) struct Task {
    pub(super) thing: Thing,
    pub(super) act: Act,
}

/// A thing, and how it is with it.
pub(super) enum Thing {
    Aws {
        resource: Resource,
        state: State,
        /// Whether rows are staged in it.
        is_staging: bool,
    },
    /// A table that a sink publishes to, with its ledger.
    Table {
        port: &'static str,
        tap: Box<dyn SinkTap>,
        survey: Survey,
        /// What is staged for it, if that was looked at.
        staged: Vec<LeftBehind>,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Create,
    /// What is there lacks something.
    Change,
    Delete,
    /// It may be empty when other things are deleted.
    DeleteIfEmpty,
    /// Somebody is at it already.
    Await,
    Leave,
}

impl Thing {
    /// For people.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Aws { resource, .. } => resource.place(),
            Self::Table { survey, .. } => survey.place.clone(),
        }
    }

    /// `` (port `log`) ``.
    pub(super) fn used_by(&self) -> String {
        let ports = match self {
            Self::Aws { resource, .. } => resource.ports.clone(),
            Self::Table { port, .. } => vec![(*port).to_owned()],
        };
        match ports.as_slice() {
            [] => String::new(),
            [port] => format!(" (port `{port}`)"),
            ports => format!(" (ports `{}`)", ports.join("`, `")),
        }
    }
}

/// What the flow needs, each thing once, and how it is with it.
pub(super) fn looked_at<F: Flow>(
    flow: &mut F,
    matches: &ArgMatches,
    act: fn(&Thing) -> Act,
) -> Result<Vec<Task>, Error> {
    bind::bind_given(flow, &given_ports(F::PLAN, matches))?;
    let meant = Meant::of(F::PLAN, matches)?;
    let resources = needed(F::PLAN, &bind::addresses(flow), matches, &meant)?;
    // A sink that cannot be opened is refused before anything of it is looked at, or made.
    let mut tables = Vec::new();
    for (target, port) in flow.ports().into_iter().zip(F::PLAN.ports).filter(|(_, port)| meant.has(port.name)) {
        tables.extend(table(&F::PLAN.logical_name(), target, port)?);
    }
    let mut things = Vec::new();
    for (resource, is_staging) in resources {
        let state = resource.look()?;
        things.push(Thing::Aws { resource, state, is_staging });
    }
    things.extend(tables);
    Ok(things.into_iter().map(|thing| Task { act: act(&thing), thing }).collect())
}

/// The table that a port publishes to, if it does.
fn table(flow: &str, target: PortRef<'_>, port: &'static PortPlan) -> Result<Option<Thing>, Error> {
    let (target, mode) = match target {
        PortRef::Sink(sink) => (&sink.target, sink.mode),
        PortRef::Trap(trap) => (&trap.target, None),
        PortRef::Source(_) | PortRef::Table(_) => return Ok(None),
    };
    let is_table = |text: &str| TABLE_TAPS.iter().any(|tap| text.split(':').next() == Some(tap));
    if !matches!(target, Target::Address(text) if is_table(text)) {
        return Ok(None);
    }
    let mut tap = sink::open(target, mode, port)?;
    tap.of_flow(flow);
    let survey = tap.survey()?;
    Ok(survey.map(|survey| Thing::Table { port: port.name, tap, survey, staged: Vec::new() }))
}

/// What the command is about.
struct Meant(Vec<String>);

impl Meant {
    fn of(plan: &Plan, matches: &ArgMatches) -> Result<Self, Error> {
        let only: Vec<String> = matches.get_many::<String>("only").into_iter().flatten().cloned().collect();
        if let Some(unknown) = only.iter().find(|name| *name != CHECKPOINT && plan.port(name).is_none()) {
            let ports: Vec<&str> = plan.ports.iter().map(|port| port.name).collect();
            let failure = Failure::new(format!("there is no port `{unknown}`"));
            return Err(Error::Config(failure.help(format!("--only takes {}, {CHECKPOINT}", ports.join(", ")))));
        }
        Ok(Self(only))
    }

    fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted == name)
    }
}

/// What is needed on AWS, and whether rows are staged in it.
fn needed(
    plan: &Plan,
    addresses: &[Option<String>],
    matches: &ArgMatches,
    meant: &Meant,
) -> Result<Vec<(Resource, bool)>, Error> {
    let mut resources: Vec<(Resource, bool)> = Vec::new();
    for (port, text) in plan.ports.iter().zip(addresses) {
        let Some(text) = text.as_ref().filter(|_| meant.has(port.name)) else { continue };
        let address: Address = text.parse().map_err(|error: Error| error.of_port(port.name))?;
        let is_staging = address.staging().is_some();
        let of_port = Resource::of_port(port, &address);
        let ledger = of_port.as_ref().and_then(Resource::ledger);
        for resource in [of_port, Resource::consumer_of_port(port, &address), ledger].into_iter().flatten() {
            match resources.iter_mut().find(|(known, _)| known.is(&resource)) {
                Some((known, stages)) => {
                    known.ports.extend(resource.ports);
                    known.remembers.extend(resource.remembers);
                    *stages |= is_staging;
                }
                None => resources.push((resource, is_staging)),
            }
        }
    }
    // A file needs nothing to be made.
    if let Checkpoint::DynamoDb(address) = given_checkpoint(plan, matches)
        && meant.has(CHECKPOINT)
    {
        resources.extend(Resource::of_checkpoint(&address).map(|resource| (resource, false)));
    }
    refuse_two_uses(&resources)?;
    Ok(resources)
}

/// A table that a sink fills is nothing else besides: it would be deleted with what others have put there.
fn refuse_two_uses(resources: &[(Resource, bool)]) -> Result<(), Error> {
    for (target, _) in resources.iter().filter(|(resource, _)| resource.what == What::Target) {
        let is_other = |other: &Resource| {
            let is_same = (&other.name, &other.account) == (&target.name, &target.account);
            is_same && matches!(other.what, What::Table | What::Checkpoint)
        };
        if let Some((other, _)) = resources.iter().find(|(other, _)| is_other(other)) {
            let ports = target.ports.join("`, `");
            let used =
                other.ports.first().map_or("iterations are kept in".to_owned(), |port| format!("port `{port}` reads"));
            let failure = Failure::new(format!("port `{ports}` would write to what {used}")).at(target.place());
            return Err(Error::Config(failure.help("nothing was changed; give the sink a table of its own")));
        }
    }
    Ok(())
}

/// Asks, where something would be done; a script says --yes.
pub(super) fn confirm(
    tasks: &[Task],
    verb: &str,
    matches: &ArgMatches,
    telling: &mut Telling<'_>,
) -> Result<(), Error> {
    let count = tasks.iter().filter(|task| !matches!(task.act, Act::Await | Act::Leave)).count();
    if count == 0 || matches.get_flag("yes") {
        return Ok(());
    }
    let not_done = |what: &str, help: &str| Err(Error::Config(Failure::new(what).help(help)));
    if matches.get_flag("json") || !io::stdin().is_terminal() {
        return not_done("nobody is there to be asked", "nothing was changed; give --yes");
    }
    telling.say(&format!(
        "{verb} {}? type yes to go on: ",
        if count == 1 { "it".to_owned() } else { format!("these {count}") }
    ));
    let mut typed = String::new();
    match io::stdin().lock().read_line(&mut typed) {
        Ok(_) if typed.trim() == "yes" => Ok(()),
        _ => not_done("not confirmed", "nothing was changed; type yes when asked, or give --yes"),
    }
}

pub(super) fn as_json(tasks: &[Task]) -> Value {
    let task = |Task { thing, act }: &Task| {
        let done = match act {
            Act::Create => Some("created"),
            Act::Change => Some("changed"),
            Act::Delete => Some("deleted"),
            Act::Await => Some("awaited"),
            Act::DeleteIfEmpty | Act::Leave => None,
        };
        let (what, name, ports, was) = match thing {
            Thing::Aws { resource, state, .. } => {
                (what(resource), resource.name.clone(), resource.ports.clone(), was(state))
            }
            Thing::Table { port, survey, .. } => {
                let was = if survey.row_count.is_some() { "there" } else { "missing" };
                ("table", survey.table.clone(), vec![(*port).to_owned()], was)
            }
        };
        json!({ "what": what, "name": name, "ports": ports, "was": was, "done": done })
    };
    json!({ "resources": tasks.iter().map(task).collect::<Vec<_>>() })
}

fn what(resource: &Resource) -> &'static str {
    match resource.what {
        What::Stream => "stream",
        What::Consumer => "consumer",
        What::Bucket => "bucket",
        What::Checkpoint => CHECKPOINT,
        What::Table | What::Target => "table",
        What::Ledger => "ledger",
    }
}

fn was(state: &State) -> &'static str {
    match state {
        State::Missing => "missing",
        State::Coming => "creating",
        State::There(_) => "there",
        State::Going => "deleting",
    }
}
