//! Walks back from the sinks: which fields of each operator's output anyone still reads. What nobody reads is never
//! extracted or copied.

use crate::{
    operators::{Kind, Names},
    resolve::{Field, Node, NodeKind},
    syntax::FlowTree,
};

/// For each node, the fields that are read of those that come out of it.
pub(super) fn read(flow: &FlowTree, nodes: &[Node]) -> Vec<Names> {
    let mut read = vec![Names::new(); nodes.len()];
    let of_group = of_group(nodes);
    for index in (0..nodes.len()).rev() {
        let node = &nodes[index];
        for (at, input) in node.inputs.iter().enumerate() {
            let needed = needs(flow, node, at, &read[index]);
            read[*input].extend(needed);
            // What such a row is, only its fields can say when it is trapped: none of them may be missing.
            if of_group[*input] && may_trap(node) {
                read[*input].extend(nodes[*input].scope.names());
            }
        }
        // A group's aggregations are worked out while its rows come in: their arguments are read before it.
        if let NodeKind::Operator(Kind::Every(every)) = &node.kind
            && let Some(group) = group_of(nodes, index)
        {
            let argument = every.argument.iter().map(|field| field.name.to_string());
            read[nodes[group].inputs[0]].extend(argument);
        }
    }
    read
}

/// Whether rows of its input may be trapped at a node: what a sink's target cannot store is.
fn may_trap(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Write(_) => true,
        NodeKind::Operator(Kind::Step(step)) => step.is_counted(),
        _ => false,
    }
}

/// For each node, whether its rows come from a group alone, so that no record stands behind them.
fn of_group(nodes: &[Node]) -> Vec<bool> {
    let mut of_group: Vec<bool> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let is = match &node.kind {
            NodeKind::Operator(Kind::Group(_)) => true,
            NodeKind::Operator(Kind::Join(_)) => of_group[node.inputs[0]],
            _ => !node.inputs.is_empty() && node.inputs.iter().all(|input| of_group[*input]),
        };
        of_group.push(is);
    }
    of_group
}

/// The fields that a node needs of its input `at`, given those that are read of its output.
fn needs(flow: &FlowTree, node: &Node, at: usize, read_behind: &Names) -> Names {
    match &node.kind {
        NodeKind::Read(_) => Names::new(),
        NodeKind::Write(port) => flow.ports[*port].fields.iter().map(|field| field.name.to_string()).collect(),
        NodeKind::Operator(Kind::Step(step)) => step.needs(read_behind),
        NodeKind::Operator(Kind::Join(join)) => match at {
            0 => names(&join.streamed_key).chain(of(&join.streamed, read_behind)).collect(),
            _ => names(&join.held_key).chain(of(&join.held, read_behind)).collect(),
        },
        NodeKind::Operator(Kind::Group(group)) => names(&group.key).collect(),
        NodeKind::Operator(Kind::Every(every)) => {
            read_behind.iter().filter(|name| !every.result.named(name)).cloned().collect()
        }
        NodeKind::Operator(Kind::Merge) => read_behind.clone(),
        NodeKind::Operator(Kind::Poisoned) => Names::new(),
    }
}

fn names(fields: &[Field]) -> impl Iterator<Item = String> + '_ {
    fields.iter().map(|field| field.name.to_string())
}

fn of(fields: &[Field], read: &Names) -> impl Iterator<Item = String> {
    names(fields).filter(|name| read.contains(name)).collect::<Vec<_>>().into_iter()
}

/// The `GroupBy` that an `Every` belongs to.
fn group_of(nodes: &[Node], every: usize) -> Option<usize> {
    let mut node = *nodes[every].inputs.first()?;
    loop {
        match &nodes[node].kind {
            NodeKind::Operator(Kind::Group(_)) => return Some(node),
            NodeKind::Operator(Kind::Every(_)) => node = *nodes[node].inputs.first()?,
            _ => return None,
        }
    }
}
