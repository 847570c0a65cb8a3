//! Reads the scheme of an input: `TextDelimited(delimiter = "|")`.

use proc_macro2::{Ident, Span};
use syn::{LitBool, LitChar, LitStr, Token, parenthesized, parse::ParseStream, token};

use super::tree::Scheme;
use crate::suggest;

const SCHEMES: [&str; 3] = ["TextLine", "TextDelimited", "JsonLine"];

/// `TextLine`, `JsonLine`, or `TextDelimited` and its options.
pub(super) fn parse_scheme(input: ParseStream<'_>) -> syn::Result<Scheme> {
    let message = || format!("expected a scheme: {}", SCHEMES.join(", "));
    let name: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), message()))?;
    match name.to_string().as_str() {
        "TextLine" => Ok(Scheme::TextLine),
        "JsonLine" => Ok(Scheme::JsonLine),
        "TextDelimited" => parse_delimited(&name, input),
        other => {
            let near = suggest::did_you_mean(other, SCHEMES);
            let message = format!("no scheme is called `{other}`{near}\nschemes: {}", SCHEMES.join(", "));
            Err(syn::Error::new(name.span(), message))
        }
    }
}

const DELIMITED: [&str; 4] = ["delimiter", "quote", "header", "strict"];

/// `(delimiter = "|", quote = '"', header, strict = false)`
fn parse_delimited(name: &Ident, input: ParseStream<'_>) -> syn::Result<Scheme> {
    let (mut delimiter, mut quote, mut header, mut strict) = ("\t".to_owned(), None, false, true);
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        while !content.is_empty() {
            let option: Ident = content.parse()?;
            match option.to_string().as_str() {
                "delimiter" => delimiter = parse_delimiter(&option, &content)?,
                "quote" => quote = Some(parse_quote(&option, &content)?),
                "header" => header = parse_switch(&option, &content)?,
                "strict" => strict = parse_switch(&option, &content)?,
                other => {
                    let near = suggest::did_you_mean(other, DELIMITED);
                    let message =
                        format!("`TextDelimited` has no option `{other}`{near}\noptions: {}", DELIMITED.join(", "));
                    return Err(syn::Error::new(option.span(), message));
                }
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
    }
    if quote.is_some_and(|quote| delimiter.as_bytes() == [quote]) {
        return Err(syn::Error::new(name.span(), "delimiter and quote are the same"));
    }
    Ok(Scheme::TextDelimited { delimiter, quote, header, strict })
}

/// `delimiter = "|"`, `delimiter = '|'`
fn parse_delimiter(option: &Ident, input: ParseStream<'_>) -> syn::Result<String> {
    let (text, span) = parse_text(option, input)?;
    if text.is_empty() || text.contains(['\n', '\r']) {
        return Err(syn::Error::new(span, "a delimiter is one character or more, and no line end"));
    }
    Ok(text)
}

/// `quote = '"'`
fn parse_quote(option: &Ident, input: ParseStream<'_>) -> syn::Result<u8> {
    let (text, span) = parse_text(option, input)?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !byte.is_ascii_control() => Ok(*byte),
        _ => Err(syn::Error::new(span, "a quote is one ASCII character")),
    }
}

fn parse_text(option: &Ident, input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    let is_given = input.parse::<Option<Token![=]>>()?.is_some();
    if is_given && input.peek(LitChar) {
        let literal: LitChar = input.parse()?;
        return Ok((literal.value().to_string(), literal.span()));
    }
    if is_given && input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Ok((literal.value(), literal.span()));
    }
    Err(syn::Error::new(option.span(), format!("`{option}` needs its text, as in `{option} = \"|\"`")))
}

/// `header`, `header = true`, `header = false`
fn parse_switch(option: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Ok(true);
    }
    let message = format!("`{option}` is true or false");
    input.parse::<LitBool>().map(|literal| literal.value).map_err(|error| syn::Error::new(error.span(), message))
}
