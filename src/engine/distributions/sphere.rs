//! The unit sphere of codes: its surface, and uniform directions.

use super::special::ln_gamma;
use crate::graph::Tensor;

/// What a squared length is at least before it divides.
const LEAST: f32 = 1e-12;

/// ln of the surface of the unit sphere in so many dimensions: 2 π^{d/2}/Γ(d/2).
pub(super) fn ln_surface(dimensions: usize) -> f64 {
    let half = dimensions as f64 / 2.0;
    std::f64::consts::LN_2 + half * libm::log(std::f64::consts::PI) - ln_gamma(half)
}

/// Rows `[n, d]` divided by their lengths: of standard normals, uniform directions. `[n, d]`
pub(super) fn direction(t: Tensor) -> Tensor {
    let squared = t.square().sum_rows().maximum(t.graph().constant(LEAST));
    t / squared.sqrt()
}

/// The reflection that takes the first axis to the direction μ, of points: z − 2 w (wᵀz)/‖w‖² with w = e₁ − μ. `[n, d]` each
pub(super) fn reflected<'g>(z: Tensor<'g>, mu: Tensor<'g>) -> Tensor<'g> {
    let graph = z.graph();
    let first = graph.coordinate(1, z.shape()).less(graph.constant(0.5));
    let w = first - mu;
    let squared = w.square().sum_rows().maximum(graph.constant(LEAST));
    z - w * ((w * z).sum_rows() * 2.0 / squared)
}
