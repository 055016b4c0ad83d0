//! A network of values and a label, which can be asked for every label at once.

use std::sync::Arc;

use crate::data::Shape;
use crate::distributions::PosteriorNetwork;
use crate::graph::Tensor;
use crate::nn::{Input, Known, Network, Outputs};

/// The network.
#[derive(Clone, Debug)]
pub(super) struct Joint {
    name: &'static str,
    shape: Shape,
    classes: usize,
    hidden: Arc<dyn Network>,
    to: Outputs,
}

impl Joint {
    /// From rows of a shape with a label to outputs: the layers of `hidden` in the scope `name`, and `<name>.head`.
    pub fn new(name: &'static str, (shape, classes): (Shape, usize), hidden: Arc<dyn Network>, to: Outputs) -> Joint {
        Joint { name, shape, classes, hidden, to }
    }

    /// Its outputs for `x` and labels: `[rows, outputs]`, or `[rows·classes, outputs]` for every label, see [`Known`].
    pub fn forward<'g>(&self, x: Tensor<'g>, labels: Known<'g>) -> Tensor<'g> {
        let input = Input { x, shape: self.shape, known: labels };
        let hidden = self.hidden.forward(self.name, input, self.to.shape);
        self.hidden.last(&format!("{}.head", self.name), hidden, self.to)
    }
}

/// Of values and a label behind each other.
impl PosteriorNetwork for Joint {
    fn features(&self) -> usize {
        self.shape.features() + self.classes
    }

    fn outputs<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let features = self.shape.features();
        let y = x.slice(1, features, self.classes);
        self.forward(x.slice(1, 0, features), Known::Label(y))
    }
}
