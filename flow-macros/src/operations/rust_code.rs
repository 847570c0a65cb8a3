//! Rust code where an operation goes: a path, a call or a closure. Its results must be typed, since a macro cannot see what
//! it returns.

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Expr, parse::Parse as _};

use super::{Arguments, Function, Results};
use crate::{
    emit::{RowCode, code, ends, local},
    errors::Errors,
    resolve::Field,
    syntax::parse_all,
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
    let function: Expr = errors.keep(parse_all(tokens, each.span(), Expr::parse))?;
    match function {
        Expr::Path(_) | Expr::Call(_) | Expr::Closure(_) | Expr::Paren(_) | Expr::Group(_) => {
            Some(Box::new(RustCode { function }))
        }
        other => {
            errors.at(other, "expected an operation, a function's path or a closure");
            None
        }
    }
}

impl RustCode {
    // path_of(request), and of a closure __flow::call(|request| …, request): only the bound of `call` tells the compiler
    // the type of its parameters. All of it stands in the function's place, so that rustc's messages underline that.
    fn call(&self, arguments: &[Field]) -> TokenStream {
        let function = self.function.to_token_stream();
        let (start, end) = ends(&function);
        let names: Vec<Ident> = arguments.iter().map(|field| local(&field.name)).collect();
        let is_closure = matches!(self.function, Expr::Closure(_) | Expr::Paren(_));
        let (callee, arguments) = match names.len() {
            0 if is_closure => (quote_spanned!(start=> (#function)), TokenStream::new()),
            1 if is_closure => (quote_spanned!(start=> __flow::call), quote!(#function, #(#names),*)),
            n if is_closure => {
                let call = Ident::new(&format!("call{n}"), start);
                (quote_spanned!(start=> __flow::#call), quote!(#function, #(#names),*))
            }
            _ => (function, quote!(#(#names),*)),
        };
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(end);
        quote!(#callee #arguments)
    }
}

impl Function for RustCode {
    // The arguments go in as they are; what the results list says comes out.
    // Refused: results without types; no results at all.
    fn results(
        &self,
        each: &Ident,
        arguments: &Arguments,
        results: &Results,
        errors: &mut Errors,
    ) -> Option<Vec<Field>> {
        if results.fields.is_empty() {
            errors.at(each, "name and type the results: `=> path: &str`");
            return None;
        }
        if arguments.fields.len() > ARGUMENTS_MAX || results.fields.len() > ARGUMENTS_MAX {
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
    //     let path: __flow::Text<'_> = match __flow::Required::<&str, _>::required(path_of(request)) {
    //         Ok(value) => value,
    //         Err(reason) => { <trap: reason> }
    //     };
    //     let path: &str = &path;
    // and with two results: let (a, b) = match __flow::Returned::<(_, _), _>::returned(…) { … }; then each as above.
    fn emit(&self, arguments: &[Field], results: &[Field], row: &mut RowCode<'_>) -> TokenStream {
        let value = self.call(arguments);
        let no_bindings = TokenStream::new();
        if let [result] = results {
            return row.bind_returned(result, &no_bindings, &value);
        }
        let fail = row.fail(&code!(reason));
        // Variables of their own, until nothing can fail any more: what is trapped shows the fields as they came in.
        let parts: Vec<Ident> = (0..results.len())
            .map(|index| Ident::new(&format!("part_{index}"), proc_macro2::Span::mixed_site()))
            .collect();
        let types = results.iter().map(|_| code!(_));
        let (start, end) = ends(&value);
        let check = quote_spanned!(start=> __flow::Returned::<(#(#types),*), _>::returned);
        let mut argument = Group::new(Delimiter::Parenthesis, value);
        argument.set_span(end);
        let mut code = code! {
            let (#(#parts),*) = match #check #argument {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(reason) => { #fail }
            };
        };
        for (field, part) in results.iter().zip(&parts) {
            code.extend(row.check_returned(field, part, &no_bindings, &code!(#part)));
        }
        for (field, part) in results.iter().zip(&parts) {
            code.extend(row.take_returned(field, part));
        }
        code
    }

    fn copy(&self) -> Box<dyn Function> {
        Box::new(self.clone())
    }
}
