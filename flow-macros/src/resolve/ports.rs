//! The rules of ports and of names: what may be declared, before any pipe is looked at.

use std::collections::BTreeMap;

use proc_macro2::Ident;

use super::scope::unique;
use crate::{
    emit,
    errors::{Errors, line},
    operators,
    syntax::{FlowTree, OPTIONS, PortKind, PortTree, Scheme},
    types::FieldType,
};

/// Checks every declaration.
pub(super) fn check(flow: &FlowTree, errors: &mut Errors) {
    check_names(flow, errors);
    for port in &flow.ports {
        unique(&port.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>(), errors);
        check_paths(port, errors);
        match port.kind {
            PortKind::Source | PortKind::Table => check_input(port, errors),
            PortKind::Sink => check_sink(port, errors),
            PortKind::Trap => {}
        }
    }
}

// Every port and pipe has a name of its own. A port's name is an option of the command line, so it may not hide one;
// and no name may be an operator's.
fn check_names(flow: &FlowTree, errors: &mut Errors) {
    let mut seen: BTreeMap<String, &Ident> = BTreeMap::new();
    for name in flow.names() {
        let word = name.to_string();
        if let Some(first) = seen.get(&word) {
            errors.at(name, format!("`{name}` is defined twice: first on line {}", line(first.span())));
            continue;
        }
        if operators::find(&word).is_some() {
            errors.at(name, format!("`{name}` is an operator: choose another name"));
        }
        seen.insert(word, name);
    }
    for port in &flow.ports {
        let word = port.name.to_string();
        if OPTIONS.contains(&word.as_str()) {
            let option = word.replace('_', "-");
            let message =
                format!("`{word}` would hide the option `--{option}` of the command line: choose another name");
            errors.at(&port.name, message);
        }
    }
    check_printed_names(flow, errors);
}

// The flow's rows are in a module of its name in snake case, and named after their ports: log has LogRow and OwnedLogRow.
fn check_printed_names(flow: &FlowTree, errors: &mut Errors) {
    if emit::rows_module(flow) == flow.name {
        let (name, camel) = (&flow.name, emit::camel_case(&flow.name.to_string()));
        errors.at(name, format!("a flow is a type, and `{name}` the module of its rows: write `{camel}`"));
    }
    let mut printed: BTreeMap<String, &Ident> = BTreeMap::new();
    for port in flow.ports.iter().filter(|port| port.kind != PortKind::Trap) {
        for row in emit::row_names(port).map(|row| row.to_string()) {
            match printed.get(&row) {
                Some(first) if **first != port.name => {
                    let name = &port.name;
                    errors.at(
                        name,
                        format!("the rows of `{first}` and of `{name}` would both be called `{row}`: rename one"),
                    );
                }
                _ => {
                    printed.insert(row, &port.name);
                }
            }
        }
    }
}

// Only the values of an object are found by a path, each for one field; and none of them is bytes.
fn check_paths(port: &PortTree, errors: &mut Errors) {
    let is_json = port.scheme == Scheme::JsonLine;
    let mut seen: BTreeMap<Vec<String>, &Ident> = BTreeMap::new();
    for field in port.fields.iter().filter(|_| !port.poisoned) {
        let name = &field.name;
        if is_json && field.typed.ty == FieldType::Bytes {
            errors.at(name, format!("JSON has no bytes\nas text, `{name}` is a `&str`"));
        }
        match &field.path {
            Some(path) if !is_json => {
                let message =
                    format!("only a `JsonLine` finds a field by a path: `{name}` is one of a {}", described(port));
                errors.at(&path.literal, message);
            }
            _ if !is_json => {}
            path => match seen.insert(field.path_names(), name) {
                Some(first) if *first != *name => {
                    let message = format!("`{first}` and `{name}` would be the same value: read it once");
                    match path {
                        Some(path) => errors.at(&path.literal, message),
                        None => errors.at(name, message),
                    }
                }
                _ => {}
            },
        }
    }
}

/// What a port is, for a message.
fn described(port: &PortTree) -> &'static str {
    match (port.kind, &port.scheme) {
        (PortKind::Sink | PortKind::Trap, _) => port.kind.word(),
        (_, Scheme::TextLine) => "`TextLine`",
        (_, Scheme::TextDelimited { .. }) => "`TextDelimited`",
        (_, Scheme::JsonLine) => "`JsonLine`",
    }
}

// A line is one field. Column types and `add` are for sinks.
fn check_input(port: &PortTree, errors: &mut Errors) {
    if let (Scheme::TextLine, [_, second, ..]) = (&port.scheme, port.fields.as_slice()) {
        let message = "`TextLine` gives one field, the line\nfor columns declare `TextDelimited(delimiter = \"…\")`";
        errors.at(&second.name, message);
    }
    for field in &port.fields {
        if field.add {
            errors
                .at(&field.name, format!("`add` is for sinks: `{}` is a field of a {}", field.name, port.kind.word()));
        }
        if field.column.is_some() {
            let message =
                format!("`as` is for the columns of sinks: `{}` is a field of a {}", field.name, port.kind.word());
            errors.at(&field.name, message);
        }
    }
}

// The key names fields of the sink; floats have no equality to merge by. `add` is for numbers outside the key.
fn check_sink(port: &PortTree, errors: &mut Errors) {
    unique(&port.key, errors);
    for name in &port.key {
        match port.fields.iter().find(|field| field.name == *name) {
            None if port.poisoned => {}
            None => {
                let fields: Vec<String> = port.fields.iter().map(|field| field.name.to_string()).collect();
                let near = crate::suggest::did_you_mean(&name.to_string(), fields.iter().map(String::as_str));
                let message = format!("the key `{name}` is no field of the sink{near}\nfields: {}", fields.join(", "));
                errors.at(name, message);
            }
            Some(field) if !field.typed.ty.has_equality() => {
                errors.at(name, format!("`{name}` is {}: floats have no equality to merge by", field.typed));
            }
            Some(_) => {}
        }
    }
    for field in port.fields.iter().filter(|field| field.add) {
        let name = &field.name;
        if port.key.is_empty() {
            errors.at(
                name,
                format!("`{name}` says `add`, but the sink has no key to merge by: `sink {} key(…)`", port.name),
            );
        } else if port.key.contains(name) {
            errors.at(name, format!("`{name}` is part of the key and cannot be added to"));
        } else if !is_number(&field.typed.ty) {
            errors.at(name, format!("`{name}` is {}: only numbers can be added to", field.typed));
        }
    }
}

fn is_number(ty: &FieldType) -> bool {
    use FieldType::{Decimal, F32, F64, I16, I32, I64};
    matches!(ty, I16 | I32 | I64 | F32 | F64 | Decimal(..))
}
