//! `Merge(a, b)`: joins branches of equal fields. What follows is one function, called from each: no code is printed twice.

use proc_macro2::{Ident, TokenStream};

use super::{Kind, Operator};
use crate::{
    errors::Errors,
    resolve::{Scope, unique},
    suggest,
    syntax::names,
};

struct MergeTree {
    pipes: Vec<Ident>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    let before = errors.count();
    let pipes = names(tokens, errors);
    if pipes.len() < 2 && errors.count() == before {
        errors.at(name, "`Merge` needs two pipes or more, as in `Merge(failed, slow)`");
    }
    if pipes.len() < 2 {
        return None;
    }
    unique(&pipes, errors);
    Some(Box::new(MergeTree { pipes }))
}

impl Operator for MergeTree {
    fn pipes(&self) -> Vec<&Ident> {
        self.pipes.iter().collect()
    }

    // The fields of the first pipe go out, in its order; nullable where they are in any pipe.
    // Refused: a pipe with other fields or types.
    fn resolve(&self, _name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut inputs = inputs.into_iter();
        let mut merged = inputs.next().unwrap_or_default();
        merged.grouped = None;
        for (pipe, input) in self.pipes.iter().skip(1).zip(inputs) {
            if merged.open || input.open {
                merged.open = true;
                continue;
            }
            check_equal(&self.pipes[0], &merged, pipe, &input, errors);
            for field in &mut merged.fields {
                if let Some(other) = input.get(&field.name.to_string()) {
                    field.typed.nullable |= other.typed.nullable;
                }
            }
        }
        (merged, Kind::Merge)
    }
}

fn check_equal(first: &Ident, fields: &Scope, pipe: &Ident, others: &Scope, errors: &mut Errors) {
    let names: Vec<String> = fields.names().collect();
    let other_names: Vec<String> = others.names().collect();
    let mut sorted = (names.clone(), other_names.clone());
    sorted.0.sort();
    sorted.1.sort();
    if sorted.0 != sorted.1 {
        let message = format!(
            "`Merge` needs equal fields\n`{first}` has: {}\n`{pipe}` has: {}",
            suggest::list(names.iter().map(String::as_str)),
            suggest::list(other_names.iter().map(String::as_str)),
        );
        errors.at(pipe, message);
        return;
    }
    for field in &fields.fields {
        let other = others.get(&field.name.to_string());
        if let Some(other) = other.filter(|other| !other.typed.ty.fits(&field.typed.ty)) {
            let message = format!(
                "`Merge` needs equal fields: `{}` is {} in `{first}`, {} in `{pipe}`",
                field.name, field.typed, other.typed
            );
            errors.at(pipe, message);
        }
    }
}
