//! Reads names and doc comments.

use proc_macro2::Ident;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, ext::IdentExt as _, parse::ParseStream};

use crate::errors::Errors;

/// The name of a field, a pipe or a port. A keyword is one when it is written raw: `r#type`.
pub(crate) fn parse_name(input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(syn::Ident) {
        let name: Ident = input.parse()?;
        let plain = name.unraw();
        let is_keyword = syn::parse_str::<Ident>(&plain.to_string()).is_err();
        return Ok(if is_keyword { name } else { plain });
    }
    if input.peek(LitStr) {
        return Err(input.error("a name stands without quotes"));
    }
    let word = input.call(Ident::parse_any).map_err(|_| input.error("expected a name"))?;
    let message = match word.to_string().as_str() {
        "_" | "self" | "Self" | "super" | "crate" => format!("`{word}` cannot be a name"),
        _ => format!("`{word}` is a keyword of Rust: write `r#{word}`, which reads and writes `{word}`"),
    };
    Err(syn::Error::new(word.span(), message))
}

/// The lines of the doc comments; other attributes are refused.
pub(super) fn docs(attributes: &[Attribute], errors: &mut Errors) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => lines.push(text.value().trim().to_owned()),
                _ => errors.at(attribute, "a doc comment is plain text here"),
            },
            _ => errors.at(attribute, "only doc comments stand here"),
        }
    }
    lines
}
