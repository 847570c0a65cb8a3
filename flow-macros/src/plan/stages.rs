//! The order of an iteration: which ports are read when, and when tables are frozen and drained.
//!
//! ```text
//!   read the ports that no unfrozen join stands before ──► freeze what is complete ──► drain what is complete ──► again
//! ```
//!
//! A port can be read once the held side of every join that its records stream past is frozen. A group or a join's
//! unmatched rows can be drained once all that feeds the table has been read, and every join behind it is frozen.

use std::collections::BTreeSet;

use super::{Drain, Step};
use crate::{
    errors::Errors,
    operators::Kind,
    resolve::{Node, NodeKind},
};

/// The steps and the drains they refer to; a flow that cannot be ordered is reported.
pub(super) fn order(nodes: &[Node], users: &[Vec<(usize, usize)>], errors: &mut Errors) -> (Vec<Step>, Vec<Drain>) {
    let mut order = Order { nodes, users, read: vec![false; nodes.len()], drains: Vec::new() };
    let mut steps = Vec::new();
    loop {
        let reach = order.reach();
        if let Some(drain) = order.next_drain(&reach) {
            order.drains.push(drain);
            steps.push(Step::Drain(order.drains.len() - 1));
            continue;
        }
        let ports = order.next_ports(&reach);
        if ports.is_empty() {
            break;
        }
        steps.push(Step::Read(ports.iter().map(|(_, port)| *port).collect()));
        ports.iter().for_each(|(node, _)| order.read[*node] = true);
    }
    order.refuse_rest(errors);
    (steps, order.drains)
}

struct Order<'a> {
    nodes: &'a [Node],
    /// For each node, the nodes that take rows from it, each with the index of that input.
    users: &'a [Vec<(usize, usize)>],
    /// For each node, whether it is a port that has been read.
    read: Vec<bool>,
    drains: Vec<Drain>,
}

/// How far an iteration has come, for each node.
struct Reach {
    /// All rows that will ever come out of it have come out.
    is_complete: Vec<bool>,
    /// Every join that its rows stream past is frozen.
    can_flow: Vec<bool>,
}

impl Order<'_> {
    /// One pass from inputs to users, one back.
    fn reach(&self) -> Reach {
        let mut is_complete: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let complete = match &node.kind {
                NodeKind::Read(_) => self.read[index],
                NodeKind::Operator(Kind::Group(_)) => self.drains.contains(&Drain::Group(index)),
                NodeKind::Operator(Kind::Join(join)) => {
                    let drained = !join.joiner.keeps_held() || self.drains.contains(&Drain::Unmatched(index));
                    drained && self.is_frozen(index) && is_complete[node.inputs[0]]
                }
                _ => node.inputs.iter().all(|input| is_complete[*input]),
            };
            is_complete.push(complete);
        }
        let mut can_flow = vec![true; self.nodes.len()];
        for index in (0..self.nodes.len()).rev() {
            can_flow[index] = self.users[index].iter().all(|(user, at)| match (&self.nodes[*user].kind, at) {
                (NodeKind::Operator(Kind::Group(_)), _) | (NodeKind::Write(_), _) => true,
                (NodeKind::Operator(Kind::Join(_)), 0) => self.is_frozen(*user) && can_flow[*user],
                (NodeKind::Operator(Kind::Join(_)), _) => true,
                _ => can_flow[*user],
            });
        }
        Reach { is_complete, can_flow }
    }

    /// A drain that can be done now and has not been.
    fn next_drain(&self, reach: &Reach) -> Option<Drain> {
        let candidates = (0..self.nodes.len()).flat_map(|node| match &self.nodes[node].kind {
            NodeKind::Operator(Kind::Join(join)) if join.joiner.keeps_held() => {
                vec![Drain::Freeze(node), Drain::Unmatched(node)]
            }
            NodeKind::Operator(Kind::Join(_)) => vec![Drain::Freeze(node)],
            NodeKind::Operator(Kind::Group(_)) => vec![Drain::Group(node)],
            _ => Vec::new(),
        });
        candidates.into_iter().find(|drain| !self.drains.contains(drain) && self.is_ready(*drain, reach))
    }

    fn is_ready(&self, drain: Drain, reach: &Reach) -> bool {
        let input =
            |node: usize, at: usize| self.nodes[node].inputs.get(at).is_some_and(|input| reach.is_complete[*input]);
        match drain {
            Drain::Freeze(join) => input(join, 1),
            Drain::Unmatched(join) => self.is_frozen(join) && input(join, 0) && reach.can_flow[join],
            Drain::Group(group) => input(group, 0) && reach.can_flow[group],
        }
    }

    fn is_frozen(&self, join: usize) -> bool {
        self.drains.contains(&Drain::Freeze(join))
    }

    /// The ports that can be read now and have not been, each with its node.
    fn next_ports(&self, reach: &Reach) -> Vec<(usize, usize)> {
        let ports = self.nodes.iter().enumerate().filter_map(|(node, read)| match read.kind {
            NodeKind::Read(port) => Some((node, port)),
            _ => None,
        });
        ports.filter(|(node, _)| !self.read[*node] && reach.can_flow[*node]).collect()
    }

    // A join whose two sides come from one source would need the source twice: once to hold, once to stream. If no join
    // is such, some wait for one another in a circle; the first is reported.
    fn refuse_rest(&self, errors: &mut Errors) {
        let waiting: Vec<usize> = (0..self.nodes.len())
            .filter(|node| {
                matches!(&self.nodes[*node].kind, NodeKind::Operator(Kind::Join(_))) && !self.is_frozen(*node)
            })
            .collect();
        let mut is_told = false;
        for join in &waiting {
            let [streamed, held] = self.nodes[*join].inputs[..] else { continue };
            let (streamed, held) = (self.ports_of(streamed), self.ports_of(held));
            if streamed.iter().any(|port| held.contains(port)) {
                is_told = true;
                let message = "both sides of this join read the same source, which is read only once\ndeclare the held side as a `table` of its own, bound to the same place";
                errors.at(&self.nodes[*join].word, message);
            }
        }
        if let (false, Some(first)) = (is_told, waiting.first()) {
            let message = "this join waits for another that waits for it: what each holds streams past the other\ndeclare one of the held sides as a `table` of its own, bound to the same place";
            errors.at(&self.nodes[*first].word, message);
        }
    }

    /// The input ports, as nodes, that the rows of a node come from.
    fn ports_of(&self, node: usize) -> BTreeSet<usize> {
        let (mut ports, mut seen, mut rest) = (BTreeSet::new(), BTreeSet::new(), vec![node]);
        while let Some(node) = rest.pop() {
            if seen.insert(node) {
                rest.extend(&self.nodes[node].inputs);
                if matches!(self.nodes[node].kind, NodeKind::Read(_)) {
                    ports.insert(node);
                }
            }
        }
        ports
    }
}
