//! `Retain(ip, size)`: lets only these fields go on, in this order.

use proc_macro2::{Ident, TokenStream};

use super::{Kind, Operator, Projection};
use crate::{
    errors::Errors,
    resolve::{Scope, find_all},
    syntax::names,
};

struct RetainTree {
    names: Vec<Ident>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    if tokens.is_empty() {
        errors.at(name, "`Retain` needs the fields that go on: without one, everything would be discarded");
        return None;
    }
    Some(Box::new(RetainTree { names: names(tokens, errors) }))
}

impl Operator for RetainTree {
    // The named fields go out in the order named here, as Cascading's `Retain` has it.
    // Refused: a field that is not there; one named twice.
    fn resolve(&self, name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default();
        let fields = find_all(&mut scope, &self.names, errors);
        (scope.narrowed(fields, name, "left it behind"), Kind::Step(Box::new(Projection)))
    }
}
