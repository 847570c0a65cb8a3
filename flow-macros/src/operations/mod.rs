//! What stands where an operation goes: functions of `Each`, aggregators of `Every`. One file each.

mod aggregator;
pub(crate) mod expression;
mod pattern;
mod regex_parser;
mod rust_code;

use proc_macro2::{Ident, TokenStream};

use crate::{emit::RowCode, errors::Errors, operators::Names, resolve::Field, types::Typed};

pub(crate) use aggregator::{Aggregator, find_aggregator};

/// Whether this is the name of an operation, so that it is no argument.
pub(crate) fn is_known(name: &str) -> bool {
    name == regex_parser::NAME || aggregator::names().any(|aggregator| aggregator == name)
}

/// Whether this is the name of a function of `Each`.
pub(crate) fn is_function(name: &Ident) -> bool {
    name == regex_parser::NAME
}

/// Reads what stands in `Each` between arguments and results.
pub(crate) fn parse_function(each: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Function>> {
    let word = tokens.clone().into_iter().next().map(|token| token.to_string()).unwrap_or_default();
    if word == regex_parser::NAME {
        return regex_parser::parse(each, tokens, errors);
    }
    if aggregator::names().any(|aggregator| aggregator == word) {
        errors.at(&tokens, format!("`{word}` aggregates a group: it belongs into `Every`"));
        return None;
    }
    rust_code::parse(each, tokens, errors)
}

/// What an `Each` applies to every row.
pub(crate) trait Function {
    /// The fields that come out, typed; `None` after a mistake.
    fn results(
        &self,
        each: &Ident,
        arguments: &Arguments,
        results: &Results,
        errors: &mut Errors,
    ) -> Option<Vec<Field>>;

    /// What a worker keeps for it: a type and the expression that makes one.
    fn state(&self, _results: &[Field], _read_behind: &Names) -> Option<(TokenStream, TokenStream)> {
        None
    }

    /// The statements that bind the results.
    fn emit(&self, arguments: &[Field], results: &[Field], row: &mut RowCode<'_>) -> TokenStream;

    /// A copy, for the resolved step.
    fn copy(&self) -> Box<dyn Function>;
}

/// What goes into the function of an `Each`.
pub(crate) struct Arguments {
    pub(crate) fields: Vec<Field>,
    /// They are named, and not simply all there are.
    pub(crate) named: bool,
    /// After a mistake: there may be others.
    pub(crate) open: bool,
}

/// The results of an `Each` as written.
#[derive(Clone, Default)]
pub(crate) struct Results {
    pub(crate) selector: Selector,
    pub(crate) fields: Vec<ResultTree>,
    /// Whether there was a list at all.
    pub(crate) listed: bool,
}

/// Which fields go out of an `Each`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Selector {
    /// The results.
    #[default]
    Only,
    /// The incoming fields and the results.
    All,
    /// The incoming fields, the results in the places of the arguments.
    Replace,
}

/// `response: i16`
#[derive(Clone)]
pub(crate) struct ResultTree {
    pub(crate) name: Ident,
    pub(crate) typed: Option<Typed>,
}
