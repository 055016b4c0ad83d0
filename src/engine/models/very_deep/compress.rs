//! Rows coded without loss: codes of all layers are drawn from the top down, each relative to its prior, and coded under N(0, I) once the
//! row is (Townsend et al. 2020).

use super::{VeryDeep, by_row};
use crate::distributions::Discrete;
use crate::graph::Tensor;
use crate::models::{Coded, CodedAs, CodingStep, Compress, GaussianCodes, bits_back_steps};

impl Compress for VeryDeep {
    fn coded_as(&self) -> CodedAs<'_> {
        CodedAs::Numbers(self)
    }

    fn values(&self) -> &dyn Discrete {
        self.parts.coded_values()
    }
}

impl GaussianCodes for VeryDeep {
    fn widths(&self) -> Vec<usize> {
        self.networks.widths()
    }

    fn steps(&self) -> Vec<CodingStep> {
        bits_back_steps(self.networks.widths().len())
    }

    fn outputs<'g>(&self, step: &CodingStep, given: &[Tensor<'g>]) -> Tensor<'g> {
        match step.what {
            Coded::Row => self.decode(given[0].graph().concat(given, 1)),
            Coded::Draw(layer) => self.posterior_of(layer, given[0], &given[1..]),
            Coded::Codes(_) => unreachable!("codes are relative to their priors, and coded under N(0, I)"),
        }
    }
}

impl VeryDeep {
    /// q of a layer relative to its prior, means and behind them deviations `[rows, 2·width]`, given rows and the codes of the layers
    /// above, the lowest of them first.
    fn posterior_of<'g>(&self, layer: usize, x: Tensor<'g>, above: &[Tensor<'g>]) -> Tensor<'g> {
        let (rows, said) = (x.shape()[0], self.networks.upwards(x));
        let mut found = None;
        self.networks.downwards(x.graph(), rows, |site| {
            if site.layer > layer {
                return site.prior.at(above[site.layer - layer - 1].reshape(site.prior.mu.shape()));
            }
            if site.layer == layer {
                let relative = self.networks.posterior(site, &said).relative_to(site.prior);
                let deviation = (relative.log_var * 0.5).exp();
                found = Some(x.graph().concat(&[by_row(relative.mu, rows), by_row(deviation, rows)], 1));
            }
            // What is below is not looked at.
            site.prior.mu
        });
        found.expect("it is a layer")
    }
}
