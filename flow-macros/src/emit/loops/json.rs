//! The fields of a `JsonLine`: values by name, and what each is as a field.

use proc_macro2::TokenStream;

use crate::{
    emit::{RowCode, code, local, plain, ports::variable_type, tables::numbered},
    resolve::Field,
    syntax::PortTree,
    types::FieldType,
};

// JsonLine { "user.id" as user: i64, site: &str, price: Option<f64> } becomes, `site` not read by anyone:
//     const __NAMES: &[__flow::JsonName] = &[ … ];                                              before the loop
//     let [value_0, value_1, value_2] = match __flow::read_json(&record, __NAMES) { Ok(values) => values, Err(reason) => { <trap> } };
//     let user: i64 = match value_0.required().and_then(|value| value.number::<i64>(())) { Ok(value) => value, Err(reason) => { <trap> } };
//     if let Err(reason) = value_1.required().and_then(|value| value.check_text()) { <trap> }
//     let price: Option<f64> = match value_2.optional().map(|value| value.number::<f64>(())).transpose() { … };
pub(super) fn json(tree: &PortTree, row: &mut RowCode<'_>) -> (TokenStream, TokenStream) {
    let names = names(tree);
    let setup = code!(const __NAMES: &[__flow::JsonName] = #names;);
    let values = (0..tree.fields.len()).map(|index| numbered("value", index));
    let fail = row.fail(&code!(reason));
    let mut code = code! {
        let [#(#values),*] = match __flow::read_json(&record, __NAMES) {
            ::core::result::Result::Ok(values) => values,
            ::core::result::Result::Err(reason) => { #fail }
        };
    };
    for (index, field) in row.plan.nodes[row.node].scope.fields.iter().enumerate() {
        code.extend(bind(index, field, row));
    }
    (setup, code)
}

/// Whether a string may have to be unquoted for a field, if somebody reads it or not.
pub(super) fn is_unquoted(field: &Field, is_read: bool) -> bool {
    match field.typed.ty {
        FieldType::Timestamp(_) | FieldType::Date(_) => true,
        FieldType::Text => is_read,
        _ => false,
    }
}

/// Binds a field to its value; one that nobody reads has its value checked.
fn bind(index: usize, field: &Field, row: &mut RowCode<'_>) -> TokenStream {
    let (value, unquoted) = (numbered("value", index), numbered("unquoted", index));
    let (name, ty, word) = (local(&field.name), variable_type(&field.typed), plain(&field.name));
    let (inner, format) = (field.typed.ty.rust(&TokenStream::new()), field.typed.ty.format());
    let is_read = row.is_read(&field.name);
    let taken = match &field.typed.ty {
        FieldType::Bool => code!(value.boolean()),
        FieldType::Timestamp(_) | FieldType::Date(_) => code!(value.time::<#inner>(#format, &mut #unquoted)),
        ty if !ty.takes_any_text() => code!(value.number::<#inner>(#format)),
        _ if is_read => code!(value.text(&mut #unquoted)),
        _ => code!(value.check_text()),
    };
    let taken = match field.typed.nullable {
        true => code!(#value.optional().map(|value| #taken).transpose()),
        false => code!(#value.required().and_then(|value| #taken)),
    };
    let fail = row.fail(&code!(reason.of_field(#word)));
    if field.typed.ty.takes_any_text() && !is_read {
        return code!(if let ::core::result::Result::Err(reason) = #taken { #fail });
    }
    code! {
        let #name: #ty = match #taken {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(reason) => { #fail }
        };
    }
}

/// A name in an object, and the fields that are found by it.
#[derive(Default)]
struct Name {
    name: String,
    field: Option<usize>,
    inner: Vec<Name>,
}

impl Name {
    fn insert(&mut self, path: &[String], field: usize) {
        let Some((first, rest)) = path.split_first() else {
            self.field = Some(field);
            return;
        };
        let known = self.inner.iter().position(|inner| inner.name == *first);
        let at = known.unwrap_or_else(|| {
            self.inner.push(Self { name: first.clone(), ..Self::default() });
            self.inner.len() - 1
        });
        self.inner[at].insert(rest, field);
    }

    // &[JsonName { name: "user", field: None, inner: &[JsonName { name: "id", field: Some(0), inner: &[] }] }]
    fn list(&self) -> TokenStream {
        let names = self.inner.iter().map(|inner| {
            let (name, list) = (&inner.name, inner.list());
            let field = match inner.field {
                Some(field) => code!(::core::option::Option::Some(#field)),
                None => code!(::core::option::Option::None),
            };
            code!(__flow::JsonName { name: #name, field: #field, inner: #list })
        });
        code!(&[#(#names),*])
    }
}

fn names(tree: &PortTree) -> TokenStream {
    let mut root = Name::default();
    for (index, field) in tree.fields.iter().enumerate() {
        root.insert(&field.path_names(), index);
    }
    root.list()
}
