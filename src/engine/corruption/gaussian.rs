//! Gaussian noise: x̃ = x + σ ε, ε ~ N(0, I).

use std::sync::Arc;

use super::Corruption;
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

pub(super) static PIECE: Piece<dyn Corruption> = Piece {
    about: About {
        kind: Kind::Corruption,
        id: "gaussian",
        aliases: &["normal"],
        name: "Gaussian noise on every value",
        formula: "x̃ = x + σ ε,  ε ~ N(0, I)",
        source: "Im et al. 2017, section 4",
        settings: &[Setting {
            name: "sigma",
            default: Usual::Number(0.3),
            bounds: Bounds::Positive,
            meaning: "σ, the standard deviation of the noise, in the units that the model sees",
        }],
        example: "elbo train --corrupt gaussian:sigma=0.3",
    },
    build: |settings| Arc::new(Gaussian { sigma: settings.get("sigma") as f32 }),
};

#[derive(Debug)]
struct Gaussian {
    sigma: f32,
}

impl Corruption for Gaussian {
    fn corrupt<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let graph = x.graph();
        x + graph.normal(graph.stream(), x.shape()) * self.sigma
    }
}
