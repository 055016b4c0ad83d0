//! What coding without loss asks of a model: what it says of each step, or indices of rows and what follows from them, of few rows or many.

use super::super::given::Given;
use super::super::programs::{Taken, generator, transform};
use super::Session;
use super::rows::CHUNK;
use super::taken::Prepared;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Step;
use crate::models::{CodedAs, CodingStep, Model, Rows, Variable};

/// Rows that a program works on, of several: the smallest that holds all, or else the largest.
const SIZES: [usize; 3] = [16, 64, 256];

impl Session {
    /// What networks say of a step of coding rows, of what it is given of each, one variable behind the other; see
    /// [`GaussianCodes::outputs`](crate::models::GaussianCodes::outputs). `[rows, outputs]`
    ///
    /// # Errors
    /// If the model cannot compress, or its codes are indices; otherwise as for [`Session::encode`].
    pub fn coding_step(&mut self, step: &CodingStep, given: &[f32]) -> Result<Vec<f32>> {
        let layers = coded_as(&*self.model)?.numbers()?.widths();
        let width_of = |variable: &Variable| match *variable {
            Variable::Row => self.model.features(),
            Variable::Codes(layer) => layers[layer],
        };
        let widths: Vec<usize> = step.given.iter().map(width_of).collect();
        self.sized(&format!("coding {:?}", step.what), (given, widths.iter().sum()), |model, rows| {
            Ok(coded_as(model)?.numbers()?.outputs(step, &apart(rows.x, &widths)))
        })
    }

    /// Some codes of all layers behind each other, the same each time, `[rows, Σ widths]`, of a model that has layers which are coded given
    /// something; see [`GaussianCodes::drawn_codes`](crate::models::GaussianCodes::drawn_codes).
    ///
    /// # Errors
    /// If the model cannot compress, its codes are indices, or the device fails.
    pub fn coding_draws(&mut self) -> Result<Option<Vec<f32>>> {
        let codes = coded_as(&*self.model)?.numbers()?;
        let width = codes.widths().iter().sum();
        if codes.drawn_codes(&Graph::new(), CHUNK).is_none() {
            return Ok(None);
        }
        // Bins of codes lie as these draws say: how many they are, their seed and how they are made belong to the format of compressed rows.
        let id = self.load("coding_draws", |model, layout| {
            generator("coding_draws", &layout.read(), |graph| {
                let drawn = coded_as(model)?.numbers()?.drawn_codes(graph, CHUNK);
                Ok(drawn.expect("there were some of another graph"))
            })
        })?;
        self.chunks(("coding_draws", id), (CHUNK, width), 0, &[]).map(Some)
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

    /// The decoder's outputs for indices `[rows, indices]`, see [`IndexCodes::outputs`](crate::models::IndexCodes::outputs). `[rows, outputs]`
    ///
    /// # Errors
    /// As for [`Session::coding_indices`].
    pub fn coding_outputs(&mut self, indices: &[f32]) -> Result<Vec<f32>> {
        let [number, _] = coded_as(&*self.model)?.indices()?.sizes();
        self.sized("coding_outputs", (indices, number), |model, rows| Ok(coded_as(model)?.indices()?.outputs(rows.x)))
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

/// What stands behind each other in rows, of these widths.
fn apart<'g>(rows: Tensor<'g>, widths: &[usize]) -> Vec<Tensor<'g>> {
    let starts = widths.iter().scan(0, |start, width| {
        *start += width;
        Some(*start - width)
    });
    starts.zip(widths).map(|(start, &width)| rows.slice(1, start, width)).collect()
}
