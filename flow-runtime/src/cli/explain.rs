//! A plan as text for people: ports, operators, steps, what is held in memory, remarks.
//!
//! Pure: a [`Plan`] goes in, text comes out. The picture of the same plan is `dot.rs`.

use std::fmt::Write as _;

use crate::{
    Plan,
    plan::{Balance, Drain, FieldPlan, OperatorPlan, PortKind, PortPlan, Step},
    trap::output_fields,
};

/// Longest line of a list of fields.
const WIDTH: usize = 100;

/// Writes down what `plan` does, for a person to read.
#[must_use]
pub fn explain(plan: &Plan) -> String {
    let mut text = format!("{} ({}), plan {:016x}\n", plan.flow, plan.logical_name(), plan.hash);
    for line in plan.about.lines() {
        line_of(&mut text, line.trim());
    }
    line_of(&mut text, "\nPorts");
    for port in plan.ports {
        explain_port(&mut text, port);
    }
    line_of(&mut text, "\nOperators (nobody reads pruned fields, so they are never extracted)");
    for pipe in pipes(plan) {
        explain_pipe(&mut text, plan, pipe);
    }
    line_of(&mut text, "\nSteps of an iteration");
    for (index, step) in plan.steps.iter().enumerate() {
        line_of(&mut text, &format!("  {}. {}", index + 1, step_text(plan, step)));
    }
    section(&mut text, "Held in memory", plan.drains.iter().filter_map(|drain| held_text(plan, drain)));
    section(&mut text, "Notes", plan.operators.iter().filter(|operator| !operator.note.is_empty()).map(note_text));
    text
}

/// `ip: Option<&str> as varchar(100)`.
pub(super) fn field_text(field: &FieldPlan) -> String {
    let FieldPlan { name, ty, nullable, column, add } = field;
    let mut text = if *nullable { format!("{name}: Option<{ty}>") } else { format!("{name}: {ty}") };
    if let Some(column) = column {
        text.push_str(" as ");
        text.push_str(column);
    }
    if *add {
        text.push_str(" add");
    }
    text
}

/// `TextLine`, `key(ip)`, `for hits`: what else is declared of a port.
pub(super) fn declared_text(port: &PortPlan) -> String {
    let names = |indexes: &[usize]| {
        let fields = indexes.iter().filter_map(|index| port.fields.get(*index));
        fields.map(|field| field.name).collect::<Vec<_>>().join(", ")
    };
    match port.kind {
        PortKind::Source | PortKind::Table => port.scheme.to_owned(),
        PortKind::Sink if port.key.is_empty() => "no key".to_owned(),
        PortKind::Sink => format!("key({})", names(port.key)),
        PortKind::Trap if port.covers.is_empty() => "for all that has no other trap".to_owned(),
        PortKind::Trap => format!("for {}", port.covers.join(", ")),
    }
}

/// `source`, `table`, `sink`, `trap`.
pub(super) fn kind_text(kind: PortKind) -> &'static str {
    match kind {
        PortKind::Source => "source",
        PortKind::Table => "table",
        PortKind::Sink => "sink",
        PortKind::Trap => "trap",
    }
}

/// The operator on one line, named as a person would name it.
pub(super) fn operator_text(operator: &OperatorPlan) -> String {
    let text = operator.text.split_whitespace().collect::<Vec<_>>().join(" ");
    match operator.kind {
        "Read" => format!("read {}", operator.pipe),
        "Write" => format!("write {}", operator.pipe),
        _ => text,
    }
}

/// The names of all pipes, in the order of their first operators; the unnamed last part is `""`.
pub(super) fn pipes(plan: &Plan) -> Vec<&'static str> {
    let mut names = Vec::new();
    for operator in plan.operators {
        if !names.contains(&operator.pipe) {
            names.push(operator.pipe);
        }
    }
    names
}

fn explain_port(text: &mut String, port: &PortPlan) {
    line_of(text, &format!("  {} {}: {}", kind_text(port.kind), port.name, declared_text(port)));
    for line in port.about.lines() {
        line_of(text, &format!("    {}", line.trim()));
    }
    list(text, "    ", output_fields(port).iter().map(field_text));
}

fn explain_pipe(text: &mut String, plan: &Plan, pipe: &str) {
    let mut operators = plan.operators.iter().filter(|operator| operator.pipe == pipe).peekable();
    let name = |pipe: &'static str| if pipe.is_empty() { "last part" } else { pipe };
    let mut sources: Vec<&str> = Vec::new();
    for input in operators.peek().iter().flat_map(|first| first.inputs) {
        sources.extend(plan.operators.get(*input).map(|operator| name(operator.pipe)));
    }
    let from = if sources.is_empty() { String::new() } else { format!(", from {}", sources.join(" and ")) };
    line_of(text, &format!("  {}{from}", if pipe.is_empty() { "last part" } else { pipe }));
    for operator in operators {
        explain_operator(text, plan, operator);
    }
}

fn explain_operator(text: &mut String, plan: &Plan, operator: &OperatorPlan) {
    line_of(text, &format!("    {}", operator_text(operator)));
    let (read, pruned): (Vec<_>, Vec<_>) =
        operator.fields.iter().enumerate().partition(|(index, _)| is_read(operator, *index));
    list(text, "      fields  ", read.iter().map(|(_, field)| field_text(field)));
    list(text, "      pruned  ", pruned.iter().map(|(_, field)| field_text(field)));
    if let Some(trap) = trap_of(operator).and_then(|trap| plan.ports.get(trap)) {
        line_of(text, &format!("      trap    {}", trap.name));
    }
}

/// Whether somebody reads the operator's field: a sink takes all of them.
pub(super) fn is_read(operator: &OperatorPlan, field: usize) -> bool {
    operator.kind == "Write" || operator.read.get(field).copied().unwrap_or(true)
}

/// The trap that takes what the operator refuses; what runs through it is never refused.
pub(super) fn trap_of(operator: &OperatorPlan) -> Option<usize> {
    operator.trap.filter(|_| operator.balance != Balance::Through)
}

fn step_text(plan: &Plan, step: &Step) -> String {
    match step {
        Step::Read(ports) => {
            let reads = |port: &usize| {
                plan.operators.iter().position(|operator| operator.kind == "Read" && operator.port == Some(*port))
            };
            let names: Vec<&str> =
                ports.iter().filter_map(|port| plan.ports.get(*port)).map(|port| port.name).collect();
            let starts: Vec<usize> = ports.iter().filter_map(reads).collect();
            format!("read {} on all workers{}", names.join(" and "), ends_text(plan, &starts))
        }
        Step::Drain(drain) => match plan.drains.get(*drain) {
            Some(Drain::Freeze(join)) => format!("freeze the held side of {}", text_at(plan, *join)),
            Some(Drain::Unmatched(join)) => {
                let ends = ends_text(plan, &[*join]);
                format!("push on the held rows that met no partner in {}{ends}", text_at(plan, *join))
            }
            Some(Drain::Group(group)) => {
                let ends = ends_text(plan, &[*group]);
                format!("push on the rows of {}, in the order of their keys{ends}", text_at(plan, *group))
            }
            None => format!("drain {drain}"),
        },
    }
}

/// `, up to GroupBy(ip)`: where rows that leave `starts` come to rest.
fn ends_text(plan: &Plan, starts: &[usize]) -> String {
    let mut ends = Vec::new();
    let mut seen = vec![false; plan.operators.len()];
    for start in starts {
        follow(plan, *start, &mut seen, &mut ends);
    }
    if ends.is_empty() { String::new() } else { format!(", up to {}", ends.join(" and ")) }
}

/// Follows rows from `from` to the tables and sinks in which this step leaves them.
fn follow(plan: &Plan, from: usize, seen: &mut [bool], ends: &mut Vec<String>) {
    for (index, user) in plan.operators.iter().enumerate() {
        for (side, _) in user.inputs.iter().enumerate().filter(|(_, input)| **input == from) {
            let is_held = user.balance == Balance::FanOut && side > 0;
            let is_end = is_held || user.balance == Balance::Group || user.kind == "Write";
            if is_end {
                let text = operator_text(user);
                let end = if is_held { format!("the held side of {text}") } else { text };
                if !ends.contains(&end) {
                    ends.push(end);
                }
            } else if !std::mem::replace(&mut seen[index], true) {
                follow(plan, index, seen, ends);
            }
        }
    }
}

fn held_text(plan: &Plan, drain: &Drain) -> Option<String> {
    match drain {
        Drain::Freeze(join) => {
            let held = plan.operators.get(*join)?.inputs.iter().skip(1).filter_map(|input| plan.operators.get(*input));
            let rows: Vec<String> = held.map(|operator| format!("every row of {}", operator.pipe)).collect();
            Some(format!("{}, for {}: all of it within --memory", rows.join(" and "), text_at(plan, *join)))
        }
        Drain::Unmatched(_) => None,
        Drain::Group(group) => {
            Some(format!("one row for each key of {}: on disk what is beyond --memory", text_at(plan, *group)))
        }
    }
}

fn note_text(operator: &OperatorPlan) -> String {
    let place = if operator.line == 0 { String::new() } else { format!(" (line {})", operator.line) };
    format!("{}{place}: {}", operator_text(operator), operator.note)
}

fn text_at(plan: &Plan, operator: usize) -> String {
    plan.operators.get(operator).map(operator_text).unwrap_or_default()
}

fn section(text: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    for (index, line) in lines.enumerate() {
        if index == 0 {
            line_of(text, &format!("\n{heading}"));
        }
        line_of(text, &format!("  {line}"));
    }
}

/// Writes items after `label`, separated by commas, further lines aligned with the first item.
fn list(text: &mut String, label: &str, items: impl Iterator<Item = String>) {
    let mut line = String::new();
    let mut items = items.peekable();
    while let Some(item) = items.next() {
        if line.is_empty() {
            line.push_str(label);
        } else if line.len() + 1 + item.len() > WIDTH {
            line_of(text, line.trim_end());
            line = " ".repeat(label.len());
        }
        line.push_str(&item);
        line.push_str(if items.peek().is_some() { ", " } else { "" });
    }
    if !line.is_empty() {
        line_of(text, line.trim_end());
    }
}

fn line_of(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::example::PLAN;

    #[test]
    fn the_access_log_flow_reads_like_this() {
        assert_eq!(explain(&PLAN), include_str!("explain_example.txt"));
    }

    #[test]
    fn long_lists_of_fields_are_broken_and_aligned() {
        let mut text = String::new();
        list(&mut text, "  fields  ", (0..12).map(|index| format!("field_{index}: i64")));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert!(lines[1].starts_with("          field_"));
    }

    #[test]
    fn a_plan_without_operators_is_still_explained() {
        let plan = Plan { operators: &[], steps: &[Step::Drain(7)], drains: &[], ..PLAN_OF_NOTHING };
        assert!(explain(&plan).ends_with("Steps of an iteration\n  1. drain 7\n"));
    }

    const PLAN_OF_NOTHING: Plan =
        Plan { flow: "Nothing", about: "", ports: &[], operators: &[], steps: &[], drains: &[], hash: 0 };
}
