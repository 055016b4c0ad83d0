//! The likelihood of rows in memory, by importance sampling.

use super::super::given::Given;
use super::super::importance::{LogLikelihood, ROWS, Row, Weigher, runs};
use super::super::programs::{log_weights_of, transform};
use super::Session;
use super::rows::part_of_seed;
use super::taken::{Input, Prepared};
use crate::error::Result;
use crate::kernels::Step;

impl Session {
    /// ln p(x) of each row (of what was observed of it), estimated by importance sampling from `samples` codes that the seed decides; see
    /// [`LogLikelihood`]. Of an ensemble, so many codes of each member, and p is the mixture of them.
    ///
    /// # Errors
    /// If the model gives rows no likelihood, `samples` is 0 or above [`MAX_SAMPLES`](crate::training::MAX_SAMPLES); otherwise as for
    /// [`Session::encode`].
    pub fn log_likelihood<'a>(
        &mut self,
        rows: impl Into<Given<'a>>,
        samples: usize,
        seed: u64,
    ) -> Result<Vec<LogLikelihood>> {
        let given = rows.into();
        // The codes of a member are no other's, so that what they are off by is independent.
        let mut seeds = std::iter::once(seed).chain((1..).map(|member| part_of_seed(seed, member)));
        let members = self.each_member(|session| session.log_weights(given, samples, seeds.next().unwrap_or(seed)))?;
        Ok(Row::mixtures(&members).into_iter().map(LogLikelihood::from).collect())
    }

    /// What the weights of rows say under the model that the session holds.
    fn log_weights(&mut self, given: Given, samples: usize, seed: u64) -> Result<Vec<Row>> {
        let runs = runs(samples)?;
        self.model.can().density()?;
        let (given, taken) = self.taken(given);
        let prepared = Prepared::new(given, taken)?;
        let mut programs = Vec::new();
        for (codes, times) in runs {
            let output = taken.program(&log_weights_of(codes));
            let id = self.load(&output, |model, layout| {
                transform(&output, &layout.read(), ROWS, taken, |rows| {
                    Ok(model.can().density()?.log_weights(rows, codes))
                })
            })?;
            programs.push(Weigher { id, codes, times, output });
        }
        let inputs: Vec<Input> = programs.iter().flat_map(|program| prepared.inputs(&program.output)).collect();
        let (seed, mut number, mut found) = (Step::seed_words(seed), 0, Vec::with_capacity(prepared.rows));
        for start in (0..prepared.rows).step_by(ROWS) {
            let live = self.write_rows(&inputs, (start, prepared.rows), ROWS)? as u32;
            let step = Step { seed, rows: live, ..Step::default() };
            found.extend(self.weigh(&programs, &step, &mut number)?);
        }
        Ok(found)
    }
}
