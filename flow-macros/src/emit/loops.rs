//! The loops: one function for each input port, each table that is drained, and each place that rows reach from several
//! others.
//!
//! A row is pushed: the code of an operator is followed by that of its users, in place, its fields in local variables
//! that borrow from the record. Where a pipe branches, each branch is a block of its own.

use proc_macro2::TokenStream;

use super::{
    RowCode, code, local, plain,
    ports::variable_type,
    row_code::RowBlock,
    tables::{function_of, held_fields, key_types, numbered, type_of},
};
use crate::{
    operators::{Kind, every::Every, hash_join::Join},
    plan::{Drain, Plan},
    resolve::{Field, NodeKind},
    types::FieldType,
};

pub(super) mod decode;
mod json;

/// Every function of the flow.
pub(super) fn functions(plan: &Plan<'_>) -> TokenStream {
    let loops = Loops { plan };
    let mut functions = TokenStream::new();
    for (node, at) in plan.nodes.iter().enumerate() {
        match &at.kind {
            NodeKind::Read(port) => functions.extend(decode::function(&loops, node, *port)),
            NodeKind::Operator(Kind::Merge) => functions.extend(loops.behind(node)),
            NodeKind::Operator(Kind::Join(join)) => {
                functions.extend(loops.behind(node));
                if join.joiner.keeps_held() {
                    functions.extend(loops.unmatched(node, join));
                }
            }
            NodeKind::Operator(Kind::Group(_)) => functions.extend(loops.groups(node)),
            _ => {}
        }
    }
    functions
}

// fn read(port, …) -> Result<(), Stop> { match port { 0 => __read_0(shared, worker, block, out), …, _ => Ok(()) } }
pub(super) fn read(plan: &Plan<'_>) -> TokenStream {
    let arms = plan.nodes.iter().enumerate().filter_map(|(node, at)| match at.kind {
        NodeKind::Read(port) => {
            let function = function_of("read", node);
            Some(code!(#port => #function(shared, worker, block, out),))
        }
        _ => None,
    });
    code! {
        fn read(
            port: usize,
            shared: &__Shared,
            worker: &mut __Worker,
            block: &__flow::Block<'_>,
            out: &mut __flow::Output,
        ) -> ::core::result::Result<(), __flow::Stop> {
            match port {
                #(#arms)*
                _ => ::core::result::Result::Ok(()),
            }
        }
    }
}

// fn drain(drain, …) -> Result<Drained, Stop> { match drain { 0 => { <freeze> Ok(Wholly) } 1 => __unmatched_6(…), … } }
pub(super) fn drain(plan: &Plan<'_>) -> TokenStream {
    let arms = plan.drains.iter().enumerate().map(|(index, drain)| match drain {
        Drain::Freeze(node) => {
            let (table, build) = (numbered("join", *node), numbered("build", *node));
            let key = plan.join(*node).map(|join| key_types(&join.held_key)).unwrap_or_default();
            code! {
                #index => {
                    shared.#table = __flow::JoinTable::freeze(::core::mem::take(&mut worker.#build), &[#key]);
                    ::core::result::Result::Ok(__flow::Drained::Wholly)
                }
            }
        }
        Drain::Unmatched(node) => {
            let function = function_of("unmatched", *node);
            code!(#index => #function(shared, worker, out),)
        }
        Drain::Group(node) => {
            let function = function_of("groups", *node);
            code!(#index => #function(shared, worker, out),)
        }
    });
    let sequence = plan.joins().next().map(|_| code!(worker.sequence = u64::MAX;));
    code! {
        fn drain(
            drain: usize,
            shared: &mut __Shared,
            worker: &mut __Worker,
            out: &mut __flow::Output,
        ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
            out.at_rows();
            #sequence
            match drain {
                #(#arms)*
                _ => ::core::result::Result::Ok(__flow::Drained::Wholly),
            }
        }
    }
}

struct Loops<'a> {
    plan: &'a Plan<'a>,
}

impl Loops<'_> {
    /// The fields that are read of those that come out of a node.
    fn read_fields(&self, node: usize) -> impl Iterator<Item = &Field> {
        let read = &self.plan.read[node];
        self.plan.nodes[node].scope.fields.iter().filter(|field| read.contains(&field.name.to_string()))
    }

    /// Hands the row that has come out of `node` to everyone who takes it.
    fn push(&self, node: usize, block: &mut RowBlock) -> TokenStream {
        let mut code = TokenStream::new();
        self.push_onto(&mut code, node, block);
        code
    }

    /// The same, appended: code of operators in a row is never copied from one level to the next.
    fn push_onto(&self, code: &mut TokenStream, node: usize, block: &mut RowBlock) {
        match self.plan.users[node].as_slice() {
            [(user, input)] => self.enter(code, *user, *input, node, block),
            users => {
                for (user, input) in users {
                    let mut block = RowBlock::new(*user);
                    let mut body = TokenStream::new();
                    self.enter(&mut body, *user, *input, node, &mut block);
                    code.extend(block.wrap(&body));
                }
            }
        }
    }

    /// What `node` does with a row of its input, and what follows.
    fn enter(&self, code: &mut TokenStream, node: usize, input: usize, from: usize, block: &mut RowBlock) {
        match &self.plan.nodes[node].kind {
            NodeKind::Operator(Kind::Step(step)) => {
                let body = step.emit(&mut RowCode { plan: self.plan, node, block });
                let (before, after) = if step.is_counted() { counts(node) } else { Default::default() };
                code.extend([before, body, after]);
                self.push_onto(code, node, block);
            }
            NodeKind::Operator(Kind::Join(join)) if input == 0 => code.extend(self.probe(node, join)),
            NodeKind::Operator(Kind::Join(join)) => code.extend(self.hold(node, join)),
            NodeKind::Operator(Kind::Group(_)) => code.extend(self.gather(node)),
            NodeKind::Operator(Kind::Every(every)) => {
                code.extend(self.finish(node, every, block));
                self.push_onto(code, node, block);
            }
            NodeKind::Operator(Kind::Merge) => {
                let values: Vec<TokenStream> =
                    self.read_fields(node).map(|field| self.merged_value(field, from)).collect();
                code.extend(self.call_behind(node, &values));
            }
            NodeKind::Write(port) => code.extend(self.write(node, *port, block)),
            NodeKind::Read(_) | NodeKind::Operator(Kind::Poisoned) => {}
        }
    }

    // A field of a branch, `Some` of it where another branch's may be null.
    fn merged_value(&self, field: &Field, from: usize) -> TokenStream {
        let name = local(&field.name);
        let incoming = self.plan.nodes[from].scope.get(&field.name.to_string());
        let is_wrapped = field.typed.nullable && incoming.is_some_and(|incoming| !incoming.typed.nullable);
        if is_wrapped { code!(::core::option::Option::Some(#name)) } else { code!(#name) }
    }

    // Encodes a key:  worker.key.clear(); Encode::encode(&ip, &mut worker.key);
    fn key(&self, fields: &[Field]) -> TokenStream {
        let fields = fields.iter().map(|field| local(&field.name));
        code! {
            worker.key.clear();
            #(__flow::Encode::encode(&#fields, &mut worker.key);)*
        }
    }

    // if let Some(entry) = shared.join_6.find(&worker.key) {
    //     for held in shared.join_6.rows(entry) { __behind_6(shared, worker, out, Some(ip), held.region.as_deref())?; }
    // } else { <null for the held side, or dropped> }
    fn probe(&self, node: usize, join: &Join) -> TokenStream {
        let table = numbered("join", node);
        let key = self.key(&join.streamed_key);
        let mark = join.joiner.keeps_held().then(|| {
            let matched = numbered("matched", node);
            code!(worker.#matched.mark(entry);)
        });
        let met = self.call_behind(node, &self.joined(node, join, true, true));
        let unmet = if join.joiner.keeps_streamed() {
            let call = self.call_behind(node, &self.joined(node, join, true, false));
            code!(out.count(#node).rows_out += 1; #call)
        } else {
            code!(out.count(#node).filtered += 1;)
        };
        code! {
            out.count(#node).rows_in += 1;
            #key
            if let ::core::option::Option::Some(entry) = shared.#table.find(&worker.key) {
                #mark
                for held in shared.#table.rows(entry) {
                    out.count(#node).rows_out += 1;
                    #met
                }
            } else {
                #unmet
            }
        }
    }

    // worker.build_6.push(worker.sequence, &worker.key, __Join6 { region: region.map(Into::into) });
    fn hold(&self, node: usize, join: &Join) -> TokenStream {
        let (build, row) = (numbered("build", node), type_of("Join", node));
        let key = self.key(&join.held_key);
        let fields = held_fields(self.plan, node).into_iter().map(|field| {
            let name = local(&field.name);
            match (field.typed.ty.is_borrowed(), field.typed.nullable) {
                (true, true) => code!(#name: #name.map(::core::convert::Into::into)),
                (true, false) => code!(#name: ::core::convert::Into::into(#name)),
                (false, _) => code!(#name),
            }
        });
        code! {
            #key
            worker.#build.push(worker.sequence, &worker.key, #row { #(#fields),* });
        }
    }

    /// The fields behind a join: from the streamed row, if there is one, and from the held row, if there is one.
    fn joined(&self, node: usize, join: &Join, streamed: bool, held: bool) -> Vec<TokenStream> {
        let fields = self.read_fields(node).map(|field| {
            let name = local(&field.name);
            let is_streamed = join.streamed.iter().find(|other| other.name == field.name);
            let (origin, is_there, value) = match is_streamed {
                Some(origin) => (origin, streamed, code!(#name)),
                None => match join.held.iter().find(|other| other.name == field.name) {
                    Some(origin) => (origin, held, held_value(origin)),
                    None => return TokenStream::new(),
                },
            };
            match (is_there, field.typed.nullable && !origin.typed.nullable) {
                (false, _) => code!(::core::option::Option::None),
                (true, true) => code!(::core::option::Option::Some(#value)),
                (true, false) => value,
            }
        });
        fields.collect()
    }

    // fn __unmatched_6(…) -> Result<Drained, Stop> {
    //     for held in shared.join_6.unmatched(&mut worker.matched_6) { __behind_6(shared, worker, out, None, …)?; }
    //     Ok(worker.matched_6.drained())
    // }
    fn unmatched(&self, node: usize, join: &Join) -> TokenStream {
        let (function, table, matched) =
            (function_of("unmatched", node), numbered("join", node), numbered("matched", node));
        let call = self.call_behind(node, &self.joined(node, join, false, true));
        code! {
            fn #function(
                shared: &__Shared, worker: &mut __Worker, out: &mut __flow::Output,
            ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
                for held in shared.#table.unmatched(&mut worker.#matched) {
                    out.count(#node).rows_out += 1;
                    #call
                }
                ::core::result::Result::Ok(worker.#matched.drained())
            }
        }
    }

    // fn __behind_6(shared, worker, out, ip: Option<&str>) -> Result<(), Stop> { <what follows the join or merge> Ok(()) }
    fn behind(&self, node: usize) -> TokenStream {
        let function = function_of("behind", node);
        let (names, types): (Vec<_>, Vec<_>) =
            self.read_fields(node).map(|field| (local(&field.name), variable_type(&field.typed))).unzip();
        let mut block = RowBlock::new(node);
        let body = self.push(node, &mut block);
        let body = block.wrap(&body);
        code! {
            fn #function(
                shared: &__Shared, worker: &mut __Worker, out: &mut __flow::Output, #(#names: #types),*
            ) -> ::core::result::Result<(), __flow::Stop> {
                #body
                ::core::result::Result::Ok(())
            }
        }
    }

    fn call_behind(&self, node: usize, values: &[TokenStream]) -> TokenStream {
        let function = function_of("behind", node);
        code!(#function(shared, worker, out, #(#values),*)?;)
    }

    // let (group, heap) = worker.group_8.group(&worker.key);
    // group.count.update(); group.bytes.update(Some(size)); group.name.update(Some(name), heap);
    fn gather(&self, node: usize) -> TokenStream {
        let table = numbered("group", node);
        let key = self.plan.group(node).map(|group| self.key(&group.key));
        let updates = self.plan.every_of(node).into_iter().map(|(_, every)| {
            let (name, argument) = (local(&every.result.name), every.aggregator.update(every.argument.as_ref()));
            code!(group.#name.update(#argument);)
        });
        code! {
            out.count(#node).rows_in += 1;
            #key
            let (group, heap) = worker.#table.group(&worker.key);
            #(#updates)*
        }
    }

    // fn __groups_8(…) -> Result<Drained, Stop> {
    //     let groups = worker.group_8.take_loaded();
    //     for (mut key, group) in groups.iter() { let ip: Option<&str> = Decode::decode(&mut key); … }
    //     Ok(worker.group_8.drained())
    // }
    fn groups(&self, node: usize) -> TokenStream {
        let (function, table) = (function_of("groups", node), numbered("group", node));
        let key = self.plan.group(node).map(|group| group.key.as_slice()).unwrap_or_default();
        let decoded = key.iter().map(|field| {
            let (name, ty) = (local(&field.name), variable_type(&field.typed));
            code!(let #name: #ty = __flow::Decode::decode(&mut key);)
        });
        let mut block = RowBlock::new(node);
        let body = self.push(node, &mut block);
        let body = block.wrap(&body);
        code! {
            fn #function(
                shared: &__Shared, worker: &mut __Worker, out: &mut __flow::Output,
            ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
                let groups = worker.#table.take_loaded();
                for (mut key, group) in groups.iter() {
                    #(#decoded)*
                    out.count(#node).rows_out += 1;
                    #body
                }
                ::core::result::Result::Ok(worker.#table.drained())
            }
        }
    }

    // let count: i64 = group.count.finish();      a sum that overflows stops the run; a group of no rows gives no row, so a
    // result is null only where its argument can be
    fn finish(&self, node: usize, every: &Every, block: &mut RowBlock) -> TokenStream {
        let (name, ty) = (local(&every.result.name), variable_type(&every.result.typed));
        let mut value = code!(group.#name.finish());
        if every.aggregator.can_fail() {
            let word = plain(&every.result.name);
            let stop = RowCode { plan: self.plan, node, block: &mut *block }.stop(&code!(reason.of_field(#word)));
            value = code! {
                match #value {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => { #stop }
                }
            };
        }
        if every.argument.is_some() && !every.result.typed.nullable {
            value = code!(#value.unwrap_or_default());
        }
        code!(let #name: #ty = #value;)
    }

    // let row = out.rows[2].row(); Encode::encode(&ip, row); Encode::encode(&count, row);
    // if let Err(reason) = out.accept(2) { <trap> }
    fn write(&self, node: usize, port: usize, block: &mut RowBlock) -> TokenStream {
        let (before, after) = counts(node);
        let fields = self.plan.flow.ports[port].fields.iter().map(|field| local(&field.name));
        let fail = RowCode { plan: self.plan, node, block }.fail(&code!(reason));
        code! {
            #before
            let row = out.rows[#port].row();
            #(__flow::Encode::encode(&#fields, row);)*
            if let ::core::result::Result::Err(reason) = out.accept(#port) { #fail }
            #after
        }
    }
}

/// A field of a held row, borrowed.
fn held_value(field: &Field) -> TokenStream {
    let name = local(&field.name);
    match (&field.typed.ty, field.typed.nullable) {
        (FieldType::Text | FieldType::Bytes, true) => code!(held.#name.as_deref()),
        (FieldType::Text | FieldType::Bytes, false) => code!(&*held.#name),
        _ => code!(held.#name),
    }
}

fn counts(node: usize) -> (TokenStream, TokenStream) {
    (code!(out.count(#node).rows_in += 1;), code!(out.count(#node).rows_out += 1;))
}
