//! The order of an iteration: which ports are read when, and when tables are frozen and drained.
//!
//! ```text
//!   read the ports that no unfrozen join stands before ──► freeze what is complete ──► drain what is complete ──► again
//! ```
//!
//! A port can be read once the held side of every join that its records stream past is frozen. A group or a join's
//! unmatched rows can be drained once all that feeds the table has been read, and every join behind it is frozen.

use std::collections::BTreeSet;

use super::{Drain, Step, users};
use crate::{
    errors::Errors,
    operators::Kind,
    resolve::{Node, NodeKind},
};

/// The steps and the drains they refer to; a flow that cannot be ordered is reported.
pub(super) fn order(nodes: &[Node], errors: &mut Errors) -> (Vec<Step>, Vec<Drain>) {
    let mut order = Order { nodes, read: BTreeSet::new(), drains: Vec::new() };
    let mut steps = Vec::new();
    loop {
        if let Some(drain) = order.next_drain() {
            order.drains.push(drain);
            steps.push(Step::Drain(order.drains.len() - 1));
            continue;
        }
        let ports = order.next_ports();
        if ports.is_empty() {
            break;
        }
        steps.push(Step::Read(ports.iter().map(|(_, port)| *port).collect()));
        order.read.extend(ports.iter().map(|(node, _)| *node));
    }
    order.refuse_rest(errors);
    (steps, order.drains)
}

struct Order<'a> {
    nodes: &'a [Node],
    /// Nodes of ports that have been read.
    read: BTreeSet<usize>,
    drains: Vec<Drain>,
}

impl Order<'_> {
    /// A drain that can be done now and has not been.
    fn next_drain(&self) -> Option<Drain> {
        let candidates = (0..self.nodes.len()).flat_map(|node| match &self.nodes[node].kind {
            NodeKind::Operator(Kind::Join(join)) if join.joiner.keeps_held() => {
                vec![Drain::Freeze(node), Drain::Unmatched(node)]
            }
            NodeKind::Operator(Kind::Join(_)) => vec![Drain::Freeze(node)],
            NodeKind::Operator(Kind::Group(_)) => vec![Drain::Group(node)],
            _ => Vec::new(),
        });
        candidates.into_iter().find(|drain| !self.drains.contains(drain) && self.is_ready(*drain))
    }

    fn is_ready(&self, drain: Drain) -> bool {
        match drain {
            Drain::Freeze(join) => self.nodes[join].inputs.get(1).is_some_and(|held| self.is_complete(*held)),
            Drain::Unmatched(join) => {
                self.is_frozen(join) && self.is_complete(self.nodes[join].inputs[0]) && self.can_flow_from(join)
            }
            Drain::Group(group) => self.is_complete(self.nodes[group].inputs[0]) && self.can_flow_from(group),
        }
    }

    fn is_frozen(&self, join: usize) -> bool {
        self.drains.contains(&Drain::Freeze(join))
    }

    /// Whether all rows that will ever come out of a node have come out.
    fn is_complete(&self, node: usize) -> bool {
        match &self.nodes[node].kind {
            NodeKind::Read(_) => self.read.contains(&node),
            NodeKind::Operator(Kind::Group(_)) => self.drains.contains(&Drain::Group(node)),
            NodeKind::Operator(Kind::Join(join)) => {
                let drained = !join.joiner.keeps_held() || self.drains.contains(&Drain::Unmatched(node));
                drained && self.is_frozen(node) && self.is_complete(self.nodes[node].inputs[0])
            }
            _ => self.nodes[node].inputs.iter().all(|input| self.is_complete(*input)),
        }
    }

    /// Whether every join that rows of `node` stream past is frozen.
    fn can_flow_from(&self, node: usize) -> bool {
        users(self.nodes, node).into_iter().all(|(user, at)| match (&self.nodes[user].kind, at) {
            (NodeKind::Operator(Kind::Group(_)), _) | (NodeKind::Write(_), _) => true,
            (NodeKind::Operator(Kind::Join(_)), 0) => self.is_frozen(user) && self.can_flow_from(user),
            (NodeKind::Operator(Kind::Join(_)), _) => true,
            _ => self.can_flow_from(user),
        })
    }

    /// The ports that can be read now and have not been, each with its node.
    fn next_ports(&self) -> Vec<(usize, usize)> {
        let ports = self.nodes.iter().enumerate().filter_map(|(node, read)| match read.kind {
            NodeKind::Read(port) => Some((node, port)),
            _ => None,
        });
        ports.filter(|(node, _)| !self.read.contains(node) && self.can_flow_from(*node)).collect()
    }

    // A join whose two sides come from one source would need the source twice: once to hold, once to stream.
    fn refuse_rest(&self, errors: &mut Errors) {
        for (index, node) in self.nodes.iter().enumerate() {
            let NodeKind::Operator(Kind::Join(_)) = &node.kind else { continue };
            if self.is_frozen(index) || node.inputs.iter().any(|input| self.waits_behind_a_join(*input, index)) {
                continue;
            }
            let message = "both sides of this join read the same source, which is read only once\ndeclare the held side as a `table` of its own, bound to the same place";
            errors.at(&node.word, message);
        }
    }

    /// Whether another join that cannot be frozen stands before this input: then that one is reported.
    fn waits_behind_a_join(&self, node: usize, join: usize) -> bool {
        let is_waiting = matches!(&self.nodes[node].kind, NodeKind::Operator(Kind::Join(_))) && !self.is_frozen(node);
        (is_waiting && node != join)
            || self.nodes[node].inputs.iter().any(|input| self.waits_behind_a_join(*input, join))
    }
}
