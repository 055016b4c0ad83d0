//! What coding without loss asks of a model: what it says of each step, for few rows or many.

use super::super::given::Given;
use super::super::programs::{Taken, generator, transform};
use super::Session;
use super::rows::CHUNK;
use super::taken::Prepared;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Step;
use crate::models::{Coded, CodingStep, Variable};

/// Rows that a program works on, of several: the smallest that holds all, or else the largest.
const SIZES: [usize; 3] = [16, 64, 256];

impl Session {
    /// What networks say of a step of coding rows, of what it is given of each, one variable behind the other; see
    /// [`Compress::outputs`](crate::models::Compress::outputs). `[rows, outputs]`
    ///
    /// # Errors
    /// If the model cannot compress; otherwise as for [`Session::encode`].
    pub fn coding_outputs(&mut self, step: &CodingStep, given: &[f32]) -> Result<Vec<f32>> {
        let compress = self.model.can().compress()?;
        let widths = compress.widths();
        let outputs = match step.what {
            Coded::Row => compress.outputs_width(),
            Coded::Draw(layer) | Coded::Codes(layer) => 2 * widths[layer],
        };
        let width_of = |variable: &Variable| match *variable {
            Variable::Row => self.model.features(),
            Variable::Codes(layer) => widths[layer],
        };
        let widths: Vec<usize> = step.given.iter().map(width_of).collect();
        let taken = Taken { width: widths.iter().sum(), condition: 0, gaps: false, guessed: false };
        let prepared = Prepared::new(Given::new(given, &[]), taken)?;
        let mut out = Vec::with_capacity(prepared.rows * outputs);
        let mut start = 0;
        while start < prepared.rows {
            let left = prepared.rows - start;
            let size = SIZES.into_iter().find(|&size| size >= left).unwrap_or(SIZES[SIZES.len() - 1]);
            let name = format!("coding {:?} {size}", step.what);
            let id = self.load(&name, |model, layout| {
                transform(&name, &layout.read(), size, taken, |rows| {
                    Ok(model.can().compress()?.outputs(step, &apart(rows.x, &widths)))
                })
            })?;
            let live = self.write_rows(&prepared.inputs(&name), (start, prepared.rows), size)?;
            let step = Step { rows: live as u32, scalars: self.scalars(id, 1.0)?, ..Step::default() };
            self.executor.run(id, &[step])?;
            out.extend_from_slice(&self.executor.read_f32(&format!("output.{name}"))?[..live * outputs]);
            start += live;
        }
        Ok(out)
    }

    /// Some codes of all layers behind each other, the same each time, `[rows, Σ widths]`, of a model that has layers which are coded given
    /// something; see [`Compress::drawn_codes`](crate::models::Compress::drawn_codes).
    ///
    /// # Errors
    /// If the model cannot compress, or the device fails.
    pub fn coding_draws(&mut self) -> Result<Option<Vec<f32>>> {
        let compress = self.model.can().compress()?;
        let width = compress.widths().iter().sum();
        if compress.drawn_codes(&Graph::new(), CHUNK).is_none() {
            return Ok(None);
        }
        let id = self.load("coding_draws", |model, layout| {
            generator("coding_draws", &layout.read(), |graph| {
                let drawn = model.can().compress()?.drawn_codes(graph, CHUNK);
                Ok(drawn.expect("there were some of another graph"))
            })
        })?;
        self.chunks(("coding_draws", id), (CHUNK, width), 0, &[]).map(Some)
    }
}

/// What stands behind each other in rows, of these widths.
fn apart<'g>(rows: Tensor<'g>, widths: &[usize]) -> Vec<Tensor<'g>> {
    let starts = widths.iter().scan(0, |start, width| {
        *start += width;
        Some(*start - width)
    });
    starts.zip(widths).map(|(start, &width)| rows.slice(1, start, width)).collect()
}
