//! `RegexParser(r"…")`: one field for each group of a pattern that is read at compile time.
//!
//! It searches, it does not demand a full match. A record that the pattern does not find goes to the trap. Groups that
//! nobody reads are not captured.

use proc_macro2::{Ident, TokenStream};
use syn::LitStr;

use super::{
    Arguments, Function, Results,
    pattern::{self, Pattern, Prefix, Segment},
};
use crate::{
    emit::{RowCode, code, local},
    errors::Errors,
    operators::Names,
    resolve::Field,
    syntax::parse_all,
    types::{FieldType, Typed},
};

pub(super) const NAME: &str = "RegexParser";

#[derive(Clone)]
struct RegexParser {
    pattern: Pattern,
    prefix: Prefix,
    literal: LitStr,
}

pub(super) fn parse(each: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Box<dyn Function>> {
    let parser = |input: syn::parse::ParseStream<'_>| {
        let name: Ident = input.parse()?;
        if !input.peek(syn::token::Paren) {
            return Err(syn::Error::new(name.span(), "`RegexParser` needs its pattern: `RegexParser(r\"…\")`"));
        }
        let content;
        syn::parenthesized!(content in input);
        let literal: LitStr = content
            .parse()
            .map_err(|error| syn::Error::new(error.span(), "the pattern is a string literal, read at compile time"))?;
        let behind = if content.is_empty() { input } else { &content };
        if !behind.is_empty() {
            return Err(behind.error("`RegexParser` takes one pattern and nothing else"));
        }
        Ok(literal)
    };
    let literal: LitStr = errors.keep(parse_all(tokens, each.span(), parser))?;
    match pattern::analyse(&literal.value()) {
        Ok(pattern) => Some(Box::new(RegexParser { prefix: pattern.prefix(), pattern, literal })),
        Err(error) => {
            let text = literal.value();
            let at = text.get(error.at.clone()).filter(|at| !at.is_empty());
            let place = at.map(|at| format!(" at `{at}`")).unwrap_or_default();
            errors.at(&literal, format!("invalid pattern: {}{place}", error.message));
            None
        }
    }
}

impl RegexParser {
    /// The group of each result: 1 to n, or the whole match if the pattern has no group.
    fn group(&self, result: usize) -> usize {
        if self.pattern.groups.is_empty() { 0 } else { result + 1 }
    }

    fn is_optional(&self, result: usize) -> bool {
        self.pattern.groups.get(result).is_some_and(|group| group.optional)
    }

    /// The groups that must be captured: those that are read, and those whose text may not be of its type.
    fn kept(&self, results: &[Field], read_behind: &Names) -> Vec<usize> {
        results
            .iter()
            .enumerate()
            .filter(|(_, field)| !field.typed.ty.takes_any_text() || read_behind.contains(&field.name.to_string()))
            .map(|(index, _)| self.group(index))
            .collect()
    }

    /// Whether all of these groups can be found without a capturing search.
    fn is_located(&self, kept: &[usize]) -> bool {
        kept.iter().all(|group| self.prefix.group(*group).is_some())
    }

    // RegexParser(r"^(\S+) (\S+)") => ip, size: i64 becomes, in general:
    //     let Some(groups) = worker.state_2.find(text) else { <trap: "the pattern does not match"> };
    //     let ip: &str = groups.get(1).unwrap_or_default();
    //     let size: i64 = match __flow::required(groups.get(2), ()) { Ok(value) => value, Err(reason) => { <trap> } };
    fn capture(&self, results: &[Field], kept: &[usize], fail: &TokenStream, row: &mut RowCode<'_>) -> TokenStream {
        let pattern = row.state();
        let mut code = code!(let ::core::option::Option::Some(groups) = #pattern.find(text) else { #fail };);
        for (index, field) in results.iter().enumerate() {
            if let Some(capture) = kept.iter().position(|group| *group == self.group(index)) {
                let capture = if self.pattern.groups.is_empty() { 0 } else { capture + 1 };
                code.extend(row.bind_text(field, &code!(groups.get(#capture))));
            }
        }
        code
    }

    // and with only `ip` read, whose end the pattern's beginning tells:
    //     if !worker.state_2.is_match(text) { <trap: "the pattern does not match"> }
    //     let end_0 = __flow::up_to(text, 0, b' ');
    //     let ip: &str = text.get(0..end_0).unwrap_or_default();
    fn locate(&self, results: &[Field], kept: &[usize], fail: &TokenStream, row: &mut RowCode<'_>) -> TokenStream {
        let pattern = row.state();
        let mut code = code!(if !#pattern.is_match(text) { #fail });
        let spans: Vec<(usize, usize)> = kept.iter().filter_map(|group| self.prefix.group(*group)).collect();
        let last = spans.iter().map(|(_, to)| *to).max().unwrap_or_default();
        for (index, segment) in self.prefix.segments.iter().enumerate().take(last) {
            let (from, to) = (boundary(index), boundary(index + 1));
            code.extend(match segment {
                Segment::Bytes(count) => code!(let #to = #from + #count;),
                Segment::Run(class) => match class.all_but() {
                    Some(byte) => {
                        let byte = syn::LitByte::new(byte, proc_macro2::Span::mixed_site());
                        code!(let #to = __flow::up_to(text, #from, #byte);)
                    }
                    None => {
                        let (ascii, beyond_ascii) = (class.ascii, class.beyond_ascii);
                        code!(let #to = __flow::run_of(text, #from, #ascii, #beyond_ascii);)
                    }
                },
            });
        }
        for (index, field) in results.iter().enumerate() {
            if let Some(at) = kept.iter().position(|group| *group == self.group(index)) {
                let (from, to) = (boundary(spans[at].0), boundary(spans[at].1));
                code.extend(row.bind_text(field, &code!(text.get(#from..#to))));
            }
        }
        code
    }

    fn named_groups(&self, errors: &mut Errors) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        for group in &self.pattern.groups {
            let Some(name) = &group.name else {
                let message = "name the results: `=> ip, time`, or name every group: `(?<ip>…)`";
                errors.at(&self.literal, message);
                return None;
            };
            let Ok(name) = syn::parse_str::<Ident>(name) else {
                errors.at(&self.literal, format!("the group `{name}` cannot name a field"));
                return None;
            };
            let name = Ident::new(&name.to_string(), self.literal.span());
            fields.push(Field::new(&name, Typed { ty: FieldType::Text, nullable: group.optional }));
        }
        if fields.is_empty() {
            errors.at(&self.literal, "name the results: `=> ip, time`");
            return None;
        }
        Some(fields)
    }
}

impl Function for RegexParser {
    // One text goes in; one field a group comes out, `&str` or what its type says.
    // Refused: another argument than one text; another number of results than groups; a type without `Option` for a group
    // that may take no part in a match.
    fn results(
        &self,
        each: &Ident,
        arguments: &Arguments,
        results: &Results,
        errors: &mut Errors,
    ) -> Option<Vec<Field>> {
        match arguments.fields.as_slice() {
            [argument] if argument.typed.ty.fits(&FieldType::Text) => {}
            [argument] => {
                errors
                    .at(&argument.name, format!("`{}` is {}: `RegexParser` reads text", argument.name, argument.typed));
            }
            _ if arguments.open => {}
            [] => errors.at(each, "`RegexParser` takes one field, not none"),
            [_, second, ..] if arguments.named => errors.at(&second.name, "`RegexParser` takes one field"),
            [first, ..] => {
                let message =
                    format!("`RegexParser` takes one field: name it, as in `{} => RegexParser(…)`", first.name);
                errors.at(&self.literal, message);
            }
        }
        if !results.listed || (results.fields.is_empty() && !self.pattern.groups.is_empty()) {
            return self.named_groups(errors);
        }
        let groups = self.pattern.groups.len().max(1);
        if results.fields.len() != groups {
            let (have, listed) = (self.pattern.groups.len(), results.fields.len());
            let have = if have == 1 { "1 group".to_owned() } else { format!("{have} groups") };
            let listed = if listed == 1 { "1 result is".to_owned() } else { format!("{listed} results are") };
            errors.at(&self.literal, format!("the pattern has {have}, but {listed} listed"));
            return None;
        }
        let fields = results.fields.iter().enumerate().map(|(index, result)| {
            let optional = self.is_optional(index);
            let typed = result.typed.clone().unwrap_or(Typed { ty: FieldType::Text, nullable: optional });
            if optional && !typed.nullable {
                let message = format!(
                    "group {} may take no part in a match: `{}` must be Option<{}>",
                    index + 1,
                    result.name,
                    typed.ty
                );
                errors.at(&result.name, message);
            }
            Field::new(&result.name, typed)
        });
        Some(fields.collect())
    }

    fn state(&self, results: &[Field], read_behind: &Names) -> Option<(TokenStream, TokenStream)> {
        let kept = self.kept(results, read_behind);
        let captured = if self.is_located(&kept) { Vec::new() } else { kept };
        let pattern = raw_literal(&self.pattern.runtime(&captured));
        Some((code!(__flow::Pattern), code!(__flow::Pattern::new(#pattern))))
    }

    fn emit(&self, arguments: &[Field], results: &[Field], row: &mut RowCode<'_>) -> TokenStream {
        let Some(argument) = arguments.first() else { return TokenStream::new() };
        let name = local(&argument.name);
        let text = if argument.typed.nullable { code!(#name.unwrap_or_default()) } else { code!(#name) };
        let fail = row.fail(&code!(__flow::Reason::new("the pattern does not match")));
        let kept = self.kept(results, row.read_behind());
        let code = if self.is_located(&kept) {
            self.locate(results, &kept, &fail, row)
        } else {
            self.capture(results, &kept, &fail, row)
        };
        code!(let text: &str = #text; #code)
    }

    fn copy(&self) -> Box<dyn Function> {
        Box::new(self.clone())
    }
}

/// Where the segment before ends: a variable, or 0 for the first.
fn boundary(index: usize) -> TokenStream {
    let Some(before) = index.checked_sub(1) else { return code!(0) };
    let end = Ident::new(&format!("end_{before}"), proc_macro2::Span::mixed_site());
    code!(#end)
}

/// `r#"…"#`, so that the expansion reads like the flow.
fn raw_literal(text: &str) -> TokenStream {
    syn::parse_str(&format!("r#\"{text}\"#")).unwrap_or_else(|_| code!(#text))
}
