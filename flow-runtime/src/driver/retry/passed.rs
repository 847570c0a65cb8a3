//! Which records may have left rows behind when they failed: a pure function over the plan.

use crate::{
    Plan,
    plan::{Balance, OperatorPlan, PortKind},
};

/// Whether a record of the source `port`, refused by the operator that is written `operator`, may have given rows elsewhere
/// before: in another branch, or as another match of a join.
///
/// Between the source and the first branch or join nothing else can have come of a record. Who was refused there is known
/// by the operator's text; where that has changed, as in a flow that was mended, it is known only if the source never
/// branches and nothing behind that point traps at all: in a branch, what was mended may have been what trapped.
pub(super) fn may_have_passed(plan: &Plan, port: usize, operator: &str) -> bool {
    let straight = straight(plan, port);
    let is_straight = |index: usize| straight.contains(&index);
    let traps = |(index, operator): &(usize, &OperatorPlan)| operator.trap.is_some() && !is_straight(*index);
    let behind = reached(plan, port);
    let operators = || plan.operators.iter().enumerate();
    let branches = behind.iter().any(|index| users(plan, *index).len() > 1);
    if !branches && !operators().filter(|(index, _)| behind.contains(index)).any(|operator| traps(&operator)) {
        return false;
    }
    let mut same = operators().filter(|(_, plan)| plan.text == operator).peekable();
    same.peek().is_none() || same.any(|(index, _)| !is_straight(index))
}

/// The operators from a source to its first branch, join or group, the last of them included where it branches.
fn straight(plan: &Plan, port: usize) -> Vec<usize> {
    let mut straight: Vec<usize> = first(plan, port).into_iter().collect();
    while let Some(last) = straight.last() {
        let next = users(plan, *last);
        match next.as_slice() {
            [next] if !matches!(plan.operators[*next].balance, Balance::FanOut | Balance::Group) => {
                straight.push(*next)
            }
            _ => break,
        }
    }
    straight
}

/// All operators that rows of a source come to.
fn reached(plan: &Plan, port: usize) -> Vec<usize> {
    let mut reached: Vec<usize> = first(plan, port).into_iter().collect();
    let mut done = 0;
    while let Some(one) = reached.get(done).copied() {
        done += 1;
        for next in users(plan, one) {
            if !reached.contains(&next) {
                reached.push(next);
            }
        }
    }
    reached
}

fn first(plan: &Plan, port: usize) -> Option<usize> {
    debug_assert_eq!(plan.ports[port].kind, PortKind::Source);
    plan.operators.iter().position(|operator| operator.port == Some(port) && operator.inputs.is_empty())
}

fn users(plan: &Plan, of: usize) -> Vec<usize> {
    let uses = plan.operators.iter().enumerate().filter(|(_, operator)| operator.inputs.contains(&of));
    uses.map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PortPlan;

    const LOG: &[PortPlan] = &[PortPlan {
        name: "log",
        kind: PortKind::Source,
        about: "",
        scheme: "",
        fields: &[],
        key: &[],
        grouped: false,
        covers: &[],
        line: 0,
    }];

    const fn operator(text: &'static str, inputs: &'static [usize], trap: Option<usize>) -> OperatorPlan {
        OperatorPlan {
            kind: "Each",
            text,
            pipe: "",
            inputs,
            port: None,
            fields: &[],
            read: &[],
            balance: Balance::RowByRow,
            trap,
            line: 0,
            note: "",
        }
    }

    const fn plan(operators: &'static [OperatorPlan]) -> Plan {
        Plan { flow: "F", about: "", ports: LOG, operators, steps: &[], drains: &[], hash: 0 }
    }

    const READ: OperatorPlan = OperatorPlan { port: Some(0), ..operator("TextLine", &[], None) };

    #[test]
    fn where_nothing_traps_behind_a_branch_nothing_has_passed() {
        static BEFORE_A_JOIN: Plan = plan(&[
            READ,
            operator("A", &[0], Some(1)),
            OperatorPlan { balance: Balance::FanOut, ..operator("Join", &[1], None) },
        ]);
        assert!(!may_have_passed(&BEFORE_A_JOIN, 0, "A as it was before it was mended"));
        static STRAIGHT: Plan = plan(&[READ, operator("A", &[0], Some(1)), operator("B", &[1], Some(1))]);
        assert!(!may_have_passed(&STRAIGHT, 0, "B") && !may_have_passed(&STRAIGHT, 0, "before"));
    }

    #[test]
    fn what_failed_in_a_branch_may_have_passed_in_another() {
        static BRANCHED: Plan =
            plan(&[READ, operator("A", &[0], Some(1)), operator("B", &[1], Some(1)), operator("C", &[1], Some(1))]);
        assert!(!may_have_passed(&BRANCHED, 0, "A"));
        assert!(may_have_passed(&BRANCHED, 0, "B") && may_have_passed(&BRANCHED, 0, "C"));
        assert!(may_have_passed(&BRANCHED, 0, "before"), "nobody knows where it stood");
        static MENDED: Plan = plan(&[READ, operator("B", &[0], None), operator("C mended", &[0], None)]);
        assert!(may_have_passed(&MENDED, 0, "C"), "B may have given its row");
    }

    #[test]
    fn what_failed_behind_a_join_may_have_passed_with_another_match() {
        static JOINED: Plan = plan(&[
            READ,
            operator("A", &[0], Some(1)),
            OperatorPlan { balance: Balance::FanOut, ..operator("Join", &[1], None) },
            operator("C", &[2], Some(1)),
        ]);
        assert!(!may_have_passed(&JOINED, 0, "A") && may_have_passed(&JOINED, 0, "C"));
    }
}
