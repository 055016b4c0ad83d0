//! A mixture of Gaussians, all learnt.

use std::sync::Arc;

use super::choice::{choose, cumulate};
use super::diagonal_gaussian::LOG_VAR;
use super::{Code, Encoder, Points, Prior, gaussian};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::error::{Error, Result};
use crate::graph::{Graph, Init, Tensor};
use crate::kernels::Func;

/// Σ_k w_k N(m_k, diag s_k²); the means start as draws from N(0, I), everything else alike.
#[derive(Clone, Copy, Debug)]
struct Mixture {
    components: usize,
}

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "mixture",
        aliases: &["mog"],
        name: "mixture of Gaussians with learnt weights, means and variances",
        formula: "p(z) = Σ_k w_k N(z; m_k, diag s_k²), w = softmax(a), all learnt",
        source: "Tomczak & Welling 2018, section 2 (MoG); Dilokthanakul et al. 2016",
        settings: &[Setting {
            name: "components",
            default: Usual::Number(10.0),
            bounds: Bounds::Whole(1, 4096),
            meaning: "K, Gaussians in the mixture",
        }],
        example: "elbo train --prior mixture:components=10",
    },
    build: |settings| Arc::new(Mixture { components: settings.whole("components") }),
};

impl Mixture {
    /// m and ln s² `[K, latent]`.
    fn moments(self, graph: &Graph, latent: usize) -> [Tensor<'_>; 2] {
        let shape = [self.components, latent];
        let mean = graph.param("prior.mean", &shape, Init::Normal { mean: 0.0, deviation: 1.0 });
        let log_var = graph.param("prior.log_var", &shape, Init::Constant(0.0));
        [mean, log_var.clamp(LOG_VAR.0, LOG_VAR.1)]
    }

    /// ln w `[1, K]`.
    fn log_weights(self, graph: &Graph) -> Tensor<'_> {
        let logits = graph.param("prior.logits", &[1, self.components], Init::Constant(0.0));
        logits - logits.log_sum_exp(&[1])
    }
}

impl Prior for Mixture {
    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let (components, count) = (self.components, points.len());
        if count < components {
            return Err(Error::invalid(format!(
                "a mixture of {components} Gaussians cannot be fitted to {count} points: give at most as many components, \
                 such as mixture:components={}",
                (count / 10).max(1)
            )));
        }
        let found = points.mixture(components);
        let narrow = |values: Vec<f64>| values.iter().map(|&v| v as f32).collect();
        let log_var = found.variances.iter().map(|v| libm::log(*v)).collect();
        Ok(vec![
            ("prior.mean", narrow(found.means)),
            ("prior.log_var", narrow(log_var)),
            ("prior.logits", narrow(found.log_weights)),
        ])
    }

    fn log_prob<'g>(&self, Code { z, .. }: Code<'g>, _: &Encoder) -> Tensor<'g> {
        let (graph, [n, latent], components) = (z.graph(), z.dims(), self.components);
        let [mean, log_var] = self.moments(graph, latent).map(|t| t.reshape(&[1, components, latent]));
        let each = gaussian(z.reshape(&[n, 1, latent]), mean, log_var).reshape(&[n, components]);
        (each + self.log_weights(graph)).log_sum_exp(&[1])
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        let chosen = choose(rows, cumulate(self.log_weights(graph).exp()));
        let [mean, log_var] = self.moments(graph, latent).map(|t| chosen.matmul(t));
        let eps = graph.normal(graph.stream(), &[rows, latent]);
        graph.call(Func::Reparameterise, &[mean, log_var, eps])
    }
}
