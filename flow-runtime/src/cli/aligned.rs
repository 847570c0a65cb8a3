//! Rows of text in aligned columns, without lines between them.

use comfy_table::{CellAlignment, Table, presets};

/// Writes `rows` in columns, two blanks apart, each line after `indent`; the columns `right` are aligned to the right.
pub(super) fn aligned(rows: Vec<Vec<String>>, right: &[usize], indent: &str) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{indent}{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_two_blanks_apart_and_lines_have_no_tails() {
        let rows = [["a", "1", "x"], ["bcd", "1,000", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(rows.to_vec(), &[1], "  "), "  a        1  x\n  bcd  1,000\n");
    }

    #[test]
    fn no_rows_are_no_lines() {
        assert_eq!(aligned(Vec::new(), &[], ""), "");
    }
}
