//! `Assert(NotNull)`, `Assert(ip, size => NotNull)`: makes `Option<T>` a `T`, and traps what is null.
//!
//! Without arguments it asks all fields. On fields that cannot be null it costs nothing.

use proc_macro2::{Ident, TokenStream};

use super::{Kind, Names, Operator, Step};
use crate::{
    emit::{RowCode, code, local, plain},
    errors::Errors,
    resolve::{Field, Scope, find_all},
    suggest,
    syntax::{names, split_arrows},
    types::Typed,
};

struct AssertTree {
    /// `None`: all fields.
    arguments: Option<Vec<Ident>>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    let parts = split_arrows(tokens);
    let (arguments, assertion) = match parts.as_slice() {
        [assertion] => (None, assertion),
        [arguments, assertion] => (Some(arguments), assertion),
        _ => {
            errors.at(name, "expected `Assert(NotNull)` or `Assert(field => NotNull)`");
            return None;
        }
    };
    match syn::parse2::<Ident>(assertion.clone()) {
        Ok(word) if word == "NotNull" => {}
        Ok(word) => {
            let near = suggest::did_you_mean(&word.to_string(), ["NotNull"]);
            errors.at(&word, format!("no assertion is called `{word}`{near}\nassertions: NotNull"));
            return None;
        }
        Err(_) => {
            errors.at(name, "expected `Assert(NotNull)` or `Assert(field => NotNull)`");
            return None;
        }
    }
    let arguments = arguments.map(|tokens| names(tokens.clone(), errors));
    Some(Box::new(AssertTree { arguments }))
}

impl Operator for AssertTree {
    // What comes in goes out, with the asserted fields no longer nullable.
    // Refused: a field that is not there.
    fn resolve(&self, _name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default();
        let asserted = match &self.arguments {
            Some(names) => find_all(&mut scope, names, errors),
            None => scope.fields.clone(),
        };
        let checked: Vec<Field> = asserted.into_iter().filter(|field| field.typed.nullable).collect();
        for field in &mut scope.fields {
            if checked.iter().any(|checked| checked.name == field.name) {
                field.typed = Typed { ty: field.typed.ty.clone(), nullable: false };
                field.by_join = false;
            }
        }
        scope.grouped = None;
        (scope, Kind::Step(Box::new(AssertStep { checked })))
    }
}

struct AssertStep {
    checked: Vec<Field>,
}

impl Step for AssertStep {
    fn needs(&self, read_behind: &Names) -> Names {
        self.checked.iter().map(|field| field.name.to_string()).chain(read_behind.iter().cloned()).collect()
    }

    fn is_counted(&self) -> bool {
        !self.checked.is_empty()
    }

    // Assert(ip => NotNull) on an `Option<&str>` becomes:
    //     let Some(ip) = ip else { <trap: "`ip` is null"> };
    fn emit(&self, row: &mut RowCode<'_>) -> TokenStream {
        let checks = self.checked.iter().map(|field| {
            let name = local(&field.name);
            let message = format!("`{}` is null", plain(&field.name));
            let fail = row.fail(&code!(__flow::Reason::new(#message)));
            code!(let ::core::option::Option::Some(#name) = #name else { #fail };)
        });
        checks.collect()
    }
}
