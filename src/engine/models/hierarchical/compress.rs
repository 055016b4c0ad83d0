//! Rows coded without loss by several stochastic layers.
//!
//! Bottom up, each layer is inferred from the one below alone, which Bit-Swap asks for; its codes are drawn before the layer above is known, so
//! that those of all layers but the uppermost are coded as the networks know them. In a ladder all layers are inferred from the row, from the top
//! down: when a layer is drawn, its prior is known, and codes are relative to that (Townsend et al. 2020).

use super::moments::Moments;
use super::{Hierarchical, Recognition};
use crate::distributions::{Discrete, PosteriorNetwork};
use crate::graph::{Graph, Tensor};
use crate::models::{Coded, CodedAs, CodingStep, Compress, GaussianCodes, bit_swap_steps, bits_back_steps};

impl Compress for Hierarchical {
    fn coded_as(&self) -> CodedAs<'_> {
        CodedAs::Numbers(self)
    }

    fn values(&self) -> &dyn Discrete {
        self.parts.coded_values()
    }
}

impl GaussianCodes for Hierarchical {
    fn widths(&self) -> Vec<usize> {
        self.stack.widths()
    }

    fn steps(&self) -> Vec<CodingStep> {
        let layers = self.stack.widths().len();
        match self.stack.recognition {
            Recognition::BottomUp => bit_swap_steps(layers),
            Recognition::Ladder => bits_back_steps(layers),
        }
    }

    fn outputs<'g>(&self, step: &CodingStep, given: &[Tensor<'g>]) -> Tensor<'g> {
        match self.stack.recognition {
            Recognition::BottomUp => self.outputs_upwards(step.what, given[0]),
            Recognition::Ladder => self.outputs_downwards(step.what, given),
        }
    }

    fn drawn_codes<'g>(&self, graph: &'g Graph, rows: usize) -> Option<Tensor<'g>> {
        let is_upwards = self.stack.recognition == Recognition::BottomUp;
        is_upwards.then(|| graph.concat(&self.drawn_layers(graph, rows), 1))
    }
}

impl Hierarchical {
    /// Bottom up, where all that is given is the row or codes of one layer.
    fn outputs_upwards<'g>(&self, what: Coded, given: Tensor<'g>) -> Tensor<'g> {
        let (upper, top) = (&self.stack.upper, self.stack.upper.len());
        let z = |layer: usize| if layer == top { self.top_codes(given) } else { given };
        match what {
            Coded::Row => self.stack.networks.decode(z(0), None),
            Coded::Codes(layer) => upper[layer].prior(z(layer + 1)).behind_each_other(),
            Coded::Draw(layer) => {
                let outputs = match layer {
                    0 => self.stack.networks.outputs(given),
                    _ => upper[layer - 1].up(given)[1],
                };
                let posterior = Moments::split(outputs);
                let is_top = layer == top;
                let relative = is_top.then(|| posterior.relative_to(self.top_prior(given.graph())));
                relative.unwrap_or(posterior).behind_each_other()
            }
        }
    }

    /// In a ladder, where codes are given from the lowest known layer upwards, behind the row where a layer is drawn.
    fn outputs_downwards<'g>(&self, what: Coded, given: &[Tensor<'g>]) -> Tensor<'g> {
        let (upper, top) = (&self.stack.upper, self.stack.upper.len());
        // What the codes of known layers, the lowest first, say of the layer that is `lowest`: itself.
        let descended = |known: &[Tensor<'g>]| {
            let (last, below) = known.split_last().expect("the uppermost is known");
            below
                .iter()
                .enumerate()
                .rev()
                .fold(self.top_codes(*last), |z, (place, &code)| upper[top - below.len() + place].prior(z).at(code))
        };
        match what {
            Coded::Draw(layer) => {
                let estimate = Moments::split(self.stack.estimates(given[0])[layer]);
                let (posterior, prior) = match layer == top {
                    true => (estimate, self.top_prior(given[0].graph())),
                    false => {
                        let prior = upper[layer].prior(descended(&given[1..]));
                        (estimate.merge(prior), prior)
                    }
                };
                posterior.relative_to(prior).behind_each_other()
            }
            Coded::Row => self.stack.networks.decode(descended(given), None),
            Coded::Codes(_) => unreachable!("codes of a ladder are coded under N(0, I)"),
        }
    }

    /// The prior of the uppermost layer, which is a product of Gaussians. `[1, width]`
    fn top_prior<'g>(&self, graph: &'g Graph) -> Moments<'g> {
        let [mu, log_var] = self.parts.coded_prior(graph, self.stack.top());
        Moments { mu, log_var }
    }

    /// Codes of the uppermost layer, of those relative to its prior.
    fn top_codes<'g>(&self, relative: Tensor<'g>) -> Tensor<'g> {
        self.top_prior(relative.graph()).at(relative)
    }
}
