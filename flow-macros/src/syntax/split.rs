//! Cuts token sequences at separators, before anything is parsed: one bad part does not spoil its neighbours.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};

use crate::errors::Errors;

/// The parts between `;`.
pub(crate) fn split_semicolons(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    split(tokens.into_iter().collect(), |tokens| is_punct(tokens, 0, ';').then_some(1))
}

/// The parts between `->`.
pub(crate) fn split_pipes(tokens: Vec<TokenTree>) -> Vec<Vec<TokenTree>> {
    split(tokens, |tokens| is_joint(tokens, '-', '>').then_some(2))
}

/// The parts between `=>`: arguments, operation, results.
pub(crate) fn split_arrows(tokens: TokenStream) -> Vec<TokenStream> {
    split(tokens.into_iter().collect(), |tokens| is_joint(tokens, '=', '>').then_some(2))
        .into_iter()
        .map(TokenStream::from_iter)
        .collect()
}

/// Parses what stands between commas, each part by itself; a trailing comma is allowed.
pub(crate) fn comma_separated<T>(
    tokens: TokenStream,
    errors: &mut Errors,
    parser: impl Fn(ParseStream<'_>) -> syn::Result<T>,
) -> Vec<T> {
    let mut parts = split(tokens.into_iter().collect(), |tokens| is_punct(tokens, 0, ',').then_some(1));
    if parts.last().is_some_and(Vec::is_empty) {
        parts.pop();
    }
    parts.into_iter().filter_map(|part| errors.keep(Parser::parse2(&parser, TokenStream::from_iter(part)))).collect()
}

fn split(tokens: Vec<TokenTree>, separator: impl Fn(&[TokenTree]) -> Option<usize>) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        match separator(rest) {
            Some(length) => {
                parts.push(Vec::new());
                rest = &rest[length..];
            }
            None => {
                if let Some(part) = parts.last_mut() {
                    part.push(first.clone());
                }
                rest = after;
            }
        }
    }
    parts
}

fn is_punct(tokens: &[TokenTree], index: usize, wanted: char) -> bool {
    matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_joint(tokens: &[TokenTree], first: char, second: char) -> bool {
    matches!(tokens.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == first && punct.spacing() == Spacing::Joint)
        && is_punct(tokens, 1, second)
}
