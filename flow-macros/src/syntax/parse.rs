//! Reads a flow: its head, its statements, the pipes. Ports are read in `port.rs`, arguments by their operators.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{
    Attribute, Token, Visibility, braced,
    parse::{ParseStream, Parser},
};

use super::{
    digest, keywords,
    port::parse_port,
    split::{split_pipes, split_semicolons},
    tree::{Call, FlowTree, Head, PipeTree},
};
use crate::{errors::Errors, operators, suggest};

/// Reads `/// about` `pub flow Name { … }`; nothing comes back if not even that much is there.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Option<FlowTree> {
    let hash = digest::digest(tokens.clone());
    let (about, visibility, name, body) = errors.keep(Parser::parse2(parse_frame, tokens))?;
    let mut flow = FlowTree { about, visibility, name, ports: Vec::new(), pipes: Vec::new(), hash };
    let mut statements = split_semicolons(body);
    match statements.pop() {
        Some(last) if !last.is_empty() => {
            errors.at(TokenStream::from_iter(last.iter().cloned()), "a statement ends with `;`");
            statements.push(last);
        }
        _ => {}
    }
    for statement in statements.into_iter().filter(|statement| !statement.is_empty()) {
        if is_port(&statement) {
            flow.ports.extend(parse_port(TokenStream::from_iter(statement), errors));
        } else {
            flow.pipes.extend(parse_pipe(statement, errors));
        }
    }
    Some(flow)
}

type Frame = (Vec<String>, Visibility, Ident, TokenStream);

fn parse_frame(input: ParseStream<'_>) -> syn::Result<Frame> {
    let about = docs(&input.call(Attribute::parse_outer)?)?;
    let visibility = input.parse()?;
    let word: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), "expected `flow Name { … }`"))?;
    if word != "flow" {
        return Err(syn::Error::new(word.span(), "expected `flow Name { … }`"));
    }
    let name = input.parse()?;
    let body;
    braced!(body in input);
    let body = body.parse()?;
    if !input.is_empty() {
        return Err(input.error("one `flow!` holds one flow"));
    }
    Ok((about, visibility, name, body))
}

/// The lines of the doc comments; other attributes are refused.
pub(super) fn docs(attributes: &[Attribute]) -> syn::Result<Vec<String>> {
    let mut lines = Vec::new();
    for attribute in attributes {
        let text = match &attribute.meta {
            syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => text.value(),
                _ => return Err(syn::Error::new_spanned(attribute, "a doc comment is plain text here")),
            },
            _ => return Err(syn::Error::new_spanned(attribute, "only doc comments stand here")),
        };
        lines.push(text.trim().to_owned());
    }
    Ok(lines)
}

/// Whether a statement declares a port: `source log …`, after its doc comments.
fn is_port(statement: &[TokenTree]) -> bool {
    let mut tokens = statement.iter();
    let mut word = tokens.next();
    while matches!(word, Some(TokenTree::Punct(punct)) if punct.as_char() == '#') {
        tokens.next();
        word = tokens.next();
    }
    let is_word = matches!(word, Some(TokenTree::Ident(word)) if keywords::PORTS.iter().any(|port| word == port));
    is_word && matches!(tokens.next(), Some(TokenTree::Ident(_)))
}

/// `hits = log -> Operator(…) -> sink`
fn parse_pipe(statement: Vec<TokenTree>, errors: &mut Errors) -> Option<PipeTree> {
    let whole = TokenStream::from_iter(statement.iter().cloned());
    let (name, statement) = pipe_name(statement);
    let mut parts = split_pipes(statement);
    if parts.iter().any(Vec::is_empty) {
        errors.at(&whole, "something is missing beside this `->`");
        parts.retain(|part| !part.is_empty());
    }
    let count = parts.len();
    let mut pipe = PipeTree { name, head: None, steps: Vec::new(), sink: None };
    for (index, part) in parts.into_iter().enumerate() {
        match (parse_part(part, errors), index) {
            (Some(Part::Name(name)), 0) => pipe.head = Some(Head::Name(name)),
            (Some(Part::Call(call)), 0) => pipe.head = Some(Head::Call(call)),
            (Some(Part::Name(name)), _) if index + 1 == count => pipe.sink = Some(name),
            (Some(Part::Name(name)), _) => misplaced_name(&name, errors),
            (Some(Part::Call(call)), _) => pipe.steps.push(call),
            (None, _) => {}
        }
    }
    (pipe.head.is_some() || pipe.name.is_some()).then_some(pipe)
}

fn pipe_name(mut statement: Vec<TokenTree>) -> (Option<Ident>, Vec<TokenTree>) {
    let is_name = matches!(statement.as_slice(), [TokenTree::Ident(_), TokenTree::Punct(equals), ..]
        if equals.as_char() == '=' && equals.spacing() == proc_macro2::Spacing::Alone);
    if !is_name {
        return (None, statement);
    }
    let rest = statement.split_off(2);
    match statement.into_iter().next() {
        Some(TokenTree::Ident(name)) => (Some(name), rest),
        _ => (None, rest),
    }
}

enum Part {
    Name(Ident),
    Call(Call),
}

/// One part of a pipe: a name, or an operator and its arguments.
fn parse_part(part: Vec<TokenTree>, errors: &mut Errors) -> Option<Part> {
    match part.as_slice() {
        [TokenTree::Ident(name)] => Some(Part::Name(name.clone())),
        [TokenTree::Ident(name), TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            Some(Part::Call(parse_call(name, group, errors)))
        }
        _ => {
            errors.at(TokenStream::from_iter(part), "expected an operator, as in `Retain(ip)`, or a name");
            None
        }
    }
}

fn parse_call(name: &Ident, group: &Group, errors: &mut Errors) -> Call {
    let text = format!("{name}{}", source_text(group));
    let operator = match operators::find(&name.to_string()) {
        Some(parse) => parse(name, group.stream(), errors),
        None => {
            let names = || operators::names();
            let near = suggest::did_you_mean(&name.to_string(), names());
            errors.at(name, format!("no operator is called `{name}`{near}\noperators: {}", suggest::list(names())));
            None
        }
    };
    Call { name: name.clone(), text, operator }
}

/// The text as the user wrote it, white space folded.
fn source_text(group: &Group) -> String {
    let text = group.span().source_text().unwrap_or_else(|| group.to_string());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn misplaced_name(name: &Ident, errors: &mut Errors) {
    if operators::find(&name.to_string()).is_some() {
        errors.at(name, format!("`{name}` needs its arguments: `{name}(…)`"));
    } else {
        errors.at(name, format!("`{name}` stands in the middle of a pipe: a name is its beginning, or a sink its end"));
    }
}

/// `a, b` as idents.
pub(super) fn idents(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let names = input.parse_terminated(<Ident as syn::parse::Parse>::parse, Token![,])?;
    Ok(names.into_iter().collect())
}
