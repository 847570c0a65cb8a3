//! Reads a regular expression at compile time, and writes it again as the runtime's `regex` crate is to compile it.
//!
//! The pattern is parsed by `regex-syntax`, the parser of the `regex` crate itself, so what passes here compiles there.
//! The rewriting replaces single spans of the text and leaves the rest as the user wrote it. No tokens and no fields
//! here: those belong to the operations that take a pattern.

mod prefix;

use std::ops::Range;

use regex_syntax::{
    ast::{
        AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags, GroupKind, RepetitionKind,
        RepetitionRange, Span, parse::Parser,
    },
    hir::translate::Translator,
};

pub(crate) use prefix::{Prefix, Segment};

/// A pattern that is valid, with what the macro must know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The capturing groups 1, 2, …, in order.
    pub(crate) groups: Vec<Group>,
    text: String,
    /// In the order of the text, apart from each other.
    edits: Vec<Edit>,
}

/// A capturing group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// As in `(?<name>…)`.
    pub(crate) name: Option<String>,
    /// Whether the pattern can match without it: then there is no text for it.
    pub(crate) optional: bool,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatternError {
    /// One sentence, lower case, no period.
    pub(crate) message: String,
    /// Bytes of the pattern.
    pub(crate) at: Range<usize>,
}

/// A place where the runtime's text differs from the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    at: Range<usize>,
    with: Replacement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Replacement {
    /// The opening of this group: `(` when it is kept, else `(?:`.
    Opening(usize),
    Text(String),
}

/// Parses and checks `pattern`.
pub(crate) fn analyse(pattern: &str) -> Result<Pattern, PatternError> {
    let ast = Parser::new().parse(pattern).map_err(|error| PatternError::new(error.kind(), error.span()))?;
    Translator::new().translate(pattern, &ast).map_err(|error| PatternError::new(error.kind(), error.span()))?;

    let mut walk = Walk { text: pattern, groups: Vec::new(), edits: Vec::new(), modes: Modes::default() };
    walk.ast(&ast, false)?;
    Ok(Pattern { groups: walk.groups, text: pattern.to_owned(), edits: walk.edits })
}

impl PatternError {
    fn new(message: impl ToString, span: &Span) -> Self {
        Self { message: message.to_string(), at: bytes(span) }
    }
}

impl Pattern {
    /// The pattern for the runtime, in which only the groups `keep` (counted from 1, ascending) capture.
    ///
    /// The k-th of `keep`, counted from 0, is its group k + 1; groups lose their names. `\d \w \s \b` and their
    /// opposites have become ASCII, as in Java, except under `(?u)`; all else matches whole code points. (One thing
    /// cannot be said so: under `(?i)`, a `\w` within brackets also takes `ſ` and `K`, which fold to ASCII letters.)
    //
    //     ^(\w+) (?<rest>\S+)$   keep [1]   ->   ^([[:word:]]+) (?:[[:^space:]]+)$
    pub(crate) fn runtime(&self, keep: &[usize]) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut copied = 0;
        for Edit { at, with } in &self.edits {
            text.push_str(&self.text[copied..at.start]);
            text.push_str(match with {
                Replacement::Opening(group) if keep.contains(group) => "(",
                Replacement::Opening(_) => "(?:",
                Replacement::Text(text) => text,
            });
            copied = at.end;
        }
        text.push_str(&self.text[copied..]);
        text
    }

    /// The part from the beginning of the text in which groups can be found without a capturing search.
    pub(crate) fn prefix(&self) -> Prefix {
        let all: Vec<usize> = (1..=self.groups.len()).collect();
        Prefix::of(&self.runtime(&all))
    }
}

/// The walk over a pattern's tree, from left to right.
struct Walk<'a> {
    text: &'a str,
    groups: Vec<Group>,
    edits: Vec<Edit>,
    /// Holds from where a flag stands to the end of the group around it.
    modes: Modes,
}

/// The flags that decide how a class is written.
#[derive(Clone, Copy, Default)]
struct Modes {
    /// Off until asked for, as in Java; the `regex` crate begins with it on.
    unicode: bool,
    ignore_case: bool,
}

impl Modes {
    fn set(&mut self, flags: &Flags) {
        self.unicode = flags.flag_state(Flag::Unicode).unwrap_or(self.unicode);
        self.ignore_case = flags.flag_state(Flag::CaseInsensitive).unwrap_or(self.ignore_case);
    }
}

impl Walk<'_> {
    /// `optional` says that a match can do without `ast`.
    fn ast(&mut self, ast: &Ast, optional: bool) -> Result<(), PatternError> {
        match ast {
            Ast::Flags(flags) => self.modes.set(&flags.flags),
            Ast::Assertion(assertion) if is_word_boundary(&assertion.kind) && !self.modes.unicode => {
                let boundary = &self.text[bytes(&assertion.span)];
                self.replace(bytes(&assertion.span), format!("(?-u:{boundary})"));
            }
            Ast::ClassPerl(class) if !self.modes.unicode => {
                let set = format!("[{}]", ascii(class));
                // Without this, folding would take the Kelvin sign for a `k` and `ſ` for an `s`.
                let folds = self.modes.ignore_case && class.kind == ClassPerlKind::Word;
                self.replace(bytes(&class.span), if folds { format!("(?-i:{set})") } else { set });
            }
            Ast::ClassBracketed(class) => self.class(&class.kind),
            Ast::Repetition(repetition) => {
                // Java reads `a*+` as possessive, this parser as `(?:a*)+`.
                if let Ast::Repetition(_) = &*repetition.ast {
                    let message = "a quantifier right after a quantifier (possessive ones are not supported)";
                    return Err(PatternError::new(message, &repetition.op.span));
                }
                self.ast(&repetition.ast, optional || may_be_zero(&repetition.op.kind))?;
            }
            Ast::Group(group) => {
                let around = self.modes;
                self.opening(group.span.start.offset, &group.kind, optional);
                self.ast(&group.ast, optional)?;
                self.modes = around;
            }
            Ast::Alternation(alternation) => {
                for branch in &alternation.asts {
                    self.ast(branch, true)?;
                }
            }
            Ast::Concat(concat) => {
                for part in &concat.asts {
                    self.ast(part, optional)?;
                }
            }
            Ast::Empty(_)
            | Ast::Literal(_)
            | Ast::Dot(_)
            | Ast::Assertion(_)
            | Ast::ClassPerl(_)
            | Ast::ClassUnicode(_) => {}
        }
        Ok(())
    }

    fn opening(&mut self, start: usize, kind: &GroupKind, optional: bool) {
        let (end, name) = match kind {
            GroupKind::NonCapturing(flags) => return self.modes.set(flags),
            GroupKind::CaptureIndex(_) => (start + "(".len(), None),
            GroupKind::CaptureName { name, .. } => (name.span.end.offset + ">".len(), Some(name.name.clone())),
        };
        self.groups.push(Group { name, optional });
        self.edits.push(Edit { at: start..end, with: Replacement::Opening(self.groups.len()) });
    }

    fn class(&mut self, set: &ClassSet) {
        match set {
            ClassSet::Item(item) => self.class_item(item),
            ClassSet::BinaryOp(operation) => {
                self.class(&operation.lhs);
                self.class(&operation.rhs);
            }
        }
    }

    fn class_item(&mut self, item: &ClassSetItem) {
        match item {
            ClassSetItem::Perl(class) if !self.modes.unicode => self.replace(bytes(&class.span), ascii(class).into()),
            ClassSetItem::Bracketed(inner) => self.class(&inner.kind),
            ClassSetItem::Union(union) => union.items.iter().for_each(|item| self.class_item(item)),
            ClassSetItem::Empty(_)
            | ClassSetItem::Literal(_)
            | ClassSetItem::Range(_)
            | ClassSetItem::Ascii(_)
            | ClassSetItem::Unicode(_)
            | ClassSetItem::Perl(_) => {}
        }
    }

    fn replace(&mut self, at: Range<usize>, text: String) {
        self.edits.push(Edit { at, with: Replacement::Text(text) });
    }
}

/// The ASCII twin of `\d`, `\s`, `\w` and their opposites, as it stands within brackets.
fn ascii(class: &ClassPerl) -> &'static str {
    match (&class.kind, class.negated) {
        (ClassPerlKind::Digit, false) => "[:digit:]",
        (ClassPerlKind::Digit, true) => "[:^digit:]",
        (ClassPerlKind::Space, false) => "[:space:]",
        (ClassPerlKind::Space, true) => "[:^space:]",
        (ClassPerlKind::Word, false) => "[:word:]",
        (ClassPerlKind::Word, true) => "[:^word:]",
    }
}

fn is_word_boundary(kind: &AssertionKind) -> bool {
    !matches!(
        kind,
        AssertionKind::StartLine | AssertionKind::EndLine | AssertionKind::StartText | AssertionKind::EndText
    )
}

fn may_be_zero(kind: &RepetitionKind) -> bool {
    match kind {
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => true,
        RepetitionKind::OneOrMore => false,
        RepetitionKind::Range(
            RepetitionRange::Exactly(least) | RepetitionRange::AtLeast(least) | RepetitionRange::Bounded(least, _),
        ) => *least == 0,
    }
}

fn bytes(span: &Span) -> Range<usize> {
    span.start.offset..span.end.offset
}

#[cfg(test)]
mod tests;
