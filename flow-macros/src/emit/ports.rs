//! The struct with one public field a port, and how its ports are lent to the driver.

use proc_macro2::{Ident, Span, TokenStream};

use super::code;
use crate::{
    plan::Plan,
    syntax::{FlowTree, Path, PortKind, PortTree},
    types::Typed,
};

/// The pipes as text, for the documentation.
pub(super) fn pipeline(plan: &Plan<'_>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut pipe = None;
    for node in plan.nodes.iter().filter(|node| !node.text.is_empty()) {
        if pipe == Some(&node.pipe) {
            lines.push(format!("    -> {}", node.text));
        } else {
            let name = if node.pipe.is_empty() { String::new() } else { format!("{}: ", node.pipe) };
            lines.push(format!("{name}{}", node.text));
        }
        pipe = Some(&node.pipe);
    }
    lines
}

// source log { data: &str }; sink counts { … };  becomes:
//     #[derive(Clone, Debug, Default)]
//     pub struct AccessLogCounts { pub log: Source, pub counts: Sink }
pub(super) fn structure(flow: &FlowTree, pipeline: &[String]) -> TokenStream {
    let (name, visibility) = (&flow.name, &flow.visibility);
    let mut docs: Vec<String> = flow.about.clone();
    if docs.is_empty() {
        docs.push(format!("The flow `{name}`."));
    }
    if !pipeline.is_empty() {
        docs.push(String::new());
        docs.push("```text".to_owned());
        docs.extend(pipeline.iter().cloned());
        docs.push("```".to_owned());
    }
    let docs = docs.iter().map(|line| format!(" {line}"));
    let ports = flow.ports.iter().map(|port| {
        let docs = port_docs(port);
        let (name, handle) = (&port.name, handle(port.kind));
        code!(#(#[doc = #docs])* pub #name: ::flow_runtime::__private::#handle,)
    });
    code! {
        #(#[doc = #docs])*
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default)]
        #[allow(clippy::exhaustive_structs, reason = "whoever binds the ports must name them all")]
        #visibility struct #name { #(#ports)* }
    }
}

fn port_docs(port: &PortTree) -> Vec<String> {
    let fields = port.fields.iter().map(|field| {
        let path = field.path.as_ref().map(Path::written).unwrap_or_default();
        format!("{path}{}: {}", field.name, field.typed)
    });
    let fields: Vec<String> = fields.collect();
    let shape = if fields.is_empty() { String::new() } else { format!(" `{{ {} }}`", fields.join(", ")) };
    let mut docs: Vec<String> = port.about.iter().map(|line| format!(" {line}")).collect();
    if !docs.is_empty() {
        docs.push(String::new());
    }
    docs.push(format!(" The {} `{}`{shape}.", port.kind.word(), port.name));
    docs
}

/// `Source`, `Table`, `Sink`, `Trap`.
pub(super) fn handle(kind: PortKind) -> Ident {
    let name = match kind {
        PortKind::Source => "Source",
        PortKind::Table => "Table",
        PortKind::Sink => "Sink",
        PortKind::Trap => "Trap",
    };
    Ident::new(name, Span::mixed_site())
}

// fn ports(&self) -> PortRefs<'_> { [PortRef::Source(&self.log), …].into() }   and the same to bind
pub(super) fn lend(flow: &FlowTree) -> TokenStream {
    let shared = flow.ports.iter().map(|port| {
        let (name, handle) = (&port.name, handle(port.kind));
        code!(__flow::PortRef::#handle(&self.#name))
    });
    let exclusive = flow.ports.iter().map(|port| {
        let (name, handle) = (&port.name, handle(port.kind));
        code!(__flow::PortMut::#handle(&mut self.#name))
    });
    code! {
        fn ports(&self) -> __flow::List<__flow::PortRef<'_>> {
            ::core::convert::Into::into([#(#shared),*])
        }

        fn ports_mut(&mut self) -> __flow::List<__flow::PortMut<'_>> {
            ::core::convert::Into::into([#(#exclusive),*])
        }
    }
}

/// A field's type as the loops see it: `Option<&str>`.
pub(super) fn variable_type(typed: &Typed) -> TokenStream {
    option(typed, typed.ty.rust(&TokenStream::new()))
}

/// `T`, or `Option<T>` if the field may be null.
pub(super) fn option(typed: &Typed, inner: TokenStream) -> TokenStream {
    if typed.nullable { code!(::core::option::Option<#inner>) } else { inner }
}
