//! The fields that are there at one place of a pipe, and the memory of those that were.

use std::rc::Rc;

use proc_macro2::{Ident, Span};

use crate::{
    errors::{Errors, line},
    suggest,
    types::{FieldType, Typed},
};

/// One field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) typed: Typed,
    /// An outer join made it nullable.
    pub(crate) by_join: bool,
}

impl Field {
    pub(crate) fn new(name: &Ident, typed: Typed) -> Self {
        Self { name: name.clone(), typed, by_join: false }
    }

    /// A field of which nothing is known, after a mistake.
    pub(crate) fn poisoned(name: &Ident) -> Self {
        Self::new(name, Typed { ty: FieldType::Unknown, nullable: false })
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.typed.ty == FieldType::Unknown
    }

    pub(crate) fn named(&self, name: &str) -> bool {
        self.name == name
    }
}

/// The fields that are live, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) fields: Vec<Field>,
    /// Fields of former operators and what became of them.
    gone: Vec<(String, String)>,
    /// Names that a mistake leaves in doubt: those reported once, and those of fields that a misspelt one may have meant.
    doubtful: Vec<String>,
    /// After a mistake: whatever is asked for is taken to be there.
    pub(crate) open: bool,
    /// Right after `GroupBy` and `Every`.
    pub(crate) grouped: Option<Grouped>,
}

/// What an `Every` can aggregate.
#[derive(Clone, Debug)]
pub(crate) struct Grouped {
    /// The fields that went into the group.
    pub(crate) incoming: Rc<Scope>,
    /// Whether an `Every` has been there.
    pub(crate) has_every: bool,
    /// The `GroupBy`.
    pub(crate) span: Span,
}

impl Scope {
    pub(crate) fn new(fields: Vec<Field>) -> Self {
        Self { fields, ..Self::default() }
    }

    /// The same fields, no longer open to an `Every`.
    pub(crate) fn ungrouped(self) -> Self {
        Self { grouped: None, ..self }
    }

    /// A scope of which nothing is known, after a mistake.
    pub(crate) fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.named(name))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.fields.iter().map(|field| field.name.to_string())
    }

    /// Looks a field up; what is not there is reported, once, and poisoned.
    pub(crate) fn find(&mut self, name: &Ident, errors: &mut Errors) -> Field {
        match self.get(&name.to_string()) {
            Some(field) => Field { name: name.clone(), ..field.clone() },
            None => {
                self.report(name, errors);
                Field::poisoned(name)
            }
        }
    }

    /// Reports a name that is no field here, if nothing has been said of it.
    pub(crate) fn report(&mut self, name: &Ident, errors: &mut Errors) {
        let word = name.to_string();
        if !self.may_have(&word) {
            errors.at(name, self.unknown(name));
            self.doubtful.push(word);
        }
    }

    /// Whether a field is there, or an earlier mistake keeps us from knowing.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.open || self.get(name).is_some() || self.doubtful.iter().any(|doubtful| doubtful == name)
    }

    /// What became of a field that once was, as a sentence.
    pub(crate) fn fate(&self, name: &str) -> Option<&str> {
        self.gone.iter().rev().find(|(gone, _)| gone == name).map(|(_, fate)| fate.as_str())
    }

    /// The message for a name that is no field here.
    pub(crate) fn unknown(&self, name: &Ident) -> String {
        let word = name.to_string();
        let names: Vec<String> = self.names().collect();
        let here = suggest::list(names.iter().map(String::as_str));
        match self.fate(&word) {
            Some(fate) => format!("field `{word}` is gone: {fate}\nfields here: {here}"),
            None => {
                let near = suggest::did_you_mean(&word, names.iter().map(String::as_str));
                format!("unknown field `{word}`{near}\nfields here: {here}")
            }
        }
    }

    /// The scope behind an operator that lets only `fields` go on; the others are remembered with their fate:
    /// `Retain on line 12 left it behind`.
    pub(crate) fn narrowed(&self, fields: Vec<Field>, operator: &Ident, verb: &str) -> Self {
        let (mut gone, mut doubtful) = (self.gone.clone(), self.doubtful.clone());
        let is_slip = fields.iter().any(Field::is_poisoned);
        for field in self.fields.iter().filter(|field| fields.iter().all(|kept| kept.name != field.name)) {
            if is_slip {
                doubtful.push(field.name.to_string());
            } else {
                let fate = format!("`{operator}` on line {} {verb}", line(operator.span()));
                gone.push((field.name.to_string(), fate));
            }
        }
        Self { fields, gone, doubtful, open: self.open, grouped: None }
    }

    /// The scope with `added` behind its fields; a name twice is reported.
    pub(crate) fn extended(&self, added: Vec<Field>, errors: &mut Errors) -> Self {
        let mut scope = Self { grouped: None, ..self.clone() };
        for field in added {
            if scope.get(&field.name.to_string()).is_some() {
                let message = format!("there is a field `{}` already\nrename or discard one of the two", field.name);
                errors.at(&field.name, message);
            } else {
                scope.fields.push(field);
            }
        }
        scope
    }

    /// Remembers what became of a field.
    pub(crate) fn bury(&mut self, name: &Ident, fate: String) {
        self.gone.push((name.to_string(), fate));
    }

    /// Takes over what another scope remembers.
    pub(crate) fn remember(&mut self, other: &Self) {
        self.gone.extend(other.gone.iter().cloned());
        self.doubtful.extend(other.doubtful.iter().cloned());
    }
}

/// Looks several fields up, and reports a name that stands twice.
pub(crate) fn find_all(scope: &mut Scope, names: &[Ident], errors: &mut Errors) -> Vec<Field> {
    unique(names, errors);
    names.iter().map(|name| scope.find(name, errors)).collect()
}

/// Reports names that stand twice.
pub(crate) fn unique(names: &[Ident], errors: &mut Errors) {
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            errors.at(name, format!("`{name}` stands here twice"));
        }
    }
}
