//! Sylvester flows, the triangular ones: planar flows with as many units as dimensions.
//!
//! z′ = z + R tanh(R̃ z + b) with both matrices triangular, whose determinant is the product of 1 + tanh′(·)_i r_ii r̃_ii. Every
//! second map runs through the dimensions backwards (lower triangles for upper ones), which is what permuting them would do.
//! Diagonals are kept between −1 and 1, by which every map is invertible (van den Berg et al. 2018, theorem 2).

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, FlowParts, Flowed};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

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
            default: Usual::Number(4.0),
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

    fn forward<'g>(&self, mut z: Tensor<'g>, h: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        let (graph, [rows, latent]) = (z.graph(), z.dims());
        let shape = [rows, latent, latent];
        let (i, j, zero) = (graph.coordinate(1, &shape), graph.coordinate(2, &shape), graph.constant(0.0));
        let (below, above) = (j.less(i), i.less(j));
        let mut parts = FlowParts::of(h);
        let mut total: Option<Tensor> = None;
        for map in 0..self.length {
            // One square holds both strict triangles: that of R where it lies in R, that of R̃ transposed.
            let square = parts.next(latent * latent).reshape(&shape);
            // The diagonals of R and R̃.
            let diagonal = (below + above).select(zero, square).sum(&[2]).reshape(&[rows, latent]).tanh();
            let [inner, b] = [0; 2].map(|_| parts.next(latent));
            let inner = inner.tanh();
            let (of_r, of_inner) = if map % 2 == 0 { (above, below) } else { (below, above) };
            // (R̃ z)_j = r̃_jj z_j + Σ_i square_ij z_i
            let sum = of_inner.select(square * z.reshape(&[rows, latent, 1]), zero).sum(&[1]).reshape(&[rows, latent]);
            let t = (sum + inner * z + b).tanh();
            // (R t)_i = r_ii t_i + Σ_j square_ij t_j
            let sum = of_r.select(square * t.reshape(&[rows, 1, latent]), zero).sum(&[2]).reshape(&[rows, latent]);
            z = z + (sum + diagonal * t);
            let factor = 1.0 + (1.0 - t.square()) * (diagonal * inner);
            let log = factor.maximum(graph.constant(1e-7)).ln().sum_rows();
            total = Some(total.map_or(log, |total| total + log));
        }
        (z, total.expect("a flow has a map"))
    }
}
