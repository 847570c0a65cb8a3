//! `Discard(userip)`: drops these fields; the others keep their order.

use proc_macro2::{Ident, TokenStream};

use super::{Kind, Operator, Projection};
use crate::{
    errors::Errors,
    resolve::{Field, Scope, find_all},
    syntax::names,
};

struct DiscardTree {
    names: Vec<Ident>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    if tokens.is_empty() {
        errors.at(name, "`Discard` needs the fields to drop");
        return None;
    }
    Some(Box::new(DiscardTree { names: names(tokens, errors) }))
}

impl Operator for DiscardTree {
    // What is not named goes out. Refused: a field that is not there; discarding every field.
    fn resolve(&self, name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default();
        find_all(&mut scope, &self.names, errors);
        let fields: Vec<Field> =
            scope.fields.iter().filter(|field| !self.names.contains(&field.name)).cloned().collect();
        if fields.is_empty() && !scope.fields.is_empty() {
            errors.at(name, "this discards every field: nothing would be left to go on");
            return (Scope::open(), Kind::Poisoned);
        }
        (scope.narrowed(fields, name, "discarded it"), Kind::Step(Box::new(Projection)))
    }
}
