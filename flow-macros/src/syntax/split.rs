//! Cuts token sequences at separators, before anything is parsed: one bad part does not spoil its neighbours.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::{
    parenthesized,
    parse::{ParseStream, Parser},
};

use super::name::parse_name;
use crate::errors::Errors;

/// What stands between two separators.
pub(super) struct Part {
    pub(super) tokens: Vec<TokenTree>,
    /// The separator behind it; the last part has none.
    pub(super) end: Option<TokenStream>,
}

/// The parts between `;`.
pub(super) fn split_semicolons(tokens: TokenStream) -> Vec<Part> {
    split(tokens.into_iter().collect(), |tokens| is_punct(tokens, 0, ';').then_some(1))
}

/// The parts between `->`, or `=>` where a pipe can have none.
pub(super) fn split_pipes(tokens: Vec<TokenTree>) -> Vec<Part> {
    split(tokens, |tokens| (is_joint(tokens, '-', '>') || is_joint(tokens, '=', '>')).then_some(2))
}

/// The parts between `=>`: arguments, operation, results.
pub(crate) fn split_arrows(tokens: TokenStream) -> Vec<TokenStream> {
    split(tokens.into_iter().collect(), |tokens| is_joint(tokens, '=', '>').then_some(2))
        .into_iter()
        .map(|part| TokenStream::from_iter(part.tokens))
        .collect()
}

/// The names between commas.
pub(crate) fn names(tokens: TokenStream, errors: &mut Errors) -> Vec<Ident> {
    comma_separated(tokens, errors, parse_name)
}

/// Parses what stands between commas, each part by itself; a trailing comma is allowed.
pub(crate) fn comma_separated<T>(
    tokens: TokenStream,
    errors: &mut Errors,
    parser: impl Fn(ParseStream<'_>) -> syn::Result<T>,
) -> Vec<T> {
    let mut parts = split(tokens.into_iter().collect(), |tokens| is_punct(tokens, 0, ',').then_some(1));
    if parts.last().is_some_and(|part| part.tokens.is_empty()) {
        parts.pop();
    }
    let mut found = Vec::new();
    for part in parts {
        match part.end {
            Some(comma) if part.tokens.is_empty() => errors.at(comma, "nothing stands before this `,`"),
            _ => {
                let whole = |input: ParseStream<'_>| {
                    let value = parser(input)?;
                    if input.is_empty() { Ok(value) } else { Err(input.error("expected `,`")) }
                };
                found.extend(errors.keep(parse_all(TokenStream::from_iter(part.tokens), Span::call_site(), whole)));
            }
        }
    }
    found
}

/// Parses all of `tokens`; what is missing at their end is reported at the last of them, or at `place` if there are none.
pub(crate) fn parse_all<T>(
    tokens: TokenStream,
    place: Span,
    parser: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    // A parser reports the end of its input at the closing delimiter: so the tokens get one.
    let end = tokens.clone().into_iter().last().map_or(place, |token| token.span());
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    group.set_span(end);
    let parser = |input: ParseStream<'_>| {
        let content;
        parenthesized!(content in input);
        parser(&content)
    };
    parser.parse2(TokenStream::from(TokenTree::Group(group)))
}

fn split(tokens: Vec<TokenTree>, separator: impl Fn(&[TokenTree]) -> Option<usize>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        match separator(rest) {
            Some(length) => {
                let end = Some(rest[..length].iter().cloned().collect());
                parts.push(Part { tokens: std::mem::take(&mut part), end });
                rest = &rest[length..];
            }
            None => {
                part.push(first.clone());
                rest = after;
            }
        }
    }
    parts.push(Part { tokens: part, end: None });
    parts
}

pub(super) fn is_punct(tokens: &[TokenTree], index: usize, wanted: char) -> bool {
    matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

pub(super) fn is_joint(tokens: &[TokenTree], first: char, second: char) -> bool {
    matches!(tokens.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == first && punct.spacing() == Spacing::Joint)
        && is_punct(tokens, 1, second)
}
