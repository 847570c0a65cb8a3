//! A table in memory, as strict as DynamoDB is, whose calls can be made to fail, and its ledger.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
};

use super::super::table::Table;
use crate::aws::{
    Kind, Trouble,
    clients::{
        dynamodb::{TableDefinition, TableState, TableSummary},
        items::{Item, Write},
        writes::{Attribute, Change, Changed, Mark, Scalar},
    },
    limits::BATCH_WRITES_MAX,
};
use crate::effect::{Mutant, mutant};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It fails, and nothing has happened.
    Refused,
    /// It has happened, and nobody knows.
    Unanswered,
    /// It has happened, its answer is lost, and it is made once more.
    Repeated,
}

/// What somebody else does in between.
type Meanwhile = Box<dyn FnOnce() + Send>;

pub(super) struct MemoryTable {
    definition: TableDefinition,
    state: Mutex<State>,
    meanwhile: Mutex<Option<(usize, Meanwhile)>>,
}

#[derive(Default)]
struct State {
    id: u32,
    items: BTreeMap<Vec<Attribute>, BTreeMap<String, Scalar>>,
    /// By flow and port: version and body.
    ledger: BTreeMap<String, (u64, String)>,
    /// Calls so far.
    calls: usize,
    fault: Option<(usize, Fault)>,
    /// The largest batch so far.
    batch: usize,
    /// The key that no change is taken for.
    refused: Option<Scalar>,
}

impl fmt::Debug for MemoryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryTable({} items)", self.state().items.len())
    }
}

impl MemoryTable {
    pub(super) fn new(definition: TableDefinition) -> Self {
        Self { definition, state: Mutex::default(), meanwhile: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Has the call of this number, from 0 on, end like this.
    pub(super) fn fail(&self, call: usize, fault: Fault) {
        self.state().fault = Some((call, fault));
    }

    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    pub(super) fn batch(&self) -> usize {
        self.state().batch
    }

    /// Has somebody else do something right before the call of this number.
    pub(super) fn meanwhile(&self, call: usize, act: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some((call, Box::new(act)));
    }

    /// Another table takes its name, without an item.
    pub(super) fn drop_and_make(&self) {
        let mut state = self.state();
        state.id += 1;
        state.items.clear();
    }

    /// The table of ledgers is lost, and made anew.
    pub(super) fn lose_ledger(&self) {
        self.state().ledger.clear();
    }

    /// Takes no change of the item with this key any more, or of none.
    pub(super) fn refuse(&self, key: Option<&str>) {
        self.state().refused = key.map(|key| Scalar::Text(key.to_owned()));
    }

    /// What a reader sees, without marks, `host=a count=2`, in the order of the keys.
    pub(super) fn seen(&self) -> Vec<String> {
        let state = self.state();
        let text = |item: &BTreeMap<String, Scalar>| {
            let attributes = item.iter().filter(|(name, _)| !name.starts_with("flow:"));
            let text = |(name, scalar): (&String, &Scalar)| match scalar {
                Scalar::Text(text) | Scalar::Number(text) => format!("{name}={text}"),
                other => format!("{name}={other:?}"),
            };
            attributes.map(text).collect::<Vec<_>>().join(" ")
        };
        state.items.values().map(text).collect()
    }

    /// The attributes of all items that hold marks.
    pub(super) fn marks(&self) -> Vec<String> {
        let state = self.state();
        let names = state.items.values().flat_map(|item| item.keys());
        names.filter(|name| name.starts_with("flow:")).cloned().collect()
    }

    fn call<T>(&self, act: impl Fn(&mut State) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let number = {
            let mut state = self.state();
            state.calls += 1;
            state.calls - 1
        };
        let due = self.meanwhile.lock().unwrap().take_if(|(call, _)| *call <= number);
        if let Some((_, act)) = due {
            act();
        }
        let mut state = self.state();
        let lost = || Err(Trouble::new("dynamodb.test", Kind::Passing, "no answer"));
        match state.fault.filter(|(call, _)| *call == number).map(|(_, fault)| fault) {
            None => act(&mut state),
            Some(Fault::Refused) => lost(),
            Some(Fault::Unanswered) => act(&mut state).and_then(|_| lost()),
            Some(Fault::Repeated) => {
                let _ = act(&mut state);
                act(&mut state)
            }
        }
    }

    fn summary(&self, id: u32) -> TableSummary {
        let (id, definition) = (Some(id.to_string()), self.definition.clone());
        TableSummary { id, state: TableState::Active, definition, items: 0, bytes: 0 }
    }
}

fn invalid(what: &str) -> Trouble {
    Trouble::new("dynamodb.test", Kind::Invalid, what)
}

fn added(there: Option<&Scalar>, new: &Scalar) -> Result<Scalar, Trouble> {
    let number = |scalar: &Scalar| match scalar {
        Scalar::Number(digits) => digits.parse::<i128>().map_err(|_| invalid("not in this test")),
        _ => Err(invalid("no number")),
    };
    let there = there.map_or(Ok(0), number)?;
    Ok(Scalar::Number((there + number(new)?).to_string()))
}

impl Table for MemoryTable {
    fn describe(&self) -> Result<Option<TableSummary>, Trouble> {
        self.call(|state| Ok(Some(self.summary(state.id))))
    }

    fn describe_ledger(&self) -> Result<Option<TableSummary>, Trouble> {
        self.call(|state| Ok(Some(self.summary(state.id))))
    }

    fn change(&self, change: &Change, mark: Mark<'_>) -> Result<Changed, Trouble> {
        self.call(|state| {
            if change.key.iter().any(|(_, key)| Some(key) == state.refused.as_ref()) {
                return Err(invalid("it is refused"));
            }
            let new = || change.key.iter().map(|(name, scalar)| ((*name).to_owned(), scalar.clone())).collect();
            let mut item: BTreeMap<String, Scalar> = state.items.get(&change.key).cloned().unwrap_or_else(new);
            if let Some(Scalar::Text(there)) = item.get(mark.attribute)
                && there.as_str() >= mark.text
                && !mutant(Mutant::ItemsUnconditional)
            {
                return Ok(Changed::Not(there.clone()));
            }
            for (name, scalar) in &change.set {
                item.insert((*name).to_owned(), scalar.clone());
            }
            for (name, scalar) in &change.add {
                let sum = added(item.get(*name), scalar)?;
                item.insert((*name).to_owned(), sum);
            }
            for name in &change.remove {
                item.remove(*name);
            }
            item.insert(mark.attribute.to_owned(), Scalar::Text(mark.text.to_owned()));
            state.items.insert(change.key.clone(), item);
            Ok(Changed::Now)
        })
    }

    fn put_all(&self, items: Vec<Vec<Attribute>>) -> Result<(), Trouble> {
        self.call(|state| {
            let keys = 1 + usize::from(self.definition.sort_key.is_some());
            let mut by_key = BTreeMap::new();
            for item in &items {
                if item.iter().any(|(_, scalar)| Some(scalar) == state.refused.as_ref()) {
                    return Err(invalid("it is refused"));
                }
                let whole = item.iter().map(|(name, scalar)| ((*name).to_owned(), scalar.clone())).collect();
                if by_key.insert(item[..keys].to_vec(), whole).is_some() {
                    return Err(invalid("Provided list of item keys contains duplicates"));
                }
            }
            if items.len() > BATCH_WRITES_MAX {
                return Err(invalid("too many items"));
            }
            state.batch = state.batch.max(items.len());
            state.items.extend(by_key);
            Ok(())
        })
    }

    fn is_empty(&self) -> Result<bool, Trouble> {
        self.call(|state| Ok(state.items.is_empty()))
    }

    fn empty(&self, _keys: &[&str]) -> Result<(), Trouble> {
        // As far as it gets.
        self.call(|state| {
            state.items.pop_first();
            Ok(())
        })?;
        self.call(|state| {
            state.items.clear();
            Ok(())
        })
    }

    fn entry(&self, sort: &str) -> Result<Option<Item>, Trouble> {
        self.call(|state| Ok(state.ledger.get(sort).map(|found| item(sort, found))))
    }

    fn entries(&self) -> Result<Vec<Item>, Trouble> {
        self.call(|state| Ok(state.ledger.iter().map(|(sort, found)| item(sort, found)).collect()))
    }

    fn swap(&self, write: &Write) -> Result<(), Trouble> {
        self.call(|state| {
            let entry = state.ledger.entry(write.key.sort.clone()).or_default();
            if entry.0 != write.was {
                return Err(Trouble::new("dynamodb.test", Kind::ConditionFailed, "it was changed"));
            }
            *entry = (write.was + 1, write.body.clone());
            Ok(())
        })
    }
}

fn item(sort: &str, (version, body): &(u64, String)) -> Item {
    Item { key: super::super::ledger::key_of("hits", sort), version: *version, body: body.clone() }
}
