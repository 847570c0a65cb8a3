//! What happens to one row, for the operators: how it fails, how it is dropped, how a field is bound.

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::quote_spanned;
use syn::Lifetime;

use super::{
    code, ends, local, plain,
    ports::{option, variable_type},
    tables::numbered,
};
use crate::{operators::Names, plan::Plan, resolve::Field, types::FieldType};

/// The block that a row is worked on in; leaving it ends the row.
pub(crate) struct RowBlock {
    name: Lifetime,
    is_left: bool,
}

impl RowBlock {
    pub(super) fn new(node: usize) -> Self {
        Self { name: Lifetime::new(&format!("'row_{node}"), proc_macro2::Span::mixed_site()), is_left: false }
    }

    /// The statements as a block, named if something leaves it.
    pub(super) fn wrap(&self, body: &TokenStream) -> TokenStream {
        let name = &self.name;
        if self.is_left { code!(#name: { #body }) } else { code!({ #body }) }
    }

    fn leave(&mut self) -> TokenStream {
        self.is_left = true;
        let name = &self.name;
        code!(break #name;)
    }
}

/// One operator's place in a loop.
pub(crate) struct RowCode<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) node: usize,
    pub(super) block: &'a mut RowBlock,
}

impl RowCode<'_> {
    /// The fields that are read behind the operator.
    pub(crate) fn read_behind(&self) -> &Names {
        &self.plan.read[self.node]
    }

    /// Whether a field that the operator makes is read.
    pub(crate) fn is_read(&self, name: &Ident) -> bool {
        self.read_behind().contains(&name.to_string())
    }

    /// What the worker keeps for the operator.
    pub(crate) fn state(&self) -> TokenStream {
        let state = numbered("state", self.node);
        code!(worker.#state)
    }

    // The row fails: out.trap(3, 2, reason, |_| {}); break 'row_0;
    // or, where no trap reaches: return Err(out.stop(2, reason, |_| {}));
    pub(crate) fn fail(&mut self, reason: &TokenStream) -> TokenStream {
        let node = self.node;
        let row = self.description();
        match self.plan.nodes[node].trap {
            Some(trap) => {
                let leave = self.block.leave();
                code!(out.trap(#trap, #node, #reason, #row); #leave)
            }
            None => self.stop(reason),
        }
    }

    /// The run stops, trap or not.
    pub(crate) fn stop(&self, reason: &TokenStream) -> TokenStream {
        let (node, row) = (self.node, self.description());
        code!(return ::core::result::Result::Err(out.stop(#node, #reason, #row));)
    }

    // The row is dropped on purpose: out.count(4).filtered += 1; break 'row_0;
    pub(crate) fn filter_out(&mut self) -> TokenStream {
        let (node, leave) = (self.node, self.block.leave());
        code!(out.count(#node).filtered += 1; #leave)
    }

    /// Describes a row that comes from a table, not from a record: by the fields that are there.
    fn description(&self) -> TokenStream {
        let inputs = &self.plan.nodes[self.node].inputs;
        let Some(input) = inputs.first().copied().filter(|input| self.plan.drained[*input]) else {
            return code!(|_| {});
        };
        let read = &self.plan.read[input];
        let fields = self.plan.nodes[input].scope.fields.iter().filter(|field| read.contains(&field.name.to_string()));
        let fields = fields.map(|field| {
            let (name, variable) = (plain(&field.name), local(&field.name));
            code!(row.field(#name, &#variable);)
        });
        code!(|row| { #(#fields)* })
    }

    /// Binds a field to the text of a regex group, `text: Option<&str>`.
    pub(crate) fn bind_text(&mut self, field: &Field, text: &TokenStream) -> TokenStream {
        let (name, ty) = (local(&field.name), variable_type(&field.typed));
        match (&field.typed.ty, field.typed.nullable) {
            (FieldType::Text, false) => code!(let #name: #ty = #text.unwrap_or_default();),
            (FieldType::Text, true) => code!(let #name: #ty = #text;),
            _ => self.bind_parsed(field, text),
        }
    }

    // Binds a field to what its type makes of a text, `text: Option<&str>`; an empty one is null for an `Option`:
    //     let size: i64 = match __flow::required(text, ()) { Ok(value) => value, Err(reason) => { <trap> } };
    pub(crate) fn bind_parsed(&mut self, field: &Field, text: &TokenStream) -> TokenStream {
        let (name, ty, format) = (local(&field.name), variable_type(&field.typed), field.typed.ty.format());
        let inner = field.typed.ty.rust(&TokenStream::new());
        let parse = if field.typed.nullable { code!(optional) } else { code!(required) };
        let word = plain(&field.name);
        let fail = self.fail(&code!(reason.of_field(#word)));
        code! {
            let #name: #ty = match __flow::#parse::<#inner>(#text, #format) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(reason) => { #fail }
            };
        }
    }

    // Binds a field to what Rust code returned; `bindings` are the variables that it sees:
    //     let path: Text<'_> = match __flow::Required::<&str, _>::required(value) { Ok(value) => value, Err(reason) => { <trap> } };
    //     let path: &str = &path;
    // All of the call stands in the place of the value, so that what is wrong with its type is reported there.
    pub(crate) fn bind_returned(&mut self, field: &Field, bindings: &TokenStream, value: &TokenStream) -> TokenStream {
        let name = local(&field.name);
        let checked = self.check_returned(field, &name, bindings, value);
        let taken = field.typed.ty.is_borrowed().then(|| self.take_returned(field, &name));
        code!(#checked #taken)
    }

    /// Binds `name` to what Rust code returned for a field, text and bytes perhaps owned.
    pub(crate) fn check_returned(
        &mut self,
        field: &Field,
        name: &Ident,
        bindings: &TokenStream,
        value: &TokenStream,
    ) -> TokenStream {
        let (inner, word) = (field.typed.ty.rust(&TokenStream::new()), plain(&field.name));
        let (start, end) = ends(value);
        let check = match field.typed.nullable {
            true => quote_spanned!(start=> __flow::Optional::<#inner, _>::optional),
            false => quote_spanned!(start=> __flow::Required::<#inner, _>::required),
        };
        let owned = option(&field.typed, field.typed.ty.returned());
        // The code may make a decimal of any scale, the field has one.
        let fit = match (&field.typed.ty, field.typed.nullable) {
            (FieldType::Decimal(precision, scale), false) => code!(.and_then(|value| value.fit(#precision, #scale))),
            (FieldType::Decimal(precision, scale), true) => {
                code!(.and_then(|value| value.map(|value| value.fit(#precision, #scale)).transpose()))
            }
            _ => TokenStream::new(),
        };
        let fail = self.fail(&code!(reason.of_field(#word)));
        let mut argument = Group::new(Delimiter::Parenthesis, value.clone());
        argument.set_span(end);
        let checked = code! {
            match #check #argument #fit {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(reason) => { #fail }
            }
        };
        let checked = if bindings.is_empty() { checked } else { code!({ #bindings #checked }) };
        code! {
            let #name: #owned = #checked;
        }
    }

    /// Binds a field to null.
    pub(crate) fn bind_null(&self, field: &Field) -> TokenStream {
        let (name, ty) = (local(&field.name), variable_type(&field.typed));
        code!(let #name: #ty = ::core::option::Option::None;)
    }

    /// Binds a field to what stands in `from`, borrowed.
    pub(crate) fn take_returned(&self, field: &Field, from: &Ident) -> TokenStream {
        let (name, ty) = (local(&field.name), variable_type(&field.typed));
        let value = match (field.typed.ty.is_borrowed(), field.typed.nullable) {
            (true, true) => code!(#from.as_deref()),
            (true, false) => code!(&#from),
            (false, _) => code!(#from),
        };
        code!(let #name: #ty = #value;)
    }
}
