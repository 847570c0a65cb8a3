//! The model's numbers as the types that the decisions are asked with, and the decisions' answers as numbers.

use super::world::{Entry, Epoch, Hash, Id, Iteration, Kind, Number, PORTS, Ports, Setup, Span, Store};
use crate::{
    iteration::{
        Output, Range, Sealed, SealedShard,
        decide::{self, Bound, Close, Start},
    },
    sink::{
        Mode, Ticket,
        ledger::{Described, LedgerEntry, Turn, borne_out, turn, turn_of_table},
        staging::StagedManifest,
    },
    source::Position,
};

/// What a run publishes: an iteration as it saw it in the store, or sealed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Publication {
    pub(super) number: Number,
    pub(super) attempt: Id,
    pub(super) span: Span,
    /// What is still to be loaded.
    pub(super) wanted: Ports,
    /// What could not be loaded by this run: it goes on with the others, and no further.
    pub(super) failed: Ports,
    /// Whether an earlier run sealed it.
    pub(super) is_resumed: bool,
}

/// What comes first.
pub(super) enum First {
    Publish(Publication),
    Open(Number),
}

const NAMES: [&str; PORTS] = ["a", "b", "bad"];

fn text((first, next, attempt): Hash) -> String {
    format!("{first} {next} {attempt}")
}

fn output(setup: &Setup, iteration: &Iteration, port: usize) -> Output {
    let rows = iteration.span.records_for(port).count() as u64;
    let staged = StagedManifest {
        port: NAMES[port].to_owned(),
        file: (rows > 0).then(String::new),
        rows,
        bytes: rows,
        hash: text(setup.hash(iteration.attempt, iteration.span)),
        fields: String::new(),
    };
    Output { staged, place: String::new(), mode: setup.modes[port], loaded: iteration.loaded & (1 << port) != 0 }
}

/// Asks [`decide::start`].
pub(super) fn first(setup: &Setup, latest: Option<Number>, unfinished: &[(Number, Iteration)]) -> First {
    let sealed: Vec<Sealed> = unfinished
        .iter()
        .map(|(number, iteration)| Sealed {
            iteration: (*number).into(),
            attempt: iteration.attempt.to_string(),
            outputs: (0..PORTS)
                .filter(|port| iteration.outputs & (1 << port) != 0)
                .map(|port| output(setup, iteration, port))
                .collect(),
        })
        .collect();
    let bound = |port: usize| Bound {
        port: NAMES[port].to_owned(),
        place: Some(String::new()),
        mode: setup.modes[port],
        fields: String::new(),
    };
    match decide::start(latest.map(u64::from), &sealed, &[0, 1, 2].map(bound)) {
        Start::Open(number) => First::Open(u8::try_from(number).unwrap()),
        Start::Publish(sealed) => {
            let (number, iteration) =
                unfinished.iter().find(|(number, _)| u64::from(*number) == sealed.iteration).unwrap();
            let wanted = (0..PORTS).filter(|port| {
                let of_port = |output: &&Output| output.staged.port == NAMES[*port];
                sealed.outputs.iter().find(of_port).is_some_and(|output| !output.loaded)
            });
            First::Publish(Publication {
                number: *number,
                attempt: iteration.attempt,
                span: iteration.span,
                wanted: wanted.fold(0, |ports, port| ports | 1 << port),
                failed: 0,
                is_resumed: true,
            })
        }
        Start::Held { .. } => unreachable!("the bindings of a model never change"),
    }
}

fn shards(store: &Store, epoch: Epoch) -> Vec<SealedShard> {
    let last = store.of(epoch).next_back();
    last.map(|(_, iteration)| sealed_shard(iteration.span)).into_iter().collect()
}

fn sealed_shard(span: Span) -> SealedShard {
    let [port, shard] = ["log", "s"].map(str::to_owned);
    let (name, mark, next) = (span.name.to_string(), String::new(), Position::new(span.next.to_string()));
    SealedShard { port, shard, name, mark, next, last: None, covered_us: None }
}

/// Where reading begins, by [`decide::known_shards`]; and where, and under which name, the shard was sealed last.
pub(super) fn known(store: &Store, epoch: Epoch) -> Option<(u8, u8)> {
    let known = decide::known_shards(&shards(store, epoch), "log").pop()?;
    Some((known.next.as_str().parse().unwrap(), known.name.parse().unwrap()))
}

/// Asks [`decide::close`].
pub(super) fn close(number: Number, span: Span, known: Option<(u8, u8)>) -> Close {
    let [port, shard] = ["log", "s"].map(str::to_owned);
    let range = Range {
        port,
        shard,
        name: span.name.to_string(),
        mark: String::new(),
        first: Position::new(span.first.to_string()),
        next: Position::new(span.next.to_string()),
        records: (span.next - span.first).into(),
        bytes: 0,
        hash: String::new(),
        covered_us: None,
    };
    let known = known.map(|(next, name)| sealed_shard(Span { first: 0, next, name }));
    decide::close(number.into(), 1, vec![range], known.as_slice())
}

/// What a publication tells a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Claim {
    pub(super) epoch: Epoch,
    pub(super) number: Number,
    pub(super) attempt: Id,
    pub(super) span: Span,
    pub(super) after: Option<Number>,
    /// Whether there are rows to be published; if not, it is asked whether the ledger would take some.
    pub(super) is_staged: bool,
}

/// Asks the ledger of a target: [`borne_out`] for a file of `length` rows, then [`turn`]; [`turn_of_table`]. `None`: a person is needed.
pub(super) fn ask_ledger(
    setup: &Setup,
    port: usize,
    ledger: Option<&Entry>,
    length: usize,
    claim: Claim,
) -> Option<Turn> {
    let mode: Mode = setup.modes[port];
    let entry = |entry: &Entry| LedgerEntry {
        epoch: entry.epoch.to_string(),
        iteration: entry.number.map(u64::from),
        hash: text(entry.hash),
    };
    let ticket = Ticket {
        flow: String::new(),
        port: String::new(),
        epoch: claim.epoch.to_string(),
        iteration: claim.number.into(),
        hash: if claim.is_staged { text(setup.hash(claim.attempt, claim.span)) } else { String::new() },
        after: claim.after.map(u64::from),
        from: None,
    };
    let last = ledger.map(entry);
    let target = Described { place: "", how_to_forget: "" };
    let asked = match (setup.kinds[port], last, ledger) {
        (Kind::File, Some(last), Some(entry)) => {
            let lengths = (Some(length as u64), entry.length as u64);
            turn(borne_out(&last, lengths, &ticket, mode).ok()?, &ticket, mode, target)
        }
        (Kind::File, last, _) => turn(last.as_ref(), &ticket, mode, target),
        (Kind::Database, last, _) => turn_of_table(last.as_ref(), true, &ticket, mode, target),
    };
    asked.ok()
}
