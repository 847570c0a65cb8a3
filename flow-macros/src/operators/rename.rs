//! `Rename(ip => userip)`, `Rename(a, b => c, d)`: gives fields other names; renamed fields move to the end.

use proc_macro2::{Ident, TokenStream};

use super::{Kind, Names, Operator, Step};
use crate::{
    emit::{RowCode, code, local},
    errors::{Errors, line},
    resolve::{Field, Scope, find_all, unique},
    syntax::{names, split_arrows},
};

struct RenameTree {
    from: Vec<Ident>,
    to: Vec<Ident>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    let parts = split_arrows(tokens);
    let [from, to] = parts.as_slice() else {
        errors.at(name, "expected `Rename(old => new)`");
        return None;
    };
    let before = errors.count();
    let from = names(from.clone(), errors);
    let to = names(to.clone(), errors);
    if errors.count() > before {
        return None;
    }
    if from.len() != to.len() || from.is_empty() {
        let message = format!("`Rename` has {} on the left and {} on the right of `=>`", count(&from), count(&to));
        errors.at(name, message);
        return None;
    }
    Some(Box::new(RenameTree { from, to }))
}

fn count(names: &[Ident]) -> String {
    if names.len() == 1 { "1 field".to_owned() } else { format!("{} fields", names.len()) }
}

impl Operator for RenameTree {
    // The renamed fields move behind the others, as Cascading's `Rename` has it: Rename(b => z) makes (a, b, c) (a, c, z).
    // Refused: an old name that is not there; a new name that is already there (two columns of one name cannot be told
    // apart); a => a (always a slip).
    fn resolve(&self, name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut scope = inputs.into_iter().next().unwrap_or_default();
        let found = find_all(&mut scope, &self.from, errors);
        unique(&self.to, errors);
        for (from, to) in self.from.iter().zip(&self.to) {
            if from == to {
                errors.at(to, format!("`{to}` has this name already"));
            }
        }
        let kept = scope.fields.iter().filter(|field| !self.from.contains(&field.name)).cloned().collect();
        let mut out = scope.narrowed(kept, name, "renamed it");
        for (from, to) in self.from.iter().zip(&self.to) {
            out.bury(from, format!("`{name}` on line {} renamed it to `{to}`", line(name.span())));
        }
        let renamed = found.iter().zip(&self.to).map(|(field, to)| Field { name: to.clone(), ..field.clone() });
        let out = out.extended(dedup(renamed, &self.from), errors);
        (out, Kind::Step(Box::new(RenameStep { from: self.from.clone(), to: self.to.clone() })))
    }
}

/// Leaves out what has been reported already: names that stand twice, `a => a`.
fn dedup(fields: impl Iterator<Item = Field>, from: &[Ident]) -> Vec<Field> {
    let mut kept: Vec<Field> = Vec::new();
    for (field, from) in fields.zip(from) {
        if field.name != *from && kept.iter().all(|other| other.name != field.name) {
            kept.push(field);
        }
    }
    kept
}

struct RenameStep {
    from: Vec<Ident>,
    to: Vec<Ident>,
}

impl Step for RenameStep {
    fn needs(&self, read_behind: &Names) -> Names {
        let old = |name: &String| self.to.iter().position(|to| to == name).map(|index| self.from[index].to_string());
        read_behind.iter().map(|name| old(name).unwrap_or_else(|| name.clone())).collect()
    }

    fn is_counted(&self) -> bool {
        false
    }

    // Rename(ip => userip) becomes, when somebody reads `userip`:
    //     let userip = ip;
    // and Rename(a, b => b, a): let (b, a) = (a, b);
    fn emit(&self, row: &mut RowCode<'_>) -> TokenStream {
        let read = self.from.iter().zip(&self.to).filter(|(_, to)| row.is_read(to));
        let (from, to): (Vec<_>, Vec<_>) = read.map(|(from, to)| (local(from), local(to))).unzip();
        match (from.as_slice(), to.as_slice()) {
            ([], _) => TokenStream::new(),
            ([from], [to]) => code!(let #to = #from;),
            _ => code!(let (#(#to),*) = (#(#from),*);),
        }
    }
}
