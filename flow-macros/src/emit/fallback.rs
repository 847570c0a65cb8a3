//! What is printed after a mistake: the messages, and the flow's struct and functions with empty bodies, so that the
//! caller's code stays quiet.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;

use super::{code, ports, rows};
use crate::syntax::{FlowTree, PortTree};

pub(crate) fn fallback(flow: &FlowTree, report: TokenStream) -> TokenStream {
    let flow = &printable(flow);
    let name = &flow.name;
    let structure = ports::structure(flow, &[]);
    let rows = (rows::rows_module(flow) != *name).then(|| rows::module(flow));
    let lent = ports::lend(flow);
    let word = name.to_string();
    code! {
        #report
        #[allow(non_camel_case_types, reason = "reported already")]
        #structure
        #rows
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
                ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
                    ::core::result::Result::Ok(__flow::Drained::Wholly)
                }
            }
        };
    }
}

/// The flow's ports, without those whose names collide, and without fields that are there twice.
fn printable(flow: &FlowTree) -> FlowTree {
    let mut seen = BTreeSet::new();
    let is_new = |port: &&PortTree| seen.insert(port.name.to_string());
    let mut ports: Vec<PortTree> = flow.ports.iter().filter(is_new).cloned().collect();
    for port in &mut ports {
        let mut seen = BTreeSet::new();
        port.fields.retain(|field| seen.insert(field.name.to_string()));
    }
    let (visibility, name) = (flow.visibility.clone(), flow.name.clone());
    FlowTree { about: flow.about.clone(), visibility, name, ports, pipes: Vec::new(), broken: true, hash: flow.hash }
}
