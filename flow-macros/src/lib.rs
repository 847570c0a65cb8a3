//! The `flow!` macro: a data flow is parsed, resolved, planned, and printed as one fused native loop.
//!
//! `compile` is the table of contents. Programs take the macro from `flow_runtime`, whose documentation has the
//! language; what generated code calls is `flow_runtime::__private`.

mod emit;
mod errors;
#[cfg(test)]
mod expansion_time;
mod operations;
mod operators;
mod plan;
mod resolve;
#[cfg(test)]
mod soup_tests;
mod suggest;
mod syntax;
#[cfg(test)]
mod tests;
mod types;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// Declares a data flow: a struct with one field a port, and the loops that run it.
///
/// See `flow_runtime` for the language.
#[proc_macro]
pub fn flow(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    compile(tokens.into()).into()
}

/// The stages in order. Each reports what is wrong and goes on with what it has; printing cannot fail.
fn compile(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(flow) = syntax::parse(tokens, &mut errors) else {
        return errors.finish().err().unwrap_or_default();
    };
    let resolved = resolve::resolve(&flow, &mut errors);
    let plan = plan::plan(&flow, &resolved, &mut errors);
    match errors.finish() {
        Ok(()) => emit::flow(&plan),
        Err(report) => emit::fallback(&flow, report),
    }
}
