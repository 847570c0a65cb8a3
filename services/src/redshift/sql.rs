//! SQL as words and signs: enough to tell statements apart, to know a clause, and to write one in another's place.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// A name in double quotes.
    Quoted,
    /// A literal in single quotes.
    Text,
    Number,
    Sign,
}

/// A word or sign of a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// Where it begins in what the client sent.
    pub(crate) start: usize,
}

impl Token<'_> {
    /// Whether it is this word, which stands here in lower case, or this sign.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }

    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// A literal's value: a backslash before a letter is one, as in Redshift's examples of `'\N'` and `'\t'`.
    pub(crate) fn value(&self) -> String {
        let inner = self.text.get(1..self.text.len() - 1).unwrap_or_default();
        inner.replace("''", "'").replace("\\'", "'").replace("\\\\", "\\")
    }

    /// A name as it is stored: Redshift folds what is quoted, too.
    pub(crate) fn name(&self) -> String {
        let bare = if self.kind == Kind::Quoted { &self.text[1..self.text.len() - 1] } else { self.text };
        bare.replace("\"\"", "\"").to_ascii_lowercase()
    }
}

/// One statement of a request.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'a> {
    /// All that the client sent.
    source: &'a str,
    pub(crate) tokens: Vec<Token<'a>>,
}

/// Parts of a statement, and what stands there instead.
pub(crate) type Edits = Vec<(Range<usize>, String)>;

impl Statement<'_> {
    /// What a rule calls it: its first word, or that of what it is short for.
    pub(crate) fn kind(&self) -> String {
        let first = self.tokens.first().map(|token| token.text.to_ascii_lowercase()).unwrap_or_default();
        match first.as_str() {
            "start" => "begin".to_owned(),
            "end" => "commit".to_owned(),
            "abort" => "rollback".to_owned(),
            "with" | "(" => "select".to_owned(),
            _ => first,
        }
    }

    /// Where these words first stand one after the other.
    pub(crate) fn find(&self, words: &[&str]) -> Option<usize> {
        self.tokens.windows(words.len()).position(|found| found.iter().zip(words).all(|(token, word)| token.is(word)))
    }

    /// The statement with these edits, and those that all statements need.
    pub(crate) fn rendered(&self, mut edits: Edits) -> String {
        let (Some(first), Some(last)) = (self.tokens.first(), self.tokens.last()) else { return String::new() };
        let is_free = |edits: &Edits, range: &Range<usize>| {
            !edits.iter().any(|(other, _)| other.start < range.end && range.start < other.end)
        };
        for (index, token) in self.tokens.iter().enumerate() {
            let instead = match token.kind {
                Kind::Quoted => token.text.to_ascii_lowercase(),
                Kind::Word if token.is("sysdate") && !self.is_part_of_name(index) => "pg_catalog.sysdate()".to_owned(),
                _ => continue,
            };
            if is_free(&edits, &token.range()) {
                edits.push((token.range(), instead));
            }
        }
        edits.sort_by_key(|(range, _)| range.start);
        let (mut sql, mut at) = (String::new(), first.start);
        for (range, instead) in edits {
            sql.push_str(&self.source[at..range.start]);
            sql.push_str(&instead);
            at = range.end;
        }
        sql.push_str(&self.source[at..last.range().end]);
        sql
    }

    fn is_part_of_name(&self, index: usize) -> bool {
        let is_dot = |index: usize| self.tokens.get(index).is_some_and(|token| token.is("."));
        index.checked_sub(1).is_some_and(is_dot) || is_dot(index + 1)
    }

    /// What stands between two tokens, with them.
    pub(crate) fn text(&self, tokens: Range<usize>) -> &str {
        match self.tokens.get(tokens).unwrap_or_default() {
            [] => "",
            [first, .., last] => &self.source[first.start..last.range().end],
            [only] => only.text,
        }
    }
}

/// The statements of a request; those without a word are none.
pub(crate) fn split(source: &str) -> Vec<Statement<'_>> {
    let mut statements = vec![Statement { source, tokens: Vec::new() }];
    for token in tokens(source) {
        match statements.last_mut() {
            Some(statement) if !token.is(";") => statement.tokens.push(token),
            _ => statements.push(Statement { source, tokens: Vec::new() }),
        }
    }
    statements.retain(|statement| !statement.tokens.is_empty());
    statements
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(char) = source[at..].chars().next() {
        let rest = &source[at..];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii();
        let (kind, bytes) = match char {
            _ if char.is_whitespace() => (None, char.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '\'' => (Some(Kind::Text), quoted(rest, '\'', true)),
            '"' => (Some(Kind::Quoted), quoted(rest, '"', false)),
            '0'..='9' => (Some(Kind::Number), run(rest, |c| c.is_ascii_alphanumeric() || c == '.')),
            _ if is_word(char) => (Some(Kind::Word), run(rest, is_word)),
            _ => (Some(Kind::Sign), char.len_utf8()),
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, text: &rest[..bytes], start: at });
        }
        at += bytes;
    }
    tokens
}

/// How many bytes of a text belong to its first word.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// How many bytes a quoted text takes; a quote within is doubled, or comes after a backslash.
fn quoted(text: &str, quote: char, has_escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if has_escapes && char == '\\' {
            chars.next();
        } else if char == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

/// Reads a statement's tokens one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) statement: &'a Statement<'a>,
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(statement: &'a Statement<'a>, at: usize) -> Self {
        Self { statement, at }
    }

    pub(crate) fn peek(&self) -> Option<&'a Token<'a>> {
        self.statement.tokens.get(self.at)
    }

    pub(crate) fn next(&mut self) -> Option<&'a Token<'a>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Passes a word or sign, if it is there.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        let is_there = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is_there);
        is_there
    }

    /// Passes these words, if all are there.
    pub(crate) fn eat_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let are_there = words.iter().all(|word| ahead.eat(word));
        if are_there {
            self.at = ahead.at;
        }
        are_there
    }

    /// A name, maybe with that of its schema.
    pub(crate) fn name(&mut self) -> Option<Name> {
        let mut parts = vec![self.next().filter(|token| token.is_name())?.name()];
        while self.eat(".") {
            parts.push(self.next().filter(|token| token.is_name())?.name());
        }
        Some(Name(parts))
    }

    /// A literal's value.
    pub(crate) fn text(&mut self) -> Option<String> {
        self.next().filter(|token| token.kind == Kind::Text).map(Token::value)
    }

    /// Passes everything up to where the parenthesis that was just passed is closed, and that.
    pub(crate) fn close(&mut self) {
        let mut depth = 1;
        while depth > 0
            && let Some(token) = self.next()
        {
            depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        }
    }
}

/// The name of a table.
#[derive(Clone, Debug)]
pub(crate) struct Name(Vec<String>);

impl Name {
    /// As SQL has it.
    pub(crate) fn sql(&self) -> String {
        self.0.iter().map(|part| identifier(part)).collect::<Vec<_>>().join(".")
    }

    /// Without its schema.
    pub(crate) fn bare(&self) -> &str {
        self.0.last().map(String::as_str).unwrap_or_default()
    }
}

pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A literal, wherever a backslash means something and wherever it does not.
pub(crate) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace('\0', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_that_are_not_quoted_or_in_comments() {
        let text = "SELECT ';', \";\", 'it''s;', 'a\\';' /* ; */; -- ;\n ;COMMIT;";
        let found: Vec<String> = split(text).iter().map(|statement| statement.rendered(Vec::new())).collect();
        assert_eq!(found, ["SELECT ';', \";\", 'it''s;', 'a\\';'", "COMMIT"]);
    }

    #[test]
    fn a_literal_has_the_value_that_is_meant() {
        let values: Vec<String> = split(r"'' 'a''b' '\N' '\\N' 'a\'b'")[0].tokens.iter().map(Token::value).collect();
        assert_eq!(values, ["", "a'b", "\\N", "\\N", "a'b"]);
    }

    #[test]
    fn quoted_names_are_folded_and_sysdate_is_a_function() {
        let statement = &split("SELECT \"IP\", SYSDATE, t.sysdate FROM \"T\"")[0];
        let wanted = "SELECT \"ip\", pg_catalog.sysdate(), t.sysdate FROM \"t\"";
        assert_eq!(statement.rendered(Vec::new()), wanted);
    }
}
