//! Which trap takes what an operator refuses: a trap belongs to what the flow names.
//!
//! `trap t for hits, hosts, counts` covers the operators of the pipe `hits`, the decoding of the port `hosts`, and what
//! the sink `counts` refuses; `trap t` covers all that has no other. The decoding of a source that is not named belongs to
//! the trap of the pipes that read it, if they have one in common.

use std::collections::BTreeMap;

use super::{Node, NodeKind};
use crate::{
    errors::{Errors, line},
    suggest,
    syntax::{FlowTree, PortKind, PortTree},
};

/// Gives every node its trap.
pub(super) fn assign(flow: &FlowTree, nodes: &mut [Node], errors: &mut Errors) {
    let traps = flow.ports.iter().enumerate().filter(|(_, port)| port.kind == PortKind::Trap);
    let mut covered: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = None;
    for (index, trap) in traps {
        if trap.covers.is_empty() {
            match all {
                None => all = Some(index),
                Some(first) => twice(trap, &flow.ports[first], errors),
            }
        }
        for name in &trap.covers {
            if !exists(flow, &name.to_string()) {
                if !flow.broken {
                    unknown(flow, name, errors);
                }
            } else if let Some(first) = covered.insert(name.to_string(), index) {
                errors.at(name, format!("`{name}` has a trap already: `{}`", flow.ports[first].name));
            }
        }
    }
    for node in nodes.iter_mut() {
        node.trap = covered.get(&node.pipe).copied();
    }
    for index in 0..nodes.len() {
        if nodes[index].trap.is_none() && matches!(nodes[index].kind, NodeKind::Read(_)) {
            nodes[index].trap = common_trap(nodes, index);
        }
    }
    if let Some(all) = all {
        if nodes.iter().all(|node| node.trap.is_some()) {
            let name = &flow.ports[all].name;
            errors.at(name, format!("nothing is left for the trap `{name}`: everything has another"));
        }
        for node in nodes {
            node.trap.get_or_insert(all);
        }
    }
}

/// The trap that all operators have that read from `read`.
fn common_trap(nodes: &[Node], read: usize) -> Option<usize> {
    let mut users = nodes.iter().filter(|node| node.inputs.contains(&read));
    let first = users.next()?.trap?;
    users.all(|user| user.trap == Some(first)).then_some(first)
}

fn exists(flow: &FlowTree, name: &str) -> bool {
    let is_port = |port: &PortTree| port.kind != PortKind::Trap && port.name == name;
    flow.ports.iter().any(is_port) || flow.pipes.iter().any(|pipe| pipe.name.as_ref().is_some_and(|pipe| pipe == name))
}

fn unknown(flow: &FlowTree, name: &proc_macro2::Ident, errors: &mut Errors) {
    let ports = flow.ports.iter().filter(|port| port.kind != PortKind::Trap).map(|port| port.name.to_string());
    let pipes = flow.pipes.iter().filter_map(|pipe| pipe.name.as_ref()).map(ToString::to_string);
    let names: Vec<String> = pipes.chain(ports).collect();
    let near = suggest::did_you_mean(&name.to_string(), names.iter().map(String::as_str));
    let list = suggest::list(names.iter().map(String::as_str));
    errors.at(name, format!("a trap for `{name}`, but no pipe or port has this name{near}\npipes and ports: {list}"));
}

fn twice(trap: &PortTree, first: &PortTree, errors: &mut Errors) {
    let line = line(first.name.span());
    let message = format!(
        "this trap takes nothing: `{}` on line {line} covers everything already\nsay what each covers: `trap {} for …`",
        first.name, trap.name
    );
    errors.at(&trap.name, message);
}
