//! Stage 4: prints a planned flow. Nothing here can fail.
//!
//! `ports.rs` prints the struct, `rows.rs` the row structs, `constant.rs` the plan as data, `tables.rs` what is shared
//! and what a worker owns, `loops.rs` the loops, with `row_code.rs` for what happens to one row, `fallback.rs` what is
//! printed after a mistake.

mod constant;
mod fallback;
mod loops;
mod ports;
mod row_code;
mod rows;
mod tables;

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;

use crate::plan::Plan;

pub(crate) use fallback::fallback;
pub(crate) use row_code::RowCode;
pub(crate) use rows::{camel_case, row_names, rows_module};

/// `quote!` whose names are in no sight of the user's code, and cannot see its variables.
macro_rules! code {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}
pub(crate) use code;

/// Names of the loops' own variables, some with a number behind, which no field's variable may take.
const OWN: [&str; 25] = [
    "block", "cell", "columns", "drain", "end", "entry", "group", "groups", "heap", "held", "keep", "key", "matched",
    "other", "out", "part", "port", "reason", "record", "row", "shared", "text", "unquoted", "value", "worker",
];

/// The variable of a field: its own name, out of sight of the user's code, but in its place, for messages.
//
// out -> out_, out_ -> out__, cell_1 -> cell_1_; no two fields meet, since only an underscore is added.
pub(crate) fn local(field: &Ident) -> Ident {
    let mut name = plain(field);
    if OWN.contains(&name.trim_end_matches(|letter: char| letter == '_' || letter.is_ascii_digit())) {
        name.push('_');
    }
    let span = field.span().resolved_at(Span::mixed_site());
    let is_raw = field.to_string().starts_with("r#");
    if is_raw { Ident::new_raw(&name, span) } else { Ident::new(&name, span) }
}

/// A name as text for people and tables: a field `r#type` is the column `type`.
pub(crate) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
}

/// The places of the first and the last token.
pub(crate) fn ends(tokens: &TokenStream) -> (Span, Span) {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

/// Prints the flow: its struct, its rows, its loops.
pub(crate) fn flow(plan: &Plan<'_>) -> TokenStream {
    let name = &plan.flow.name;
    let ports = ports::structure(plan.flow, &ports::pipeline(plan));
    let rows = rows::module(plan.flow);
    let lent = ports::lend(plan.flow);
    let constant = constant::plan(plan);
    let tables = tables::structs(plan);
    let merge = tables::merge(plan);
    let lent_tables = tables::lend(plan);
    let loops = loops::functions(plan);
    let read = loops::read(plan);
    let drain = loops::drain(plan);
    code! {
        #ports
        #rows
        const _: () = {
            use ::flow_runtime::__private as __flow;
            #tables
            #loops
            impl __flow::Flow for #name {
                const PLAN: &'static __flow::Plan = &#constant;
                type Shared = __Shared;
                type Worker = __Worker;
                #lent
                #read
                #merge
                #drain
                #lent_tables
            }
        };
    }
}
