//! `stdout:` sinks and traps: rows as a table for people.
//!
//! It stands outside the promise of exactly once: what is printed cannot be taken back, and is printed again when an
//! iteration is published again.

use std::{
    fmt,
    io::{self, Write},
};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{Head, Mode, Published, SinkShape, SinkTap, Staged, Ticket};
use crate::{
    Address, Error, Failure,
    plan::PortPlan,
    value::{Type, Value},
    visible::{NULL, visible},
};

/// Rows that are shown; a table is held in memory as a whole to find its columns' widths.
const ROWS_SHOWN_MAX: usize = 1000;

/// Prints rows.
pub(super) struct StdoutTap {
    shape: SinkShape,
    writer: Box<dyn Write + Send>,
}

impl StdoutTap {
    /// A mode, as a flow may have one for its other targets, is accepted and has no meaning here.
    pub(super) fn open(address: &Address, port: &'static PortPlan) -> Result<Self, Error> {
        address.allow_options(&["mode"])?;
        if !address.path().is_empty() {
            return Err(Error::Config(
                Failure::new("stdout has no path").at(address.to_string()).help("write stdout: alone"),
            ));
        }
        Ok(Self::to_writer(Box::new(io::stdout()), port))
    }

    fn to_writer(writer: Box<dyn Write + Send>, port: &'static PortPlan) -> Self {
        Self { shape: SinkShape { port, mode: Mode::Append }, writer }
    }

    /// The first rows as a table.
    fn table(&self, staged: &Staged) -> Result<Table, Error> {
        let fields = self.shape.fields();
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(fields.iter().map(|field| Cell::new(field.name).set_alignment(alignment(field.ty))));
        let mut rows = staged.rows()?;
        for _ in 0..ROWS_SHOWN_MAX {
            let Some(mut row) = rows.next_row()? else { break };
            table.add_row(
                fields.iter().map(|field| {
                    Cell::new(cell_text(row.value(field.ty), field.ty)).set_alignment(alignment(field.ty))
                }),
            );
        }
        Ok(table)
    }
}

impl SinkTap for StdoutTap {
    fn mode(&self) -> Mode {
        self.shape.mode
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_ledger(&self, _ticket: &Ticket) -> Result<bool, Error> {
        Ok(false)
    }

    fn check_without_store(&self) -> Result<(), Error> {
        Ok(())
    }

    fn publish(&mut self, staged: &Staged, _ticket: Option<&Ticket>) -> Result<Published, Error> {
        let table = self.table(staged)?;
        let more = staged.row_count().saturating_sub(ROWS_SHOWN_MAX as u64);
        let mut print = || -> io::Result<()> {
            writeln!(self.writer, "{}", self.shape.port.name)?;
            writeln!(self.writer, "{table}")?;
            if more > 0 {
                writeln!(self.writer, "… and {more} more")?;
            }
            self.writer.flush()
        };
        match print() {
            // Whoever closed the pipe, as `head` does, has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::Target(Failure::new("cannot print the rows").at("stdout").cause(error)))
            }
            _ => Ok(Published::Now),
        }
    }

    fn forget(&mut self, _flow: &str, _empty: bool) -> Result<(), Error> {
        Ok(())
    }

    fn head(&self, _rows_max: usize) -> Result<Option<Head>, Error> {
        Ok(None)
    }
}

impl fmt::Debug for StdoutTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdoutTap").field("shape", &self.shape).finish_non_exhaustive()
    }
}

fn alignment(ty: Type) -> CellAlignment {
    match ty {
        Type::I16 | Type::I32 | Type::I64 | Type::F32 | Type::F64 | Type::Decimal(..) => CellAlignment::Right,
        Type::Bool | Type::Text | Type::Bytes | Type::Timestamp(_) | Type::Date(_) => CellAlignment::Left,
    }
}

/// The text of a value; what would move the cursor is escaped.
fn cell_text(value: Value<'_>, ty: Type) -> String {
    if value == Value::Null {
        return NULL.to_owned();
    }
    visible(&value.display(ty).to_string())
}

#[cfg(test)]
#[path = "stdout_tests.rs"]
mod tests;
