//! Rust code where an operation goes: a path, a call or a closure. Its results must be typed, since a macro cannot see what
//! it returns.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::Expr;

use super::{Function, Results};
use crate::{
    emit::{RowCode, code, local},
    errors::Errors,
    resolve::Field,
};

#[derive(Clone)]
struct RustCode {
    function: Expr,
}

/// Arguments and results that a function of an `Each` may have.
const ARGUMENTS_MAX: usize = 6;

pub(super) fn parse(each: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Function>> {
    if tokens.is_empty() {
        errors.at(each, "`Each` needs a function");
        return None;
    }
    let function: Expr = errors.keep(syn::parse2(tokens))?;
    match function {
        Expr::Path(_) | Expr::Call(_) | Expr::Closure(_) | Expr::Paren(_) => Some(Box::new(RustCode { function })),
        other => {
            errors.at(other, "expected an operation, a function's path or a closure");
            None
        }
    }
}

impl Function for RustCode {
    // The arguments go in as they are; what the results list says comes out.
    // Refused: results without types; no results at all.
    fn results(
        &self,
        each: &Ident,
        arguments: &[Field],
        results: &Results,
        _open: bool,
        errors: &mut Errors,
    ) -> Option<Vec<Field>> {
        if results.fields.is_empty() {
            errors.at(each, "name and type the results: `=> path: &str`");
            return None;
        }
        if arguments.len() > ARGUMENTS_MAX || results.fields.len() > ARGUMENTS_MAX {
            errors.at(each, format!("a function takes and returns at most {ARGUMENTS_MAX} fields"));
            return None;
        }
        let fields = results.fields.iter().map(|result| match &result.typed {
            Some(typed) => Field::new(&result.name, typed.clone()),
            None => {
                let name = &result.name;
                errors.at(
                    name,
                    format!("`{name}` needs a type, as in `{name}: &str`: what Rust code returns cannot be seen here"),
                );
                Field::poisoned(name)
            }
        });
        Some(fields.collect())
    }

    // Each(request => path_of => path: &str) becomes:
    //     let path: __flow::Text<'_> = match __flow::required_of(__flow::call(path_of, request)) {
    //         Ok(value) => value,
    //         Err(reason) => { <trap: reason> }
    //     };
    //     let path: &str = &path;
    // and with two results: let (a, b) = match __flow::returned_of(…) { … }; then each as above.
    fn emit(&self, arguments: &[Field], results: &[Field], row: &mut RowCode<'_>) -> TokenStream {
        let function = self.function.to_token_stream();
        let names = arguments.iter().map(|field| local(&field.name));
        let call = match arguments.len() {
            1 => code!(__flow::call),
            n => {
                let call = Ident::new(&format!("call{n}"), proc_macro2::Span::mixed_site());
                code!(__flow::#call)
            }
        };
        let value = code!(#call(#function, #(#names),*));
        if let [result] = results {
            return row.bind_returned(result, &value);
        }
        let fail = row.fail(&code!(reason));
        let parts: Vec<Ident> = results.iter().map(|field| local(&field.name)).collect();
        let mut code = code! {
            let (#(#parts),*) = match __flow::returned_of(#value) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(reason) => { #fail }
            };
        };
        for (field, part) in results.iter().zip(&parts) {
            code.extend(row.bind_returned(field, &code!(#part)));
        }
        code
    }

    fn copy(&self) -> Box<dyn Function> {
        Box::new(self.clone())
    }
}
