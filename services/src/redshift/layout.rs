//! What DDL of Redshift's says of where and how rows are kept: taken out of the statement, and noted.

use serde_json::{Value, json};

use super::{
    error::Refusal,
    sql::{Cursor, Edits, Name, Statement, literal},
    types,
};

/// How a table's rows are spread and sorted.
#[derive(Debug, Default)]
struct Layout {
    style: Option<String>,
    key: Option<String>,
    sort: Vec<String>,
    encodings: serde_json::Map<String, Value>,
}

/// CREATE TABLE as PostgreSQL takes it, and the SQL that notes the rest. The cursor is at the table's name.
pub(super) fn create_table(cursor: &mut Cursor<'_>) -> Result<(String, String), Refusal> {
    let (mut layout, mut edits) = (Layout::default(), Edits::new());
    let table = name(cursor)?;
    if cursor.eat("(") {
        items(cursor, &mut layout, &mut edits)?;
    }
    while let Some(token) = cursor.peek()
        && !token.is("as")
    {
        let start = cursor.at;
        attribute(cursor, &mut layout)?;
        drop_tokens(cursor.statement, start..cursor.at, &mut edits);
    }
    let note =
        format!("SELECT stand_in.note_layout({}, {})", literal(&table.sql()), literal(&layout.json().to_string()));
    Ok((cursor.statement.rendered(edits), note))
}

/// ALTER TABLE as PostgreSQL takes it. The cursor is at the table's name.
pub(super) fn alter_table(cursor: &mut Cursor<'_>, is_in_transaction: bool) -> Result<String, Refusal> {
    let (mut layout, mut edits) = (Layout::default(), Edits::new());
    name(cursor)?;
    if cursor.eat("add") {
        if !cursor.peek().is_some_and(is_constraint) {
            cursor.eat("column");
            if cursor.peek().is_some_and(|token| token.is("if")) {
                return Err(Refusal::syntax("IF"));
            }
            column(cursor, &mut layout, &mut edits)?;
        }
    } else if cursor.eat("alter") {
        if is_in_transaction {
            return Err(Refusal::new("25001", "ALTER TABLE ALTER COLUMN cannot run inside a transaction block"));
        }
        cursor.eat("column");
        if cursor.peek().is_some_and(|token| {
            ["distkey", "diststyle", "sortkey", "compound", "encode"].iter().any(|word| token.is(word))
        }) {
            return Err(Refusal::beyond("ALTER TABLE of a distribution or a sort key"));
        }
        name(cursor)?;
        if cursor.eat("encode") {
            return Err(Refusal::beyond("ALTER COLUMN … ENCODE"));
        }
        if cursor.eat("type") {
            types::edit(cursor, &mut edits)?;
        }
    }
    if cursor.peek().is_some_and(|token| token.is(",")) {
        return Err(Refusal::syntax(","));
    }
    Ok(cursor.statement.rendered(edits))
}

/// What stands in the parentheses of CREATE TABLE.
fn items(cursor: &mut Cursor<'_>, layout: &mut Layout, edits: &mut Edits) -> Result<(), Refusal> {
    let starts_query = |cursor: &Cursor<'_>| cursor.peek().is_some_and(|token| token.is("select") || token.is("with"));
    if starts_query(cursor) {
        cursor.close();
        return Ok(());
    }
    loop {
        let start = cursor.at;
        if cursor.eat("like") {
            name(cursor)?;
            while !ends_item(cursor) {
                cursor.next();
            }
        } else if cursor.peek().is_some_and(is_constraint) {
            constraint(cursor, start, edits)?;
        } else {
            column(cursor, layout, edits)?;
        }
        if cursor.eat(")") {
            return Ok(());
        }
        if !cursor.eat(",") {
            return Err(Refusal::syntax(cursor.peek().map_or("end of input", |token| token.text)));
        }
    }
}

fn is_constraint(token: &super::sql::Token<'_>) -> bool {
    ["primary", "unique", "foreign", "constraint", "check", "exclude"].iter().any(|word| token.is(word))
}

fn ends_item(cursor: &Cursor<'_>) -> bool {
    cursor.peek().is_none_or(|token| token.is(",") || token.is(")"))
}

/// A key of the table: a foreign one is left out, since what it refers to is no key here.
fn constraint(cursor: &mut Cursor<'_>, start: usize, edits: &mut Edits) -> Result<(), Refusal> {
    let mut is_foreign = false;
    while !ends_item(cursor)
        && let Some(token) = cursor.next()
    {
        if token.is("check") || token.is("exclude") {
            return Err(Refusal::syntax(token.text));
        }
        is_foreign |= token.is("foreign");
        if token.is("(") {
            cursor.close();
        }
    }
    if is_foreign {
        // With the comma before it.
        drop_tokens(cursor.statement, start - 1..cursor.at, edits);
    }
    Ok(())
}

/// A column: its name, its type, and what is said of it.
fn column(cursor: &mut Cursor<'_>, layout: &mut Layout, edits: &mut Edits) -> Result<(), Refusal> {
    let name = cursor.next().filter(|token| token.is_name()).map(|token| token.name());
    let name = name.ok_or_else(|| Refusal::syntax("("))?;
    // A list of names before a query has no types.
    if ends_item(cursor) {
        return Ok(());
    }
    types::edit(cursor, edits)?;
    while !ends_item(cursor) {
        let start = cursor.at;
        let Some(token) = cursor.next() else { break };
        match token.text.to_ascii_lowercase().as_str() {
            "distkey" => {
                (layout.style, layout.key) = (Some("KEY".to_owned()), Some(name.clone()));
                drop_tokens(cursor.statement, start..cursor.at, edits);
            }
            "sortkey" => {
                layout.sort.push(name.clone());
                drop_tokens(cursor.statement, start..cursor.at, edits);
            }
            "encode" => {
                let encoding = cursor.next().map(|token| token.text.to_ascii_lowercase()).unwrap_or_default();
                layout.encodings.insert(name.clone(), encoding.into());
                drop_tokens(cursor.statement, start..cursor.at, edits);
            }
            "references" => {
                cursor.name();
                if cursor.eat("(") {
                    cursor.close();
                }
                drop_tokens(cursor.statement, start..cursor.at, edits);
            }
            "identity" => return Err(Refusal::beyond("IDENTITY columns")),
            "(" => cursor.close(),
            _ => {}
        }
    }
    Ok(())
}

/// One of the clauses after the columns.
fn attribute(cursor: &mut Cursor<'_>, layout: &mut Layout) -> Result<(), Refusal> {
    let Some(token) = cursor.next() else { return Ok(()) };
    match token.text.to_ascii_lowercase().as_str() {
        "backup" => drop(cursor.next()),
        "encode" if cursor.eat("auto") => {}
        "diststyle" => layout.style = cursor.next().map(|token| token.text.to_ascii_uppercase()),
        "distkey" => {
            layout.style = Some("KEY".to_owned());
            layout.key = names(cursor)?.pop();
        }
        "compound" | "interleaved" if cursor.eat("sortkey") => layout.sort = names(cursor)?,
        "sortkey" if cursor.eat("auto") => {}
        "sortkey" => layout.sort = names(cursor)?,
        _ => return Err(Refusal::syntax(token.text)),
    }
    Ok(())
}

/// Names in parentheses.
fn names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::syntax("(");
    if !cursor.eat("(") {
        return Err(wrong());
    }
    let mut names = Vec::new();
    loop {
        names.push(cursor.next().filter(|token| token.is_name()).ok_or_else(wrong)?.name());
        if cursor.eat(")") {
            return Ok(names);
        }
        if !cursor.eat(",") {
            return Err(wrong());
        }
    }
}

pub(super) fn name(cursor: &mut Cursor<'_>) -> Result<Name, Refusal> {
    let word = cursor.peek().map_or("end of input", |token| token.text);
    cursor.name().ok_or_else(|| Refusal::syntax(word))
}

fn drop_tokens(statement: &Statement<'_>, tokens: std::ops::Range<usize>, edits: &mut Edits) {
    if let Some([first, .., last] | [first @ last]) = statement.tokens.get(tokens) {
        edits.retain(|(range, _)| range.start < first.start || range.end > last.range().end);
        edits.push((first.start..last.range().end, String::new()));
    }
}

impl Layout {
    fn json(&self) -> Value {
        let style = self.style.as_deref().unwrap_or("AUTO");
        json!({ "style": style, "key": self.key, "sort": self.sort, "encodings": self.encodings })
    }
}
