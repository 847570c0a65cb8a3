//! Where the groups at a pattern's beginning lie, when there is only one way to match up to them.
//!
//! A capturing search costs about five times what a search without groups costs. But in `^([^ ]*) \S+ …` the first group
//! can only end at the first space: no space is in `[^ ]`, and a space must follow. So once a search without groups has
//! said that the pattern matches, such groups are found by their own rules. What follows from the pattern's tree:
//!
//! ```text
//! ^            the match begins at 0
//! literal      as many bytes as it has
//! [a-z]{3}     as many bytes as it asks for, if all of them are ASCII
//! [^ ]*        up to the first byte outside the class, if what must follow begins outside it
//! anything else ends the prefix
//! ```

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The part of a pattern that matches in one way only, from the beginning of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// Each begins where the one before ends.
    pub(crate) segments: Vec<Segment>,
    /// Of groups that lie wholly within it: number, first segment, segment after the last.
    groups: Vec<(usize, usize, usize)>,
}

/// A piece of the prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// So many bytes.
    Bytes(usize),
    /// All bytes of a class.
    Run(Bytes),
}

/// A set of bytes: what a class of characters is in UTF-8, if it takes all characters beyond ASCII or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes {
    /// A bit for each ASCII byte.
    pub(crate) ascii: u128,
    pub(crate) beyond_ascii: bool,
}

impl Bytes {
    fn is_disjoint(self, other: Self) -> bool {
        self.ascii & other.ascii == 0 && !(self.beyond_ascii && other.beyond_ascii)
    }

    /// The only byte that is not in the set.
    pub(crate) fn all_but(self) -> Option<u8> {
        let missing = !self.ascii;
        let byte = u8::try_from(missing.trailing_zeros()).ok()?;
        (self.beyond_ascii && missing.count_ones() == 1).then_some(byte)
    }
}

impl Prefix {
    /// The prefix of a pattern in the runtime's form, with all its groups.
    pub(super) fn of(pattern: &str) -> Self {
        let Ok(tree) = regex_syntax::parse(pattern) else { return Self::default() };
        let mut atoms = Vec::new();
        flatten(&tree, &mut atoms);
        match atoms.split_first() {
            Some((Atom::Start, rest)) => walk(rest),
            _ => Self::default(),
        }
    }

    /// The segments that a group consists of: from, to.
    pub(crate) fn group(&self, group: usize) -> Option<(usize, usize)> {
        self.groups.iter().find(|(number, ..)| *number == group).map(|(_, from, to)| (*from, *to))
    }
}

/// A pattern's tree as a sequence, as far as it is one.
enum Atom {
    Start,
    Open(usize),
    Close,
    Literal(Vec<u8>),
    /// So many characters of a class, all of one byte.
    Exactly(Bytes, usize),
    /// As many as there are.
    Run {
        class: Bytes,
        at_least_one: bool,
    },
    /// Anything else.
    Other,
}

fn flatten(tree: &Hir, atoms: &mut Vec<Atom>) {
    match tree.kind() {
        HirKind::Empty => {}
        HirKind::Look(Look::Start) => atoms.push(Atom::Start),
        HirKind::Literal(literal) => atoms.push(Atom::Literal(literal.0.to_vec())),
        HirKind::Class(class) => atoms.push(one_byte(class).map_or(Atom::Other, |class| Atom::Exactly(class, 1))),
        HirKind::Concat(parts) => parts.iter().for_each(|part| flatten(part, atoms)),
        HirKind::Capture(capture) => {
            let group = capture.index as usize;
            atoms.push(Atom::Open(group));
            flatten(&capture.sub, atoms);
            atoms.push(Atom::Close);
        }
        HirKind::Repetition(repetition) => atoms.push(repeated(repetition)),
        HirKind::Look(_) | HirKind::Alternation(_) => atoms.push(Atom::Other),
    }
}

fn repeated(repetition: &regex_syntax::hir::Repetition) -> Atom {
    let HirKind::Class(class) = repetition.sub.kind() else { return Atom::Other };
    if repetition.max == Some(repetition.min) {
        return one_byte(class).map_or(Atom::Other, |class| Atom::Exactly(class, repetition.min as usize));
    }
    match (bytes(class), repetition.max) {
        (Some(class), None) => Atom::Run { class, at_least_one: repetition.min > 0 },
        _ => Atom::Other,
    }
}

/// The bytes of a class that takes all characters beyond ASCII or none.
fn bytes(class: &Class) -> Option<Bytes> {
    let Class::Unicode(class) = class else { return None };
    let mut bytes = Bytes { ascii: 0, beyond_ascii: false };
    let mut beyond = 0;
    for range in class.ranges() {
        let (start, end) = (u32::from(range.start()), u32::from(range.end()));
        for byte in start..=end.min(127) {
            bytes.ascii |= 1 << byte;
        }
        if end > 127 {
            beyond += end - start.max(128) + 1;
            // The surrogates are no characters, and part of no range.
            beyond -= if start < 0xD800 && end > 0xDFFF { 0x800 } else { 0 };
        }
    }
    bytes.beyond_ascii = beyond > 0;
    (beyond == 0 || beyond == 0x11_0000 - 128 - 0x800).then_some(bytes)
}

fn one_byte(class: &Class) -> Option<Bytes> {
    bytes(class).filter(|class| !class.beyond_ascii)
}

fn walk(atoms: &[Atom]) -> Prefix {
    let mut prefix = Prefix::default();
    let mut open = Vec::new();
    for (index, atom) in atoms.iter().enumerate() {
        match atom {
            Atom::Open(group) => open.push((*group, prefix.segments.len())),
            Atom::Close => {
                if let Some((group, from)) = open.pop() {
                    prefix.groups.push((group, from, prefix.segments.len()));
                }
            }
            Atom::Literal(literal) => prefix.segments.push(Segment::Bytes(literal.len())),
            Atom::Exactly(_, count) => prefix.segments.push(Segment::Bytes(*count)),
            Atom::Run { class, .. } => match first_behind(&atoms[index + 1..]) {
                Some(follows) if class.is_disjoint(follows) => prefix.segments.push(Segment::Run(*class)),
                _ => break,
            },
            Atom::Start | Atom::Other => break,
        }
    }
    prefix
}

/// The bytes that what follows must begin with, if it must begin with any.
fn first_behind(atoms: &[Atom]) -> Option<Bytes> {
    match atoms.iter().find(|atom| !matches!(atom, Atom::Open(_) | Atom::Close))? {
        Atom::Literal(literal) => {
            let first = *literal.first()?;
            let ascii = if first < 128 { 1 << first } else { 0 };
            Some(Bytes { ascii, beyond_ascii: first >= 128 })
        }
        Atom::Exactly(class, 1..) | Atom::Run { class, at_least_one: true } => Some(*class),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    /// The groups that the prefix finds in a text that matches.
    fn located<'t>(prefix: &Prefix, text: &'t str) -> Vec<(usize, &'t str)> {
        let mut ends = vec![0];
        for segment in &prefix.segments {
            let from = *ends.last().unwrap();
            ends.push(match segment {
                Segment::Bytes(count) => from + count,
                Segment::Run(class) => {
                    let is_in = |byte: &u8| {
                        if *byte < 128 { class.ascii >> byte & 1 == 1 } else { class.beyond_ascii }
                    };
                    from + text.as_bytes()[from..].iter().take_while(|byte| is_in(byte)).count()
                }
            });
        }
        prefix.groups.iter().map(|(group, from, to)| (*group, &text[ends[*from]..ends[*to]])).collect()
    }

    fn groups(pattern: &str) -> Vec<usize> {
        Prefix::of(pattern).groups.iter().map(|(group, ..)| *group).collect()
    }

    #[test]
    fn groups_before_a_lazy_part_are_in_the_prefix() {
        let pattern =
            r#"^([^ ]*) [[:^space:]]+ (x\[)([[:word:]:/]+[[:space:]][+\-][[:digit:]]{4})\] "(.+?)" ([[:digit:]]{3})"#;
        assert_eq!(groups(pattern), [1, 2, 3]);
    }

    #[test]
    fn what_could_match_in_two_ways_is_not() {
        for pattern in [
            "([a-z]*) ",
            "^([a-z]*)[a-c]x",
            "^(a|bc) ",
            "^([a-z]*)",
            "^([a-z]{1,3}) ",
            "^(.)x",
            "^([^ é]*) ",
            "(?m)^([a-z]*) ",
        ] {
            assert_eq!(groups(pattern), [0; 0], "{pattern}");
        }
    }

    #[test]
    fn a_class_that_lacks_one_byte_says_which() {
        let Prefix { segments, .. } = Prefix::of("^[^ ]* ");
        let [Segment::Run(class), Segment::Bytes(1)] = segments.as_slice() else { panic!("{segments:?}") };
        assert_eq!(class.all_but(), Some(b' '));
    }

    proptest! {
        #[test]
        fn the_prefix_finds_what_a_capturing_search_finds(
            parts in prop::collection::vec(prop::sample::select(vec![
                "([^ ]*)", "([a-c]+)", "[[:digit:]]{2}", " ", "(é+)", "x", "([^x]+?)", "(:)", "[ab]", "([[:^space:]]+)", "(a)?",
            ]), 1..6),
            texts in prop::collection::vec("[a-cx é0-9:]{0,12}", 20),
        ) {
            let pattern = format!("^{}", parts.concat());
            let (regex, prefix) = (Regex::new(&pattern).unwrap(), Prefix::of(&pattern));
            for text in &texts {
                if let Some(captures) = regex.captures(text) {
                    for (group, found) in located(&prefix, text) {
                        prop_assert_eq!(captures.get(group).map(|group| group.as_str()), Some(found), "{} on {:?}", pattern, text);
                    }
                }
            }
        }
    }
}
