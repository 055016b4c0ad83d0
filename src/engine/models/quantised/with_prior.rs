//! What a prior over indices gives a model of quantised codes: rows that are drawn, a likelihood, and a fit.

use super::vq_vae::VqVae;
use crate::distributions::Above;
use crate::distributions::prior::Points;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::models::{Batch, Decode, Density, Encode, FitPrior, Generate, Rows, Terms, Weighted};

impl VqVae {
    /// Codes drawn from the prior at a temperature, the top's first and those below given these `[rows, latent]`.
    fn draw_codes<'g>(&self, graph: &'g Graph, rows: usize, temperature: f32) -> Tensor<'g> {
        let (mut above, mut codes) = (None, vec![]);
        for level in self.levels().into_iter().rev() {
            let grid = level.index_grid();
            let drawn = self.prior.sample(graph, rows, level.prior_level(above), temperature);
            let chosen = graph.concat(&drawn, 1).reshape(&[rows * grid.indices(), grid.codes]);
            codes.push(level.code_of(chosen));
            above = Some(Above { grid, chosen });
        }
        codes.reverse();
        graph.concat(&codes, 1)
    }

    /// ln p(x, k) `[rows, 1]` of the one code of each row, and what it says.
    fn weighted_once<'g>(&self, rows: Rows<'g>) -> Weighted<'g> {
        let coded = self.coded(rows);
        let codes = self.together(&coded, |coded| coded.quantised.vectors);
        let outputs = self.outputs(codes);
        let log_weights = rows.log_likelihood(&*self.likelihood, outputs) + self.log_prior(&coded);
        Weighted { log_weights, codes, means: self.likelihood.mean(outputs) }
    }
}

impl Generate for VqVae {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.draw_codes(graph, rows, 1.0)
    }

    fn is_of_choices(&self) -> bool {
        true
    }

    fn tempered_codes<'g>(&self, graph: &'g Graph, rows: usize, temperature: f32) -> Tensor<'g> {
        self.draw_codes(graph, rows, temperature)
    }

    fn gaussian<'g>(&self, _: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        None
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, y: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, self.codes(graph, rows), y)
    }
}

/// A row has one code, which is certain: q(k | x) = 1.
impl Density for VqVae {
    fn kl_is_closed_form(&self) -> bool {
        true
    }

    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.weighted_once(rows).log_weights.expand(&[rows.count(), samples])
    }

    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g> {
        let Weighted { log_weights, codes, means } = self.weighted_once(rows);
        let log_weights = log_weights.expand(&[rows.count(), samples]);
        Weighted { log_weights, codes: codes.repeat_rows(samples), means: means.repeat_rows(samples) }
    }

    fn code_shape(&self) -> [usize; 2] {
        [1, Encode::latent(self)]
    }

    fn mean_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, codes, y)
    }

    fn draw_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        Decode::draw(self, codes, y)
    }

    fn note(&self) -> Option<&'static str> {
        Some(
            "A row has one code, that of the nearest vectors: -ln p(x) counts -ln p(x|k) - ln p(k) of its indices k alone. That is -ELBO, \
             a bound which more samples do not tighten.",
        )
    }
}

impl FitPrior for VqVae {
    fn terms_of_prior<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let (terms, kl) = self.terms_and_kl(batch);
        Terms { loss: kl, ..terms }
    }

    fn data_dependent_init(&self, _: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        Ok(vec![])
    }
}
