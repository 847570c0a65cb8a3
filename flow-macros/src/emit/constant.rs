//! The plan as a constant: for pictures, checks, the command line and the driver.

use proc_macro2::TokenStream;

use super::{code, plain, ports::handle};
use crate::{
    errors::line,
    operators::{Kind, Names},
    plan::{Drain, Plan, Step},
    resolve::{Field, Node, NodeKind},
    syntax::{FieldTree, PortKind, PortTree, Scheme},
};

// Plan { flow: "AccessLogCounts", about: "…", ports: &[…], operators: &[…], steps: &[…], drains: &[…], hash: … }
pub(super) fn plan(plan: &Plan<'_>) -> TokenStream {
    let flow = plan.flow;
    let (name, about, hash) = (flow.name.to_string(), flow.about.join(" "), flow.hash);
    let ports = flow.ports.iter().enumerate().map(|(index, port)| self::port(port, is_grouped(plan, index)));
    let operators = (0..plan.nodes.len()).map(|node| operator(plan, node));
    let steps = plan.steps.iter().map(|step| match step {
        Step::Read(ports) => code!(__flow::Step::Read(&[#(#ports),*])),
        Step::Drain(drain) => code!(__flow::Step::Drain(#drain)),
    });
    let drains = plan.drains.iter().map(|drain| match drain {
        Drain::Freeze(node) => code!(__flow::Drain::Freeze(#node)),
        Drain::Unmatched(node) => code!(__flow::Drain::Unmatched(#node)),
        Drain::Group(node) => code!(__flow::Drain::Group(#node)),
    });
    code! {
        __flow::Plan {
            flow: #name,
            about: #about,
            ports: &[#(#ports),*],
            operators: &[#(#operators),*],
            steps: &[#(#steps),*],
            drains: &[#(#drains),*],
            hash: #hash,
        }
    }
}

/// Whether the rows of a sink come from a group.
fn is_grouped(plan: &Plan<'_>, port: usize) -> bool {
    let mut reached: Vec<usize> = (0..plan.nodes.len())
        .filter(|node| matches!(plan.nodes[*node].kind, NodeKind::Write(sink) if sink == port))
        .collect();
    while let Some(node) = reached.pop() {
        if plan.group(node).is_some() {
            return true;
        }
        reached.extend(&plan.nodes[node].inputs);
    }
    false
}

fn port(port: &PortTree, grouped: bool) -> TokenStream {
    let (name, about, line) = (plain(&port.name), port.about.join(" "), line(port.name.span()));
    let kind = handle(port.kind);
    let scheme = match port.kind {
        PortKind::Source | PortKind::Table => scheme(&port.scheme),
        PortKind::Sink | PortKind::Trap => String::new(),
    };
    let fields = port.fields.iter().map(sink_field);
    let key = port.key.iter().filter_map(|key| port.fields.iter().position(|field| field.name == *key));
    let covers = port.covers.iter().map(plain);
    code! {
        __flow::PortPlan {
            name: #name,
            kind: __flow::PortKind::#kind,
            about: #about,
            scheme: #scheme,
            fields: &[#(#fields),*],
            key: &[#(#key),*],
            grouped: #grouped,
            covers: &[#(#covers),*],
            line: #line,
        }
    }
}

/// The scheme as a person would write it.
fn scheme(scheme: &Scheme) -> String {
    match scheme {
        Scheme::TextLine => "TextLine".to_owned(),
        Scheme::JsonLine => "JsonLine".to_owned(),
        Scheme::TextDelimited { delimiter, quote, header, strict } => {
            let quote = quote.map(|quote| format!(", quote = {:?}", char::from(quote))).unwrap_or_default();
            let header = if *header { ", header" } else { "" };
            let strict = if *strict { "" } else { ", strict = false" };
            format!("TextDelimited(delimiter = {delimiter:?}{quote}{header}{strict})")
        }
    }
}

fn sink_field(field: &FieldTree) -> TokenStream {
    let (name, nullable, add) = (plain(&field.name), field.typed.nullable, field.add);
    let ty = field.typed.ty.plan();
    let column = match &field.column {
        Some(column) => code!(::core::option::Option::Some(#column)),
        None => code!(::core::option::Option::None),
    };
    code!(__flow::FieldPlan { name: #name, ty: #ty, nullable: #nullable, column: #column, add: #add })
}

fn pipe_field(field: &Field) -> TokenStream {
    let (name, nullable, ty) = (plain(&field.name), field.typed.nullable, field.typed.ty.plan());
    code! {
        __flow::FieldPlan {
            name: #name, ty: #ty, nullable: #nullable, column: ::core::option::Option::None, add: false,
        }
    }
}

fn operator(plan: &Plan<'_>, index: usize) -> TokenStream {
    let node = &plan.nodes[index];
    let (kind, text, line) = (kind(node), node.text.as_str(), line(node.word.span()));
    let pipe = node.pipe.trim_start_matches("r#");
    let inputs = &node.inputs;
    let (port, written) = match node.kind {
        NodeKind::Read(port) => (option_of(Some(port)), false),
        NodeKind::Write(port) => (option_of(Some(port)), true),
        NodeKind::Operator(_) => (option_of(None), false),
    };
    let fields = node.scope.fields.iter().map(pipe_field);
    let no_names = Names::new();
    let names = if written { &no_names } else { &plan.read[index] };
    let read = node.scope.fields.iter().map(|field| names.contains(&field.name.to_string()));
    let balance = balance(node);
    let trap = option_of(node.trap);
    let note = match plan.group(index) {
        Some(group) => group.note(),
        None => String::new(),
    };
    code! {
        __flow::OperatorPlan {
            kind: #kind,
            text: #text,
            pipe: #pipe,
            inputs: &[#(#inputs),*],
            port: #port,
            fields: &[#(#fields),*],
            read: &[#(#read),*],
            balance: __flow::Balance::#balance,
            trap: #trap,
            line: #line,
            note: #note,
        }
    }
}

fn kind(node: &Node) -> String {
    match node.kind {
        NodeKind::Read(_) => "Read".to_owned(),
        NodeKind::Write(_) => "Write".to_owned(),
        NodeKind::Operator(_) => node.word.to_string(),
    }
}

fn balance(node: &Node) -> TokenStream {
    match &node.kind {
        NodeKind::Read(_) | NodeKind::Write(_) => code!(RowByRow),
        NodeKind::Operator(Kind::Step(step)) if step.is_counted() => code!(RowByRow),
        NodeKind::Operator(Kind::Join(_)) => code!(FanOut),
        NodeKind::Operator(Kind::Group(_)) => code!(Group),
        NodeKind::Operator(_) => code!(Through),
    }
}

fn option_of(index: Option<usize>) -> TokenStream {
    match index {
        Some(index) => code!(::core::option::Option::Some(#index)),
        None => code!(::core::option::Option::None),
    }
}
