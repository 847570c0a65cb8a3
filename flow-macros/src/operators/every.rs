//! `Every(Count => count)`, `Every(size => Sum => bytes)`: aggregates the groups of the `GroupBy` before it.
//!
//! What aggregators there are is the business of `operations`.

use proc_macro2::{Ident, TokenStream};
use syn::Token;

use super::{Kind, Operator};
use crate::{
    errors::Errors,
    operations::{self, Aggregator},
    resolve::{Field, Scope},
    syntax::{comma_separated, split_arrows},
    types::Typed,
};

/// An aggregation, resolved.
pub(crate) struct Every {
    pub(crate) aggregator: &'static Aggregator,
    pub(crate) argument: Option<Field>,
    pub(crate) result: Field,
}

struct EveryTree {
    aggregator: &'static Aggregator,
    word: Ident,
    arguments: Vec<Ident>,
    result: Option<(Ident, Option<Typed>)>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    let parts = split_arrows(tokens);
    let is_aggregator = |part: &TokenStream| {
        syn::parse2::<Ident>(part.clone()).is_ok_and(|word| operations::is_known(&word.to_string()))
    };
    let (arguments, aggregator, result) = match parts.as_slice() {
        [aggregator] => (None, aggregator, None),
        [aggregator, result] if is_aggregator(aggregator) => (None, aggregator, Some(result)),
        [arguments, aggregator] => (Some(arguments), aggregator, None),
        [arguments, aggregator, result] => (Some(arguments), aggregator, Some(result)),
        _ => {
            errors.at(name, "expected `Every(argument => Aggregator => result)`");
            return None;
        }
    };
    let arguments =
        arguments.map_or_else(Vec::new, |names| comma_separated(names.clone(), errors, |input| input.parse::<Ident>()));
    let result = match result {
        None => None,
        Some(tokens) => parse_result(name, tokens.clone(), errors),
    };
    let word: Ident = errors.keep(syn::parse2(aggregator.clone()))?;
    let aggregator = operations::find_aggregator(&word, errors)?;
    Some(Box::new(EveryTree { aggregator, word, arguments, result }))
}

fn parse_result(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<(Ident, Option<Typed>)> {
    let mut results = comma_separated(tokens, errors, |input| {
        let name: Ident = input.parse()?;
        let typed = match input.parse::<Option<Token![:]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok((name, typed))
    });
    if results.len() != 1 {
        errors.at(name, "an aggregator has one result: write an `Every` for each");
        return None;
    }
    results.pop()
}

impl Operator for EveryTree {
    // The group's key and the results of all its `Every`s go out.
    // Refused: no `GroupBy` before it; an argument that did not go into the group, or that the aggregator cannot take; a
    // result name that is there already.
    fn resolve(&self, name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let scope = inputs.into_iter().next().unwrap_or_default();
        let Some(mut grouped) = scope.grouped.clone() else {
            if !scope.open {
                errors.at(name, "`Every` needs a `GroupBy` before it");
            }
            return (Scope::open(), Kind::Poisoned);
        };
        let arguments: Vec<Field> = self.arguments.iter().map(|name| grouped.incoming.find(name, errors)).collect();
        grouped.has_every = true;
        let typed = self.aggregator.resolve(&self.word, &arguments, errors);
        let result_name = match &self.result {
            Some((result, _)) => result.clone(),
            None => Ident::new(&self.aggregator.name.to_lowercase(), self.word.span()),
        };
        let result = match typed {
            Some(typed) => Field::new(&result_name, typed),
            None => Field::poisoned(&result_name),
        };
        if let Some((_, Some(wanted))) = &self.result {
            check_type(&result, wanted, errors);
        }
        let mut out = scope.extended(vec![result.clone()], errors);
        out.grouped = Some(grouped);
        let argument = arguments.into_iter().next();
        (out, Kind::Every(Every { aggregator: self.aggregator, argument, result }))
    }
}

fn check_type(result: &Field, wanted: &Typed, errors: &mut Errors) {
    if !result.is_poisoned() && result.typed != *wanted {
        errors.at(&result.name, format!("`{}` is {}, not {wanted}", result.name, result.typed));
    }
}
