//! What is known of rows besides their values: classes, and the factors that made them.

/// The class of every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The class of each row, `[rows]`, each below `classes`.
    pub values: Vec<u32>,
    /// The number of classes, also of those no row here belongs to.
    pub classes: usize,
    /// What people call the classes, `[classes]`.
    pub names: Vec<String>,
}

impl Labels {
    /// The name of a row's class; its number where it has none.
    pub fn name_of(&self, row: usize) -> String {
        let class = self.values[row];
        self.names.get(class as usize).cloned().unwrap_or_else(|| class.to_string())
    }
}

/// The generative factors of every row, where the data was made and they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factors {
    /// What people call the factors, `[factors]`.
    pub names: Vec<String>,
    /// The number of values each factor takes, `[factors]`.
    pub sizes: Vec<usize>,
    /// The index of each row's value of each factor, `[rows, factors]`, row-major.
    pub values: Vec<u32>,
}
