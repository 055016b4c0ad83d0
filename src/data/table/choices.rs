//! What people say of the columns of a table.

use std::collections::BTreeMap;

/// What people say of columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices {
    /// The column that holds the class of each row.
    pub label: Option<String>,
    /// Columns that a model is told with every row.
    pub conditions: Vec<String>,
    /// Columns of the factors that rows were made from.
    pub factors: Vec<String>,
    /// The column that says whether a row is for training, validation or testing.
    pub split: Option<String>,
    /// The column that says by how much a row counts.
    pub weight: Option<String>,
    /// Columns that are left out.
    pub ignore: Vec<String>,
    /// The kinds of columns, by name: `real`, `positive`, `count`, `ordinal`, `category`, `date`, or `id`.
    pub kinds: BTreeMap<String, String>,
}
