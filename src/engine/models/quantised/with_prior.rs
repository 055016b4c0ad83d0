//! What a prior over indices gives a model of quantised codes: rows that are drawn, a likelihood, and a fit.

use super::grid::Grid;
use super::vq_vae::VqVae;
use crate::distributions::prior::Points;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::models::{Batch, Decode, Density, FitPrior, Generate, Rows, Terms, Weighted};

impl VqVae {
    /// Codes drawn from the prior at a temperature `[rows, latent]`.
    fn draw_codes<'g>(&self, graph: &'g Graph, rows: usize, temperature: f32) -> Tensor<'g> {
        let (Grid { groups, dimensions, .. }, stages) = (self.grid, self.quantiser.stages());
        let drawn = self.prior.sample(graph, rows, self.index_grid(), temperature);
        let of_stages = |indices: &[Tensor<'g>]| {
            let added = indices.iter().enumerate().map(|(stage, index)| self.quantiser.vectors(graph, stage, *index));
            added.reduce(|sum, one| sum + one).expect("an encoding has an index")
        };
        let by_place: Vec<Tensor> = drawn.chunks(stages).map(of_stages).collect();
        self.code_of(graph.concat(&by_place, 1).reshape(&[rows * self.grid.places() * groups, dimensions]))
    }

    /// Vectors that lie place by place `[rows·P·G, D]` as codes `[rows, latent]`.
    pub(super) fn code_of<'g>(&self, by_place: Tensor<'g>) -> Tensor<'g> {
        self.grid.together(self.grid.by_group(by_place))
    }

    /// ln p(x, k) `[rows, 1]` of the one code of each row, and what it says.
    fn weighted_once<'g>(&self, rows: Rows<'g>) -> Weighted<'g> {
        let quantised = self.quantised(rows);
        let codes = self.grid.together(quantised.vectors);
        let outputs = self.networks.decode(codes, None);
        let log_weights = rows.log_likelihood(&*self.likelihood, outputs) + self.log_prior(&quantised);
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
        [1, self.networks.latent()]
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
