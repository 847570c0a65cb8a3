//! The module of row structs, one pair for each input and sink: borrowed as the loops see a row, owned for tests.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};

use super::{code, plain, ports::option};
use crate::syntax::{FlowTree, PortKind, PortTree};

// pub mod access_log_counts {
//     pub struct CountsRow<'a> { pub ip: Option<&'a str>, pub count: i64 }
//     pub struct OwnedCountsRow { pub ip: Option<String>, pub count: i64 }
// }
pub(super) fn module(flow: &FlowTree) -> TokenStream {
    let name = rows_module(flow);
    let about = format!(" Rows of [`{}`](super::{}), for tests.", flow.name, flow.name);
    let visibility = &flow.visibility;
    let mut printed = BTreeSet::new();
    let is_new = |port: &&PortTree| row_names(port).map(|row| printed.insert(row.to_string())) == [true, true];
    let rows = flow.ports.iter().filter(|port| port.kind != PortKind::Trap).filter(is_new).map(rows);
    code! {
        #[doc = #about]
        #[allow(clippy::derive_partial_eq_without_eq, clippy::exhaustive_structs, reason = "a row has its port's fields")]
        #visibility mod #name {
            use ::flow_runtime::__private as __flow;
            #(#rows)*
        }
    }
}

/// The name of the module: the flow's in snake case, with an underscore behind if that is a keyword.
pub(crate) fn rows_module(flow: &FlowTree) -> Ident {
    let name = snake_case(&plain(&flow.name));
    let name = if syn::parse_str::<Ident>(&name).is_ok() { name } else { format!("{name}_") };
    Ident::new(&name, flow.name.span())
}

/// The names of a port's row structs: `LogRow`, borrowed, and `OwnedLogRow`.
pub(crate) fn row_names(port: &PortTree) -> [Ident; 2] {
    let stem = camel_case(&plain(&port.name));
    [format!("{stem}Row"), format!("Owned{stem}Row")].map(|name| Ident::new(&name, port.name.span()))
}

fn rows(port: &PortTree) -> TokenStream {
    let [borrowed, owned] = row_names(port);
    let (kind, name) = (port.kind.word(), plain(&port.name));
    let about_borrowed = format!(" A row of the {kind} `{name}`, borrowed.");
    let about_owned = format!(" A row of the {kind} `{name}`.");
    let names: Vec<&Ident> = port.fields.iter().map(|field| &field.name).collect();
    let docs: Vec<String> = port.fields.iter().map(|field| format!(" The field `{}`.", field.name)).collect();
    let lifetime = code!('a);
    let borrowed_types: Vec<TokenStream> =
        port.fields.iter().map(|field| option(&field.typed, field.typed.ty.rust(&lifetime))).collect();
    let owned_types = port.fields.iter().map(|field| option(&field.typed, field.typed.ty.owned()));
    let generics = if port.fields.iter().any(|field| field.typed.ty.is_borrowed()) { code!(<'a>) } else { code!() };
    let values = port.fields.iter().zip(&borrowed_types).map(|(field, ty)| {
        let name = &field.name;
        let value = code!(<#ty as __flow::Decode<'a>>::decode(row));
        match (field.typed.ty.is_borrowed(), field.typed.nullable) {
            (true, true) => code!(#name: #value.map(::core::convert::Into::into)),
            (true, false) => code!(#name: ::core::convert::Into::into(#value)),
            (false, _) => code!(#name: #value),
        }
    });
    code! {
        #[doc = #about_borrowed]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq)]
        pub struct #borrowed #generics { #(#[doc = #docs] pub #names: #borrowed_types,)* }

        #[doc = #about_owned]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
        pub struct #owned { #(#[doc = #docs] pub #names: #owned_types,)* }

        impl __flow::FromRow for #owned {
            fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
                Self { #(#values),* }
            }
        }
    }
}

/// `AccessLogCounts` → `access_log_counts`
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// `bad_lines` → `BadLines`
pub(crate) fn camel_case(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect::<String>()
    };
    let name: String = words.map(capitalised).collect();
    if name.starts_with(char::is_numeric) { format!("_{name}") } else { name }
}
