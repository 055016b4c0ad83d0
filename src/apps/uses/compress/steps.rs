//! The steps by which a model codes rows, done and undone on stacks of bits.

use super::lanes::Decoded;
use super::rows::values;
use crate::coding::{CodeBins, PriorBins, Stack};
use crate::distributions::Discrete;
use crate::error::{Error, Result};
use crate::models::{Coded, CodingStep, Variable};
use crate::training::Session;

/// How much wider than the model draws codes the Gaussian is that their bins are alike under. Bins are narrow enough for that (10⁻⁴ of the
/// deviation), and codes of data may lie where the model hardly draws any.
const WIDENED: f64 = 4.0;

/// How a model whose codes are real numbers codes rows.
pub struct Plan {
    /// The steps, in the order of coding.
    pub steps: Vec<CodingStep>,
    /// Values of a row.
    pub features: usize,
    /// How many values each can take.
    pub levels: usize,
    /// Dimensions of each layer.
    widths: Vec<usize>,
    /// Mean and deviation that codes of each dimension are relative to in bins; empty where networks know them so.
    scales: Vec<Vec<[f32; 2]>>,
}

/// The rows of a lane in a batch.
#[derive(Clone, Debug)]
pub struct LaneRows {
    /// How many.
    rows: usize,
    /// Their levels `[rows, features]`.
    pub levels: Vec<u16>,
    /// Bins of their codes of each layer `[rows, width]`.
    codes: Vec<Vec<u32>>,
}

impl LaneRows {
    /// So many rows, of which these levels are known, or none yet.
    pub fn new(rows: usize, levels: &[u16]) -> LaneRows {
        LaneRows { rows, levels: levels.to_vec(), codes: vec![] }
    }
}

impl Plan {
    /// That of a model.
    ///
    /// # Errors
    /// If it cannot compress, its codes are indices, or the device fails.
    pub fn of(session: &mut Session) -> Result<Plan> {
        let draws = session.coding_draws()?;
        let compress = session.model.can().compress()?;
        let codes = compress.coded_as().numbers()?;
        let (steps, widths) = (codes.steps(), codes.widths());
        let mut scales = vec![vec![]; widths.len()];
        if let Some(draws) = draws {
            let (total, mut first) = (widths.iter().sum(), 0);
            for (layer, &width) in widths.iter().enumerate() {
                let is_given = |step: &CodingStep| step.what == Coded::Codes(layer) && !step.given.is_empty();
                if steps.iter().any(is_given) {
                    scales[layer] = (first..first + width).map(|at| scale(&draws[at..], total)).collect();
                }
                first += width;
            }
        }
        Ok(Plan { steps, features: session.model.features(), levels: compress.values().levels(), widths, scales })
    }

    /// What networks say of a step, of rows of all lanes; nothing of one that is given nothing.
    ///
    /// # Errors
    /// If a deviation or a mean is no number that can be coded with, or the device fails.
    pub fn outputs(&self, session: &mut Session, step: &CodingStep, lanes: &[LaneRows]) -> Result<Vec<f32>> {
        if step.given.is_empty() {
            return Ok(vec![]);
        }
        let mut given = Vec::new();
        for lane in lanes {
            for place in 0..lane.rows {
                step.given.iter().for_each(|variable| self.variable(*variable, lane, place, &mut given));
            }
        }
        let outputs = session.coding_step(step, &given)?;
        self.check(step, &outputs)?;
        Ok(outputs)
    }

    /// The values of a variable of a row.
    fn variable(&self, variable: Variable, lane: &LaneRows, place: usize, into: &mut Vec<f32>) {
        match variable {
            Variable::Row => into.extend(values(&lane.levels[place * self.features..][..self.features], self.levels)),
            Variable::Codes(layer) => {
                let (bins, width, scale) = (CodeBins::get(), self.widths[layer], &self.scales[layer]);
                let codes = lane.codes[layer][place * width..][..width].iter().map(|&bin| bins.middle(bin));
                match scale.is_empty() {
                    true => into.extend(codes),
                    false => into.extend(codes.zip(scale).map(|(code, [mean, deviation])| mean + deviation * code)),
                }
            }
        }
    }

    /// Says so if these are no means and deviations of codes.
    fn check(&self, step: &CodingStep, outputs: &[f32]) -> Result<()> {
        let (Coded::Draw(layer) | Coded::Codes(layer)) = step.what else { return Ok(()) };
        let width = self.widths[layer];
        let is_fit = |row: &[f32]| {
            row[..width].iter().all(|mean| mean.is_finite()) && row[width..].iter().all(|d| *d > 0.0 && d.is_finite())
        };
        match outputs.chunks_exact(2 * width).all(is_fit) {
            true => Ok(()),
            false => Err(Error::invalid("the code of a row is no number: was the model trained to the end?")),
        }
    }

    /// Does a step with the rows of a lane, of which networks say this.
    pub fn code(&self, stack: &mut Stack, lane: &mut LaneRows, coder: Coder) {
        let Coder { what, outputs, values } = coder;
        match what {
            Coded::Draw(layer) => {
                lane.codes.resize(self.widths.len(), vec![]);
                lane.codes[layer].clear();
                for [mean, deviation] in self.moments(layer, outputs) {
                    lane.codes[layer].push(stack.pop(&CodeBins::get().gaussian(mean, deviation)));
                }
            }
            Coded::Row => Decoded { values, outputs, features: self.features }.push(stack, &lane.levels),
            Coded::Codes(layer) if outputs.is_empty() => {
                lane.codes[layer].iter().for_each(|&bin| stack.push(bin, &PriorBins));
            }
            Coded::Codes(layer) => {
                for ([mean, deviation], &bin) in self.moments(layer, outputs).zip(&lane.codes[layer]) {
                    stack.push(bin, &CodeBins::get().gaussian(mean, deviation));
                }
            }
        }
    }

    /// Undoes a step with the rows of a lane.
    pub fn undo(&self, stack: &mut Stack, lane: &mut LaneRows, coder: Coder) {
        let Coder { what, outputs, values } = coder;
        let rows = lane.rows;
        match what {
            Coded::Draw(layer) => {
                for ([mean, deviation], &bin) in self.moments(layer, outputs).zip(&lane.codes[layer]).rev() {
                    stack.push(bin, &CodeBins::get().gaussian(mean, deviation));
                }
            }
            Coded::Row => {
                lane.levels.resize(rows * self.features, 0);
                Decoded { values, outputs, features: self.features }.pop(stack, &mut lane.levels);
            }
            Coded::Codes(layer) => {
                lane.codes.resize(self.widths.len(), vec![]);
                lane.codes[layer].resize(rows * self.widths[layer], 0);
                let bins = lane.codes[layer].iter_mut().rev();
                match outputs.is_empty() {
                    true => bins.for_each(|bin| *bin = stack.pop(&PriorBins)),
                    false => bins.zip(self.moments(layer, outputs).rev()).for_each(|(bin, [mean, deviation])| {
                        *bin = stack.pop(&CodeBins::get().gaussian(mean, deviation));
                    }),
                }
            }
        }
    }

    /// Mean and deviation of each dimension of each row, as codes in bins are.
    fn moments<'a>(
        &'a self,
        layer: usize,
        outputs: &'a [f32],
    ) -> impl DoubleEndedIterator<Item = [f32; 2]> + ExactSizeIterator + 'a {
        let (width, scale) = (self.widths[layer], &self.scales[layer]);
        (0..outputs.len() / 2).map(move |at| {
            let (row, dimension) = (at / width, at % width);
            let [mean, deviation] = [0, width].map(|behind| outputs[row * 2 * width + behind + dimension]);
            match scale.get(dimension) {
                None => [mean, deviation],
                Some([centre, spread]) => [(mean - centre) / spread, deviation / spread],
            }
        })
    }
}

/// A step that is done or undone with the rows of a lane.
#[derive(Clone, Copy)]
pub struct Coder<'a> {
    /// What is done.
    pub what: Coded,
    /// What networks say of it, of these rows.
    pub outputs: &'a [f32],
    /// What outputs say of values.
    pub values: &'a dyn Discrete,
}

/// Mean and widened deviation of every so-manyeth number.
fn scale(draws: &[f32], each: usize) -> [f32; 2] {
    let of = || draws.iter().step_by(each).map(|&draw| f64::from(draw));
    let count = of().count() as f64;
    let mean = of().sum::<f64>() / count;
    let variance = of().map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / count;
    [mean as f32, (WIDENED * variance.sqrt()).max(1e-6) as f32]
}
