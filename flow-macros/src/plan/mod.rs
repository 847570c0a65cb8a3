//! Stage 3: cuts the graph where a loop must end, and finds which fields anyone still reads.

mod liveness;
mod stages;

use crate::{
    errors::Errors,
    operators::{Kind, Names, every::Every, group_by::Group, hash_join::Join},
    resolve::{Node, NodeKind, Resolved},
    syntax::FlowTree,
};

/// A flow that can be printed.
pub(crate) struct Plan<'a> {
    pub(crate) flow: &'a FlowTree,
    pub(crate) nodes: &'a [Node],
    /// For each node, the fields that somebody reads of those that come out.
    pub(crate) read: Vec<Names>,
    /// For each node, whether its rows can come from a table being drained rather than from a record.
    pub(crate) drained: Vec<bool>,
    /// For each node, the nodes that take rows from it, each with the index of that input.
    pub(crate) users: Vec<Vec<(usize, usize)>>,
    pub(crate) steps: Vec<Step>,
    pub(crate) drains: Vec<Drain>,
}

/// One step of an iteration.
pub(crate) enum Step {
    /// Read these ports to their end.
    Read(Vec<usize>),
    /// Do this drain, by its index.
    Drain(usize),
}

/// What is done with a table when all that feeds it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    /// Freeze the held side of this join.
    Freeze(usize),
    /// Push on the held rows of this join that met no partner.
    Unmatched(usize),
    /// Push on the rows of this group.
    Group(usize),
}

/// Plans a resolved flow.
pub(crate) fn plan<'a>(flow: &'a FlowTree, resolved: &'a Resolved, errors: &mut Errors) -> Plan<'a> {
    let nodes = resolved.nodes.as_slice();
    let users = users(nodes);
    let (steps, drains) = stages::order(nodes, &users, errors);
    Plan { flow, nodes, read: liveness::read(flow, nodes), drained: drained(nodes), users, steps, drains }
}

fn drained(nodes: &[Node]) -> Vec<bool> {
    let mut drained = vec![false; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let here = match &node.kind {
            NodeKind::Operator(Kind::Group(_)) => true,
            NodeKind::Operator(Kind::Join(join)) => join.joiner.keeps_held(),
            _ => false,
        };
        drained[index] = here || node.inputs.iter().any(|input| drained[*input]);
    }
    drained
}

/// For each node, the nodes that take rows from it, each with the index of that input.
fn users(nodes: &[Node]) -> Vec<Vec<(usize, usize)>> {
    let mut users = vec![Vec::new(); nodes.len()];
    for (user, node) in nodes.iter().enumerate() {
        for (at, input) in node.inputs.iter().enumerate() {
            users[*input].push((user, at));
        }
    }
    users
}

impl Plan<'_> {
    /// The aggregations of a group: the `Every`s right behind it.
    pub(crate) fn every_of(&self, group: usize) -> Vec<(usize, &Every)> {
        let mut found = Vec::new();
        let mut node = group;
        while let [(user, _)] = self.users[node][..] {
            let NodeKind::Operator(Kind::Every(every)) = &self.nodes[user].kind else { break };
            found.push((user, every));
            node = user;
        }
        found
    }

    /// The join at a node, if there is one.
    pub(crate) fn join(&self, node: usize) -> Option<&Join> {
        match &self.nodes[node].kind {
            NodeKind::Operator(Kind::Join(join)) => Some(join),
            _ => None,
        }
    }

    /// The group at a node, if there is one.
    pub(crate) fn group(&self, node: usize) -> Option<&Group> {
        match &self.nodes[node].kind {
            NodeKind::Operator(Kind::Group(group)) => Some(group),
            _ => None,
        }
    }

    pub(crate) fn joins(&self) -> impl Iterator<Item = (usize, &Join)> {
        (0..self.nodes.len()).filter_map(|node| self.join(node).map(|join| (node, join)))
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = (usize, &Group)> {
        (0..self.nodes.len()).filter_map(|node| self.group(node).map(|group| (node, group)))
    }
}
