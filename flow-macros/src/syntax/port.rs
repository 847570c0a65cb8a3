//! Reads the declaration of a port: kind, name, scheme, fields, key, what a trap covers.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Attribute, LitChar, LitStr, Token,
    ext::IdentExt as _,
    parenthesized,
    parse::{ParseStream, Parser},
    token,
};

use super::{
    parse::{docs, idents},
    split::comma_separated,
    tree::{FieldTree, PortKind, PortTree, Scheme},
};
use crate::{errors::Errors, suggest};

/// Reads one declaration, without its `;`.
pub(super) fn parse_port(tokens: TokenStream, errors: &mut Errors) -> Option<PortTree> {
    let (mut port, fields) = errors.keep(Parser::parse2(parse_declaration, tokens))?;
    if let Some(fields) = fields {
        let count = written_fields(&fields);
        port.fields = comma_separated(fields, errors, parse_field);
        port.poisoned = port.fields.len() < count;
    }
    Some(port)
}

/// How many fields are written, read or not.
fn written_fields(fields: &TokenStream) -> usize {
    let mut quiet = Errors::default();
    comma_separated(fields.clone(), &mut quiet, |input| input.parse::<TokenStream>()).len()
}

fn parse_declaration(input: ParseStream<'_>) -> syn::Result<(PortTree, Option<TokenStream>)> {
    let about = docs(&input.call(Attribute::parse_outer)?)?;
    let word: Ident = input.parse()?;
    let kind = match word.to_string().as_str() {
        "source" => PortKind::Source,
        "table" => PortKind::Table,
        "sink" => PortKind::Sink,
        _ => PortKind::Trap,
    };
    let name: Ident = input.parse()?;
    let mut port = PortTree {
        kind,
        about,
        name,
        scheme: Scheme::TextLine,
        fields: Vec::new(),
        poisoned: false,
        key: Vec::new(),
        covers: Vec::new(),
    };
    let fields = match kind {
        PortKind::Source | PortKind::Table => parse_input(&mut port, input)?,
        PortKind::Sink => parse_sink(&mut port, input)?,
        PortKind::Trap => parse_trap(&mut port, input)?,
    };
    if !input.is_empty() {
        return Err(input.error(format!("a {} ends here: is a `;` missing?", kind.word())));
    }
    Ok((port, fields))
}

/// `: TextDelimited(…) { … }`
fn parse_input(port: &mut PortTree, input: ParseStream<'_>) -> syn::Result<Option<TokenStream>> {
    if input.parse::<Option<Token![:]>>()?.is_some() {
        port.scheme = parse_scheme(input)?;
    }
    parse_braces(port, input).map(Some)
}

/// `key(ip) { … }`
fn parse_sink(port: &mut PortTree, input: ParseStream<'_>) -> syn::Result<Option<TokenStream>> {
    if input.peek(Token![:]) {
        return Err(input.error("how a sink writes is chosen where it is bound, as in file:out.csv?delimiter=|"));
    }
    if input.peek(syn::Ident) {
        let word: Ident = input.parse()?;
        if word != "key" {
            return Err(syn::Error::new(word.span(), "expected `key(…)` or the fields in braces"));
        }
        let content;
        parenthesized!(content in input);
        port.key = idents(&content)?;
        if port.key.is_empty() {
            return Err(syn::Error::new(word.span(), "a key names at least one field"));
        }
    }
    parse_braces(port, input).map(Some)
}

/// `for hits, hosts`
fn parse_trap(port: &mut PortTree, input: ParseStream<'_>) -> syn::Result<Option<TokenStream>> {
    if input.parse::<Option<Token![for]>>()?.is_some() {
        port.covers = idents(input)?;
        if port.covers.is_empty() {
            return Err(input.error("a trap covers pipes or ports by name, or everything without `for`"));
        }
    } else if input.peek(token::Brace) {
        return Err(input.error("a trap has fixed fields: the record, where it stood, the operator, the reason"));
    }
    Ok(None)
}

fn parse_braces(port: &PortTree, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if !input.peek(token::Brace) {
        let message = format!("the {} `{}` needs its fields, as in `{{ ip: &str }}`", port.kind.word(), port.name);
        return Err(syn::Error::new(port.name.span(), message));
    }
    let content;
    syn::braced!(content in input);
    let fields: TokenStream = content.parse()?;
    if fields.is_empty() {
        let message = format!("the {} `{}` has no fields", port.kind.word(), port.name);
        return Err(syn::Error::new(port.name.span(), message));
    }
    Ok(fields)
}

/// `count: i64 as varchar(100) add`
fn parse_field(input: ParseStream<'_>) -> syn::Result<FieldTree> {
    input.call(Attribute::parse_outer)?;
    let name: Ident = input.parse()?;
    input.parse::<Token![:]>()?;
    let typed = input.parse()?;
    let column = match input.parse::<Option<Token![as]>>()? {
        Some(_) => Some(parse_column(input)?),
        None => None,
    };
    let add = input.peek(syn::Ident) && input.fork().parse::<Ident>()? == "add";
    if add {
        input.parse::<Ident>()?;
    }
    if !input.is_empty() {
        return Err(input.error("expected `,` after the field"));
    }
    Ok(FieldTree { name, typed, column, add })
}

/// A column type: `varchar(100)`, `double precision`.
fn parse_column(input: ParseStream<'_>) -> syn::Result<String> {
    let mut column = input.call(Ident::parse_any)?.to_string();
    while input.peek(syn::Ident) && input.fork().parse::<Ident>()? != "add" {
        column = format!("{column} {}", input.parse::<Ident>()?);
    }
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        let sizes = content.parse_terminated(<syn::LitInt as syn::parse::Parse>::parse, Token![,])?;
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        column = format!("{column}({})", sizes.join(","));
    }
    Ok(column)
}

const SCHEMES: [&str; 2] = ["TextLine", "TextDelimited"];

fn parse_scheme(input: ParseStream<'_>) -> syn::Result<Scheme> {
    let name: Ident = input.parse()?;
    match name.to_string().as_str() {
        "TextLine" => Ok(Scheme::TextLine),
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
                "delimiter" => delimiter = parse_delimiter(&content)?,
                "quote" => quote = Some(parse_quote(&content)?),
                "header" => header = parse_switch(&content)?,
                "strict" => strict = parse_switch(&content)?,
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

fn parse_delimiter(input: ParseStream<'_>) -> syn::Result<String> {
    input.parse::<Token![=]>()?;
    let (span, delimiter) = if input.peek(LitChar) {
        let literal: LitChar = input.parse()?;
        (literal.span(), literal.value().to_string())
    } else {
        let literal: LitStr = input.parse()?;
        (literal.span(), literal.value())
    };
    if delimiter.is_empty() || delimiter.contains(['\n', '\r']) {
        return Err(syn::Error::new(span, "a delimiter is one character or more, and no line end"));
    }
    Ok(delimiter)
}

fn parse_quote(input: ParseStream<'_>) -> syn::Result<u8> {
    input.parse::<Token![=]>()?;
    let (span, quote) = if input.peek(LitChar) {
        let literal: LitChar = input.parse()?;
        (literal.span(), literal.value().to_string())
    } else {
        let literal: LitStr = input.parse()?;
        (literal.span(), literal.value())
    };
    match quote.as_bytes() {
        [byte] if byte.is_ascii() && !byte.is_ascii_control() => Ok(*byte),
        _ => Err(syn::Error::new(span, "a quote is one ASCII character")),
    }
}

/// `header`, `header = true`, `header = false`
fn parse_switch(input: ParseStream<'_>) -> syn::Result<bool> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Ok(true);
    }
    Ok(input.parse::<syn::LitBool>()?.value)
}
