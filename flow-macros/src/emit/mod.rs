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

/// The variable of a field: its own name, out of sight of the user's code.
//
// out -> out_, out_ -> out__, cell_1 -> cell_1_; no two fields meet, since only an underscore is added.
pub(crate) fn local(field: &Ident) -> Ident {
    let mut name = field.to_string();
    if OWN.contains(&name.trim_end_matches(|letter: char| letter == '_' || letter.is_ascii_digit())) {
        name.push('_');
    }
    match name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, Span::mixed_site()),
        None => Ident::new(&name, Span::mixed_site()),
    }
}

/// A name as text for people and tables: a field `r#type` is the column `type`.
pub(crate) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
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
        #[allow(
            missing_debug_implementations, missing_docs, unreachable_pub, unused_mut, unused_variables, clippy::all,
            clippy::pedantic, reason = "printed by flow!"
        )]
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
