//! The VampPrior: the aggregate posterior of examples that are learnt.
//!
//! p(z) = 1/K Σ_k q(z | u_k). The pseudo-inputs u are parameters that go through the encoder as examples do. With one of them
//! for every example of a data set, and the same, p is the aggregate posterior itself, which no prior can better.

use std::sync::Arc;

use super::choice::{choose, even};
use super::{Code, Encoder, Points, Prior};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Init, ParameterSpec};

/// 1/K Σ_k q(z | u_k).
#[derive(Clone, Copy, Debug)]
struct VampPrior {
    components: usize,
    bounded: bool,
}

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "vampprior",
        aliases: &["vamp"],
        name: "VampPrior: a mixture of the posteriors of learnt pseudo-inputs",
        formula: "p(z) = 1/K Σ_k q(z|u_k), u learnt",
        source: "Tomczak & Welling 2018, equation 9",
        settings: &[
            Setting {
                name: "components",
                default: 100.0,
                bounds: Bounds::Whole(1, 65536),
                meaning: "K, pseudo-inputs; 500 in the paper",
            },
            Setting {
                name: "bounded",
                default: 1.0,
                bounds: Bounds::Whole(0, 1),
                meaning: "1 keeps pseudo-inputs between 0 and 1 by a sigmoid, for data that is; 0 takes them as they are",
            },
        ],
        example: "elbo train --prior vampprior:components=500",
    },
    build: |settings| {
        Arc::new(VampPrior { components: settings.whole("components"), bounded: settings.get("bounded") > 0.0 })
    },
};

impl VampPrior {
    /// What the encoder says of the pseudo-inputs `[K, outputs]`.
    fn outputs(self, graph: &mut Graph, encoder: &Encoder) -> Tensor {
        let mut u = graph.param("prior.pseudo_inputs", &[self.components, encoder.network.features()]);
        if self.bounded {
            u = graph.call(Func::Sigmoid, &[u]);
        }
        encoder.network.outputs(graph, u)
    }
}

impl Prior for VampPrior {
    fn parameters(&self, _: usize, features: usize) -> Vec<ParameterSpec> {
        // Pictures are darker than grey on the whole: through the sigmoid, values from 0.1 to 0.5.
        let init = if self.bounded {
            Init::Normal { mean: -1.0, deviation: 1.0 }
        } else {
            Init::Normal { mean: 0.0, deviation: 1.0 }
        };
        vec![ParameterSpec { name: "prior.pseudo_inputs".into(), shape: vec![self.components, features], init }]
    }

    /// Pseudo-inputs that are real ones.
    fn near(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let (count, features) = (points.len(), points.inputs.len() / points.len().max(1));
        if count < self.components {
            return Err(Error::invalid(format!(
                "{} pseudo-inputs cannot start at {count} rows: give at most as many, such as vampprior:components={}",
                self.components,
                (count / 10).max(1)
            )));
        }
        let logit = |u: f32| (u.clamp(0.01, 0.99) / (1.0 - u.clamp(0.01, 0.99))).ln();
        let some = points.inputs[..self.components * features].iter();
        Ok(vec![("prior.pseudo_inputs", some.map(|&u| if self.bounded { logit(u) } else { u }).collect())])
    }

    fn needs_density(&self) -> bool {
        true
    }

    fn log_prob(&self, graph: &mut Graph, Code { z, .. }: Code, encoder: &Encoder) -> Tensor {
        let &[n, latent] = graph.shape(z) else { panic!("codes have two dimensions") };
        let outputs = self.outputs(graph, encoder);
        let &[components, width] = graph.shape(outputs) else { panic!("outputs have two dimensions") };
        let outputs = graph.reshape(outputs, &[1, components, width]);
        let z = graph.reshape(z, &[n, 1, latent]);
        let each = encoder.posterior.log_prob_per_dimension(graph, outputs, z);
        let each = each.expect("the posterior is a product over dimensions, which was checked");
        let each = graph.sum(each, &[2]);
        let each = graph.reshape(each, &[n, components]);
        let sum = graph.log_sum_exp(each, &[1]);
        let log_count = graph.constant((components as f32).ln());
        graph.sub(sum, log_count)
    }

    fn sample(&self, graph: &mut Graph, rows: usize, latent: usize, encoder: &Encoder) -> Tensor {
        let outputs = self.outputs(graph, encoder);
        let cumulated = even(graph, self.components);
        let chosen = choose(graph, rows, cumulated);
        let outputs = graph.matmul(chosen, outputs, false, false);
        let noise = encoder.posterior.noise(graph, rows, latent);
        encoder.posterior.sample(graph, outputs, noise).z
    }
}
