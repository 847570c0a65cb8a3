//! Rust expressions over the live fields, as in `Filter` and `Insert`: which fields they read, and what of them can be
//! checked before rustc sees them.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Block, Expr, ExprPath, Item, Local, Pat, PatIdent,
    visit::{self, Visit},
};

use crate::{
    emit::{code, local},
    errors::Errors,
    resolve::Scope,
    suggest,
};

/// The live fields whose names occur in the expression, format strings included: rather one too many than one too few.
pub(crate) fn reads(expression: &Expr, scope: &Scope) -> Vec<Ident> {
    let mut words = Vec::new();
    collect_words(expression.to_token_stream(), &mut words);
    let mut reads: Vec<Ident> = Vec::new();
    for word in words {
        if scope.get(&word.to_string()).is_some() && !reads.contains(&word) {
            reads.push(word);
        }
    }
    reads
}

fn collect_words(tokens: TokenStream, words: &mut Vec<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => words.push(word),
            TokenTree::Group(group) => collect_words(group.stream(), words),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                for part in text.split('{').skip(1) {
                    let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    if let Ok(word) = syn::parse_str::<Ident>(&name) {
                        words.push(Ident::new(&word.to_string(), literal.span()));
                    }
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// The fields that an expression reads, as variables in its sight:
///
/// ```text
/// let response = response;
/// ```
///
/// The first name is in the user's sight, the second in the macro's, so that nothing else of the loop can be seen. Some of
/// them may not be variables in the expression, but methods: no lint looks at what a macro binds.
pub(crate) fn bindings(reads: &[Ident]) -> TokenStream {
    let bindings = reads.iter().map(|name| {
        let (mut seen, inner) = (name.clone(), local(name));
        seen.set_span(name.span().resolved_at(Span::call_site()));
        quote!(let #seen = #inner;)
    });
    code!(#(#bindings)*)
}

/// Reports names that were fields and are gone, names that are nearly a field's, and what would leave the expression. What
/// else is wrong is rustc's to say, on the user's own tokens.
pub(crate) fn check(expression: &Expr, scope: &mut Scope, errors: &mut Errors) {
    Leaves { errors, in_loop: false }.visit_expr(expression);
    let mut bound = Bound::default();
    bound.visit_expr(expression);
    let mut used = Used { scope, bound: bound.names, errors };
    used.visit_expr(expression);
}

/// Names that the expression itself binds: closure parameters, `let`, patterns.
#[derive(Default)]
struct Bound {
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.names.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_local(&mut self, statement: &'ast Local) {
        if let Pat::Ident(pattern) = &statement.pat {
            self.names.insert(pattern.ident.to_string());
        }
        visit::visit_local(self, statement);
    }
}

/// What would leave the expression, and with it the loop: `return`, `?`, `.await`, and `break` or `continue` without a loop of its own.
struct Leaves<'a> {
    errors: &'a mut Errors,
    in_loop: bool,
}

impl Leaves<'_> {
    fn refuse(&mut self, token: impl ToTokens, word: &str) {
        let message = format!("`{word}` cannot leave the expression: put it into a function of your own");
        self.errors.at(token, message);
    }

    fn visit_loop(&mut self, body: &Block) {
        let around = std::mem::replace(&mut self.in_loop, true);
        self.visit_block(body);
        self.in_loop = around;
    }
}

impl<'ast> Visit<'ast> for Leaves<'_> {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => return,
            Expr::Return(found) => self.refuse(found.return_token, "return"),
            Expr::Try(found) => self.refuse(found.question_token, "?"),
            Expr::Await(found) => self.refuse(found.await_token, ".await"),
            Expr::Break(found) if !self.in_loop => self.refuse(found.break_token, "break"),
            Expr::Continue(found) if !self.in_loop => self.refuse(found.continue_token, "continue"),
            Expr::ForLoop(found) => {
                self.visit_expr(&found.expr);
                return self.visit_loop(&found.body);
            }
            Expr::While(found) => {
                self.visit_expr(&found.cond);
                return self.visit_loop(&found.body);
            }
            Expr::Loop(found) => return self.visit_loop(&found.body),
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}

struct Used<'a> {
    scope: &'a mut Scope,
    bound: BTreeSet<String>,
    errors: &'a mut Errors,
}

impl<'ast> Visit<'ast> for Used<'_> {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        // A callee is a function, not a field.
        if !matches!(*call.func, Expr::Path(_)) {
            self.visit_expr(&call.func);
        }
        self.check_arguments(call.args.iter());
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.visit_expr(&call.receiver);
        self.check_arguments(call.args.iter());
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        self.check_path(path, true);
    }
}

impl Used<'_> {
    /// What is handed to a function may be one itself: a name that is only like a field's is no slip.
    fn check_arguments<'ast>(&mut self, arguments: impl Iterator<Item = &'ast Expr>) {
        for argument in arguments {
            match argument {
                Expr::Path(path) => self.check_path(path, false),
                other => self.visit_expr(other),
            }
        }
    }

    fn check_path(&mut self, path: &ExprPath, is_value: bool) {
        let Some(name) = path.path.get_ident() else { return };
        let word = name.to_string();
        let is_field_like = word.chars().all(|letter| letter.is_lowercase() || letter.is_numeric() || letter == '_');
        if !is_field_like || self.bound.contains(&word) || self.scope.may_have(&word) {
            return;
        }
        let names: Vec<String> = self.scope.names().collect();
        let is_slip = is_value && suggest::nearest(&word, names.iter().map(String::as_str)).is_some();
        if is_slip || self.scope.fate(&word).is_some() {
            self.scope.report(name, self.errors);
        }
    }
}
