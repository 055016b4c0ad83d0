//! How rows are corrupted on their way into an encoder, which learns to do without what is lost: the denoising criterion.
//!
//! With x̃ drawn from p(x̃ | x), a denoising VAE maximises E_{p(x̃|x)} E_{q(z|x̃)} \[ln p(x, z) − ln q(z | x̃)\] (Im, Ahn, Memisevic & Bengio
//! 2017, equation 8), and a denoising autoencoder minimises the distance of x from g(f(x̃)) (Vincent et al. 2008): encoders see x̃, and
//! reconstructions are held against x.

mod gaussian;
mod mask;
mod salt_and_pepper;

use std::fmt;
use std::sync::Arc;

use crate::catalogue::{Piece, Spec, build};
use crate::data::Schema;
use crate::error::{Error, Result};
use crate::graph::Tensor;

/// The usual one first.
pub static CORRUPTIONS: &[&Piece<dyn Corruption>] = &[&gaussian::PIECE, &salt_and_pepper::PIECE, &mask::PIECE];

/// A way to corrupt rows.
pub trait Corruption: fmt::Debug + Send + Sync {
    /// x̃ `[rows, features]` of rows x `[rows, features]`, drawn from the next streams of the graph, anew in every step.
    fn corrupt<'g>(&self, x: Tensor<'g>) -> Tensor<'g>;

    /// Whether it writes the ends of the range 0 to 1, and so is for values that lie in that.
    fn is_of_unit_range(&self) -> bool {
        false
    }
}

/// The way to corrupt rows of a schema that a choice names.
///
/// # Errors
/// If there is none, it is given what it does not take, or it is not for such rows.
pub fn corruption_of(spec: &Spec, schema: &Schema) -> Result<Arc<dyn Corruption>> {
    let way = build(CORRUPTIONS, spec)?;
    if way.is_of_unit_range() && (schema.is_table() || !schema.shape().is_picture()) {
        let what = if schema.is_table() { "lines of a table" } else { "vectors" };
        return Err(Error::invalid(format!(
            "`corrupt` is {spec}, which makes pixels black or white, and the rows are {what}: give gaussian or mask"
        )));
    }
    Ok(way)
}

/// Where each of the values `like` is hit, with probability `share`: 1 there, else 0.
fn hit<'g>(like: Tensor<'g>, share: f32) -> Tensor<'g> {
    let graph = like.graph();
    graph.uniform(graph.stream(), like.shape()).less(graph.constant(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    const ROWS: usize = 1000;
    const FEATURES: usize = 4;

    /// What becomes of values of 0.25 and 0.75 in turn.
    fn corrupted(spec: &str, graph: &Graph, step: u32) -> Vec<f64> {
        let mut values = Values::default();
        values.tensors.insert("x".into(), (0..ROWS * FEATURES).map(|i| if i % 2 == 0 { 0.25 } else { 0.75 }).collect());
        values.step.step = step;
        let x = graph.input("x", &[ROWS, FEATURES]);
        let way = build(CORRUPTIONS, &spec.parse().unwrap()).unwrap();
        evaluate(&values, &[way.corrupt(x)]).remove(0)
    }

    /// Whether a share that was counted is within four standard deviations of what it should be.
    fn is_share(found: usize, share: f64) -> bool {
        let all = (ROWS * FEATURES) as f64;
        (found as f64 / all - share).abs() < 4.0 * (share * (1.0 - share) / all).sqrt()
    }

    #[test]
    fn noise_has_its_standard_deviation() {
        let found = corrupted("gaussian:sigma=0.5", &Graph::new(), 1);
        let off = |(i, x): (usize, &f64)| x - if i % 2 == 0 { 0.25 } else { 0.75 };
        let off: Vec<f64> = found.iter().enumerate().map(off).collect();
        let (n, sum, squares) = (off.len() as f64, off.iter().sum::<f64>(), off.iter().map(|x| x * x).sum::<f64>());
        // Four standard errors of a mean and of a variance.
        assert!((sum / n).abs() < 4.0 * 0.5 / n.sqrt(), "{}", sum / n);
        assert!((squares / n - 0.25).abs() < 4.0 * 0.25 * (2.0 / n).sqrt(), "{}", squares / n);
    }

    #[test]
    fn salt_and_pepper_are_alike_often_and_the_rest_is_as_it_was() {
        let found = corrupted("salt-and-pepper:share=0.3", &Graph::new(), 1);
        let count = |what: f64| found.iter().filter(|x| **x == what).count();
        assert!(is_share(count(0.0), 0.15) && is_share(count(1.0), 0.15), "{} and {}", count(0.0), count(1.0));
        assert!(is_share(count(0.0) + count(1.0), 0.3));
        assert_eq!(count(0.0) + count(1.0) + count(0.25) + count(0.75), ROWS * FEATURES);
    }

    #[test]
    fn a_mask_hides_its_share() {
        let found = corrupted("mask:share=0.2", &Graph::new(), 1);
        let hidden = found.iter().filter(|x| **x == 0.0).count();
        assert!(is_share(hidden, 0.2), "{hidden}");
        assert!(found.iter().all(|x| [0.0, 0.25, 0.75].contains(x)), "the rest is as it was, not scaled");
    }

    #[test]
    fn every_step_and_every_use_draws_anew() {
        for piece in CORRUPTIONS {
            let id = piece.about.id;
            let first = corrupted(id, &Graph::new(), 1);
            assert_eq!(corrupted(id, &Graph::new(), 1), first, "{id}");
            assert_ne!(corrupted(id, &Graph::new(), 2), first, "{id}");
            let graph = Graph::new();
            graph.stream();
            assert_ne!(corrupted(id, &graph, 1), first, "{id}");
        }
    }
}
