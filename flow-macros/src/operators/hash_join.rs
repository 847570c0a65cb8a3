//! `HashJoin(hits on ip, listed on userip, RightJoin)`: streams the first pipe past the held rows of the second.
//!
//! ```text
//!   held side:     row ──► build (one part a worker) ──► freeze: one table for all workers
//!   streamed side: row ──► find its key ──► each held row of the key ──► behind the join
//!   at the end:    held rows that nobody met ──► behind the join        (right and outer joins, once)
//! ```
//!
//! The held side is in memory. Keys are equal when their values are; null equals null.

use proc_macro2::{Ident, TokenStream};
use syn::{Token, parenthesized, parse::ParseStream, token};

use super::{Kind, Operator};
use crate::{
    errors::Errors,
    resolve::{Field, Scope, find_all},
    suggest,
    syntax::{comma_separated, parse_all, parse_name},
};

/// Which side may lack a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joiner {
    Inner,
    Left,
    Right,
    Outer,
}

const JOINERS: [(&str, Joiner); 4] = [
    ("InnerJoin", Joiner::Inner),
    ("LeftJoin", Joiner::Left),
    ("RightJoin", Joiner::Right),
    ("OuterJoin", Joiner::Outer),
];

impl Joiner {
    /// Whether a streamed row without partner goes on; the held side's fields are then null.
    pub(crate) fn keeps_streamed(self) -> bool {
        matches!(self, Self::Left | Self::Outer)
    }

    /// Whether a held row without partner goes on; the streamed side's fields are then null.
    pub(crate) fn keeps_held(self) -> bool {
        matches!(self, Self::Right | Self::Outer)
    }
}

/// A join, resolved: the fields of each side as they came, and its keys.
pub(crate) struct Join {
    pub(crate) joiner: Joiner,
    pub(crate) streamed: Vec<Field>,
    pub(crate) held: Vec<Field>,
    pub(crate) streamed_key: Vec<Field>,
    pub(crate) held_key: Vec<Field>,
}

struct HashJoinTree {
    sides: [Side; 2],
    joiner: Joiner,
}

/// `hits on ip`, `hits on (ip, day)`
struct Side {
    pipe: Ident,
    key: Vec<Ident>,
}

pub(super) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Operator>> {
    let parts = comma_separated(tokens, errors, |input| input.parse::<TokenStream>());
    let names = || JOINERS.iter().map(|(name, _)| *name);
    let [first, second, joiner] = parts.as_slice() else {
        let message = "expected `HashJoin(streamed on key, held on key, InnerJoin)`\njoins: ";
        errors.at(name, format!("{message}{}", suggest::list(names())));
        return None;
    };
    let mut side = |side: &TokenStream| errors.keep(parse_all(side.clone(), name.span(), parse_side));
    let sides = [side(first)?, side(second)?];
    let word = errors.keep(parse_all(joiner.clone(), name.span(), parse_name))?;
    let joiner = JOINERS.iter().find(|(joiner, _)| word == joiner).map(|(_, joiner)| *joiner);
    if joiner.is_none() {
        let near = suggest::did_you_mean(&word.to_string(), names());
        errors.at(&word, format!("no join is called `{word}`{near}\njoins: {}", suggest::list(names())));
    }
    Some(Box::new(HashJoinTree { sides, joiner: joiner.unwrap_or(Joiner::Inner) }))
}

fn parse_side(input: ParseStream<'_>) -> syn::Result<Side> {
    let pipe = parse_name(input)?;
    let on: Option<Ident> = input.parse()?;
    if on.is_none_or(|on| on != "on") {
        return Err(syn::Error::new(pipe.span(), format!("`{pipe}` needs its key, as in `{pipe} on ip`")));
    }
    let key = if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        let names = content.parse_terminated(parse_name, Token![,])?;
        names.into_iter().collect()
    } else {
        vec![parse_name(input)?]
    };
    if key.is_empty() {
        return Err(syn::Error::new(pipe.span(), format!("`{pipe}` needs a key of one field or more")));
    }
    if !input.is_empty() {
        return Err(input.error("a key of several fields stands in parentheses, as in `on (ip, day)`"));
    }
    Ok(Side { pipe, key })
}

impl Operator for HashJoinTree {
    fn pipes(&self) -> Vec<&Ident> {
        self.sides.iter().map(|side| &side.pipe).collect()
    }

    // The fields of both sides go out, the streamed ones first. What may lack a partner is nullable from here on.
    // Refused: a key that is not there; keys of different count or type; a float as key; a name on both sides.
    fn resolve(&self, _name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind) {
        let mut inputs = inputs.into_iter();
        let (mut streamed, mut held) = (inputs.next().unwrap_or_default(), inputs.next().unwrap_or_default());
        let keys =
            (find_all(&mut streamed, &self.sides[0].key, errors), find_all(&mut held, &self.sides[1].key, errors));
        check_keys(&self.sides, &keys.0, &keys.1, errors);
        check_collisions(&self.sides, &streamed, &held, errors);

        let mut out = Scope::new(nullable(&streamed.fields, self.joiner.keeps_held()));
        let held_fields = nullable(&held.fields, self.joiner.keeps_streamed());
        let new = held_fields.into_iter().filter(|field| streamed.get(&field.name.to_string()).is_none());
        out.fields.extend(new);
        out.open = streamed.open || held.open;
        out.remember(&streamed);
        out.remember(&held);
        let join = Join {
            joiner: self.joiner,
            streamed: streamed.fields,
            held: held.fields,
            streamed_key: keys.0,
            held_key: keys.1,
        };
        (out, Kind::Join(join))
    }
}

fn nullable(fields: &[Field], by_join: bool) -> Vec<Field> {
    let mut fields = fields.to_vec();
    for field in fields.iter_mut().filter(|field| by_join && !field.typed.nullable) {
        field.typed.nullable = true;
        field.by_join = true;
    }
    fields
}

// Keys are compared value by value, so they must be as many and of the same types. `T` and `Option<T>` may meet.
fn check_keys(sides: &[Side; 2], streamed: &[Field], held: &[Field], errors: &mut Errors) {
    let [left, right] = sides;
    if let Some(last) = held.last().filter(|_| streamed.len() != held.len()) {
        let message = format!(
            "join keys of different count: {} of `{}`, {} of `{}`",
            streamed.len(),
            left.pipe,
            held.len(),
            right.pipe
        );
        errors.at(&last.name, message);
        return;
    }
    for (left, right) in streamed.iter().zip(held) {
        if !left.typed.ty.fits(&right.typed.ty) {
            let message = format!(
                "join keys of different types: `{}` is {}, `{}` is {}",
                left.name, left.typed, right.name, right.typed
            );
            errors.at(&right.name, message);
        } else if !left.typed.ty.has_equality() {
            errors.at(&left.name, format!("`{}` is {}: floats have no equality to join on", left.name, left.typed));
        }
    }
}

// Of a pipe that is joined with itself another mistake is reported: one source cannot be read twice.
fn check_collisions(sides: &[Side; 2], streamed: &Scope, held: &Scope, errors: &mut Errors) {
    let both: Vec<String> = held.names().filter(|name| streamed.get(name).is_some()).collect();
    let pipe = &sides[1].pipe;
    if let Some(first) = both.first().filter(|_| sides[0].pipe != *pipe) {
        let (fields, them) = if both.len() == 1 { ("field", "it") } else { ("fields", "them") };
        let message = format!(
            "both sides of the join have the {fields} {}\nrename {them} before the join, as in `{pipe} -> Rename({first} => {pipe}_{first})`",
            both.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        );
        errors.at(pipe, message);
    }
}
