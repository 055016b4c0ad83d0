//! Spectral normalisation: weights divided by their largest singular value, so that no layer stretches more than by 1.
//!
//! W/σ(W) in place of W, σ(W) = uᵀ W v with v = Wᵀ u/‖Wᵀ u‖ and u = W v/‖W v‖, one step of the power iteration from where the last step
//! left u, which is kept as state; neither u nor v is differentiated (Miyato et al. 2018, algorithm 1). A convolution's kernel is the
//! matrix of its outputs by all that one of them sees.

use crate::graph::{Graph, Init, Tensor};

/// Added to norms that are divided by.
const SMALL: f32 = 1e-12;

/// Does `work`, in which every parameter of two axes is divided by its largest singular value. What is kept of a weight `NAME` is the
/// state `NAME.u`.
pub fn spectrally_normalised<T>(graph: &Graph, work: impl FnOnce() -> T) -> T {
    graph.transform_parameters(normalised, work)
}

fn normalised<'g>(name: &str, weight: Tensor<'g>) -> Tensor<'g> {
    let &[rows, _] = weight.shape() else { return weight };
    let graph = weight.graph();
    let kept = graph.state(&format!("{name}.u"), &[rows], Init::Normal { mean: 0.0, deviation: 1.0 });
    let fixed = weight.detach();
    let v = unit(kept.reshape(&[1, rows]).matmul(fixed));
    let u = unit(v.matmul(fixed.t()));
    if graph.is_assigned(kept) {
        graph.follow(kept, u.reshape(&[rows]), 1.0);
    }
    weight / (u.detach().matmul(weight) * v.detach()).sum(&[0, 1])
}

/// A row of length 1.
fn unit(row: Tensor) -> Tensor {
    row / (row.square().sum(&[0, 1]) + SMALL).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};
    use crate::nn::linear;

    /// σ of the matrix with singular values 3 and 1 along axes that are turned by 45°: [[2, 1], [1, 2]].
    fn run(steps: usize) -> (f64, Vec<f64>) {
        let mut u = vec![1.0, 0.2];
        let mut scale = 0.0;
        for _ in 0..steps {
            let (graph, mut values) = (Graph::of_training(), Values::default());
            let y = spectrally_normalised(&graph, || linear("layer", graph.input("x", &[1, 2]), 2));
            values.tensors.insert("x".into(), vec![1.0, 0.0]);
            values.tensors.insert("layer.weight".into(), vec![2.0, 1.0, 1.0, 2.0]);
            values.tensors.insert("layer.bias".into(), vec![0.0, 0.0]);
            values.tensors.insert("layer.weight.u".into(), u);
            let assigns = graph.assigns();
            assert_eq!(assigns.len(), 1, "the bias is no matrix");
            let found = evaluate(&values, &[y, assigns[0].1]);
            (scale, u) = (2.0 / found[0][0], found[1].clone());
        }
        (scale, u)
    }

    #[test]
    fn weights_are_divided_by_their_largest_singular_value() {
        let [first, later] = [run(1), run(12)];
        assert!((later.0 - 3.0).abs() < 1e-6, "{later:?}");
        assert!((first.0 - 3.0).abs() > 1e-3, "one step from elsewhere is not there yet: {first:?}");
        let half = 0.5_f64.sqrt();
        assert!(later.1.iter().all(|u| (u - half).abs() < 1e-4), "{later:?}");
    }

    /// Of W/σ with fixed u and v: G/σ − (Σ G W) u vᵀ/σ² (Miyato et al. 2018, equation 10).
    #[test]
    fn its_gradient_is_that_of_the_paper() {
        let (graph, mut values) = (Graph::of_training(), Values::default());
        let weight = [2.0, 1.0, 1.0, 2.0];
        let y = spectrally_normalised(&graph, || linear("layer", graph.input("x", &[1, 2]), 2));
        let half = 0.5_f64.sqrt();
        for (name, of) in [("x", vec![1.0, -3.0]), ("layer.weight", weight.to_vec()), ("layer.bias", vec![0.0; 2])] {
            values.tensors.insert(name.into(), of);
        }
        values.tensors.insert("layer.weight.u".into(), vec![half, half]);
        let found = evaluate(&values, &y.gradients(&[graph.parameter("layer.weight")])).remove(0);
        // The gradient of y₁ + y₂ in the divided weight is x in each row; u = v = (½, ½)·√2.
        let g = [1.0, -3.0, 1.0, -3.0];
        let along: f64 = g.iter().zip(weight).map(|(g, w)| g * w).sum();
        for (found, g) in found.iter().zip(g) {
            let expected = g / 3.0 - along * 0.5 / 9.0;
            assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
            assert!((found - g / 3.0).abs() > 1e-2, "what σ does would be missed");
        }
    }

    #[test]
    fn used_twice_a_weight_is_kept_once_and_elsewhere_nothing_is_assigned() {
        for (graph, count) in [(Graph::of_training(), 1), (Graph::new(), 0)] {
            let look = || spectrally_normalised(&graph, || linear("layer", graph.input("x", &[1, 2]), 2));
            assert_eq!(look(), look());
            assert_eq!(graph.assigns().len(), count);
        }
    }
}
