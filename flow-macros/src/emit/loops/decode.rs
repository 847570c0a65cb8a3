//! The loop over the records of an input port: bytes to fields, by the port's scheme.

use proc_macro2::{Ident, Span, TokenStream};

use super::{
    Loops, RowBlock, counts,
    json::{is_unquoted, json},
};
use crate::{
    emit::{
        RowCode, code, local,
        ports::variable_type,
        tables::{function_of, numbered},
    },
    operators::Names,
    plan::Plan,
    resolve::{Field, NodeKind},
    syntax::{PortTree, Scheme},
    types::FieldType,
};

// fn __read_0(shared, worker, block, out) -> Result<(), Stop> {
//     for record in block.records() { out.at_record(&record); 'row_0: { <fields> <what follows> } }
//     Ok(())
// }
pub(super) fn function(loops: &Loops<'_>, node: usize, port: usize) -> TokenStream {
    let tree = &loops.plan.flow.ports[port];
    let function = function_of("read", node);
    let (before, after) = counts(node);
    let mut block = RowBlock::new(node);
    let mut row = RowCode { plan: loops.plan, node, block: &mut block };
    let (setup, fields) = match &tree.scheme {
        Scheme::TextLine => (TokenStream::new(), line(&mut row)),
        Scheme::JsonLine => json(tree, &mut row),
        scheme => delimited(tree, scheme, &mut row),
    };
    let buffers = unquoted(loops.plan, node);
    let locals: Vec<&Ident> = buffers.iter().map(|buffer| &buffer.local).collect();
    let kept: Vec<&Ident> = buffers.iter().map(|buffer| &buffer.kept).collect();
    let behind = loops.push(node, &mut block);
    let body = block.wrap(&code!(#fields #after #behind));
    let header = matches!(tree.scheme, Scheme::TextDelimited { header: true, .. }).then(|| {
        code! {
            if block.starts_shard() && record.index() == 0 {
                out.count(#node).filtered += 1;
                continue;
            }
        }
    });
    let sequence = loops.plan.joins().next().map(|_| code!(worker.sequence = block.sequence();));
    code! {
        fn #function(
            shared: &__Shared, worker: &mut __Worker, block: &__flow::Block<'_>, out: &mut __flow::Output,
        ) -> ::core::result::Result<(), __flow::Stop> {
            #sequence
            #setup
            #(let mut #locals = ::core::mem::take(&mut worker.#kept);)*
            for record in block.records() {
                out.at_record(&record);
                #before
                #header
                #body
            }
            #(worker.#kept = #locals;)*
            ::core::result::Result::Ok(())
        }
    }
}

// TextLine { data: &str } becomes:
//     let data: &str = match record.text() { Ok(value) => value, Err(reason) => { <trap> } };
fn line(row: &mut RowCode<'_>) -> TokenStream {
    let Some(field) = row.plan.nodes[row.node].scope.fields.first() else { return TokenStream::new() };
    let (name, ty) = (local(&field.name), variable_type(&field.typed));
    match (&field.typed.ty, field.typed.nullable) {
        (FieldType::Bytes, false) => return code!(let #name: #ty = record.bytes();),
        (FieldType::Bytes, true) => {
            return code!(let #name: #ty = (!record.bytes().is_empty()).then_some(record.bytes()););
        }
        _ => {}
    }
    let fail = row.fail(&code!(reason));
    let text = code! {
        match record.text() {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(reason) => { #fail }
        }
    };
    match (&field.typed.ty, field.typed.nullable) {
        (FieldType::Text, false) => code!(let #name: #ty = #text;),
        _ => {
            let parsed = row.bind_parsed(field, &code!(::core::option::Option::Some(cell)));
            code!(let cell: &str = #text; #parsed)
        }
    }
}

// TextDelimited(delimiter = "|") { ip: &str, size: Option<i64> } becomes, `ip` not read by anyone:
//     let mut columns = __SCHEME.columns(&record);
//     if let Err(reason) = columns.skip_text() { <trap> }
//     let cell = match columns.text(&mut unquoted_1) { Ok(value) => value, Err(reason) => { <trap> } };
//     let size: Option<i64> = match __flow::optional(cell, ()) { … };
//     if let Err(reason) = columns.end() { <trap> }
fn delimited(tree: &PortTree, scheme: &Scheme, row: &mut RowCode<'_>) -> (TokenStream, TokenStream) {
    let setup = constant(tree, scheme);
    let mut code = code!(let mut columns = __SCHEME.columns(&record););
    let mut parsed = TokenStream::new();
    for (index, field) in row.plan.nodes[row.node].scope.fields.iter().enumerate() {
        let fail = row.fail(&code!(reason));
        if !is_extracted(field, row.read_behind()) {
            let skip = if field.typed.ty == FieldType::Bytes { code!(skip_bytes) } else { code!(skip_text) };
            code.extend(code!(if let ::core::result::Result::Err(reason) = columns.#skip() { #fail }));
            continue;
        }
        let (cell, unquoted) = (numbered("cell", index), numbered("unquoted", index));
        let method = if field.typed.ty == FieldType::Bytes { code!(bytes) } else { code!(text) };
        code.extend(code! {
            let #cell = match columns.#method(&mut #unquoted) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(reason) => { #fail }
            };
        });
        parsed.extend(bind_cell(field, &cell, row));
    }
    let fail = row.fail(&code!(reason));
    code.extend(code!(if let ::core::result::Result::Err(reason) = columns.end() { #fail }));
    code.extend(parsed);
    (setup, code)
}

/// Where a cell or a string is unquoted that is read: a variable of the loop, and where the worker keeps its allocation.
pub(in crate::emit) struct Unquoted {
    local: Ident,
    pub(in crate::emit) kept: Ident,
    pub(in crate::emit) ty: TokenStream,
}

/// The buffers of an input port, one for each cell or string that is looked at.
pub(in crate::emit) fn unquoted(plan: &Plan<'_>, node: usize) -> Vec<Unquoted> {
    let NodeKind::Read(port) = plan.nodes[node].kind else { return Vec::new() };
    let is_needed = |field: &Field| match plan.flow.ports[port].scheme {
        Scheme::TextLine => false,
        Scheme::TextDelimited { .. } => is_extracted(field, &plan.read[node]),
        Scheme::JsonLine => is_unquoted(field, plan.read[node].contains(&field.name.to_string())),
    };
    let fields = plan.nodes[node].scope.fields.iter().enumerate();
    let read = fields.filter(|(_, field)| is_needed(field));
    let buffers = read.map(|(index, field)| Unquoted {
        local: numbered("unquoted", index),
        kept: Ident::new(&format!("unquoted_{node}_{index}"), Span::mixed_site()),
        ty: if field.typed.ty == FieldType::Bytes { code!(__flow::OwnedBytes) } else { code!(__flow::OwnedText) },
    });
    buffers.collect()
}

/// Whether a cell is looked at: somebody reads it, or its text may be no value of its type.
fn is_extracted(field: &Field, read: &Names) -> bool {
    !field.typed.ty.takes_any_text() || read.contains(&field.name.to_string())
}

/// An empty cell is null for an `Option`, empty text for a `&str`, and nothing for a number.
fn bind_cell(field: &Field, cell: &Ident, row: &mut RowCode<'_>) -> TokenStream {
    let (name, ty) = (local(&field.name), variable_type(&field.typed));
    match (&field.typed.ty, field.typed.nullable) {
        (FieldType::Text | FieldType::Bytes, false) => code!(let #name: #ty = #cell.unwrap_or_default();),
        (FieldType::Text | FieldType::Bytes, true) => code!(let #name: #ty = #cell.filter(|cell| !cell.is_empty());),
        _ => row.bind_parsed(field, &code!(#cell)),
    }
}

fn constant(tree: &PortTree, scheme: &Scheme) -> TokenStream {
    let Scheme::TextDelimited { delimiter, quote, strict, .. } = scheme else { return TokenStream::new() };
    let columns = tree.fields.len();
    let quote = match quote {
        Some(quote) => {
            let quote = syn::LitByte::new(*quote, Span::mixed_site());
            code!(::core::option::Option::Some(#quote))
        }
        None => code!(::core::option::Option::None),
    };
    code! {
        const __SCHEME: __flow::Delimited =
            __flow::Delimited { delimiter: #delimiter, quote: #quote, columns: #columns, strict: #strict };
    }
}
