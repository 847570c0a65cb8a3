//! Cuts the body of a flow into its statements: at `;`, and where one is missing.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{
    keywords,
    split::{is_joint, is_punct, split_semicolons},
};
use crate::errors::Errors;

/// The statements of a flow, without their `;`.
pub(super) fn statements(body: TokenStream, errors: &mut Errors) -> Vec<Vec<TokenTree>> {
    let mut statements = Vec::new();
    for part in split_semicolons(body) {
        match (part.end, part.tokens.last()) {
            (None, Some(last)) => errors.at(last, "a `;` is missing behind this"),
            (Some(semicolon), None) => errors.at(semicolon, "this `;` ends nothing"),
            _ => {}
        }
        cut(part.tokens, &mut statements, errors);
    }
    statements
}

// hits = log -> Retain(ip)
// listed = hosts;                 two statements: the second begins at `listed`
fn cut(tokens: Vec<TokenTree>, statements: &mut Vec<Vec<TokenTree>>, errors: &mut Errors) {
    let mut rest = tokens;
    while let Some(at) = (1..rest.len()).find(|at| begins_statement(&rest, *at)) {
        let next = rest.split_off(at);
        errors.at(&next[0], "a `;` is missing before this");
        statements.push(std::mem::replace(&mut rest, next));
    }
    statements.push(rest);
    statements.retain(|statement| !statement.is_empty());
}

/// Whether what stands at `at` can only be the beginning of a statement.
fn begins_statement(tokens: &[TokenTree], at: usize) -> bool {
    let (before, rest) = (&tokens[at - 1], &tokens[at..]);
    match (before, &rest[0], rest.get(1)) {
        (TokenTree::Punct(_), ..) => false,
        // behind a doc comment
        (TokenTree::Group(group), ..) if group.delimiter() == Delimiter::Bracket => false,
        // `#[doc = "…"]`
        (_, TokenTree::Punct(hash), Some(TokenTree::Group(group))) => {
            hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket
        }
        // `source log`
        (_, TokenTree::Ident(word), Some(TokenTree::Ident(name))) => {
            keywords::PORTS.iter().any(|port| word == port) && name != "for"
        }
        // `hits = …`, and `hits -> …` behind arguments or fields
        (_, TokenTree::Ident(_), Some(TokenTree::Punct(_))) => {
            let is_definition = is_punct(rest, 1, '=') && !is_joint(&rest[1..], '=', '>');
            is_definition || (matches!(before, TokenTree::Group(_)) && is_joint(&rest[1..], '-', '>'))
        }
        _ => false,
    }
}
