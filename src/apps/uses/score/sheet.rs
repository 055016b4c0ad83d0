//! The strangest pictures on a sheet, with what a model makes of them and where they surprise it.

use std::path::Path;

use super::{Scoring, Strange};
use crate::apps::Saved;
use crate::apps::pictures::save_strange;
use crate::data::Dataset;
use crate::error::Result;
use crate::training::Given;

/// Pictures side by side.
const COLUMNS: usize = 10;

impl Saved {
    /// Draws them.
    pub(super) fn draw_strange(&mut self, rows: &Dataset, top: &[Strange], scoring: &Scoring, to: &Path) -> Result<()> {
        let shape = self.form.shape();
        let (x, y) = rows.gather(top.iter().map(|strange| strange.row));
        let given = Given::new(&x, &y);
        let again = self.session.reconstruct(given)?;
        let losses = self.session.score_features(given, scoring.seed)?;
        save_strange(to, [&x, &again, &losses], shape, COLUMNS)
    }
}
