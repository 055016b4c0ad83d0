//! Sylvester flows, the triangular ones: planar flows with as many units as dimensions.
//!
//! z′ = z + R tanh(R̃ z + b) with both matrices triangular, whose determinant is the product of 1 + tanh′(·)_i r_ii r̃_ii. Every
//! second map runs through the dimensions backwards (lower triangles for upper ones), which is what permuting them would do.
//! Diagonals are kept between −1 and 1, by which every map is invertible (van den Berg et al. 2018, theorem 2).

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, Flowed, Parts};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// The most dimensions: the encoder gives a whole matrix for every map.
const MOST: usize = 256;

/// z′ = z + R tanh(R̃ z + b), so many times.
#[derive(Clone, Copy, Debug)]
struct Sylvester {
    length: usize,
}

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "sylvester",
        aliases: &["triangular-sylvester"],
        name: "triangular Sylvester flow over a diagonal Gaussian; the encoder says R, R̃ and b of each map",
        formula: "z' = z + R tanh(R̃z + b), ln|det| = Σ_i ln(1 + (1 − tanh²)_i r_ii r̃_ii), R and R̃ triangular",
        source: "van den Berg et al. 2018, equation 13 and section 4 (T-SNF)",
        settings: &[Setting {
            name: "length",
            default: 4.0,
            bounds: Bounds::Whole(1, 64),
            meaning: "K, maps in a row, each of latent² + 2 latent outputs of the encoder",
        }],
        example: "elbo train --posterior sylvester:length=4",
    },
    build: |settings| Arc::new(Flowed(Sylvester { length: settings.whole("length") })),
};

impl Flow for Sylvester {
    fn outputs(&self, latent: usize) -> usize {
        self.length * latent * (latent + 2)
    }

    fn refusal(&self, latent: usize) -> Option<String> {
        (latent > MOST)
            .then(|| format!("two matrices of every map would have {latent} rows: give a `latent` of {MOST} or fewer"))
    }

    fn forward(&self, graph: &mut Graph, mut z: Tensor, h: Tensor) -> (Tensor, Tensor) {
        let &[rows, latent] = graph.shape(z) else { panic!("codes have two dimensions") };
        let shape = [rows, latent, latent];
        let (i, j) = (graph.coordinate(1, &shape), graph.coordinate(2, &shape));
        let (below, above) = (graph.call(Func::Less, &[j, i]), graph.call(Func::Less, &[i, j]));
        let (zero, one, tiny) = (graph.constant(0.0), graph.constant(1.0), graph.constant(1e-7));
        let mut parts = Parts::of(h);
        let mut total: Option<Tensor> = None;
        for map in 0..self.length {
            // One square holds both strict triangles: that of R where it lies in R, that of R̃ transposed.
            let square = parts.next(graph, latent * latent);
            let square = graph.reshape(square, &shape);
            let [diagonal, inner, b] =
                [self.diagonal(graph, square), parts.next(graph, latent), parts.next(graph, latent)];
            let [diagonal, inner] = [diagonal, inner].map(|d| graph.call(Func::Tanh, &[d]));
            let (of_r, of_inner) = if map % 2 == 0 { (above, below) } else { (below, above) };
            // (R̃ z)_j = r̃_jj z_j + Σ_i square_ij z_i
            let across = graph.reshape(z, &[rows, latent, 1]);
            let products = graph.mul(square, across);
            let products = graph.call(Func::Select, &[of_inner, products, zero]);
            let sum = graph.sum(products, &[1]);
            let sum = graph.reshape(sum, &[rows, latent]);
            let own = graph.mul(inner, z);
            let sum = graph.add(sum, own);
            let a = graph.add(sum, b);
            let t = graph.call(Func::Tanh, &[a]);
            // (R t)_i = r_ii t_i + Σ_j square_ij t_j
            let along = graph.reshape(t, &[rows, 1, latent]);
            let products = graph.mul(square, along);
            let products = graph.call(Func::Select, &[of_r, products, zero]);
            let sum = graph.sum(products, &[2]);
            let sum = graph.reshape(sum, &[rows, latent]);
            let own = graph.mul(diagonal, t);
            let sum = graph.add(sum, own);
            z = graph.add(z, sum);
            let squared = graph.call(Func::Square, &[t]);
            let slope = graph.sub(one, squared);
            let both = graph.mul(diagonal, inner);
            let excess = graph.mul(slope, both);
            let factor = graph.add(one, excess);
            let factor = graph.call(Func::Max, &[factor, tiny]);
            let log = graph.call(Func::Log, &[factor]);
            let log = graph.sum_rows(log);
            total = Some(total.map_or(log, |total| graph.add(total, log)));
        }
        (z, total.expect("a flow has a map"))
    }
}

impl Sylvester {
    /// The diagonal of each square. `[rows, latent]`
    fn diagonal(self, graph: &mut Graph, square: Tensor) -> Tensor {
        let shape = graph.shape(square).to_vec();
        let (i, j) = (graph.coordinate(1, &shape), graph.coordinate(2, &shape));
        let (below, above) = (graph.call(Func::Less, &[j, i]), graph.call(Func::Less, &[i, j]));
        let (off, zero) = (graph.add(below, above), graph.constant(0.0));
        let kept = graph.call(Func::Select, &[off, zero, square]);
        let sum = graph.sum(kept, &[2]);
        graph.reshape(sum, &shape[..2])
    }
}
