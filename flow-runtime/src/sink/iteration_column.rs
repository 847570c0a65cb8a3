//! `iteration_column=…`: a column of a table that says of each row which iteration has brought it.
//!
//! With it an iteration can be taken out again and loaded anew, in one transaction ([`SinkTap::replace`]). The ledger says
//! what was there: other rows than it has noted are left alone. How a column is declared is its database's to say.
//!
//! [`SinkTap::replace`]: super::SinkTap::replace

use super::{Mode, SinkShape, Ticket, staging::is_by_shard};
use crate::{Address, Error, Failure, plan::PortKind};

/// What the ledger has of an iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// The hash of what was sealed.
    pub(super) hash: String,
    /// How many rows were loaded last.
    pub(super) rows: u64,
    /// Where the target had staged them itself.
    pub(super) staged: Option<String>,
}

/// The column that an address names.
///
/// # Errors
/// [`Error::Config`] for a name that cannot be a column's, and for a target whose rows are not of one iteration each.
pub(super) fn parse(address: &Address, shape: SinkShape) -> Result<Option<String>, Error> {
    let Some(name) = address.option("iteration_column") else { return Ok(None) };
    let refuse =
        |what: String, help: &str| Err(Error::Config(Failure::new(what).at(address.to_string()).help(help.to_owned())));
    let without = "leave iteration_column out";
    match (shape.port.kind, shape.mode) {
        (PortKind::Trap, _) => {
            let what = "a trap's records stay as they were trapped, and need no column with their iteration";
            return refuse(what.to_owned(), without);
        }
        (_, Mode::Append) => {}
        (_, Mode::Replace) => {
            let what =
                "with mode=replace the table has the rows of one iteration alone, and needs no column that says which";
            return refuse(what.to_owned(), without);
        }
        (_, Mode::Merge) => {
            let what = "with mode=merge a row is of many iterations, and what one of them has brought cannot be taken out again";
            return refuse(what.to_owned(), "leave iteration_column out, or take mode=append");
        }
    }
    let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains('\0');
    if !is_name || shape.fields().iter().any(|field| field.name.eq_ignore_ascii_case(name)) {
        let what = format!("`{name}` cannot be the name of a further column");
        return refuse(what, "take one that no field has, as in iteration_column=flow_iteration");
    }
    Ok(Some(name.to_owned()))
}

/// The longest name that all databases take: of PostgreSQL's, "Identifiers and Key Words", 2026-11-22.
const NAME_BYTES_MAX: usize = 63;

/// The error for a target that does not know which of its rows are of which iteration.
pub(super) fn not_kept(place: &str, shape: SinkShape) -> Error {
    let help = match shape.mode {
        Mode::Append => {
            "give the port another target, or stdout:; iterations that are loaded from now on can be replaced if the address \
             says iteration_column=flow_iteration"
        }
        Mode::Replace | Mode::Merge => {
            "give the port another target, or stdout:; rows of mode=append alone can be replaced by iteration"
        }
    };
    let what = "the target does not keep which of its rows are of which iteration, so that they cannot be replaced";
    Error::Config(Failure::new(what).at(place).help(help))
}

/// Makes sure that the ledger has the iteration of `ticket`, as it was sealed.
///
/// # Errors
/// [`Error::Held`] when it does not.
pub(super) fn noted(noted: Option<Noted>, ticket: &Ticket, place: &str) -> Result<Noted, Error> {
    let held = |what: &str, help: &str| Err(Error::Held(Failure::new(what).at(place).help(help.to_owned())));
    match noted {
        Some(noted) if is_by_shard(&noted.hash, &ticket.hash) => Ok(noted),
        Some(_) => held(
            "the target has the iteration, but of other rows than the checkpoint store has sealed",
            "nothing was changed; put target and checkpoint store back as they were, together",
        ),
        None => held(
            "the target's ledger does not have the iteration, so nothing of it can be replaced",
            "nothing was changed; it was loaded elsewhere, or from another checkpoint store, or the ledger was made to \
             forget it: give the port another target, or stdout:",
        ),
    }
}

/// Makes sure that as many rows were taken out as the ledger has noted.
///
/// # Errors
/// [`Error::Held`] with both numbers when they differ.
pub(super) fn removed(removed: u64, noted: &Noted, column: &str, place: &str) -> Result<(), Error> {
    if removed == noted.rows {
        return Ok(());
    }
    let cause = format!("the ledger has noted {}, the column {column} names the iteration in {removed}", noted.rows);
    let what = "the rows of the iteration are not those that were loaded";
    Err(Error::Held(Failure::new(what).at(place).cause(cause).help(
        "nothing was changed; the table may have had no such column when they were loaded, or others write to it, too: give \
         the port another target, and bring the rows over by hand",
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::fixtures::{BAD_LINES, COUNTS, ticket};

    fn parsed(column: &str, mode: Mode) -> Result<Option<String>, Error> {
        parse(&format!("sqlite:a.db?iteration_column={column}").parse()?, SinkShape { port: &COUNTS, mode })
    }

    #[test]
    fn a_column_is_for_rows_that_are_of_one_iteration_each() {
        assert_eq!(parsed("flow_iteration", Mode::Append).unwrap().as_deref(), Some("flow_iteration"));
        for (column, mode, why) in [
            ("n", Mode::Replace, "has the rows of one iteration alone"),
            ("n", Mode::Merge, "cannot be taken out again"),
            ("IP", Mode::Append, "`IP` cannot be the name of a further column"),
            ("", Mode::Append, "cannot be the name"),
        ] {
            let said = parsed(column, mode).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        let trap = SinkShape { port: &BAD_LINES, mode: Mode::Append };
        let said = parse(&"sqlite:a.db?iteration_column=n".parse().unwrap(), trap).unwrap_err().to_string();
        assert!(said.contains("a trap's records stay"), "{said}");
        assert_eq!(parse(&"sqlite:a.db".parse().unwrap(), trap).unwrap(), None);
    }

    #[test]
    fn only_rows_that_the_ledger_has_noted_are_replaced() {
        let ticket = ticket(&COUNTS, 3);
        let found = |hash: &str| Noted { hash: hash.to_owned(), rows: 7, staged: None };
        let own = noted(Some(found(&ticket.hash)), &ticket, "x.db").unwrap();
        assert!(noted(Some(found("other")), &ticket, "x.db").unwrap_err().to_string().contains("of other rows"));
        assert!(noted(None, &ticket, "x.db").unwrap_err().to_string().contains("does not have the iteration"));
        assert!(removed(7, &own, "n", "x.db").is_ok());
        for others in [6, 8, 0] {
            let said = removed(others, &own, "n", "x.db").unwrap_err().to_string();
            assert!(said.contains(&format!("noted 7, the column n names the iteration in {others}")), "{said}");
        }
    }
}
