//! Formats numbers for the reader's locale: the decimal mark, and the grouping of amounts.

use num_format::{Locale as Table, ToFormattedString as _};

/// The reader's number format.
#[derive(Debug, Clone, Copy, Default)]
pub struct Locale {
    table: Option<Table>,
}

impl Locale {
    /// The POSIX locale: a decimal point and no grouping.
    pub const NONE: Self = Self { table: None };

    /// Returns the locale with this name, such as `de_DE.UTF-8`; POSIX for an unknown one.
    pub fn from_posix_name(name: &str) -> Self {
        let name = name.split(['.', '@']).next().unwrap_or_default();
        let name = name.replace('_', "-");
        let language = name.split('-').next().unwrap_or_default();
        let mut known = [name.as_str(), language].into_iter();
        Self {
            table: known.find_map(|name| Table::from_name(name).ok()),
        }
    }

    /// Formats a number with these digits.
    pub(super) fn number(self, whole: &str, decimals: &str, grouped: bool) -> String {
        let mark = self.table.map_or(".", |table| table.decimal());
        let whole = self
            .table
            .filter(|_| grouped)
            .zip(whole.parse::<i128>().ok())
            // Digits that a parsed number would not keep, such as -0, stay unchanged.
            .filter(|(_, number)| number.to_string() == whole)
            .map_or_else(
                || whole.to_owned(),
                |(table, number)| number.to_formatted_string(&table),
            );
        if decimals.is_empty() {
            whole
        } else {
            format!("{whole}{mark}{decimals}")
        }
    }
}
