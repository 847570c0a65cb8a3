//! What is printed after a mistake: the messages, and the flow's struct and functions with empty bodies, so that the
//! caller's code stays quiet.

use proc_macro2::TokenStream;

use super::{code, ports, rows};
use crate::syntax::FlowTree;

pub(crate) fn fallback(flow: &FlowTree, report: TokenStream) -> TokenStream {
    let name = &flow.name;
    let structure = ports::structure(flow, &[]);
    let rows = rows::module(flow);
    let lent = ports::lend(flow);
    let word = name.to_string();
    code! {
        #report
        #structure
        #rows
        #[allow(unused_variables, reason = "printed by flow!")]
        const _: () = {
            use ::flow_runtime::__private as __flow;
            impl __flow::Flow for #name {
                const PLAN: &'static __flow::Plan = &__flow::Plan {
                    flow: #word, about: "", ports: &[], operators: &[], steps: &[], drains: &[], hash: 0,
                };
                type Shared = ();
                type Worker = ();
                #lent
                fn read(
                    port: usize, shared: &(), worker: &mut (), block: &__flow::Block<'_>, out: &mut __flow::Output,
                ) -> ::core::result::Result<(), __flow::Stop> {
                    ::core::result::Result::Ok(())
                }
                fn merge(worker: &mut (), other: ()) {}
                fn drain(
                    drain: usize, shared: &mut (), worker: &mut (), out: &mut __flow::Output,
                ) -> ::core::result::Result<(), __flow::Stop> {
                    ::core::result::Result::Ok(())
                }
            }
        };
    }
}
