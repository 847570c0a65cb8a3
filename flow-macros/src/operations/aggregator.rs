//! The aggregators: `Count`, `Sum`, `Min`, `Max`. Each is a row of a table; what they compute is in the runtime.

use proc_macro2::{Ident, TokenStream};

use crate::{
    emit::{code, local},
    errors::Errors,
    resolve::Field,
    suggest,
    types::{FieldType, Typed},
};

/// An aggregator.
pub(crate) struct Aggregator {
    pub(crate) name: &'static str,
    /// Whether it takes an argument.
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Nothing: it counts rows.
    Rows,
    /// A number.
    Number,
    /// Anything that has an order.
    Ordered,
}

const AGGREGATORS: [Aggregator; 4] = [
    Aggregator { name: "Count", takes: Takes::Rows },
    Aggregator { name: "Sum", takes: Takes::Number },
    Aggregator { name: "Min", takes: Takes::Ordered },
    Aggregator { name: "Max", takes: Takes::Ordered },
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    AGGREGATORS.iter().map(|aggregator| aggregator.name)
}

/// The aggregator with this name; what is none is reported.
pub(crate) fn find_aggregator(word: &Ident, errors: &mut Errors) -> Option<&'static Aggregator> {
    let found = AGGREGATORS.iter().find(|aggregator| word == aggregator.name);
    if found.is_none() {
        let near = suggest::did_you_mean(&word.to_string(), names());
        errors.at(word, format!("no aggregator is called `{word}`{near}\naggregators: {}", suggest::list(names())));
    }
    found
}

impl Aggregator {
    // `Count` counts every row, null or not, and is i64. The others leave nulls out; a group of nothing but nulls gives
    // null, so their result is nullable where the argument is. Integers sum to i64.
    // Refused: an argument too many or too few; a type that cannot be summed.
    pub(crate) fn resolve(&self, word: &Ident, arguments: &[Field], errors: &mut Errors) -> Option<Typed> {
        match (self.takes, arguments) {
            (Takes::Rows, []) => Some(Typed { ty: FieldType::I64, nullable: false }),
            (Takes::Rows, [argument, ..]) => {
                let message = format!("`{word}` counts every row and takes no argument: `Every({word} => count)`");
                errors.at(&argument.name, message);
                None
            }
            (_, [argument]) if argument.is_poisoned() => None,
            (Takes::Ordered, [argument]) => Some(argument.typed.clone()),
            (Takes::Number, [argument]) => self.sum(argument, errors),
            _ => {
                errors.at(word, format!("`{word}` takes one field: `Every(size => {word} => result)`"));
                None
            }
        }
    }

    fn sum(&self, argument: &Field, errors: &mut Errors) -> Option<Typed> {
        let nullable = argument.typed.nullable;
        let ty = match argument.typed.ty {
            FieldType::I16 | FieldType::I32 | FieldType::I64 => FieldType::I64,
            FieldType::F32 | FieldType::F64 => FieldType::F64,
            FieldType::Decimal(_, scale) => FieldType::Decimal(38, scale),
            _ => {
                let message = format!("`{}` is {}: `{}` needs a number", argument.name, argument.typed, self.name);
                errors.at(&argument.name, message);
                return None;
            }
        };
        Some(Typed { ty, nullable })
    }

    /// The runtime type that gathers it.
    pub(crate) fn accumulator(&self, argument: Option<&Field>) -> TokenStream {
        let Some(argument) = argument else { return code!(__flow::Count) };
        let ty = &argument.typed.ty;
        match (self.name, ty) {
            ("Sum", FieldType::F32 | FieldType::F64) => code!(__flow::SumFloat),
            ("Sum", FieldType::Decimal(..)) => code!(__flow::SumDecimal),
            ("Sum", _) => code!(__flow::SumInt),
            ("Min", FieldType::Text) => code!(__flow::MinText),
            ("Min", FieldType::Bytes) => code!(__flow::MinBytes),
            ("Max", FieldType::Text) => code!(__flow::MaxText),
            ("Max", FieldType::Bytes) => code!(__flow::MaxBytes),
            ("Min", ty) => generic(&code!(__flow::Min), ty),
            (_, ty) => generic(&code!(__flow::Max), ty),
        }
    }

    /// What its `update` is called with.
    pub(crate) fn update(&self, argument: Option<&Field>) -> TokenStream {
        let Some(argument) = argument else { return TokenStream::new() };
        let name = local(&argument.name);
        let value = if argument.typed.nullable { code!(#name) } else { code!(::core::option::Option::Some(#name)) };
        // What keeps text owns memory that the table has to know of.
        if argument.typed.ty.is_borrowed() { code!(#value, heap) } else { value }
    }

    /// Whether its `finish` can fail.
    pub(crate) fn can_fail(&self) -> bool {
        self.name == "Sum"
    }
}

fn generic(name: &TokenStream, ty: &FieldType) -> TokenStream {
    let ty = ty.owned();
    code!(#name<#ty>)
}
