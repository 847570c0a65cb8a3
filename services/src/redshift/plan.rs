//! What is to be done for a statement: decided from its words alone.

use super::{
    copy::Copy,
    error::Refusal,
    layout,
    sql::{Cursor, Edits, Name, Statement},
};

/// What is to be done.
#[derive(Debug)]
pub(super) enum Plan {
    /// Nothing, but say that it is done.
    Say(&'static str),
    Pass(String),
    Begin(String),
    /// The end of the transaction.
    End(String),
    /// It changes a table, which nobody else may change meanwhile.
    Write {
        table: Name,
        sql: String,
    },
    /// It makes a table, of which there is something to note.
    Define {
        sql: String,
        note: String,
    },
    /// It empties a table, and ends the transaction.
    Truncate {
        table: Name,
        sql: String,
    },
    Copy(Copy),
}

/// Clauses that PostgreSQL has and Redshift has not, by the words of the statements that would have them.
const FOREIGN: [(&str, &[&str]); 13] = [
    ("insert", &["on", "conflict"]),
    ("insert", &["returning"]),
    ("update", &["returning"]),
    ("delete", &["returning"]),
    ("merge", &["returning"]),
    ("select", &["for", "update"]),
    ("select", &["for", "share"]),
    ("", &["is", "distinct", "from"]),
    ("", &["is", "not", "distinct", "from"]),
    ("", &["pg_advisory_lock"]),
    ("", &["pg_advisory_xact_lock"]),
    ("", &["pg_try_advisory_lock"]),
    ("", &["pg_try_advisory_xact_lock"]),
];

/// What CREATE makes in PostgreSQL alone.
const FOREIGN_OBJECTS: [&str; 10] =
    ["index", "unique", "trigger", "rule", "domain", "type", "extension", "sequence", "unlogged", "aggregate"];

/// Statements that PostgreSQL has and Redshift has not.
const FOREIGN_STATEMENTS: [&str; 10] =
    ["savepoint", "release", "listen", "notify", "unlisten", "do", "cluster", "reindex", "table", "values"];

/// Settings of Redshift's that mean nothing here.
const SETTINGS: [&str; 4] =
    ["query_group", "wlm_query_slot_count", "enable_result_cache_for_session", "enable_case_sensitive_identifier"];

pub(super) fn plan(statement: &Statement<'_>, is_in_transaction: bool) -> Result<Plan, Refusal> {
    let kind = statement.kind();
    for (of, words) in FOREIGN {
        if (of.is_empty() || kind == of)
            && let Some(at) = statement.find(words)
        {
            return Err(Refusal::syntax(statement.text(at..at + 1)));
        }
    }
    let rendered = || statement.rendered(Edits::new());
    let mut cursor = Cursor::new(statement, 1);
    match kind.as_str() {
        "begin" => begin(statement).map(Plan::Begin),
        "commit" => Ok(Plan::End(rendered())),
        "rollback" if statement.find(&["to"]).is_some() => Err(Refusal::syntax("TO")),
        "rollback" => Ok(Plan::End(rendered())),
        "lock" => lock(&mut cursor, is_in_transaction),
        "copy" => Copy::parse(&mut cursor).map(Plan::Copy),
        "truncate" => {
            cursor.eat("table");
            let table = layout::name(&mut cursor)?;
            let sql = format!("TRUNCATE TABLE {}", table.sql());
            Ok(Plan::Truncate { table, sql })
        }
        "insert" | "update" | "delete" | "merge" => write(statement, &kind, &mut cursor),
        "create" => create(&mut cursor),
        "alter" if cursor.eat("table") => layout::alter_table(&mut cursor, is_in_transaction).map(Plan::Pass),
        "set" if cursor.peek().is_some_and(|token| SETTINGS.iter().any(|name| token.is(name))) => Ok(Plan::Say("SET")),
        "vacuum" if is_in_transaction => Err(Refusal::new("25001", "VACUUM cannot run inside a transaction block")),
        "vacuum" => Ok(Plan::Say("VACUUM")),
        "unload" => Err(Refusal::beyond("UNLOAD")),
        word if FOREIGN_STATEMENTS.contains(&word) => Err(Refusal::syntax(word)),
        _ => Ok(Plan::Pass(rendered())),
    }
}

/// All levels of isolation are taken, and mean the database's.
fn begin(statement: &Statement<'_>) -> Result<String, Refusal> {
    let is_only_read = statement.find(&["read", "only"]).is_some();
    let known = ["begin", "start", "work", "transaction", "isolation", "level", "serializable", "repeatable", "read"];
    let known = [&known[..], &["committed", "uncommitted", "snapshot", "write", "only", ","]].concat();
    match statement.tokens.iter().find(|token| !known.iter().any(|word| token.is(word))) {
        Some(token) => Err(Refusal::syntax(token.text)),
        None => Ok(if is_only_read { "BEGIN READ ONLY" } else { "BEGIN" }.to_owned()),
    }
}

/// A lock has no mode, and outside a transaction does not last.
fn lock(cursor: &mut Cursor<'_>, is_in_transaction: bool) -> Result<Plan, Refusal> {
    cursor.eat("table");
    let mut tables = vec![layout::name(cursor)?.sql()];
    while cursor.eat(",") {
        tables.push(layout::name(cursor)?.sql());
    }
    match cursor.peek() {
        Some(token) => Err(Refusal::syntax(token.text)),
        None if is_in_transaction => Ok(Plan::Pass(format!("LOCK TABLE {}", tables.join(", ")))),
        None => Ok(Plan::Say("LOCK TABLE")),
    }
}

fn write(statement: &Statement<'_>, kind: &str, cursor: &mut Cursor<'_>) -> Result<Plan, Refusal> {
    cursor.eat(if kind == "delete" { "from" } else { "into" });
    let table = layout::name(cursor)?;
    match kind {
        "merge" => merge(cursor)?,
        "update" => update(statement)?,
        _ => {}
    }
    Ok(Plan::Write { table, sql: statement.rendered(Edits::new()) })
}

/// The rows of another table have to be found by what is equal in both.
fn update(statement: &Statement<'_>) -> Result<(), Refusal> {
    let condition = statement.find(&["where"]).unwrap_or(statement.tokens.len());
    let is_joined = statement.tokens[condition..].iter().any(|token| token.is("="));
    match statement.find(&["from"]) {
        Some(_) if !is_joined => Err(Refusal::internal("Target table must be part of an equijoin predicate")),
        _ => Ok(()),
    }
}

/// MERGE has one clause for what is matched and one for what is not, no conditions, and no alias for its target.
fn merge(cursor: &Cursor<'_>) -> Result<(), Refusal> {
    let statement = cursor.statement;
    let next = cursor.peek().map_or("end of input", |token| token.text);
    if !cursor.peek().is_some_and(|token| token.is("using")) {
        return Err(Refusal::syntax(next));
    }
    for words in [&["matched", "and"][..], &["do", "nothing"]] {
        if let Some(at) = statement.find(words) {
            return Err(Refusal::syntax(statement.text(at..at + 1)));
        }
    }
    if statement.find(&["remove", "duplicates"]).is_some() {
        return Err(Refusal::beyond("MERGE … REMOVE DUPLICATES"));
    }
    let has = |words: &[&str]| statement.find(words).is_some();
    if !has(&["when", "matched", "then"]) || !has(&["when", "not", "matched", "then", "insert"]) {
        return Err(Refusal::new("42601", "MERGE needs both WHEN MATCHED and WHEN NOT MATCHED"));
    }
    Ok(())
}

fn create(cursor: &mut Cursor<'_>) -> Result<Plan, Refusal> {
    if let Some(token) = cursor.peek()
        && FOREIGN_OBJECTS.iter().any(|word| token.is(word))
    {
        return Err(Refusal::syntax(token.text));
    }
    let mut ahead = cursor.clone();
    let is_replacing = ahead.eat_all(&["or", "replace"]);
    while ahead.eat("local") || ahead.eat("temp") || ahead.eat("temporary") {}
    if !ahead.eat("table") {
        return Ok(Plan::Pass(cursor.statement.rendered(Edits::new())));
    }
    if is_replacing {
        return Err(Refusal::syntax("TABLE"));
    }
    ahead.eat_all(&["if", "not", "exists"]);
    let (sql, note) = layout::create_table(&mut ahead)?;
    Ok(Plan::Define { sql, note })
}
