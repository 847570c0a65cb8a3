//! Reads the declaration of a port: kind, name, fields, key, what a trap covers.
//!
//! A port whose name can be read is kept, whatever else is wrong with it: what reads it or feeds it then stays quiet.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{
    Attribute, LitInt, Token,
    ext::IdentExt as _,
    parenthesized,
    parse::{ParseStream, Parser as _},
    token,
};

use super::{
    name::{docs, parse_name},
    path::parse_path,
    scheme::parse_scheme,
    split::{comma_separated, names, parse_all},
    tree::{FieldTree, PortKind, PortTree, Scheme},
};
use crate::errors::Errors;

/// Reads one declaration, without its `;`. The kind of a misspelt one is not known.
pub(super) fn parse_port(kind: Option<PortKind>, tokens: Vec<TokenTree>, errors: &mut Errors) -> Option<PortTree> {
    let before = errors.count();
    let head = parse_head.parse2(TokenStream::from_iter(tokens));
    let (attributes, name, rest) = errors.keep(head)?;
    let mut port = PortTree {
        kind: kind.unwrap_or(PortKind::Source),
        about: docs(&attributes, errors),
        name,
        scheme: Scheme::TextLine,
        fields: Vec::new(),
        poisoned: kind.is_none(),
        key: Vec::new(),
        covers: Vec::new(),
    };
    let body = Body::split(rest);
    if kind == Some(PortKind::Trap) {
        parse_trap(&mut port, &body, errors);
    } else {
        parse_heading(&mut port, &body, errors);
        parse_fields(&mut port, &body, errors);
    }
    port.poisoned |= errors.count() > before;
    Some(port)
}

fn parse_head(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Ident, TokenStream)> {
    let attributes = input.call(Attribute::parse_outer)?;
    let word: Ident = input.parse()?;
    if !input.peek(Ident::peek_any) {
        return Err(syn::Error::new(word.span(), format!("a {word} needs a name, as in `{word} log`")));
    }
    Ok((attributes, parse_name(input)?, input.parse()?))
}

/// What stands behind the name of a port.
struct Body {
    /// Before the braces.
    heading: Vec<TokenTree>,
    braces: Option<Group>,
    behind: Vec<TokenTree>,
}

impl Body {
    fn split(tokens: TokenStream) -> Self {
        let mut body = Self { heading: Vec::new(), braces: None, behind: Vec::new() };
        for token in tokens {
            match token {
                token if body.braces.is_some() => body.behind.push(token),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => body.braces = Some(group),
                token => body.heading.push(token),
            }
        }
        body
    }

    fn heading(&self) -> TokenStream {
        self.heading.iter().cloned().collect()
    }
}

// `: TextDelimited(…)` of an input, `key(ip)` of a sink
fn parse_heading(port: &mut PortTree, body: &Body, errors: &mut Errors) {
    let Some(first) = body.heading.first() else { return };
    if port.poisoned {
        return;
    }
    let place = first.span();
    match port.kind {
        PortKind::Sink => {
            port.key =
                errors.keep(parse_all(body.heading(), place, |input| parse_key(port, input))).unwrap_or_default();
        }
        _ => {
            let scheme = errors.keep(parse_all(body.heading(), place, |input| parse_input(port, input)));
            // Of an unknown scheme any number of fields may come.
            port.scheme = scheme.unwrap_or_else(Scheme::delimited);
        }
    }
}

fn parse_input(port: &PortTree, input: ParseStream<'_>) -> syn::Result<Scheme> {
    if input.parse::<Option<Token![:]>>()?.is_none() {
        let is_key = input.peek(syn::Ident) && input.fork().parse::<Ident>()? == "key";
        let message = if is_key { "a key is for sinks: it says which rows are merged" } else { "expected `:` or `{`" };
        return Err(input.error(message));
    }
    let scheme = parse_scheme(input)?;
    if !input.is_empty() {
        return Err(input.error(format!("expected the fields of the {}, as in `{{ ip: &str }}`", port.kind.word())));
    }
    Ok(scheme)
}

fn parse_key(port: &PortTree, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    if input.peek(Token![:]) {
        return Err(input.error("how a sink writes is chosen where it is bound, as in file:out.csv?delimiter=|"));
    }
    let word: Ident = input.call(Ident::parse_any)?;
    if word != "key" || !input.peek(token::Paren) {
        let message = format!("expected `key(…)` or the fields of the sink `{}` in braces", port.name);
        return Err(syn::Error::new(word.span(), message));
    }
    let content;
    parenthesized!(content in input);
    let key = content.parse_terminated(parse_name, Token![,])?;
    if key.is_empty() {
        return Err(syn::Error::new(word.span(), "a key names at least one field"));
    }
    if !input.is_empty() {
        return Err(input.error("expected the fields of the sink in braces"));
    }
    Ok(key.into_iter().collect())
}

/// `{ ip: &str, size: i64 }`
fn parse_fields(port: &mut PortTree, body: &Body, errors: &mut Errors) {
    let (word, name) = (port.kind.word(), &port.name);
    if let Some(behind) = body.behind.first() {
        errors.at(behind, format!("expected `;`: the {word} `{name}` ends here"));
    }
    match &body.braces {
        None if port.poisoned => {}
        None => errors.at(name, format!("the {word} `{name}` needs its fields, as in `{{ ip: &str }}`")),
        Some(braces) if braces.stream().is_empty() => errors.at(name, format!("the {word} `{name}` has no fields")),
        Some(braces) => port.fields = comma_separated(braces.stream(), errors, parse_field),
    }
}

/// `for hits, hosts`
fn parse_trap(port: &mut PortTree, body: &Body, errors: &mut Errors) {
    if let Some(braces) = &body.braces {
        errors.at_span(
            braces.span_open(),
            "a trap has fixed fields: the record, where it stood, the operator, the reason",
        );
    }
    match body.heading.as_slice() {
        [] => {}
        [TokenTree::Ident(word)] if word == "for" => {
            errors.at(word, "a trap covers pipes or ports by name, or everything without `for`");
        }
        [TokenTree::Ident(word), covered @ ..] if word == "for" => {
            port.covers = names(covered.iter().cloned().collect(), errors);
        }
        [other, ..] => errors.at(other, format!("expected `for` or `;` behind the trap `{}`", port.name)),
    }
}

/// `count: i64 as varchar(100) add`, `"user.id" as user: i64`
fn parse_field(input: ParseStream<'_>) -> syn::Result<FieldTree> {
    input.call(Attribute::parse_outer)?;
    let path = parse_path(input)?;
    let name = parse_name(input)?;
    if !input.peek(Token![:]) {
        return Err(syn::Error::new(name.span(), format!("`{name}` needs its type, as in `{name}: i64`")));
    }
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
        return Err(input.error(format!("expected `,`, `as …` or `add` behind the type of `{name}`")));
    }
    Ok(FieldTree { path, name, typed, column, add })
}

/// A column type: `varchar(100)`, `double precision`.
fn parse_column(input: ParseStream<'_>) -> syn::Result<String> {
    let expected = |_| input.error("expected the type of a column, as in `varchar(100)`");
    let mut column = input.call(Ident::parse_any).map_err(expected)?.to_string();
    while input.peek(syn::Ident) && input.fork().parse::<Ident>()? != "add" {
        column = format!("{column} {}", input.parse::<Ident>()?);
    }
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        let sizes = content.parse_terminated(<LitInt as syn::parse::Parse>::parse, Token![,])?;
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        column = format!("{column}({})", sizes.join(","));
    }
    Ok(column)
}
