//! Reads a flow: its head and its statements. Ports are read in `port.rs`, pipes in `pipe.rs`.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::{
    Attribute, Visibility, braced,
    parse::{ParseStream, Parser},
    token,
};

use super::{
    digest, keywords,
    name::{docs, parse_name},
    pipe::parse_pipe,
    port::parse_port,
    split::is_punct,
    statements::statements,
    tree::{FlowTree, PortKind},
};
use crate::{errors::Errors, suggest};

/// Reads `/// about` `pub flow Name { … }`; nothing comes back if not even that much is there.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Option<FlowTree> {
    let hash = digest::digest(tokens.clone());
    let (attributes, visibility, name, body, behind) = errors.keep(Parser::parse2(parse_frame, tokens))?;
    if !behind.is_empty() {
        errors.at(behind, "one `flow!` holds one flow");
    }
    let about = docs(&attributes, errors);
    let mut flow = FlowTree { about, visibility, name, ports: Vec::new(), pipes: Vec::new(), broken: false, hash };
    for statement in statements(body, errors) {
        match kind(&statement, errors) {
            Statement::Port(kind) => match parse_port(kind, statement, errors) {
                Some(port) => flow.ports.push(port),
                None => flow.broken = true,
            },
            Statement::Pipe => flow.pipes.push(parse_pipe(statement, errors)),
        }
    }
    if flow.ports.is_empty() && flow.pipes.is_empty() && !flow.broken {
        errors.at(&flow.name, format!("the flow `{}` is empty: declare a source, a sink and a pipe", flow.name));
    }
    Some(flow)
}

type Frame = (Vec<Attribute>, Visibility, Ident, TokenStream, TokenStream);

fn parse_frame(input: ParseStream<'_>) -> syn::Result<Frame> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    let word: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), "expected `flow Name { … }`"))?;
    if word != "flow" {
        return Err(syn::Error::new(word.span(), "expected `flow Name { … }`"));
    }
    if input.is_empty() || input.peek(token::Brace) {
        return Err(syn::Error::new(word.span(), "a flow needs a name: `flow Name { … }`"));
    }
    let name = parse_name(input)?;
    if !input.peek(token::Brace) {
        return Err(syn::Error::new(name.span(), format!("the flow `{name}` needs its ports and pipes in braces")));
    }
    let body;
    braced!(body in input);
    Ok((attributes, visibility, name, body.parse()?, input.parse()?))
}

/// What a statement is.
enum Statement {
    /// A port; its kind is not known if it is misspelt.
    Port(Option<PortKind>),
    Pipe,
}

/// Tells a port, `source log …`, from a pipe, after its doc comments.
fn kind(statement: &[TokenTree], errors: &mut Errors) -> Statement {
    let mut rest = statement;
    while is_punct(rest, 0, '#') {
        rest = rest.get(2..).unwrap_or_default();
    }
    let Some(TokenTree::Ident(word)) = rest.first() else { return Statement::Pipe };
    let kind = PortKind::named(&word.to_string());
    match (kind, rest.get(1)) {
        (Some(_), None | Some(TokenTree::Ident(_))) => Statement::Port(kind),
        (Some(_), Some(_)) if opens_fields(rest, 1) => Statement::Port(kind),
        (None, Some(TokenTree::Ident(_))) if opens_fields(rest, 2) => {
            let near = suggest::did_you_mean(&word.to_string(), keywords::PORTS);
            let kinds = suggest::list(keywords::PORTS);
            errors.at(word, format!("no kind of port is called `{word}`{near}\nkinds: {kinds}"));
            Statement::Port(None)
        }
        _ => Statement::Pipe,
    }
}

/// `{ … }` or `: TextLine { … }`
fn opens_fields(tokens: &[TokenTree], at: usize) -> bool {
    let is_braces = matches!(tokens.get(at), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
    is_braces || is_punct(tokens, at, ':')
}
