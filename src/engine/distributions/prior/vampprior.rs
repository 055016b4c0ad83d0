//! The VampPrior: the aggregate posterior of examples that are learnt.
//!
//! p(z) = 1/K Σ_k q(z | u_k). The pseudo-inputs u are parameters that go through the encoder as examples do. With one of them
//! for every example of a data set, and the same, p is the aggregate posterior itself, which no prior can better.

use std::sync::Arc;

use super::choice::{choose, even};
use super::{Code, Encoder, Points, Prior};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::error::{Error, Result};
use crate::graph::{Graph, Init, Tensor};

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
                default: Usual::Number(100.0),
                bounds: Bounds::Whole(1, 65536),
                meaning: "K, pseudo-inputs; 500 in the paper",
            },
            Setting {
                name: "bounded",
                default: Usual::Number(1.0),
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
    fn outputs<'g>(self, graph: &'g Graph, encoder: &Encoder) -> Tensor<'g> {
        // Pictures are darker than grey on the whole: through the sigmoid, values from 0.1 to 0.5.
        let init = Init::Normal { mean: if self.bounded { -1.0 } else { 0.0 }, deviation: 1.0 };
        let u = graph.param("prior.pseudo_inputs", &[self.components, encoder.network.features()], init);
        encoder.network.outputs(if self.bounded { u.sigmoid() } else { u })
    }
}

impl Prior for VampPrior {
    /// Pseudo-inputs that are real ones.
    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let (count, features) = (points.len(), points.inputs.len() / points.len().max(1));
        if count < self.components {
            return Err(Error::invalid(format!(
                "{} pseudo-inputs cannot start at {count} rows: give at most as many, such as vampprior:components={}",
                self.components,
                (count / 10).max(1)
            )));
        }
        let logit = |u: f32| libm::logf(u.clamp(0.01, 0.99) / (1.0 - u.clamp(0.01, 0.99)));
        let some = points.inputs[..self.components * features].iter();
        Ok(vec![("prior.pseudo_inputs", some.map(|&u| if self.bounded { logit(u) } else { u }).collect())])
    }

    fn needs_density(&self) -> bool {
        true
    }

    fn log_prob<'g>(&self, Code { z, .. }: Code<'g>, encoder: &Encoder) -> Tensor<'g> {
        let [n, latent] = z.dims();
        let outputs = self.outputs(z.graph(), encoder);
        let [components, width] = outputs.dims();
        let (outputs, z) = (outputs.reshape(&[1, components, width]), z.reshape(&[n, 1, latent]));
        let each = encoder.posterior.log_prob_per_dimension(outputs, z);
        let each = each.expect("the posterior is a product over dimensions, which was checked");
        each.sum(&[2]).reshape(&[n, components]).log_sum_exp(&[1]) - libm::logf(components as f32)
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, encoder: &Encoder) -> Tensor<'g> {
        let outputs = self.outputs(graph, encoder);
        let chosen = choose(rows, even(graph, self.components));
        let noise = encoder.posterior.noise(graph, rows, latent);
        encoder.posterior.sample(chosen.matmul(outputs), noise).z
    }
}
