//! Dropout: numbers that training leaves out at random.
//!
//! In training y = m x / (1 − p), each m being 0 with probability p and else 1, drawn anew in every step; everywhere else y = x, which
//! is the mean of that (Srivastava et al. 2014, with the factor of their section 10 in training).

use crate::catalogue::{Bounds, Setting, Usual};
use crate::graph::Tensor;

/// The setting of networks that can leave numbers out.
pub(super) const DROPOUT: Setting = Setting {
    name: "dropout",
    default: Usual::Number(0.0),
    bounds: Bounds::Below(1.0),
    meaning: "p, the share of numbers behind each nonlinearity that training leaves out",
};

/// `x` with a share p of its numbers left out, in training; `name` is that of the layer that it belongs to, and may be frozen.
pub fn dropout<'g>(name: &str, x: Tensor<'g>, share: f32) -> Tensor<'g> {
    let graph = x.graph();
    if share <= 0.0 || !graph.is_trained(&format!("{name}.dropout")) {
        return x;
    }
    let is_out = graph.uniform(graph.stream(), x.shape()).less(graph.constant(share));
    x * is_out.select(graph.constant(0.0), graph.constant(1.0 / (1.0 - share)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    /// What becomes of 4,000 numbers, and the gradient of their sum in them.
    fn found(graph: &Graph, step: u32) -> [Vec<f64>; 2] {
        let mut values = Values::default();
        values.tensors.insert("x".into(), (0..4000).map(|i| 1.0 + f64::from(i)).collect());
        values.step.step = step;
        let x = graph.input("x", &[1000, 4]);
        let y = dropout("layer", x, 0.2);
        evaluate(&values, &[y, y.gradients(&[x])[0]]).try_into().unwrap()
    }

    #[test]
    fn in_training_a_share_is_left_out_and_the_rest_makes_up_for_it() {
        let [y, gradient] = found(&Graph::of_training(), 1);
        let factor = |(i, y): (usize, &f64)| y / (1.0 + i as f64);
        let factors: Vec<f64> = y.iter().enumerate().map(factor).collect();
        assert!(
            factors.iter().all(|f| *f == 0.0 || (f - 1.25).abs() < 1e-6),
            "they are left out or scaled by 1/(1 − 0.2)"
        );
        let out = factors.iter().filter(|f| **f == 0.0).count() as f64 / 4000.0;
        // Four standard deviations of a share of 4,000.
        assert!((out - 0.2).abs() < 4.0 * (0.2f64 * 0.8 / 4000.0).sqrt(), "{out}");
        assert!(gradient.iter().zip(&factors).all(|(g, f)| (g - f).abs() < 1e-6), "the same numbers go back");
        // Another step leaves out others, and so does another layer of the same step.
        assert_ne!(found(&Graph::of_training(), 2)[0], y);
        let graph = Graph::of_training();
        graph.stream();
        assert_ne!(found(&graph, 1)[0], y);
    }

    #[test]
    fn elsewhere_nothing_is_left_out() {
        let whole: Vec<f64> = (0..4000).map(|i| 1.0 + f64::from(i)).collect();
        assert_eq!(found(&Graph::new(), 1)[0], whole);
        let graph = Graph::of_training();
        assert_eq!(graph.freeze(|name| name == "layer.dropout", || found(&graph, 1))[0], whole);
    }
}
