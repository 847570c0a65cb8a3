//! The counts of an iteration must add up, or it is not sealed.
//!
//! Every row is accounted for from the record that was read to the row that was staged. A difference means that flow
//! itself has lost or doubled rows; no input can cause it.

use crate::{
    Error, Failure, Plan,
    effect::{Mutant, mutant},
    flow::Counts,
    plan::{Balance, OperatorPlan, PortKind},
};

/// What was counted outside the loops: by the driver, at the ports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'a> {
    /// What the loops counted, for each of [`Plan::operators`].
    pub(crate) operators: &'a [Counts],
    /// For each of [`Plan::ports`]: records read, or rows staged.
    pub(crate) ports: &'a [u64],
}

/// Checks every operator by its [`Balance`], every edge between two that count, and every port.
///
/// # Errors
/// [`Error::Imbalance`] with the first operator or port whose counts do not add up.
pub(crate) fn check(plan: &Plan, counted: Counted<'_>) -> Result<(), Error> {
    if mutant(Mutant::CountsNotChecked) {
        return Ok(());
    }
    for (index, operator) in plan.operators.iter().enumerate() {
        let counts = counts_of(counted, index);
        check_operator(operator, counts)?;
        check_edges(plan, counted, operator, counts)?;
        check_port(operator, counts, counted)?;
    }
    check_traps(plan, counted)
}

fn counts_of(counted: Counted<'_>, operator: usize) -> Counts {
    counted.operators.get(operator).copied().unwrap_or_default()
}

fn check_operator(operator: &OperatorPlan, counts: Counts) -> Result<(), Error> {
    let Counts { rows_in, rows_out, filtered, trapped } = counts;
    let left = rows_in.checked_sub(filtered.saturating_add(trapped));
    let (adds_up, rule) = match operator.balance {
        Balance::RowByRow => (left == Some(rows_out), "in = out + filtered + trapped"),
        Balance::Through => (counts == Counts::default(), "it counts nothing"),
        Balance::FanOut => (left.is_some_and(|left| left <= rows_out), "in <= out + filtered + trapped"),
        Balance::Group => (left.is_some_and(|left| rows_out <= left), "out + filtered + trapped <= in"),
    };
    let found = || format!("in {rows_in}, out {rows_out}, filtered {filtered}, trapped {trapped}");
    require(adds_up, || (format!("`{}`", operator.text), format!("{}, but the rule is {rule}", found())))?;
    require(operator.trap.is_some() || trapped == 0, || {
        (format!("`{}`", operator.text), format!("{}, but it has no trap", found()))
    })
}

/// What went out of an operator's inputs must have come in.
fn check_edges(plan: &Plan, counted: Counted<'_>, operator: &OperatorPlan, counts: Counts) -> Result<(), Error> {
    let inputs = match operator.balance {
        // Asked for from below: its users look through it.
        Balance::Through => return Ok(()),
        // The held side is in a table; only the streamed side comes in.
        Balance::FanOut => operator.inputs.get(..1).unwrap_or_default(),
        Balance::RowByRow | Balance::Group => operator.inputs,
    };
    if inputs.is_empty() {
        return Ok(());
    }
    let sent: u64 = inputs.iter().map(|input| rows_from(plan, counted, *input)).sum();
    require(sent == counts.rows_in, || {
        let from: Vec<_> = inputs.iter().filter_map(|input| plan.operators.get(*input)).map(|from| from.text).collect();
        (
            format!("`{}`", operator.text),
            format!("{} rows came in, but {sent} went out of `{}`", counts.rows_in, from.join("` and `")),
        )
    })
}

/// The rows that went out of an operator, or, through those that count nothing, of the ones above it.
fn rows_from(plan: &Plan, counted: Counted<'_>, operator: usize) -> u64 {
    match plan.operators.get(operator) {
        Some(through) if through.balance == Balance::Through => {
            // Inputs come before their users, so this ends; a plan that says otherwise counts as nothing.
            let above = through.inputs.iter().filter(|input| **input < operator);
            above.map(|input| rows_from(plan, counted, *input)).sum()
        }
        _ => counts_of(counted, operator).rows_out,
    }
}

/// A `Read` decodes what the driver read, a `Write` hands on what the driver staged.
fn check_port(operator: &OperatorPlan, counts: Counts, counted: Counted<'_>) -> Result<(), Error> {
    let Some(port) = operator.port else { return Ok(()) };
    let at_port = counted.ports.get(port).copied().unwrap_or(0);
    let (at_operator, what) =
        if operator.inputs.is_empty() { (counts.rows_in, "read") } else { (counts.rows_out, "staged") };
    require(at_port == at_operator, || {
        (format!("`{}`", operator.text), format!("it counted {at_operator} rows, but {at_port} were {what}"))
    })
}

/// Every trap has exactly the rows that its operators refused.
fn check_traps(plan: &Plan, counted: Counted<'_>) -> Result<(), Error> {
    for (port, trap) in plan.ports.iter().enumerate().filter(|(_, port)| port.kind == PortKind::Trap) {
        let operators = plan.operators.iter().enumerate().filter(|(_, operator)| operator.trap == Some(port));
        let refused: u64 = operators.map(|(index, _)| counts_of(counted, index).trapped).sum();
        let staged = counted.ports.get(port).copied().unwrap_or(0);
        require(refused == staged, || {
            (format!("port `{}`", trap.name), format!("{refused} records were refused, but {staged} were staged"))
        })?;
    }
    Ok(())
}

fn require(holds: bool, why: impl FnOnce() -> (String, String)) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    let (place, cause) = why();
    Err(Error::Imbalance(
        Failure::new("the counts do not add up: a fault of flow itself")
            .at(place)
            .cause(cause)
            .help("nothing was published; please report it, with the flow's text"),
    ))
}

#[cfg(test)]
#[path = "balance_tests.rs"]
mod tests;
