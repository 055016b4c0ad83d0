//! What coding without loss asks of a model: posteriors or indices of rows, and outputs of codes, of few rows or many.

use super::super::given::Given;
use super::super::programs::{Taken, transform};
use super::Session;
use super::taken::Prepared;
use crate::error::Result;
use crate::graph::Tensor;
use crate::kernels::Step;
use crate::models::{CodedAs, Model, Rows};

/// Rows that a program works on, of several: the smallest that holds all, or else the largest.
const SIZES: [usize; 3] = [16, 64, 256];

impl Session {
    /// Mean and standard deviation of the posterior of each row `[rows, 2·latent]`, see
    /// [`GaussianCodes::posterior`](crate::models::GaussianCodes::posterior).
    ///
    /// # Errors
    /// If the model cannot compress, or its codes are indices; otherwise as for [`Session::encode`].
    pub fn coding_posterior(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        self.sized("coding_posterior", (x, self.model.features()), |model, rows| {
            Ok(coded_as(model)?.numbers()?.posterior(rows))
        })
    }

    /// The indices of each row, see [`IndexCodes::indices`](crate::models::IndexCodes::indices). `[rows, indices]`
    ///
    /// # Errors
    /// If the model cannot compress, or its codes are numbers; otherwise as for [`Session::encode`].
    pub fn coding_indices(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        self.sized("coding_indices", (x, self.model.features()), |model, rows| {
            Ok(coded_as(model)?.indices()?.indices(rows))
        })
    }

    /// The logits of an index of each row and what they leave for the next, see [`IndexCodes::next`](crate::models::IndexCodes::next), of what
    /// that is given, so many numbers of each row. `[rows, K + memory]`
    ///
    /// # Errors
    /// As for [`Session::coding_indices`].
    pub fn coding_next(&mut self, number: usize, given: &[f32], width: usize) -> Result<Vec<f32>> {
        let [indices, _] = coded_as(&*self.model)?.indices()?.sizes();
        self.loaded.room_for(indices);
        let name = format!("coding_next.{number}");
        self.sized(&name, (given, width), |model, rows| Ok(coded_as(model)?.indices()?.next(number, rows.x)))
    }

    /// The decoder's outputs for codes, see [`Compress::outputs`](crate::models::Compress::outputs). `[rows, outputs]`
    ///
    /// # Errors
    /// If the model cannot compress; otherwise as for [`Session::encode`].
    pub fn coding_outputs(&mut self, codes: &[f32]) -> Result<Vec<f32>> {
        let width = match coded_as(&*self.model)? {
            CodedAs::Numbers(_) => self.latent()?,
            CodedAs::Indices(of) => of.sizes()[0],
        };
        self.sized("coding_outputs", (codes, width), |model, rows| Ok(model.can().compress()?.outputs(rows.x)))
    }

    /// What a model makes of rows of so many numbers.
    fn sized(
        &mut self,
        name: &str,
        (x, width): (&[f32], usize),
        work: impl for<'g> Fn(&dyn Model, Rows<'g>) -> Result<Tensor<'g>>,
    ) -> Result<Vec<f32>> {
        self.model.can().compress()?;
        let taken = Taken { width, condition: 0, gaps: false, guessed: false };
        let prepared = Prepared::new(Given::new(x, &[]), taken)?;
        let (mut out, mut start) = (vec![], 0);
        while start < prepared.rows {
            let left = prepared.rows - start;
            let size = SIZES.into_iter().find(|&size| size >= left).unwrap_or(SIZES[SIZES.len() - 1]);
            let name = format!("{name}.{size}");
            let id = self
                .load(&name, |model, layout| transform(&name, &layout.read(), size, taken, |rows| work(model, rows)))?;
            let live = self.write_rows(&prepared.inputs(&name), (start, prepared.rows), size)?;
            let step = Step { rows: live as u32, scalars: self.scalars(id, 1.0)?, ..Step::default() };
            self.executor.run(id, &[step])?;
            let made = self.executor.read_f32(&format!("output.{name}"))?;
            out.extend_from_slice(&made[..made.len() / size * live]);
            start += live;
        }
        Ok(out)
    }
}

fn coded_as(model: &dyn Model) -> Result<CodedAs<'_>> {
    Ok(model.can().compress()?.coded_as())
}
