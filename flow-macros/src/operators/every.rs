//! `Every(Count => count)`, `Every(size => Sum => bytes)`: aggregates the groups of the `GroupBy` before it.
//!
//! What aggregators there are is the business of `operations`.

use std::rc::Rc;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{Token, parse::ParseStream};

use super::{Kind, Operator};
use crate::{
    errors::Errors,
    operations::{self, Aggregator},
    resolve::{Field, Grouped, Scope},
    syntax::{comma_separated, names, parse_all, parse_name, split_arrows},
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
        matches!(part.clone().into_iter().next(),
        Some(TokenTree::Ident(word)) if operations::is_known(&word.to_string()))
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
    let arguments = arguments.map_or_else(Vec::new, |tokens| names(tokens.clone(), errors));
    let result = match result {
        None => None,
        Some(tokens) => parse_result(name, tokens.clone(), errors),
    };
    let word = errors.keep(parse_all(aggregator.clone(), name.span(), parse_aggregator))?;
    let aggregator = operations::find_aggregator(&word, errors)?;
    Some(Box::new(EveryTree { aggregator, word, arguments, result }))
}

fn parse_aggregator(input: ParseStream<'_>) -> syn::Result<Ident> {
    let word = parse_name(input)?;
    if operations::is_function(&word) {
        return Err(syn::Error::new(
            word.span(),
            format!("`{word}` works on a row, not on a group: it belongs into `Each`"),
        ));
    }
    if !input.is_empty() {
        return Err(
            input.error(format!("the arguments of an aggregator stand before it: `Every(size => {word} => result)`"))
        );
    }
    Ok(word)
}

fn parse_result(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<(Ident, Option<Typed>)> {
    let mut results = comma_separated(tokens, errors, |input| {
        let name = parse_name(input)?;
        let typed = match input.parse::<Option<Token![:]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok((name, typed))
    });
    match results.as_slice() {
        [_] => {}
        [] => errors.at(name, "the result behind `=>` needs a name"),
        [_, second, ..] => errors.at(&second.0, "an aggregator has one result: write an `Every` for each"),
    }
    (!results.is_empty()).then(|| results.swap_remove(0))
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
        let arguments: Vec<Field> =
            self.arguments.iter().map(|argument| find_argument(argument, &scope, &mut grouped, errors)).collect();
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

fn find_argument(name: &Ident, scope: &Scope, grouped: &mut Grouped, errors: &mut Errors) -> Field {
    let incoming = Rc::make_mut(&mut grouped.incoming);
    if !incoming.may_have(&name.to_string()) && scope.get(&name.to_string()).is_some() {
        errors.at(name, format!("`{name}` is a result of this group: only what goes into it can be aggregated"));
        return Field::poisoned(name);
    }
    incoming.find(name, errors)
}

fn check_type(result: &Field, wanted: &Typed, errors: &mut Errors) {
    if !result.is_poisoned() && result.typed != *wanted {
        errors.at(&result.name, format!("`{}` is {}, not {wanted}", result.name, result.typed));
    }
}
