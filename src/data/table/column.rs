//! One column of a table, as its file has it.

use super::Table;
use crate::error::Result;

impl Table {
    /// The cells of a column by its name, without blanks around them.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn column(&self, name: &str) -> Result<Vec<String>> {
        let place = self.find(name)?;
        self.rows().map(|record| Ok(record?.get(place).unwrap_or_default().trim().to_string())).collect()
    }
}
