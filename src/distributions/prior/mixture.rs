//! A mixture of Gaussians, all learnt.

use std::sync::Arc;

use super::choice::{choose, cumulate};
use super::diagonal_gaussian::LOG_VAR;
use super::{Code, Encoder, Points, Prior, gaussian};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Init, ParameterSpec};

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
            default: 10.0,
            bounds: Bounds::Whole(1, 4096),
            meaning: "K, Gaussians in the mixture",
        }],
        example: "elbo train --prior mixture:components=10",
    },
    build: |settings| Arc::new(Mixture { components: settings.whole("components") }),
};

impl Mixture {
    /// m and ln s² `[K, latent]`.
    fn moments(self, graph: &mut Graph, latent: usize) -> [Tensor; 2] {
        let shape = [self.components, latent];
        let log_var = graph.param("prior.log_var", &shape);
        [graph.param("prior.mean", &shape), graph.clamp(log_var, LOG_VAR.0, LOG_VAR.1)]
    }

    /// ln w `[1, K]`.
    fn log_weights(self, graph: &mut Graph) -> Tensor {
        let logits = graph.param("prior.logits", &[1, self.components]);
        let total = graph.log_sum_exp(logits, &[1]);
        graph.sub(logits, total)
    }
}

impl Prior for Mixture {
    fn parameters(&self, latent: usize, _: usize) -> Vec<ParameterSpec> {
        let spec =
            |name: &str, shape: [usize; 2], init: Init| ParameterSpec { name: name.into(), shape: shape.into(), init };
        let shape = [self.components, latent];
        vec![
            spec("prior.mean", shape, Init::Normal { mean: 0.0, deviation: 1.0 }),
            spec("prior.log_var", shape, Init::Constant(0.0)),
            spec("prior.logits", [1, self.components], Init::Constant(0.0)),
        ]
    }

    fn near(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
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
        let log_var = found.variances.iter().map(|v| v.ln()).collect();
        Ok(vec![
            ("prior.mean", narrow(found.means)),
            ("prior.log_var", narrow(log_var)),
            ("prior.logits", narrow(found.log_weights)),
        ])
    }

    fn log_prob(&self, graph: &mut Graph, Code { z, .. }: Code, _: &Encoder) -> Tensor {
        let (&[n, latent], components) = (graph.shape(z), self.components) else { panic!("codes have two dimensions") };
        let moments = self.moments(graph, latent);
        let [mean, log_var] = moments.map(|t| graph.reshape(t, &[1, components, latent]));
        let z = graph.reshape(z, &[n, 1, latent]);
        let each = gaussian(graph, z, mean, log_var);
        let each = graph.reshape(each, &[n, components]);
        let log_weights = self.log_weights(graph);
        let joint = graph.add(each, log_weights);
        graph.log_sum_exp(joint, &[1])
    }

    fn sample(&self, graph: &mut Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor {
        let log_weights = self.log_weights(graph);
        let weights = graph.call(Func::Exp, &[log_weights]);
        let cumulated = cumulate(graph, weights);
        let chosen = choose(graph, rows, cumulated);
        let [mean, log_var] = self.moments(graph, latent).map(|t| graph.matmul(chosen, t, false, false));
        let stream = graph.stream();
        let eps = graph.normal(stream, &[rows, latent]);
        graph.call(Func::Reparameterise, &[mean, log_var, eps])
    }
}
