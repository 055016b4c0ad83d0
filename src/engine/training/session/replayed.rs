//! The programs by which another host uses a model: they are made here, and run there.

use super::super::programs::{Taken, generator, known, transform};
use super::Session;
use crate::error::Result;
use crate::graph::Tensor;
use crate::kernels::SCALARS;
use crate::models::{Model, Rows};
use crate::program::{ParameterSet, Program};

impl Session {
    /// Programs of `rows` rows, each with its scalars: `decode` from codes to rows; `encode` and `reconstruct` from rows to the means of their codes
    /// and to what the decoder makes of these; and `sample`, new rows, which are drawn from p(x | z) with `draws` and are its mean without. Each
    /// where the model can do it. Inputs and outputs are named after them, see [`Session::decode`], [`Session::encode`], [`Session::reconstruct`]
    /// and [`Session::sample`]; `NAME.known` is what is known of each row, and `NAME.observed` which of its values were observed, where rows may
    /// have gaps.
    ///
    /// # Errors
    /// If the model has no decoder.
    pub fn replayed(&self, rows: usize, draws: bool) -> Result<Vec<(Program, [f32; SCALARS])>> {
        let (model, sets) = (&*self.model, self.layout.read());
        let (can, condition, decoder) = (model.can(), model.condition(), model.can().decode()?);
        let mut programs = vec![];
        if let Some(encoder) = can.encode {
            let of_codes = Taken { width: encoder.latent(), condition: condition.width(), gaps: false, guessed: false };
            programs.push(transform("decode", &sets, rows, of_codes, |Rows { x: z, y, .. }| Ok(decoder.mean(z, y)))?);
            let of_rows =
                Taken { width: model.features(), condition: condition.given(), gaps: self.takes_gaps, guessed: false };
            programs.push(transform("encode", &sets, rows, of_rows, |rows| Ok(encoder.mean(rows)))?);
            programs.push(transform("reconstruct", &sets, rows, of_rows, |rows| {
                Ok(model.can().reconstruct()?.reconstruct(rows))
            })?);
        }
        if can.generate.is_some() {
            programs.push(sample(model, &sets, rows, draws)?);
        }
        let with_scalars = |program: Program| {
            let scalars = self.scalars_of(&program, 1.0);
            (program, scalars)
        };
        Ok(programs.into_iter().map(with_scalars).collect())
    }
}

/// New rows from the prior.
fn sample(model: &dyn Model, sets: &[ParameterSet], rows: usize, draws: bool) -> Result<Program> {
    let condition = model.condition().width();
    generator("sample", sets, |graph| {
        let y = (condition > 0).then(|| graph.input(&known("sample"), &[rows, condition]));
        let (generate, decoder) = (model.can().generate()?, model.can().decode()?);
        let drawn: Option<Tensor> = match draws {
            true => decoder.draw(generate.codes(graph, rows), y),
            false => None,
        };
        Ok(drawn.unwrap_or_else(|| generate.rows(graph, rows, y)))
    })
}
