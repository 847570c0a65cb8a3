//! Reads a pipe: `hits = log -> Operator(…) -> sink`. Arguments are read by their operators.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Attribute, parse::Parser as _};

use super::{
    name::docs,
    split::{Part, is_joint, is_punct, split_pipes},
    tree::{Call, Head, PipeTree},
};
use crate::{errors::Errors, operators, suggest};

/// Reads one pipe, without its `;`.
pub(super) fn parse_pipe(statement: Vec<TokenTree>, errors: &mut Errors) -> PipeTree {
    let (name, statement) = pipe_name(without_docs(statement, errors));
    let mut pipe = PipeTree { name, head: None, steps: Vec::new(), sink: None, broken: false };
    if statement.is_empty() {
        pipe.broken = true;
        if let Some(name) = &pipe.name {
            errors.at(name, format!("`{name}` needs its rows, as in `{name} = log -> …`"));
        }
        return pipe;
    }
    let parts = parts(statement, &mut pipe.broken, errors);
    let count = parts.len();
    for (index, part) in parts.into_iter().enumerate() {
        match (part, index) {
            (PipePart::Name(name), 0) => pipe.head = Some(Head::Name(name)),
            (PipePart::Call(call), 0) => pipe.head = Some(Head::Call(call)),
            (PipePart::Name(name), _) if index + 1 == count && operators::find(&name.to_string()).is_none() => {
                pipe.sink = Some(name);
            }
            (PipePart::Name(name), _) => {
                misplaced_name(&name, errors);
                pipe.broken |= operators::find(&name.to_string()).is_none();
                pipe.steps.push(Call::unreadable(name));
            }
            (PipePart::Call(call), _) => pipe.steps.push(call),
        }
    }
    pipe
}

/// What stands between two arrows.
enum PipePart {
    Name(Ident),
    Call(Call),
}

fn without_docs(mut statement: Vec<TokenTree>, errors: &mut Errors) -> Vec<TokenTree> {
    let is_attribute = |pair: &[TokenTree]| is_punct(pair, 0, '#') && matches!(pair[1], TokenTree::Group(_));
    let count = statement.chunks_exact(2).take_while(|pair| is_attribute(pair)).count();
    let rest = statement.split_off(2 * count);
    if let Some(attributes) = errors.keep(Attribute::parse_outer.parse2(TokenStream::from_iter(statement))) {
        docs(&attributes, errors);
    }
    rest
}

fn pipe_name(mut statement: Vec<TokenTree>) -> (Option<Ident>, Vec<TokenTree>) {
    let is_definition = is_punct(&statement, 1, '=') && !is_joint(&statement[1..], '=', '>');
    match statement.first() {
        Some(TokenTree::Ident(name)) if is_definition => (Some(name.clone()), statement.split_off(2)),
        _ => (None, statement),
    }
}

/// The names and calls of a pipe. What cannot be read, or is not there, is reported and breaks the pipe.
fn parts(statement: Vec<TokenTree>, broken: &mut bool, errors: &mut Errors) -> Vec<PipePart> {
    let mut found = Vec::new();
    let mut arrow_before: Option<TokenStream> = None;
    let parts = split_pipes(statement);
    check_arrows(&parts, errors);
    for Part { tokens, end } in parts {
        match (&end, &arrow_before) {
            (Some(arrow), _) if tokens.is_empty() => {
                errors.at(arrow, "an operator or a name is missing before this `->`");
            }
            (None, Some(arrow)) if tokens.is_empty() => {
                errors.at(arrow, "an operator or a name is missing behind this `->`");
                *broken = true;
            }
            _ => *broken |= !parse_part(&tokens, &mut found, errors),
        }
        arrow_before = end;
    }
    found
}

/// Reports the first `=>`; the pipe is read as if it were a `->`.
fn check_arrows(parts: &[Part], errors: &mut Errors) {
    let is_double = |arrow: &&TokenStream| {
        matches!((*arrow).clone().into_iter().next(),
        Some(TokenTree::Punct(first)) if first.as_char() == '=')
    };
    if let Some(arrow) = parts.iter().filter_map(|part| part.end.as_ref()).find(is_double) {
        errors.at(arrow, "operators follow each other with `->`; `=>` stands within their arguments");
    }
}

/// Reads `name` or `Operator(…)`, or several with the arrows between them missing; false after a mistake that leaves a gap.
fn parse_part(tokens: &[TokenTree], found: &mut Vec<PipePart>, errors: &mut Errors) -> bool {
    let (name, arguments, rest) = match tokens {
        [TokenTree::Ident(name), TokenTree::Group(group), rest @ ..] => (name, Some(group), rest),
        [TokenTree::Ident(name), rest @ ..] => (name, None, rest),
        _ => {
            errors.at(TokenStream::from_iter(tokens.to_vec()), "expected an operator, as in `Retain(ip)`, or a name");
            return false;
        }
    };
    found.push(match arguments {
        Some(arguments) => PipePart::Call(parse_call(name, arguments, errors)),
        None => PipePart::Name(name.clone()),
    });
    match rest.first() {
        None => true,
        // `Retain ip`: that the operator lacks its arguments is reported with it.
        Some(_) if arguments.is_none() && operators::find(&name.to_string()).is_some() => true,
        Some(next @ TokenTree::Ident(_)) => {
            errors.at(next, "a `->` is missing before this");
            parse_part(rest, found, errors)
        }
        Some(next) => {
            errors.at(next, "expected `->` or `;`");
            false
        }
    }
}

fn parse_call(name: &Ident, group: &Group, errors: &mut Errors) -> Call {
    let text = format!("{name}{}", source_text(group));
    let before = errors.count();
    if group.delimiter() != Delimiter::Parenthesis {
        errors.at_span(group.span_open(), format!("the arguments of `{name}` stand in parentheses: `{name}(…)`"));
    }
    let operator = match operators::find(&name.to_string()) {
        Some(parse) => parse(name, group.stream(), errors),
        None => {
            let names = || operators::names();
            let near = suggest::did_you_mean(&name.to_string(), names());
            errors.at(name, format!("no operator is called `{name}`{near}\noperators: {}", suggest::list(names())));
            None
        }
    };
    Call { name: name.clone(), text, operator, broken: errors.count() > before }
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
