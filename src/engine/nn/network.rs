//! Networks: the hidden layers of an encoder or a decoder, chosen by name.
//!
//! An encoder leads from rows of data to what a code needs, a decoder from codes to what rows need. Either is a [`Network`], which
//! gives hidden values, and a last layer behind it. What a network is given is an [`Input`]: values, how they lie in a row
//! (an image is given as an image), and what is known of each row besides.

use std::fmt;
use std::sync::Arc;

use super::activation::Activation;
use super::linear::linear;
use super::norm::RowNorm;
use crate::data::Shape;
use crate::graph::{Init, Tensor};

/// Hidden layers, between what is given and a last layer.
pub trait Network: fmt::Debug + Send + Sync {
    /// Its layers for people, such as `512 - 256`.
    fn summary(&self) -> String;

    /// How many layers it numbers: they are the scopes `<name>.0`, `<name>.1`, …, and a last layer that is numbered as well is
    /// `<name>.<layers>`.
    fn layers(&self) -> usize;

    /// The nonlinearity of its layers, which networks beside it share.
    fn activation(&self) -> Activation;

    /// The normalisation of its layers of rows, which networks beside it share that are trained by the same rows.
    fn row_norm(&self) -> RowNorm {
        RowNorm::None
    }

    /// The network that leads back: what a decoder is where only the encoder is chosen, and the reverse.
    fn mirror(&self) -> Arc<dyn Network>;

    /// Why it cannot lead from rows of one shape to rows of another, and what to do; `None` if it can.
    fn refusal(&self, from: Shape, to: Shape) -> Option<String>;

    /// Whether in training what it makes of a row hangs on the other rows of the batch, as with batch normalisation.
    fn couples_rows(&self) -> bool {
        false
    }

    /// Height and width of the picture that a code is which it leads to from pictures of a shape, or from there to them: channel by channel,
    /// as many numbers for each place; `[1, 1]` where every number sees all of a picture.
    fn image_of_codes(&self, _: Shape) -> [usize; 2] {
        [1, 1]
    }

    /// The network that shrinks once more the picture which its last hidden layer gives, pixel by pixel, where a code is a picture; it is as
    /// wide and as deep as this one.
    fn shrunk_again(&self) -> Option<Arc<dyn Network>> {
        None
    }

    /// The values of the last hidden layer `[rows, n]`, on the way to rows of the shape `to`. Parameters lie in the scopes
    /// `<name>.0`, ….
    fn forward<'g>(&self, name: &str, input: Input<'g>, to: Shape) -> Tensor<'g>;

    /// What the last layer makes of hidden values, `[rows, to.count]`; its parameters lie in the scope `name`.
    fn last<'g>(&self, name: &str, hidden: Tensor<'g>, to: Outputs) -> Tensor<'g> {
        linear(name, hidden, to.count)
    }
}

/// What a network is given.
#[derive(Clone, Copy, Debug)]
pub struct Input<'g> {
    /// Values `[rows, shape.features()]`.
    pub x: Tensor<'g>,
    /// How the values of a row lie: row-major, channels innermost.
    pub shape: Shape,
    /// What is known of each row besides.
    pub known: Known<'g>,
}

/// What is known of rows besides their values.
#[derive(Clone, Copy, Debug)]
pub enum Known<'g> {
    /// Nothing.
    Nothing,
    /// Numbers `[rows, n]`, which stand behind the values as if they were more of them.
    Beside(Tensor<'g>),
    /// A label for each row, as a one among zeros `[rows, classes]`, with weights of its own.
    Label(Tensor<'g>),
    /// Each of so many labels for each of so many rows, all labels of one row behind each other: what a network gives has
    /// `rows·classes` rows, and its input either `rows` or as many as that.
    EveryLabel {
        /// Rows whose labels are asked for.
        rows: usize,
        /// Labels.
        classes: usize,
    },
}

/// What is asked of a last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// How the rows lie that it leads to.
    pub shape: Shape,
    /// Outputs of a row. Where they are as many of each of its values, the first of all values stand first, then the second of all,
    /// and so on.
    pub count: usize,
}

impl Outputs {
    /// Values that lie in a row behind each other.
    pub fn vector(count: usize) -> Outputs {
        Outputs { shape: Shape::vector(count), count }
    }
}

/// Rows that are no images, of which nothing is known besides.
impl<'g> From<Tensor<'g>> for Input<'g> {
    fn from(x: Tensor<'g>) -> Input<'g> {
        Input { x, shape: Shape::vector(x.width()), known: Known::Nothing }
    }
}

impl<'g> Input<'g> {
    /// A linear layer of the values and of what is known, `[rows, outputs]`: W x + b, with x the values and the numbers beside
    /// them; of labels y, W x + V y + b, where W x is computed once a row and V y once a label if all are asked for. V is the
    /// parameter `<name>.label.weight`, which starts as the weights of a layer of its own do, so that labels are heard among
    /// many values.
    pub fn linear(&self, name: &str, outputs: usize) -> Tensor<'g> {
        let label = |classes: usize| {
            let init = Init::Uniform(1.0 / (classes as f32).sqrt());
            self.x.graph().param(&format!("{name}.label.weight"), &[outputs, classes], init).t()
        };
        match self.known {
            Known::Nothing | Known::Beside(_) => linear(name, self.joined(), outputs),
            Known::Label(y) => linear(name, self.x, outputs) + y.matmul(label(y.width())),
            Known::EveryLabel { rows, classes } => {
                let product = linear(name, self.x, outputs);
                let each = product.reshape(&[rows, product.shape()[0] / rows, outputs]);
                (each + label(classes).reshape(&[1, classes, outputs])).reshape(&[rows * classes, outputs])
            }
        }
    }

    /// The values with what is known behind them, `[rows, n]`.
    pub fn joined(&self) -> Tensor<'g> {
        let graph = self.x.graph();
        match self.known {
            Known::Nothing => self.x,
            Known::Beside(y) | Known::Label(y) => graph.concat(&[self.x, y], 1),
            Known::EveryLabel { rows, classes } => {
                let [given, width] = self.x.dims();
                let x = self.x.reshape(&[rows, given / rows, width]).expand(&[rows, classes, width]);
                let [of_label, label] = [1, 2].map(|axis| graph.coordinate(axis, &[rows, classes, classes]));
                let y = 1.0 - of_label.less(label) - label.less(of_label);
                graph.concat(&[x, y], 2).reshape(&[rows * classes, width + classes])
            }
        }
    }

    /// The scope of a network's layer: `<name>.<number>`, and `<name>.rest.<number - 1>` of those behind a first one that has
    /// weights for labels.
    pub fn scope(&self, name: &str, number: usize) -> String {
        match (self.known, number.checked_sub(1)) {
            (Known::Label(_) | Known::EveryLabel { .. }, Some(behind)) => format!("{name}.rest.{behind}"),
            _ => format!("{name}.{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    /// x of two rows with labels of three, one for each row and all of each: what `work` makes of either.
    fn labelled(work: impl for<'g> Fn(Input<'g>) -> Tensor<'g>) -> [Vec<f64>; 2] {
        let (graph, mut values) = (Graph::new(), Values::default());
        let (x, y) = (graph.input("x", &[2, 2]), graph.input("y", &[6, 3]));
        values.tensors.insert("x".into(), vec![0.5, -1.0, 2.0, 0.25]);
        values.tensors.insert("y".into(), (0..18).map(|i| f64::from(u8::from(i / 3 % 3 == i % 3))).collect());
        let known = Known::EveryLabel { rows: 2, classes: 3 };
        let each = work(Input { known: Known::Label(y), ..x.repeat_rows(3).into() });
        let all = work(Input { known, ..x.into() });
        let spread = work(Input { known, ..x.repeat_rows(3).into() });
        for (place, spec) in graph.parameters().iter().enumerate() {
            values.tensors.insert(spec.name.clone(), spec.start(5, place).into_iter().map(f64::from).collect());
        }
        let [each, all, spread] = <[_; 3]>::try_from(evaluate(&values, &[each, all, spread])).unwrap();
        assert_eq!(all, spread, "rows once, and once for each label");
        [each, all]
    }

    #[test]
    fn all_labels_at_once_are_each_by_itself() {
        let near = |[a, b]: [Vec<f64>; 2]| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12) && a.len() == b.len();
        assert!(near(labelled(|input| input.linear("layer", 4))));
        assert!(near(labelled(|input| input.joined())));
        // Labels count, and each of the three for itself.
        let [found, _] = labelled(|input| input.linear("layer", 4));
        assert!(found[..4] != found[4..8] && found[4..8] != found[8..12]);
        let [joined, _] = labelled(|input| input.joined());
        assert_eq!(joined[..10], [0.5, -1.0, 1.0, 0.0, 0.0, 0.5, -1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn layers_are_numbered() {
        let graph = Graph::new();
        let x = graph.input("x", &[2, 3]);
        let plain = Input::from(x);
        assert_eq!([0, 1, 2].map(|n| plain.scope("net", n)), ["net.0", "net.1", "net.2"]);
        let told = Input { known: Known::Label(x), ..plain };
        assert_eq!([0, 1, 2].map(|n| told.scope("net", n)), ["net.0", "net.rest.0", "net.rest.1"]);
    }
}
