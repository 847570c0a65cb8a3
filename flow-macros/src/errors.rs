//! Collects the mistakes of one flow, so that all of them are reported in one compilation.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far. Every stage pushes and goes on with what it has.
#[derive(Default)]
pub(crate) struct Errors {
    found: Option<syn::Error>,
    count: usize,
}

impl Errors {
    /// Reports a mistake; `tokens` is the user's word, which is underlined.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Reports a mistake at a span.
    pub(crate) fn at_span(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Takes over what a parser of syn's found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.count += 1;
        match &mut self.found {
            Some(found) => found.combine(error),
            None => self.found = Some(error),
        }
    }

    /// How many have been found: whoever needs to know whether a part had any, asks before and behind it.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Keeps the value of a parse, or its mistake.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// The mistakes as `compile_error!`s, if there are any.
    pub(crate) fn finish(self) -> Result<(), TokenStream> {
        match self.found {
            None => Ok(()),
            Some(found) => Err(found.to_compile_error()),
        }
    }
}

/// The line of a span in its source file; 0 if the compiler does not tell.
pub(crate) fn line(span: Span) -> u32 {
    u32::try_from(span.start().line).unwrap_or(0)
}
