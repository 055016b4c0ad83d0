//! What coding without loss asks of a model: posteriors of rows, and outputs of codes, of few rows or many.

use super::super::given::Given;
use super::super::programs::{Taken, transform};
use super::Session;
use super::taken::Prepared;
use crate::error::Result;
use crate::graph::Tensor;
use crate::kernels::Step;
use crate::models::{Model, Rows};

/// Rows that a program works on, of several: the smallest that holds all, or else the largest.
const SIZES: [usize; 3] = [16, 64, 256];

impl Session {
    /// Mean and standard deviation of the posterior of each row `[rows, 2·latent]`, see
    /// [`Compress::posterior`](crate::models::Compress::posterior).
    ///
    /// # Errors
    /// If the model cannot compress; otherwise as for [`Session::encode`].
    pub fn coding_posterior(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let width = self.model.features();
        let outputs = 2 * self.latent()?;
        self.sized("coding_posterior", x, (width, outputs), |model, rows| Ok(model.can().compress()?.posterior(rows)))
    }

    /// The decoder's outputs for codes `[rows, latent]`, see [`Compress::outputs`](crate::models::Compress::outputs).
    /// `[rows, outputs]`
    ///
    /// # Errors
    /// As for [`Session::coding_posterior`].
    pub fn coding_outputs(&mut self, z: &[f32]) -> Result<Vec<f32>> {
        let (width, outputs) = (self.latent()?, self.model.can().compress()?.outputs_width());
        self.sized("coding_outputs", z, (width, outputs), |model, rows| Ok(model.can().compress()?.outputs(rows.x)))
    }

    fn sized(
        &mut self,
        name: &str,
        x: &[f32],
        (width, outputs): (usize, usize),
        work: impl for<'g> Fn(&dyn Model, Rows<'g>) -> Result<Tensor<'g>>,
    ) -> Result<Vec<f32>> {
        self.model.can().compress()?;
        let taken = Taken { width, condition: 0, gaps: false, guessed: false };
        let prepared = Prepared::new(Given::new(x, &[]), taken)?;
        let mut out = Vec::with_capacity(prepared.rows * outputs);
        let mut start = 0;
        while start < prepared.rows {
            let left = prepared.rows - start;
            let size = SIZES.into_iter().find(|&size| size >= left).unwrap_or(SIZES[SIZES.len() - 1]);
            let name = format!("{name}.{size}");
            let id = self
                .load(&name, |model, layout| transform(&name, &layout.read(), size, taken, |rows| work(model, rows)))?;
            let live = self.write_rows(&prepared.inputs(&name), (start, prepared.rows), size)?;
            let step = Step { rows: live as u32, scalars: self.scalars(id, 1.0)?, ..Step::default() };
            self.executor.run(id, &[step])?;
            out.extend_from_slice(&self.executor.read_f32(&format!("output.{name}"))?[..live * outputs]);
            start += live;
        }
        Ok(out)
    }
}
