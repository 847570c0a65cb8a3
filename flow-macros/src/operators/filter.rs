//! `Filter(response >= 400)`: lets the rows go on for which the expression is true.

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, parse::Parse as _};

use super::{Kind, Names, Operator, Step};
use crate::{
    emit::{RowCode, code},
    errors::Errors,
    operations::expression,
    resolve::Scope,
    syntax::parse_all,
};

struct FilterTree {
    condition: Expr,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    if tokens.is_empty() {
        errors.at(name, "`Filter` needs a condition, as in `Filter(response >= 400)`");
        return None;
    }
    let condition = errors.keep(parse_all(tokens, name.span(), Expr::parse))?;
    Some(Box::new(FilterTree { condition }))
}

impl Operator for FilterTree {
    // What comes in goes out. Refused: a name in the expression that was a field but is gone, or is nearly one.
    fn resolve(&self, _name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default();
        expression::check(&self.condition, &mut scope, errors);
        let step = FilterStep { condition: self.condition.clone(), reads: expression::reads(&self.condition, &scope) };
        (scope.ungrouped(), Kind::Step(Box::new(step)))
    }
}

struct FilterStep {
    condition: Expr,
    reads: Vec<Ident>,
}

impl Step for FilterStep {
    fn needs(&self, read_behind: &Names) -> Names {
        self.reads.iter().map(ToString::to_string).chain(read_behind.iter().cloned()).collect()
    }

    fn is_counted(&self) -> bool {
        true
    }

    // Filter(response >= 400) becomes:
    //     let keep: bool = { let response = response; response >= 400 };
    //     if !keep { out.count(4).filtered += 1; break 'row_1; }
    fn emit(&self, row: &mut RowCode<'_>) -> TokenStream {
        let (bindings, condition) = (expression::bindings(&self.reads), &self.condition);
        let drop = row.filter_out();
        let value = if bindings.is_empty() { code!(#condition) } else { code!({ #bindings #condition }) };
        code! {
            let keep: bool = #value;
            if !keep { #drop }
        }
    }
}
