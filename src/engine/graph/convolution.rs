//! Pictures: what a kernel sees of them, and the way back.
//!
//! A picture's numbers lie row by row, pixel by pixel, the channels of a pixel side by side; pictures stand behind each other.
//! A convolution is a product: patches `[places, kh·kw·C]` times a weight `[outputs, kh·kw·C]` transposed. Its adjoint, the
//! transposed convolution, is the fold of a product. Either operation is the derivative of the other.

use super::{Op, Tensor};
use crate::kernels::Window;

impl<'g> Tensor<'g> {
    /// What a kernel sees at each place of pictures, a row each: of any shape with `h·w·C` numbers a picture,
    /// `[pictures·places, kh·kw·C]`.
    #[track_caller]
    pub fn patches(self, window: Window) -> Tensor<'g> {
        let pictures = self.of(&window, window.pixels() * window.channels, "pictures");
        let shape = vec![pictures * window.rows(), window.width()];
        if window.sees_each_pixel_alone() {
            return self.reshape(&shape);
        }
        self.graph().push(Op::Patches(window), vec![self.as_it_lies()], shape)
    }

    /// Patches added to the pixels that they are of: `[pictures·places, kh·kw·C]` to `[pictures·h·w, C]`.
    #[track_caller]
    pub fn fold(self, window: Window) -> Tensor<'g> {
        let pictures = self.of(&window, window.rows() * window.width(), "patches of pictures");
        let shape = vec![pictures * window.pixels(), window.channels];
        if window.sees_each_pixel_alone() {
            return self.reshape(&shape);
        }
        self.graph().push(Op::Fold(window), vec![self.as_it_lies()], shape)
    }

    /// How many times `each` numbers this holds.
    #[track_caller]
    fn of(self, window: &Window, each: usize, what: &str) -> usize {
        if let Err(why) = window.check() {
            panic!("{why}");
        }
        let count: usize = self.shape().iter().product();
        assert!(
            count > 0 && count.is_multiple_of(each),
            "{:?} as {what}, {each} numbers each: {window:?}",
            self.shape()
        );
        count / each
    }

    /// The tensor whose memory this is read from: its grouping does not matter.
    fn as_it_lies(self) -> Tensor<'g> {
        if self.node().op == Op::Reshape { self.argument(0).as_it_lies() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    /// Numbers of no pattern.
    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f64 / 504.5 - 1.0).collect()
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn a_convolution_by_hand() {
        // Pictures [[1, 2, 3], [4, 5, 6]] and ten times that, kernel [[1, 10], [100, 1000]], padding of 1 on the right.
        let (graph, mut values) = (Graph::new(), Values::default());
        let window = Window { padding: [[0, 0], [0, 1]], ..Window::square([2, 3], 1, 2, 1, 0) };
        let one: Vec<f64> = (1..=6).map(f64::from).collect();
        let all = one.iter().copied().chain(one.iter().map(|x| 10.0 * x)).collect();
        values.tensors.insert("x".into(), all);
        values.tensors.insert("w".into(), vec![1.0, 10.0, 100.0, 1000.0]);
        let y = graph.input("x", &[2, 6]).patches(window).matmul(graph.input("w", &[1, 4]).t());
        assert_eq!(y.shape(), [6, 1]);
        assert_eq!(evaluate(&values, &[y])[0], [5421.0, 6532.0, 603.0, 54210.0, 65320.0, 6030.0]);
        // Back: each place of the first picture gives its pixels the kernel times what it holds.
        values.tensors.insert("g".into(), vec![1.0, 0.0, 2.0, 0.0, 0.0, 0.0]);
        let back = graph.input("g", &[6, 1]).matmul(graph.input("w", &[1, 4])).fold(window);
        assert_eq!(back.shape(), [12, 1]);
        assert_eq!(evaluate(&values, &[back])[0][..6], [1.0, 10.0, 2.0, 100.0, 1000.0, 200.0]);
    }

    #[test]
    fn either_is_the_adjoint_of_the_other() {
        for channels in [1, 3, 4, 5, 32] {
            let windows = [
                Window::square([5, 7], channels, 3, 2, 1),
                Window { padding: [[0, 2], [3, 1]], ..Window::square([4, 6], channels, 2, 3, 0) },
                Window { dilation: [2, 3], ..Window::square([7, 8], channels, 3, 1, 2) },
                Window::square([2, 3], channels, 2, 1, 4),
            ];
            for window in windows {
                let (graph, mut values) = (Graph::new(), Values::default());
                let [pictures, patches] = [window.pixels() * channels, window.rows() * window.width()];
                values.tensors.insert("x".into(), numbers(2 * pictures, 1));
                values.tensors.insert("y".into(), numbers(2 * patches, 2));
                let (x, y) = (graph.input("x", &[2, pictures]), graph.input("y", &[2, patches]));
                let [ax, aty] = <[_; 2]>::try_from(evaluate(&values, &[x.patches(window), y.fold(window)])).unwrap();
                let [left, right] = [dot(&ax, &values.tensors["y"]), dot(&values.tensors["x"], &aty)];
                assert!((left - right).abs() < 1e-9 * left.abs().max(1.0), "{window:?}: {left} and {right}");
                let size = dot(&ax, &ax).sqrt() + dot(&aty, &aty).sqrt();
                assert!(size > 1e-3, "{window:?}: nothing is compared");
            }
        }
    }

    #[test]
    #[should_panic(expected = "a kernel that spans 4 rows does not fit on a picture of 1×3")]
    fn a_kernel_that_does_not_fit_is_refused() {
        Graph::new().input("x", &[1, 3]).patches(Window::square([1, 3], 1, 4, 2, 1));
    }

    #[test]
    #[should_panic(expected = "[2, 5] as pictures, 6 numbers each")]
    fn pictures_of_another_size_are_refused() {
        Graph::new().input("x", &[2, 5]).patches(Window::square([2, 3], 1, 2, 1, 0));
    }
}
