//! `GroupBy(ip)`: gathers rows of equal key; one or more `Every` behind it say what of each group goes on.
//!
//! Every worker has a group table of its own; they are merged at the end, and the groups go on in key order, null
//! first. A group of no rows gives no row.

use std::rc::Rc;

use proc_macro2::{Ident, TokenStream};

use super::{Kind, Operator};
use crate::{
    errors::Errors,
    resolve::{Field, Grouped, Scope, find_all},
    syntax::names,
};

/// A group, resolved.
pub(crate) struct Group {
    pub(crate) key: Vec<Field>,
}

struct GroupByTree {
    key: Vec<Ident>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    if tokens.is_empty() {
        errors.at(name, "`GroupBy` needs a key of one field or more");
        return None;
    }
    Some(Box::new(GroupByTree { key: names(tokens, errors) }))
}

impl Operator for GroupByTree {
    // The key goes out; the other fields can only be aggregated. Null equals null.
    // Refused: a key that is not there; a float as key; no `Every` behind it.
    fn resolve(&self, name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default();
        let key = find_all(&mut scope, &self.key, errors);
        for field in &key {
            if !field.typed.ty.has_equality() {
                errors.at(
                    &field.name,
                    format!("`{}` is {}: floats have no equality to group by", field.name, field.typed),
                );
            }
        }
        let mut out = scope.narrowed(key.clone(), name, "grouped it: it can only be aggregated by `Every`");
        out.grouped = Some(Grouped { incoming: Rc::new(scope), has_every: false, span: name.span() });
        (out, Kind::Group(Group { key }))
    }
}

impl Group {
    /// A remark for people: a key that an outer join made nullable has a group of all that met no partner.
    pub(crate) fn note(&self) -> String {
        let by_join: Vec<String> =
            self.key.iter().filter(|field| field.by_join).map(|field| format!("`{}`", field.name)).collect();
        if by_join.is_empty() {
            return String::new();
        }
        format!("{} is null for rows that met no partner in the join: they form one group", by_join.join(", "))
    }
}
