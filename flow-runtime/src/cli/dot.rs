//! A plan as a picture: Graphviz text for `dot -Tsvg`.
//!
//! Boxes are operators, edges carry the fields that are read; what a trap takes and what a join holds is drawn apart.

use crate::{
    Plan,
    cli::explain::{declared_text, field_text, is_read, kind_text, operator_text, pipes, trap_of},
    plan::{Balance, OperatorPlan, PortKind},
};

/// Draws `plan` as Graphviz text.
#[must_use]
pub fn dot(plan: &Plan) -> String {
    let mut lines = vec![
        format!("digraph {} {{", quoted(plan.flow)),
        "  node [shape=box, fontname=\"sans-serif\"];".to_owned(),
        "  edge [fontname=\"sans-serif\", fontsize=10];".to_owned(),
    ];
    for (index, pipe) in pipes(plan).into_iter().enumerate() {
        lines.extend(pipe_lines(plan, index, pipe));
    }
    for (index, port) in plan.ports.iter().enumerate().filter(|(_, port)| port.kind == PortKind::Trap) {
        let label = format!("trap {}\n{}", port.name, declared_text(port));
        lines.push(format!("  port{index} [label={}, style=dashed];", quoted(&label)));
    }
    for (index, operator) in plan.operators.iter().enumerate() {
        lines.extend(edge_lines(plan, index, operator));
    }
    lines.push("}\n".to_owned());
    lines.join("\n")
}

/// The boxes of one pipe; framed if the flow gives the pipe a name.
fn pipe_lines(plan: &Plan, index: usize, pipe: &str) -> Vec<String> {
    let operators = plan.operators.iter().enumerate().filter(|(_, operator)| operator.pipe == pipe);
    let boxes: Vec<String> = operators.map(|(index, operator)| box_line(plan, index, operator)).collect();
    if pipe.is_empty() || plan.port(pipe).is_some() {
        return boxes;
    }
    let opening = format!("  subgraph cluster{index} {{ label={}; color=gray;", quoted(pipe));
    [vec![opening], boxes, vec!["  }".to_owned()]].concat()
}

fn box_line(plan: &Plan, index: usize, operator: &OperatorPlan) -> String {
    match operator.port.and_then(|port| plan.ports.get(port)) {
        Some(port) => {
            let label = format!("{} {}\n{}", kind_text(port.kind), port.name, declared_text(port));
            format!("  op{index} [label={}, style=rounded];", quoted(&label))
        }
        None => format!("  op{index} [label={}];", quoted(&operator_text(operator))),
    }
}

fn edge_lines(plan: &Plan, index: usize, operator: &OperatorPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for (side, input) in operator.inputs.iter().enumerate() {
        let fields = plan.operators.get(*input).map(read_fields).unwrap_or_default();
        let is_held = operator.balance == Balance::FanOut && side > 0;
        let (label, style) = if is_held { (format!("held:\n{fields}"), ", style=bold") } else { (fields, "") };
        lines.push(format!("  op{input} -> op{index} [label={}{style}];", quoted(&label)));
    }
    lines.extend(trap_of(operator).map(|trap| format!("  op{index} -> port{trap} [style=dashed];")));
    lines
}

/// The fields that leave an operator and are read by somebody, one a line.
fn read_fields(operator: &OperatorPlan) -> String {
    let read = operator.fields.iter().enumerate().filter(|(index, _)| is_read(operator, *index));
    read.map(|(_, field)| field_text(field)).collect::<Vec<_>>().join("\n")
}

/// A string as Graphviz reads it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::example::PLAN;

    #[test]
    fn the_access_log_flow_is_drawn_like_this() {
        assert_eq!(dot(&PLAN), include_str!("dot_example.dot"));
    }

    #[test]
    fn quotes_and_backslashes_of_a_pattern_stay_inside_the_label() {
        assert_eq!(quoted("r#\"\\S\"#\nx"), r##""r#\"\\S\"#\nx""##);
    }
}
