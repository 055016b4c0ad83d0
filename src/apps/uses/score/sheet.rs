//! The strangest pictures on a sheet, with what a model makes of them and where they surprise it.

use std::path::Path;

use super::values::{as_numbers, mean};
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
        let again = self.session.mean_reconstruction(given)?;
        let of_members = self.session.each_member(|session| as_numbers(session.score_features(given, scoring.seed)))?;
        let losses: Vec<f32> = mean(of_members).into_iter().map(|loss| loss as f32).collect();
        save_strange(to, [&x, &again, &losses], shape, COLUMNS)
    }
}
