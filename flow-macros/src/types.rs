//! The types of fields, as written in a flow, as Rust sees them, and as the plan names them.

use std::fmt;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Ident, LitInt, LitStr, Token, bracketed, parenthesized,
    parse::{Parse, ParseStream},
};

use crate::suggest;

/// The type of a field, without its nullability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Bool,
    I16,
    I32,
    I64,
    F32,
    F64,
    Text,
    Bytes,
    Timestamp(String),
    Date(String),
    Decimal(u8, u8),
    /// Of a field that an earlier mistake has poisoned: it fits everywhere, so that one mistake gives one error.
    Unknown,
}

/// A type as written: `Option<i64>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) ty: FieldType,
    pub(crate) nullable: bool,
}

const NAMES: [&str; 12] =
    ["bool", "i16", "i32", "i64", "f32", "f64", "&str", "&[u8]", "Timestamp", "Date", "Decimal", "Option"];

impl Parse for Typed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Ident) && input.fork().parse::<Ident>()? == "Option" {
            input.parse::<Ident>()?;
            input.parse::<Token![<]>()?;
            let ty = input.parse()?;
            input.parse::<Token![>]>()?;
            return Ok(Self { ty, nullable: true });
        }
        Ok(Self { ty: input.parse()?, nullable: false })
    }
}

impl Parse for FieldType {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![&]) {
            return parse_borrowed(input);
        }
        let name: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), "expected a field type"))?;
        match name.to_string().as_str() {
            "bool" => Ok(Self::Bool),
            "i16" => Ok(Self::I16),
            "i32" => Ok(Self::I32),
            "i64" => Ok(Self::I64),
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            "Timestamp" => Ok(Self::Timestamp(parse_format(&name, input)?)),
            "Date" => Ok(Self::Date(parse_format(&name, input)?)),
            "Decimal" => parse_decimal(&name, input),
            other => Err(unknown_type(&name, other)),
        }
    }
}

/// `&str` or `&[u8]`.
fn parse_borrowed(input: ParseStream<'_>) -> syn::Result<FieldType> {
    input.parse::<Token![&]>()?;
    if input.peek(syn::token::Bracket) {
        let content;
        bracketed!(content in input);
        let element: Ident = content.parse()?;
        if element == "u8" && content.is_empty() {
            return Ok(FieldType::Bytes);
        }
        return Err(syn::Error::new(element.span(), "the only slice that can be a field is `&[u8]`"));
    }
    let name: Ident = input.parse()?;
    if name == "str" { Ok(FieldType::Text) } else { Err(unknown_type(&name, &format!("&{name}"))) }
}

/// `("%d/%b/%Y")`.
fn parse_format(name: &Ident, input: ParseStream<'_>) -> syn::Result<String> {
    if !input.peek(syn::token::Paren) {
        let message = format!("`{name}` needs the format of its text, as in `{name}(\"%Y-%m-%d\")`");
        return Err(syn::Error::new(name.span(), message));
    }
    let content;
    parenthesized!(content in input);
    let format: LitStr = content.parse()?;
    Ok(format.value())
}

/// `(10, 2)`: digits in all, digits after the point.
fn parse_decimal(name: &Ident, input: ParseStream<'_>) -> syn::Result<FieldType> {
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(name.span(), "`Decimal` needs its digits, as in `Decimal(10, 2)`"));
    }
    let content;
    parenthesized!(content in input);
    let precision: LitInt = content.parse()?;
    content.parse::<Token![,]>()?;
    let scale: LitInt = content.parse()?;
    let (digits, after_point): (u8, u8) = (precision.base10_parse()?, scale.base10_parse()?);
    if digits == 0 || digits > 38 || after_point > digits {
        return Err(syn::Error::new(precision.span(), "a decimal has 1 to 38 digits, and no more after the point"));
    }
    Ok(FieldType::Decimal(digits, after_point))
}

fn unknown_type(name: &Ident, written: &str) -> syn::Error {
    if written == "Option" {
        return syn::Error::new(name.span(), "an `Option` holds a type that is none itself, as in `Option<i64>`");
    }
    let hint = match written {
        "String" | "str" => "\ntext is `&str`".to_owned(),
        "u8" | "u16" | "i8" | "u32" | "u64" | "usize" | "isize" => "\nwhole numbers are i16, i32 or i64".to_owned(),
        other => suggest::did_you_mean(other, NAMES),
    };
    syn::Error::new(
        name.span(),
        format!("`{written}` cannot be the type of a field{hint}\ntypes: {}", NAMES.join(", ")),
    )
}

impl FieldType {
    /// The Rust type that expressions see, borrowed with `lifetime`: `&'a str`.
    pub(crate) fn rust(&self, lifetime: &TokenStream) -> TokenStream {
        match self {
            Self::Text => quote!(& #lifetime str),
            Self::Bytes => quote!(& #lifetime [u8]),
            other => other.owned(),
        }
    }

    /// The Rust type that owns its text: `String`.
    pub(crate) fn owned(&self) -> TokenStream {
        match self {
            Self::Bool => quote!(bool),
            Self::I16 => quote!(i16),
            Self::I32 => quote!(i32),
            Self::I64 => quote!(i64),
            Self::F32 => quote!(f32),
            Self::F64 => quote!(f64),
            Self::Text => quote!(__flow::OwnedText),
            Self::Bytes => quote!(__flow::OwnedBytes),
            Self::Timestamp(_) => quote!(__flow::Timestamp),
            Self::Date(_) => quote!(__flow::Date),
            Self::Decimal(..) => quote!(__flow::Decimal),
            Self::Unknown => quote!(()),
        }
    }

    /// What Rust code may return for it before it is borrowed: a `Cow` for text and bytes.
    pub(crate) fn returned(&self) -> TokenStream {
        match self {
            Self::Text => quote!(__flow::Text<'_>),
            Self::Bytes => quote!(__flow::Bytes<'_>),
            other => other.owned(),
        }
    }

    /// The type in the plan: `Type::Text`.
    pub(crate) fn plan(&self) -> TokenStream {
        match self {
            Self::Bool => quote!(__flow::Type::Bool),
            Self::I16 => quote!(__flow::Type::I16),
            Self::I32 => quote!(__flow::Type::I32),
            Self::I64 => quote!(__flow::Type::I64),
            Self::F32 => quote!(__flow::Type::F32),
            Self::F64 => quote!(__flow::Type::F64),
            Self::Text | Self::Unknown => quote!(__flow::Type::Text),
            Self::Bytes => quote!(__flow::Type::Bytes),
            Self::Timestamp(format) => quote!(__flow::Type::Timestamp(#format)),
            Self::Date(format) => quote!(__flow::Type::Date(#format)),
            Self::Decimal(precision, scale) => quote!(__flow::Type::Decimal(#precision, #scale)),
        }
    }

    /// What text is parsed with: `()`, a format, or the digits of a decimal.
    pub(crate) fn format(&self) -> TokenStream {
        match self {
            Self::Timestamp(format) | Self::Date(format) => quote!(#format),
            Self::Decimal(precision, scale) => quote!((#precision, #scale)),
            _ => quote!(()),
        }
    }

    /// Whether two values are equal or not, so that they can be keys; floats are not.
    pub(crate) fn has_equality(&self) -> bool {
        !matches!(self, Self::F32 | Self::F64)
    }

    pub(crate) fn is_borrowed(&self) -> bool {
        matches!(self, Self::Text | Self::Bytes)
    }

    /// Whether every text is a value of this type, so that reading it cannot fail.
    pub(crate) fn takes_any_text(&self) -> bool {
        matches!(self, Self::Text | Self::Bytes | Self::Unknown)
    }

    /// Whether a value of this type can stand where one of `other` is asked for. Formats of times do not matter.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => true,
            (Self::Timestamp(_), Self::Timestamp(_)) | (Self::Date(_), Self::Date(_)) => true,
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::I16 => f.write_str("i16"),
            Self::I32 => f.write_str("i32"),
            Self::I64 => f.write_str("i64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Text => f.write_str("&str"),
            Self::Bytes => f.write_str("&[u8]"),
            Self::Timestamp(format) => write!(f, "Timestamp({format:?})"),
            Self::Date(format) => write!(f, "Date({format:?})"),
            Self::Decimal(precision, scale) => write!(f, "Decimal({precision}, {scale})"),
            Self::Unknown => f.write_str("?"),
        }
    }
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nullable { write!(f, "Option<{}>", self.ty) } else { self.ty.fmt(f) }
    }
}
