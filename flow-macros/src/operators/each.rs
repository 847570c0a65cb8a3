//! `Each(data => RegexParser(r"…") => ip, time)`, `Each(request => path_of => ALL, path: &str)`: applies a function to every row.
//!
//! What functions there are is the business of `operations`; here is the frame: arguments, function, results.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::Token;

use super::{Kind, Names, Operator, Step};
use crate::{
    emit::RowCode,
    errors::Errors,
    operations::{self, Arguments, Function, ResultTree, Results, Selector},
    resolve::{Field, Scope, find_all},
    syntax::{comma_separated, names, parse_name, split_arrows},
};

struct EachTree {
    /// `None`: all fields.
    arguments: Option<Vec<Ident>>,
    function: Box<dyn Function>,
    results: Results,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    let parts = split_arrows(tokens);
    let (arguments, function, results) = match parts.as_slice() {
        [function] => (None, function, None),
        [first, second] if is_operation(first) => (None, first, Some(second)),
        [_, results] if is_typed(results) => {
            errors.at(results, "a function is missing before the results, as in `request => path_of => path: &str`");
            return None;
        }
        [arguments, function] => (Some(arguments), function, None),
        [arguments, function, results] => (Some(arguments), function, Some(results)),
        _ => {
            errors.at(name, "expected `Each(arguments => function => results)`");
            return None;
        }
    };
    let arguments = arguments.map(|tokens| names(tokens.clone(), errors));
    let results = results.map_or_else(Results::default, |tokens| parse_results(tokens.clone(), errors));
    let function = operations::parse_function(name, function.clone(), errors)?;
    Some(Box::new(EachTree { arguments, function, results }))
}

/// What stands before the first `=>` is arguments, unless it is a known operation, a call, a `::` path or a closure.
fn is_operation(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name)] => operations::is_known(&name.to_string()),
        [TokenTree::Ident(_), TokenTree::Group(_), ..] => true,
        [TokenTree::Punct(first), ..] if matches!(first.as_char(), '|' | ':' | '<') => true,
        [TokenTree::Ident(word), TokenTree::Punct(next), ..] => word == "move" || next.as_char() == ':',
        _ => false,
    }
}

/// Whether this can only be results: `path: &str`
fn is_typed(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().take(3).collect();
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(colon)) if colon.as_char() == ':');
    matches!(tokens.first(), Some(TokenTree::Ident(_))) && is_colon(tokens.get(1)) && !is_colon(tokens.get(2))
}

/// `ip, time`, `ALL, path: &str`, `REPLACE`
fn parse_results(tokens: TokenStream, errors: &mut Errors) -> Results {
    let listed = comma_separated(tokens, errors, |input| {
        let name = parse_name(input)?;
        let typed = match input.parse::<Option<Token![:]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(ResultTree { name, typed })
    });
    let mut results = Results { selector: Selector::Only, fields: Vec::new(), listed: true };
    for (index, result) in listed.into_iter().enumerate() {
        match (result.name.to_string().as_str(), index) {
            ("ALL", 0) => results.selector = Selector::All,
            ("REPLACE", 0) => results.selector = Selector::Replace,
            ("ALL" | "REPLACE", _) => errors.at(&result.name, format!("`{}` stands first in the results", result.name)),
            _ => results.fields.push(result),
        }
    }
    results
}

impl Operator for EachTree {
    // The results go out alone; behind the incoming fields with ALL; in the arguments' places with REPLACE.
    // Refused: an argument that is not there or that the function cannot take; the wrong number of results; a result
    // name that is there already.
    fn resolve(&self, name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default().ungrouped();
        let fields = match &self.arguments {
            Some(names) => find_all(&mut scope, names, errors),
            None => scope.fields.clone(),
        };
        let arguments = Arguments { fields, named: self.arguments.is_some(), open: scope.open };
        let mut results = self.results.clone();
        if results.selector == Selector::Replace {
            if let Some(extra) = results.fields.first() {
                errors.at(&extra.name, "`REPLACE` stands alone: the results take the names of the arguments");
            }
            results.fields = arguments
                .fields
                .iter()
                .map(|field| ResultTree { name: field.name.clone(), typed: Some(field.typed.clone()) })
                .collect();
        }
        let Some(fields) = self.function.results(name, &arguments, &results, errors) else {
            return (Scope::open(), Kind::Poisoned);
        };
        let out = match results.selector {
            Selector::Only => {
                crate::resolve::unique(&fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>(), errors);
                scope.narrowed(fields.clone(), name, "left it behind")
            }
            Selector::All => scope.extended(fields.clone(), errors),
            Selector::Replace => replaced(&scope, &fields),
        };
        let step = EachStep { arguments: arguments.fields, results: fields, function: self.function.copy() };
        (out, Kind::Step(Box::new(step)))
    }
}

fn replaced(scope: &Scope, results: &[Field]) -> Scope {
    let mut out = scope.clone();
    for field in &mut out.fields {
        if let Some(result) = results.iter().find(|result| result.name == field.name) {
            *field = result.clone();
        }
    }
    out
}

struct EachStep {
    arguments: Vec<Field>,
    results: Vec<Field>,
    function: Box<dyn Function>,
}

impl Step for EachStep {
    fn needs(&self, read_behind: &Names) -> Names {
        let is_result = |name: &String| self.results.iter().any(|field| field.named(name));
        let behind = read_behind.iter().filter(|name| !is_result(name)).cloned();
        self.arguments.iter().map(|field| field.name.to_string()).chain(behind).collect()
    }

    fn is_counted(&self) -> bool {
        true
    }

    fn state(&self, read_behind: &Names) -> Option<(TokenStream, TokenStream)> {
        self.function.state(&self.results, read_behind)
    }

    fn emit(&self, row: &mut RowCode<'_>) -> TokenStream {
        self.function.emit(&self.arguments, &self.results, row)
    }
}
