//! What people say of the columns of a table.

use std::collections::BTreeMap;

/// What people say of columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices {
    /// The column that holds the class of each row.
    pub label: Option<String>,
    /// Columns that are left out.
    pub ignore: Vec<String>,
    /// The kinds of columns, by name: `real`, `positive`, `count`, `ordinal`, `category`, or `id`.
    pub kinds: BTreeMap<String, String>,
}
