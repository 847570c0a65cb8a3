//! Why COPY has refused a row: Redshift says no more than that it did, and keeps the rest in a system view, which outlives the
//! rollback.

use super::{
    staging::{Address, Staging},
    table::literal,
};
use crate::{
    origin::MadeOf,
    sink::sql::{Session, Step, Trouble},
};

/// The longest name of a file in the views.
const FILE_NAME_CHARS: usize = 256;

/// The same trouble, with what the server has noted about it: file, line, column, type, value, and why.
///
/// Either view may be missing: serverless has `sys_load_error_detail` alone, which has no values.
pub(super) fn explained(session: &Session<'_>, (staged, staging): (&Address, &Staging), trouble: Trouble) -> Trouble {
    let Trouble::Refused(mut account) = trouble else { return trouble };
    // What follows is for people: whatever becomes of it, the load has failed for what is known.
    if session.text(Step::Rollback, "ROLLBACK").is_err() {
        return Trouble::Refused(account);
    }
    let first = |sql: &str| session.text(Step::Copy, sql).ok().and_then(|answer| answer.rows.into_iter().next());
    let noted = first(&from_sys(staged)).or_else(|| first(&from_stl(staged)));
    if let Some(row) = noted {
        let value = first(&value_from_stl(staged)).and_then(|row| row.into_iter().next()?);
        let file = row.first().and_then(Option::as_deref).unwrap_or_default().trim();
        let line = row.get(1).and_then(Option::as_deref).and_then(|line| line.trim().parse().ok());
        let found = line.and_then(|line| staging.row(staged, file, line));
        account.cause = told(&row, value.as_deref(), found.as_ref().map(|(row, _)| *row));
        account.made_of = Some(Box::new(found.map_or(MadeOf::Records, |(_, made_of)| made_of)));
    }
    Trouble::Refused(account)
}

pub(super) fn from_sys(staged: &Address) -> String {
    let columns = "file_name, line_number, column_name, column_type, column_length, error_code, error_message";
    format!(
        "SELECT {columns} FROM sys_load_error_detail WHERE {} ORDER BY start_time DESC LIMIT 1",
        of(staged, "file_name")
    )
}

pub(super) fn from_stl(staged: &Address) -> String {
    let columns = "filename, line_number, colname, type, col_length, err_code, err_reason";
    format!("SELECT {columns} FROM stl_load_errors WHERE {} ORDER BY starttime DESC LIMIT 1", of(staged, "filename"))
}

pub(super) fn value_from_stl(staged: &Address) -> String {
    let of = of(staged, "filename");
    format!("SELECT raw_field_value FROM stl_load_errors WHERE {of} ORDER BY starttime DESC LIMIT 1")
}

/// Files of this attempt and port alone.
fn of(staged: &Address, column: &str) -> String {
    let folder: String = staged.folder_url().chars().take(FILE_NAME_CHARS).collect();
    format!("SUBSTRING({column}, 1, {}) = {}", folder.chars().count(), literal(&folder))
}

/// What the view has, in a sentence; and which row of the iteration that is, if that is known.
fn told(row: &[Option<String>], value: Option<&str>, of_iteration: Option<u64>) -> String {
    let text = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default().trim();
    let (file, line, column, ty, length) = (text(0), text(1), text(2), text(3), text(4));
    let ty = if length.is_empty() || length == "0" { ty.to_owned() } else { format!("{ty}({length})") };
    let mut told = format!("{} (error {})", text(6), text(5));
    if !column.is_empty() {
        told += &format!(", column `{column}` {ty}");
    }
    if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
        told += &format!(", value `{value}`");
    }
    told += &format!(", line {line} of {file}");
    // A row of a staged file is a line, unless a text before it has lines.
    if let Some(row) = of_iteration {
        told += &format!(": if no text before it in the file has line ends, row {row} of the iteration");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_error_names_file_line_column_type_value_and_row() {
        let row = [
            "s3://b/p/a-1/counts/rows-00001.csv.gz  ",
            "7",
            "ip ",
            "varchar",
            "4",
            "1204",
            "String length exceeds DDL length",
        ];
        let row = row.map(|text| Some(text.to_owned()));
        assert_eq!(
            told(&row, Some("long.example"), Some(37)),
            "String length exceeds DDL length (error 1204), column `ip` varchar(4), value `long.example`, line 7 of \
             s3://b/p/a-1/counts/rows-00001.csv.gz: if no text before it in the file has line ends, row 37 of the \
             iteration"
        );
        assert!(!told(&row, None, None).contains("of the iteration"));
    }

    #[test]
    fn only_files_of_this_attempt_are_asked_for() {
        let staged = Address::parse("s3://b/o'p/a-1/counts/rows.csv.gz.manifest").unwrap();
        let sql = from_sys(&staged);
        assert!(sql.contains("SUBSTRING(file_name, 1, 22) = 's3://b/o''p/a-1/counts/'"), "{sql}");
    }
}
