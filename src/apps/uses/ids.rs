//! Which row is which: what a table says of its rows besides what a model sees.

use crate::apps::Saved;
use crate::data::schema::Role;
use crate::data::{Source, is_table, table_of};
use crate::error::Result;

/// Columns that are kept beside what is made of rows.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    /// Their names.
    pub names: Vec<String>,
    /// Their cells, column by column.
    pub columns: Vec<Vec<String>>,
}

impl Ids {
    /// The columns of another table that say which row is which; none where rows come from no table, or from the run's own data.
    pub fn of(saved: &Saved, other: Option<&str>) -> Result<Ids> {
        let mut ids = Ids::default();
        let Some(source) = other.map(Source::parse).filter(|source| saved.form.schema.is_table() && is_table(source))
        else {
            return Ok(ids);
        };
        let Source::Path(path) = source else { return Ok(ids) };
        if path.is_dir() {
            return Ok(ids);
        }
        let table = table_of(&path)?;
        for field in saved.form.schema.of_role(Role::Identity) {
            // A later table need not have what no model sees.
            if let Ok(column) = table.column(&field.name) {
                ids.names.push(field.name.clone());
                ids.columns.push(column);
            }
        }
        Ok(ids)
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = &str> {
        self.columns.iter().map(move |column| column[row].as_str())
    }
}
