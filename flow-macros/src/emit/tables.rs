//! What workers share, and what each owns: join tables, group tables, patterns.

use proc_macro2::{Ident, Span, TokenStream};

use super::{code, local, loops::decode::unquoted, ports::option};
use crate::{
    plan::Plan,
    resolve::{Field, NodeKind},
};

/// A variable or a field with the number of its operator: `join_6`.
pub(super) fn numbered(stem: &str, node: usize) -> Ident {
    Ident::new(&format!("{stem}_{node}"), Span::mixed_site())
}

/// A function with the number of its operator: `__read_0`. Items, unlike variables, are in sight of the user's code: the
/// underscores keep them out of its way.
pub(super) fn function_of(stem: &str, node: usize) -> Ident {
    Ident::new(&format!("__{stem}_{node}"), Span::mixed_site())
}

/// A type with the number of its operator: `__Join6`.
pub(super) fn type_of(stem: &str, node: usize) -> Ident {
    Ident::new(&format!("__{stem}{node}"), Span::mixed_site())
}

/// The held fields that somebody reads behind the join.
pub(super) fn held_fields<'a>(plan: &'a Plan<'_>, node: usize) -> Vec<&'a Field> {
    let Some(join) = plan.join(node) else { return Vec::new() };
    join.held.iter().filter(|field| plan.read[node].contains(&field.name.to_string())).collect()
}

// struct __Join6 { region: Option<String> }        a held row: what is read of it
// impl HeapBytes for __Join6 { fn heap_bytes(&self) -> usize { 0 + HeapBytes::heap_bytes(&self.region) } }
// struct __Group8 { count: Count }                 what is gathered for a group
// pub struct __Shared { join_6: JoinTable<__Join6> }
// pub struct __Worker { sequence: u64, key: KeyBuffer, state_2: Pattern, build_6: …, matched_6: …, group_8: … }
pub(super) fn structs(plan: &Plan<'_>) -> TokenStream {
    let held = plan.joins().map(|(node, _)| {
        let name = type_of("Join", node);
        let fields = held_fields(plan, node);
        let names: Vec<Ident> = fields.iter().map(|field| local(&field.name)).collect();
        let types = fields.iter().map(|field| option(&field.typed, field.typed.ty.owned()));
        code! {
            struct #name { #(#names: #types),* }

            impl __flow::HeapBytes for #name {
                fn heap_bytes(&self) -> usize {
                    0 #(+ __flow::HeapBytes::heap_bytes(&self.#names))*
                }
            }
        }
    });
    let gathered = plan.groups().map(|(node, _)| accumulators(plan, node));
    let tables: Vec<TokenStream> = plan
        .joins()
        .map(|(node, _)| {
            let (name, row) = (numbered("join", node), type_of("Join", node));
            code!(#name: __flow::JoinTable<#row>)
        })
        .collect();
    let owned = owned(plan);
    let (names, types, values): (Vec<_>, Vec<_>, Vec<_>) = unzip(owned);
    code! {
        #(#held)*
        #(#gathered)*

        #[derive(::core::default::Default)]
        pub struct __Shared { #(#tables),* }

        pub struct __Worker { #(#names: #types),* }

        impl ::core::default::Default for __Worker {
            fn default() -> Self {
                Self { #(#names: #values),* }
            }
        }
    }
}

/// Name, type and first value of what a worker owns.
type Owned = (Ident, TokenStream, TokenStream);

fn owned(plan: &Plan<'_>) -> Vec<Owned> {
    let default = || code!(::core::default::Default::default());
    let mut owned: Vec<Owned> = Vec::new();
    if plan.joins().next().is_some() || plan.groups().next().is_some() {
        owned.push((Ident::new("key", Span::mixed_site()), code!(__flow::KeyBuffer), default()));
    }
    if plan.joins().next().is_some() {
        owned.push((Ident::new("sequence", Span::mixed_site()), code!(u64), default()));
    }
    for (index, node) in plan.nodes.iter().enumerate() {
        owned.extend(unquoted(plan, index).into_iter().map(|buffer| (buffer.kept, buffer.ty, default())));
        if let NodeKind::Operator(crate::operators::Kind::Step(step)) = &node.kind
            && let Some((ty, value)) = step.state(&plan.read[index])
        {
            owned.push((numbered("state", index), ty, value));
        }
    }
    for (node, join) in plan.joins() {
        let row = type_of("Join", node);
        owned.push((numbered("build", node), code!(__flow::JoinBuild<#row>), default()));
        if join.joiner.keeps_held() {
            owned.push((numbered("matched", node), code!(__flow::Matched), default()));
        }
    }
    for (node, group) in plan.groups() {
        let (row, key) = (type_of("Group", node), key_types(&group.key));
        owned.push((numbered("group", node), code!(__flow::GroupTable<#row>), code!(__flow::GroupTable::new(&[#key]))));
    }
    owned
}

fn unzip(owned: Vec<Owned>) -> (Vec<Ident>, Vec<TokenStream>, Vec<TokenStream>) {
    let mut parts = (Vec::new(), Vec::new(), Vec::new());
    for (name, ty, value) in owned {
        parts.0.push(name);
        parts.1.push(ty);
        parts.2.push(value);
    }
    parts
}

/// The types of a key, for its order: `Type::Text, Type::I64`.
pub(super) fn key_types(key: &[Field]) -> TokenStream {
    let types = key.iter().map(|field| field.typed.ty.plan());
    code!(#(#types),*)
}

// #[derive(Default)] struct __Group8 { count: Count }
// impl Accumulators for __Group8 {
//     fn merge(&mut self, other: Self) { self.count.merge(other.count); }
//     fn encode(&self, bytes: &mut Vec<u8>) { Encode::encode(&self.count, bytes); }
//     fn decode(row: &mut RowReader<'_>) -> Self { Self { count: Decode::decode(row) } }
// }
fn accumulators(plan: &Plan<'_>, group: usize) -> TokenStream {
    let name = type_of("Group", group);
    let every = plan.every_of(group);
    let names: Vec<Ident> = every.iter().map(|(_, every)| local(&every.result.name)).collect();
    let types = every.iter().map(|(_, every)| every.aggregator.accumulator(every.argument.as_ref()));
    code! {
        #[derive(::core::default::Default)]
        struct #name { #(#names: #types),* }

        impl __flow::Accumulators for #name {
            fn merge(&mut self, other: Self) {
                #(self.#names.merge(other.#names);)*
            }

            fn encode(&self, bytes: &mut __flow::OwnedBytes) {
                #(__flow::Encode::encode(&self.#names, bytes);)*
            }

            fn decode(row: &mut __flow::RowReader<'_>) -> Self {
                // In the order of their encoding.
                Self { #(#names: __flow::Decode::decode(row)),* }
            }
        }
    }
}

// fn merge(worker: &mut __Worker, other: __Worker) { worker.group_8.merge(other.group_8); … }
pub(super) fn merge(plan: &Plan<'_>) -> TokenStream {
    let joins = plan.joins().map(|(node, join)| {
        let (build, matched) = (numbered("build", node), numbered("matched", node));
        let matched = join.joiner.keeps_held().then(|| code!(worker.#matched.merge(other.#matched);));
        code! {
            worker.#build.append(other.#build);
            #matched
        }
    });
    let groups = plan.groups().map(|(node, _)| {
        let group = numbered("group", node);
        code!(worker.#group.merge(other.#group);)
    });
    code! {
        fn merge(worker: &mut __Worker, other: __Worker) {
            #(#joins)*
            #(#groups)*
        }
    }
}

// fn tables(shared, worker) -> List<TableMut> {
//     [Frozen { operator: 6, bytes: shared.join_6.held_bytes() }, Join { operator: 6, bytes: worker.build_6.held_bytes() },
//      Groups { operator: 8, groups: &mut worker.group_8 }].into()
// }
pub(super) fn lend(plan: &Plan<'_>) -> TokenStream {
    let joins = plan.joins().map(|(node, join)| {
        let (table, build, matched) = (numbered("join", node), numbered("build", node), numbered("matched", node));
        let matched = join.joiner.keeps_held().then(|| code!(+ worker.#matched.held_bytes()));
        code! {
            __flow::TableMut::Frozen { operator: #node, bytes: shared.#table.held_bytes() },
            __flow::TableMut::Join { operator: #node, bytes: worker.#build.held_bytes() #matched },
        }
    });
    let groups = plan.groups().map(|(node, _)| {
        let group = numbered("group", node);
        code!(__flow::TableMut::Groups { operator: #node, groups: &mut worker.#group },)
    });
    code! {
        fn tables<'a>(shared: &'a __Shared, worker: &'a mut __Worker) -> __flow::List<__flow::TableMut<'a>> {
            ::core::convert::Into::into([#(#joins)* #(#groups)*])
        }
    }
}
