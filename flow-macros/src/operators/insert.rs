//! `Insert(kb: f64 = size as f64 / 1e3)`: adds fields that are worked out by expressions over the live ones.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::{
    Expr, Token,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use super::{Kind, Names, Operator, Step};
use crate::{
    emit::RowCode,
    errors::Errors,
    operations::expression,
    resolve::{Field, Scope},
    syntax::{parse_all, parse_name},
    types::Typed,
};

struct InsertTree {
    inserted: Vec<Inserted>,
}

#[derive(Clone)]
struct Inserted {
    name: Ident,
    typed: Typed,
    value: Expr,
}

impl Parse for Inserted {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = parse_name(input)?;
        if !input.peek(Token![:]) {
            let message = format!("`{name}` needs its type, as in `{name}: i64 = …`");
            return Err(syn::Error::new(name.span(), message));
        }
        input.parse::<Token![:]>()?;
        let typed = input.parse()?;
        if input.parse::<Option<Token![=]>>()?.is_none() {
            let message = format!("`{name}` needs its value, as in `{name}: {typed} = …`");
            return Err(syn::Error::new(name.span(), message));
        }
        Ok(Self { name, typed, value: input.parse()? })
    }
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    let parser = Punctuated::<Inserted, Token![,]>::parse_terminated;
    let inserted: Vec<Inserted> = errors.keep(parse_all(tokens, name.span(), parser))?.into_iter().collect();
    if inserted.is_empty() {
        errors.at(name, "`Insert` needs a field, as in `Insert(kb: f64 = size as f64 / 1e3)`");
        return None;
    }
    Some(Box::new(InsertTree { inserted }))
}

impl Operator for InsertTree {
    // The new fields go out behind the incoming ones; every expression sees only the incoming ones.
    // Refused: a name that is there already; a name in an expression that was a field but is gone, or is nearly one.
    fn resolve(&self, _name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default();
        let mut reads = Vec::new();
        for inserted in &self.inserted {
            expression::check(&inserted.value, &mut scope, errors);
            reads.push(expression::reads(&inserted.value, &scope));
        }
        let fields = self.inserted.iter().map(|inserted| Field::new(&inserted.name, inserted.typed.clone())).collect();
        let out = scope.extended(fields, errors);
        (out, Kind::Step(Box::new(InsertStep { inserted: self.inserted.clone(), reads })))
    }
}

struct InsertStep {
    inserted: Vec<Inserted>,
    /// The fields that each expression reads.
    reads: Vec<Vec<Ident>>,
}

impl Step for InsertStep {
    fn needs(&self, read_behind: &Names) -> Names {
        let is_new = |name: &String| self.inserted.iter().any(|inserted| inserted.name == name);
        let behind = read_behind.iter().filter(|name| !is_new(name)).cloned();
        self.reads.iter().flatten().map(ToString::to_string).chain(behind).collect()
    }

    fn is_counted(&self) -> bool {
        true
    }

    // Insert(kb: f64 = size as f64 / 1e3) becomes:
    //     let kb: f64 = {
    //         let size = size;
    //         match __flow::Required::<f64, _>::required(size as f64 / 1e3) {
    //             Ok(value) => value,
    //             Err(reason) => { <trap: reason> }
    //         }
    //     };
    fn emit(&self, row: &mut RowCode<'_>) -> TokenStream {
        let values = self.inserted.iter().zip(&self.reads).map(|(inserted, reads)| {
            let field = Field::new(&inserted.name, inserted.typed.clone());
            // `None` alone says nothing of its type.
            if field.typed.nullable && matches!(&inserted.value, Expr::Path(path) if path.path.is_ident("None")) {
                return row.bind_null(&field);
            }
            row.bind_returned(&field, &expression::bindings(reads), &inserted.value.to_token_stream())
        });
        values.collect()
    }
}
