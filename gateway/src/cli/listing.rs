//! Lists of any length on standard output, as a table for people or as lines for programs.

use std::io::{self, Write};
use std::ops::ControlFlow;

use serde_json::Value;

use crate::config::site_args::ListArgs;
use crate::doctor::render::visible;
use crate::error::StartError;

/// What a list is of.
pub(super) trait Row {
    /// One column.
    fn cells(&self) -> Vec<String>;
    /// One object.
    fn json(&self) -> Value;
}

/// A list that is being written.
pub(super) struct Listing<'a> {
    one: &'static str,
    args: &'a ListArgs,
    table: Table,
    written: u64,
    is_cut: bool,
}

impl<'a> Listing<'a> {
    /// A list of what `one` is the singular of.
    pub(super) fn new(one: &'static str, headings: &[&str], args: &'a ListArgs) -> Self {
        Self { one, args, table: Table::new(headings), written: 0, is_cut: false }
    }

    /// Writes more rows; breaks when no more are wanted.
    pub(super) fn write(&mut self, mut rows: Vec<impl Row>) -> Result<ControlFlow<()>, StartError> {
        if let Some(limit) = self.args.limit {
            let left = usize::try_from(limit - self.written).unwrap_or(usize::MAX);
            self.is_cut = rows.len() > left;
            rows.truncate(left);
        }
        self.written += rows.len() as u64;
        let text = if self.args.json {
            rows.iter().map(|row| json_line(&row.json())).collect()
        } else {
            self.table.page(rows.iter().map(Row::cells).collect())
        };
        match io::stdout().write_all(text.as_bytes()) {
            // Whoever read has read enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            Err(source) => Err(StartError::Output { source }),
            Ok(()) if self.is_cut => Ok(ControlFlow::Break(())),
            Ok(()) => Ok(ControlFlow::Continue(())),
        }
    }

    /// Says, beside the list, where it is empty or not all.
    pub(super) fn end(&self) {
        let note = match self.written {
            0 => format!("no {}s\n", self.one),
            written if self.is_cut => format!("there are more than {written} (--limit)\n"),
            _ => return,
        };
        drop(io::stderr().write_all(note.as_bytes())); // Nobody reads a closed terminal.
    }
}

/// One line, in which nothing moves a terminal's cursor: JSON itself escapes only what is below a blank.
fn json_line(value: &Value) -> String {
    let escaped = |c: char| format!("\\u{:04x}", u32::from(c));
    let text = value.to_string();
    let line: String =
        text.chars().map(|c| if c.is_control() { escaped(c) } else { c.to_string() }).collect();
    line + "\n"
}

/// Lines whose columns stand below each other; a column that becomes wider stays so.
struct Table {
    headings: Option<Vec<String>>,
    widths: Vec<usize>,
}

impl Table {
    fn new(headings: &[&str]) -> Self {
        let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
        Self { widths: vec![0; headings.len()], headings: Some(headings) }
    }

    /// The next lines, below the headings if they are the first.
    fn page(&mut self, rows: Vec<Vec<String>>) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> = self.headings.take().into_iter().chain(rows).collect();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        rows.iter().map(|row| self.line(row)).collect()
    }

    fn line(&self, row: &[String]) -> String {
        let cells = row.iter().zip(&self.widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(cells: [&str; 2]) -> Vec<String> {
        cells.map(str::to_owned).to_vec()
    }

    #[test]
    fn columns_stand_below_each_other_and_headings_once() {
        let mut table = Table::new(&["ID", "NAME"]);
        assert_eq!(table.page(Vec::new()), "");
        let page = table.page(vec![row(["100", "Ada"]), row(["2", ""])]);
        assert_eq!(page, "ID   NAME\n100  Ada\n2\n");
        assert_eq!(table.page(vec![row(["3", "é"])]), "3    é\n");
        assert_eq!(table.page(vec![row(["4000", "x"]), row(["5", "y"])]), "4000  x\n5     y\n");
    }

    #[test]
    fn nothing_in_a_row_moves_the_cursor() {
        let evil = "a\x1b[2J\u{9b}2J\r\n\u{7f}";
        let page = Table::new(&["ID", "NAME"]).page(vec![row([evil, "x"])]);
        assert_eq!(page.lines().count(), 2);
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page:?}");
        let line = json_line(&json!({ "name": evil }));
        assert!(!line.trim_end().contains(char::is_control), "{line:?}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["name"], evil);
    }
}
