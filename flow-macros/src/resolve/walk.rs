//! Walks the pipes from their beginnings to their ends and puts the operators in order.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;

use super::{Field, Node, NodeKind, Scope};
use crate::{
    errors::{Errors, line},
    operators::{self, Kind},
    suggest,
    syntax::{Call, FlowTree, Head, PipeTree, PortKind, PortTree},
};

/// The operators of all pipes, inputs before their users.
pub(super) fn walk(flow: &FlowTree, errors: &mut Errors) -> Vec<Node> {
    let names: BTreeSet<String> = flow.names().map(ToString::to_string).collect();
    let lost = flow.broken || names.len() < flow.names().count() || flow.pipes.iter().any(|pipe| pipe.broken);
    let mut walk =
        Walk { flow, errors, nodes: Vec::new(), ends: BTreeMap::new(), used: Vec::new(), fed: BTreeMap::new(), lost };
    for pipe in &flow.pipes {
        match &pipe.name {
            Some(name) => {
                walk.end_of(name);
            }
            None => {
                walk.pipe(pipe, "");
            }
        }
    }
    walk.check_usage();
    walk.nodes
}

/// How far a named pipe or an input port has come.
#[derive(Clone, Copy)]
enum End {
    /// It is being walked: whoever asks for it now is part of a circle.
    Open,
    /// The operator it ends with.
    At(usize),
}

struct Walk<'a> {
    flow: &'a FlowTree,
    errors: &'a mut Errors,
    nodes: Vec<Node>,
    ends: BTreeMap<String, End>,
    /// Pipes and inputs that somebody reads.
    used: Vec<String>,
    /// Sinks, and the word that feeds each.
    fed: BTreeMap<String, Ident>,
    /// After a mistake in a name it is not known what is unused.
    lost: bool,
}

impl Walk<'_> {
    /// The operator that gives the rows of a pipe or an input port, walked now if it has not been.
    fn end_of(&mut self, name: &Ident) -> usize {
        let word = name.to_string();
        match self.ends.get(&word) {
            Some(End::At(end)) => return *end,
            Some(End::Open) => {
                self.errors.at(name, format!("`{name}` is made from itself: pipes may not go in a circle"));
                return self.poisoned(name);
            }
            None => {}
        }
        let flow = self.flow;
        let is_port = flow.ports.iter().any(|port| port.name == *name);
        let pipe = flow.pipes.iter().filter(|_| !is_port).find(|pipe| pipe.name.as_ref() == Some(name));
        let end = if let Some(pipe) = pipe {
            self.ends.insert(word.clone(), End::Open);
            self.pipe(pipe, &word)
        } else {
            self.port(name)
        };
        self.ends.insert(word, End::At(end));
        end
    }

    /// Reads from a pipe or an input port by name.
    fn read_from(&mut self, name: &Ident) -> usize {
        self.used.push(name.to_string());
        self.end_of(name)
    }

    /// The decoding of an input port.
    fn port(&mut self, name: &Ident) -> usize {
        let found = self.flow.ports.iter().enumerate().find(|(_, port)| port.name == *name);
        match found {
            Some((index, port)) if matches!(port.kind, PortKind::Source | PortKind::Table) => {
                let fields = port.fields.iter().map(|field| Field::new(&field.name, field.typed.clone())).collect();
                let mut scope = Scope::new(fields);
                scope.open = port.poisoned;
                let text = format!("{} {}", port.kind.word(), port.name);
                self.push(NodeKind::Read(index), Vec::new(), scope, &name.to_string(), &port.name, text)
            }
            Some((_, port)) => {
                let kind = port.kind.word();
                if !port.poisoned {
                    self.errors.at(name, format!("`{name}` is a {kind}: nothing can be read from it"));
                }
                self.lost = true;
                self.poisoned(name)
            }
            None => {
                if !self.flow.broken {
                    let message = self.no_such(name);
                    self.errors.at(name, message);
                }
                self.lost = true;
                self.poisoned(name)
            }
        }
    }

    fn no_such(&self, name: &Ident) -> String {
        let inputs = self.flow.ports.iter().filter(|port| matches!(port.kind, PortKind::Source | PortKind::Table));
        let inputs = inputs.map(|port| port.name.to_string());
        let pipes = self.flow.pipes.iter().filter_map(|pipe| pipe.name.as_ref()).map(ToString::to_string);
        let names: Vec<String> = pipes.chain(inputs).collect();
        let near = suggest::did_you_mean(&name.to_string(), names.iter().map(String::as_str));
        let list = suggest::list(names.iter().map(String::as_str));
        format!("no pipe, source or table is called `{name}`{near}\nthere are: {list}")
    }

    /// Walks one pipe to its end.
    fn pipe(&mut self, pipe: &PipeTree, name: &str) -> usize {
        let mut end = match &pipe.head {
            Some(Head::Name(head)) => {
                let end = self.read_from(head);
                if let (Some(name), [], None) = (&pipe.name, pipe.steps.as_slice(), &pipe.sink) {
                    self.alias(name, end)
                } else {
                    end
                }
            }
            Some(Head::Call(call)) => self.head(call, name),
            None => self.poisoned(pipe.name.as_ref().unwrap_or(&self.flow.name)),
        };
        for call in &pipe.steps {
            end = self.step(call, end, name);
        }
        operators::needs_every(&mut self.nodes[end].scope, self.errors);
        self.nodes[end].scope.grouped = None;
        match (&pipe.sink, &pipe.name) {
            (Some(sink), name) => {
                self.used.extend(name.iter().map(|name| name.to_string()));
                self.sink(sink, end);
                // Whoever reads the pipe reads what the sink is given.
                end
            }
            (None, Some(_)) => end,
            (None, None) if pipe.broken => end,
            (None, None) => {
                let word = pipe.steps.last().map(|call| &call.name).or(match &pipe.head {
                    Some(Head::Name(name)) => Some(name),
                    Some(Head::Call(call)) => Some(&call.name),
                    None => None,
                });
                if let Some(word) = word {
                    self.errors.at(word, "this pipe goes nowhere: give it a name, or let it end in a sink");
                }
                end
            }
        }
    }

    /// `hits = log;` is a pipe of its own, with the rows of another.
    fn alias(&mut self, name: &Ident, end: usize) -> usize {
        let scope = self.nodes[end].scope.clone();
        let kind = NodeKind::Operator(Kind::Step(Box::new(operators::Projection)));
        self.push(kind, vec![end], scope, &name.to_string(), name, name.to_string())
    }

    /// An operator at the beginning of a pipe: it names its pipes as arguments.
    fn head(&mut self, call: &Call, pipe: &str) -> usize {
        let Some(operator) = &call.operator else {
            self.lost = true;
            return self.poisoned(&call.name);
        };
        let names: Vec<Ident> = operator.pipes().into_iter().cloned().collect();
        if names.is_empty() {
            let message = format!("`{0}` takes its rows from what stands before it: `log -> {0}(…)`", call.name);
            self.errors.at(&call.name, message);
            self.lost = true;
            return self.poisoned(&call.name);
        }
        let inputs: Vec<usize> = names.iter().map(|name| self.read_from(name)).collect();
        self.operator(call, inputs, pipe)
    }

    /// An operator behind a `->`.
    fn step(&mut self, call: &Call, input: usize, pipe: &str) -> usize {
        let Some(operator) = &call.operator else { return self.poisoned(&call.name) };
        if !operator.pipes().is_empty() {
            let message = format!("`{0}` names its pipes itself: write `{0}(…)` at the beginning of a pipe", call.name);
            self.errors.at(&call.name, message);
            self.lost = true;
            return self.poisoned(&call.name);
        }
        if call.name != "Every" {
            operators::needs_every(&mut self.nodes[input].scope, self.errors);
        }
        self.operator(call, vec![input], pipe)
    }

    fn operator(&mut self, call: &Call, inputs: Vec<usize>, pipe: &str) -> usize {
        let Some(operator) = &call.operator else { return self.poisoned(&call.name) };
        let scopes = inputs.iter().map(|input| self.nodes[*input].scope.clone()).collect();
        let (mut scope, kind) = operator.resolve(&call.name, scopes, self.errors);
        scope.open |= call.broken;
        self.push(NodeKind::Operator(kind), inputs, scope, pipe, &call.name, call.text.clone())
    }

    // A sink takes its fields by name, in its own order; what else the pipe has is left out.
    // Refused: a sink that is none, or fed twice; a field that is missing, of another type, or nullable where the sink's is not.
    fn sink(&mut self, name: &Ident, end: usize) -> usize {
        let found = self.flow.ports.iter().enumerate().find(|(_, port)| port.name == *name);
        let Some((index, port)) = found.filter(|(_, port)| port.kind == PortKind::Sink) else {
            self.no_sink(name, found.map(|(_, port)| port));
            return end;
        };
        if let Some(first) = self.fed.insert(name.to_string(), name.clone()) {
            let line = line(first.span());
            self.errors.at(
                name,
                format!("the sink `{name}` is fed twice: first on line {line}\njoin the pipes with `Merge` before it"),
            );
        }
        let scope = self.nodes[end].scope.clone();
        check_sink_fields(port, name, &scope, self.errors);
        let text = format!("sink {name}");
        self.push(NodeKind::Write(index), vec![end], scope, &name.to_string(), name, text)
    }

    fn no_sink(&mut self, name: &Ident, port: Option<&PortTree>) {
        self.lost = true;
        let sinks = self.flow.ports.iter().filter(|port| port.kind == PortKind::Sink);
        let sinks: Vec<String> = sinks.map(|port| port.name.to_string()).collect();
        let near = suggest::did_you_mean(&name.to_string(), sinks.iter().map(String::as_str));
        let list = suggest::list(sinks.iter().map(String::as_str));
        match port {
            Some(port) if port.poisoned => {}
            Some(port) => {
                let kind = port.kind.word();
                self.errors.at(name, format!("a pipe ends in a sink, and `{name}` is a {kind}\nsinks: {list}"));
            }
            None if self.flow.broken => {}
            None => self.errors.at(name, format!("a pipe ends in a sink, and `{name}` is none{near}\nsinks: {list}")),
        }
    }

    fn poisoned(&mut self, word: &Ident) -> usize {
        self.push(NodeKind::Operator(Kind::Poisoned), Vec::new(), Scope::open(), "", word, String::new())
    }

    fn push(
        &mut self,
        kind: NodeKind,
        inputs: Vec<usize>,
        scope: Scope,
        pipe: &str,
        word: &Ident,
        text: String,
    ) -> usize {
        self.nodes.push(Node { kind, inputs, scope, pipe: pipe.to_owned(), trap: None, word: word.clone(), text });
        self.nodes.len() - 1
    }

    fn check_usage(&mut self) {
        if self.lost {
            return;
        }
        for port in &self.flow.ports {
            let name = port.name.to_string();
            match port.kind {
                PortKind::Source | PortKind::Table if !self.used.contains(&name) => {
                    self.errors.at(&port.name, format!("nothing reads the {} `{name}`", port.kind.word()));
                }
                PortKind::Sink if !self.fed.contains_key(&name) => {
                    self.errors
                        .at(&port.name, format!("nothing feeds the sink `{name}`: let a pipe end in `-> {name}`"));
                }
                _ => {}
            }
        }
        for pipe in self.flow.pipes.iter().filter_map(|pipe| pipe.name.as_ref()) {
            if !self.used.contains(&pipe.to_string()) {
                self.errors.at(pipe, format!("nothing uses the pipe `{pipe}`"));
            }
        }
    }
}

fn check_sink_fields(port: &PortTree, word: &Ident, scope: &Scope, errors: &mut Errors) {
    let line = line(word.span());
    for wanted in &port.fields {
        let name = wanted.name.to_string();
        let Some(field) = scope.get(&name) else {
            if !scope.may_have(&name) {
                let message = scope
                    .unknown(&wanted.name)
                    .replace("fields here", &format!("the pipe that ends in `{word}` on line {line} has"));
                errors.at(&wanted.name, message);
            }
            continue;
        };
        if !field.typed.ty.fits(&wanted.typed.ty) {
            let message = format!(
                "`{name}` is {} here, but the pipe that ends in `{word}` on line {line} has {}",
                wanted.typed, field.typed
            );
            errors.at(&wanted.name, message);
        } else if field.typed.nullable && !wanted.typed.nullable && !field.is_poisoned() {
            let why = if field.by_join { ", since an outer join may leave it without a partner" } else { "" };
            let message = format!(
                "`{name}` cannot be null here, but in the pipe that ends in `{word}` on line {line} it can{why}\ndeclare it {}, or put `Assert({name} => NotNull)` before the sink",
                field.typed
            );
            errors.at(&wanted.name, message);
        }
    }
}
