//! Linear layers with a nonlinearity behind them, forward and backward, one row at a time.

use super::faults::Fault;
use super::random::Draws;
use super::settings::{Bend, Settings};

/// Streams of starting values count from here, one for each tensor of the model.
const STARTS: u32 = 1 << 31;

/// Weights `[outputs][inputs]`, then the bias `[outputs]`, of every layer in turn.
pub type Tensors = Vec<Vec<f64>>;

/// A layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What the engine calls it.
    pub name: String,
    inputs: usize,
    outputs: usize,
    bent: bool,
}

/// The layers from the data to the code and on to the data.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<Layer>,
    /// How many of them there are up to the code.
    pub encoder: usize,
    bend: Bend,
}

impl Network {
    /// Hidden layers and a linear one to the means and ln σ² of the code (or to the code), and the same way back.
    pub fn new(settings: &Settings) -> Network {
        let depth = settings.hidden.len();
        let code = if settings.variational { 2 * settings.latent } else { settings.latent };
        let hidden = |side: &'static str| move |i: usize| (format!("{side}.{i}"), true);
        let names = (0..depth).map(hidden("encoder")).chain([("head".to_string(), false)]);
        let names = names.chain((0..depth).map(hidden("decoder"))).chain([(format!("decoder.{depth}"), false)]);
        let into = std::iter::once(settings.features).chain(settings.hidden.iter().copied());
        let back = std::iter::once(settings.latent).chain(settings.hidden.iter().rev().copied());
        let outputs = settings.hidden.iter().copied().chain([code]);
        let outputs = outputs.chain(settings.hidden.iter().rev().copied()).chain([settings.features]);
        let layers = names.zip(into.chain(back).zip(outputs));
        let layers = layers.map(|((name, bent), (inputs, outputs))| Layer { name, inputs, outputs, bent }).collect();
        Network { layers, encoder: depth + 1, bend: settings.bend }
    }

    /// What the engine calls the tensors.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.layers.iter().flat_map(|layer| ["weight", "bias"].map(|part| format!("{}.{part}", layer.name)))
    }

    /// Starting values: uniform in ±1/√inputs, biases too, as PyTorch's `nn.Linear` does it.
    pub fn start(&self, seed: u64, fault: Option<Fault>) -> Tensors {
        let draws = Draws { seed, step: 0 };
        let sizes = self.layers.iter().flat_map(|l| [l.inputs * l.outputs, l.outputs].map(|size| (size, l.inputs)));
        let tensor = |(place, (size, inputs)): (usize, (usize, usize))| {
            let place = if fault == Some(Fault::StartsFromOneStream) { 0 } else { place as u32 };
            let bound = (inputs as f64).sqrt().recip();
            (0..size).map(|e| bound * (2.0 * draws.uniform(STARTS + place, e) - 1.0)).collect()
        };
        let mut all: Tensors = sizes.enumerate().map(tensor).collect();
        if fault == Some(Fault::BiasesStartAtZero) {
            all.iter_mut().skip(1).step_by(2).for_each(|bias| bias.fill(0.0));
        }
        all
    }

    /// Zeros for every number of the tensors.
    pub fn zeros(&self) -> Tensors {
        self.layers.iter().flat_map(|l| [vec![0.0; l.inputs * l.outputs], vec![0.0; l.outputs]]).collect()
    }

    /// How many layers there are.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// What goes into each layer of a range, and what comes out of the last.
    pub fn forward(&self, tensors: &Tensors, range: std::ops::Range<usize>, x: Vec<f64>) -> Vec<Vec<f64>> {
        let mut values = vec![x];
        for i in range {
            let (layer, x) = (&self.layers[i], &values[values.len() - 1]);
            let sums = tensors[2 * i].chunks(layer.inputs).zip(&tensors[2 * i + 1]);
            let sums = sums.map(|(row, bias)| bias + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
            let bent = sums.map(|a| match self.bend {
                _ if !layer.bent => a,
                Bend::Tanh => a.tanh(),
                Bend::Relu => a.max(0.0),
            });
            values.push(bent.collect());
        }
        values
    }

    /// Adds to the gradients of a range of layers what a row has of them, `slope` being the derivatives of the loss in what
    /// came out; gives the derivatives in what went in.
    pub fn backward(
        &self,
        tensors: &Tensors,
        range: std::ops::Range<usize>,
        values: &[Vec<f64>],
        mut slope: Vec<f64>,
        gradients: &mut Tensors,
    ) -> Vec<f64> {
        for (i, ends) in range.zip(values.windows(2)).rev() {
            let (layer, x, y) = (&self.layers[i], &ends[0], &ends[1]);
            let mut below = vec![0.0; layer.inputs];
            for (o, (slope, y)) in slope.iter().zip(y).enumerate() {
                // tanh′ = 1 − tanh², and relu′ is 1 where something came out.
                let slope = slope
                    * match self.bend {
                        _ if !layer.bent => 1.0,
                        Bend::Tanh => 1.0 - y * y,
                        Bend::Relu => f64::from(u8::from(*y > 0.0)),
                    };
                gradients[2 * i + 1][o] += slope;
                for (j, below) in below.iter_mut().enumerate() {
                    gradients[2 * i][o * layer.inputs + j] += slope * x[j];
                    *below += slope * tensors[2 * i][o * layer.inputs + j];
                }
            }
            slope = below;
        }
        slope
    }
}
