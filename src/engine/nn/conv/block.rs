//! The residual block for pictures: two convolutions, added to what they are given.
//!
//! h + W₁ f(n(W₃ f(n(h)))), W₃ a 3×3 convolution to `inner` channels and W₁ a 1×1 convolution back, n the normalisation if there
//! is one (He et al. 2016b, figure 4e; the sizes of van den Oord et al. 2017, section 4.1).

use super::{Conv, Window, conv2d};
use crate::graph::Tensor;

/// A residual block on pictures `[pictures·h·w, channels]` of h×w pixels.
pub(super) fn residual_block<'g>(name: &str, h: Tensor<'g>, image: [usize; 2], inner: usize, how: &Conv) -> Tensor<'g> {
    let channels = h.width();
    let three = Window::same(image, channels, 3, 1);
    let one = Window::square(image, inner, 1, 1, 0);
    let [first, second] = [0, 1].map(|number| format!("{name}.{number}"));
    let middle = conv2d(&first, how.bend(&first, h, image), three, inner, how.start);
    h + conv2d(&second, how.bend(&second, middle, image), one, channels, how.start)
}
