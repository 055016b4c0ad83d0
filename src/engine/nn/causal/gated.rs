//! The gated PixelCNN: two stacks of masked convolutions, one of the rows above a place, one of what stands before it in its own row.
//!
//! A stack of masked convolutions alone has a blind spot: what lies above to the right is seen late or never. The vertical stack sees all
//! rows above, and hands what it makes of them to the horizontal one (van den Oord et al. 2016b, section 2.2 and figure 2). In the first
//! layer no place sees itself (mask A), in those behind it does (mask B).

use super::{Causal, Layer, Taps};

/// The sizes of a gated PixelCNN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gated {
    /// Channels of both stacks.
    pub channels: usize,
    /// Layers of both.
    pub layers: usize,
    /// Pixels that a kernel reaches from a place to each side.
    pub reach: usize,
}

impl Gated {
    /// The network, from `channels` channels of a place to as many.
    pub fn network(self) -> Causal {
        let Gated { channels, layers, reach } = self;
        let mut network = Causal { layers: vec![Layer::Given] };
        let (mut vertical, mut horizontal) = (0, 0);
        for number in 0..layers {
            let sees_itself = number > 0;
            let name = |part: &str| format!("{number}.{part}");
            let rows = if sees_itself { reach + 1 } else { reach };
            let above = Taps {
                name: name("vertical"),
                above: reach,
                left: reach,
                right: reach,
                kept: rows * (2 * reach + 1),
                outputs: 2 * channels,
            };
            let before = Taps {
                name: name("horizontal"),
                above: 0,
                right: 0,
                kept: if sees_itself { reach + 1 } else { reach },
                ..above.clone()
            };
            let from_above = network.add(Layer::Convolution(vertical, above));
            let from_before = network.add(Layer::Convolution(horizontal, before));
            let link = network.add(Layer::Convolution(from_above, Taps::place(name("link"), 2 * channels)));
            vertical = network.add(Layer::Gate(from_above));
            let both = network.add(Layer::Sum(from_before, link));
            let gated = network.add(Layer::Gate(both));
            let out = network.add(Layer::Convolution(gated, Taps::place(name("out"), channels)));
            // What the first layer is given is the place itself, which must not be added.
            horizontal = if sees_itself { network.add(Layer::Sum(out, horizontal)) } else { out };
        }
        network.add(Layer::Relu(horizontal));
        network
    }
}
