//! The two ways through a very deep VAE: what rows say, from the bottom up without chance, and the layers, from the top down.
//!
//! Bottom up, residual blocks follow each other at each resolution, with average pooling between; what the last of a resolution gives is
//! kept for its layers. Top down, a state s begins as a learnt picture and goes through as many blocks. At each of them
//!
//! p(z_l | z_{>l}) and f_l are one network's of s, q(z_l | z_{>l}, x) is one's of s beside what the rows say at this resolution,
//! s ← s + f_l + P_l z_l, and s ← s + block(s),
//!
//! P_l being a 1×1 convolution. Between resolutions s is upsampled (nearest neighbour), and a learnt bias of each pixel is added.

use super::block::{Block, ONE, conv, three};
use super::pyramid::{pool, resolutions, upsample};
use crate::data::Shape;
use crate::graph::{Graph, Init, Tensor};
use crate::models::Moments;
use crate::nn::Activation;

/// The sizes of a very deep VAE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depths {
    /// Blocks at each resolution, of which each top-down one is a stochastic layer: those of the picture's own resolution first, then of
    /// half of it, and so on.
    pub blocks: Vec<usize>,
    /// Channels of the state.
    pub width: usize,
    /// Channels within a block.
    pub inner: usize,
    /// Numbers of a code at each pixel of a layer.
    pub channels: usize,
    /// The nonlinearity in front of each convolution of a block.
    pub activation: Activation,
}

impl Depths {
    /// Stochastic layers.
    pub fn layers(&self) -> usize {
        self.blocks.iter().sum()
    }
}

/// The networks, for pictures of a shape.
#[derive(Clone, Debug)]
pub(super) struct Networks {
    shape: Shape,
    depths: Depths,
    /// Outputs of a row.
    outputs: usize,
    /// The resolutions that have blocks, the picture's own first.
    images: Vec<[usize; 2]>,
}

/// A layer on the way down, before its codes are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'g> {
    /// Its number, counted from 0 at the data.
    pub layer: usize,
    /// The state above it `[rows·h·w, width]`.
    pub state: Tensor<'g>,
    /// p(z_l | z_{>l}) `[rows·h·w, channels]`.
    pub prior: Moments<'g>,
}

impl Networks {
    /// For pictures with at least as many resolutions as there are blocks for.
    pub fn new(shape: Shape, depths: Depths, outputs: usize) -> Networks {
        let mut images = resolutions([shape.height, shape.width]);
        assert!(depths.blocks.len() <= images.len(), "{depths:?} of pictures of {shape}");
        images.truncate(depths.blocks.len());
        Networks { shape, depths, outputs, images }
    }

    /// Values of a row.
    pub fn features(&self) -> usize {
        self.shape.features()
    }

    /// The place of the resolution of each layer, from the data upwards.
    fn places(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.depths.blocks.iter().enumerate().flat_map(|(place, &blocks)| std::iter::repeat_n(place, blocks))
    }

    /// Numbers of a code of each layer, from the data upwards.
    pub fn widths(&self) -> Vec<usize> {
        self.places().map(|place| self.images[place].iter().product::<usize>() * self.depths.channels).collect()
    }

    /// 1/√n of n blocks, which the last layers of residual blocks start with: so the state keeps its scale, however many there are.
    fn share(&self) -> f32 {
        1.0 / (self.depths.layers() as f32).sqrt()
    }

    /// A block that gives so many channels, of which the last layer starts at a scale.
    fn block(&self, outputs: usize, last: f32) -> Block {
        Block { inner: self.depths.inner, outputs, last, activation: self.depths.activation }
    }

    /// The block that is added to what it is given.
    fn residual(&self) -> Block {
        self.block(self.depths.width, self.share())
    }

    /// What rows `[rows, features]` say at each resolution, the picture's own first: `[rows, h·w·width]`.
    pub fn upwards<'g>(&self, x: Tensor<'g>) -> Vec<Tensor<'g>> {
        let (rows, width) = (x.shape()[0], self.depths.width);
        let graph = x.graph();
        graph.scope("encoder", || {
            // From −1 to 1, for values from 0 to 1.
            let pixels = (x * 2.0 - 1.0)
                .reshape(&[x.shape().iter().product::<usize>() / self.shape.channels, self.shape.channels]);
            let mut h = conv("in", pixels, (self.images[0], three(self.images[0])), width, 1.0);
            let mut all = Vec::new();
            for (place, (&image, &blocks)) in self.images.iter().zip(&self.depths.blocks).enumerate() {
                if place > 0 {
                    h = pool(h, self.images[place - 1]);
                }
                h = (0..blocks).fold(h, |h, block| self.residual().added_to(&format!("{place}.{block}"), h, image));
                all.push(h.reshape(&[rows, image[0] * image[1] * width]));
            }
            all
        })
    }

    /// Goes down for so many rows: `code` gives the codes of each layer, the uppermost first, `[rows·h·w, channels]`. Gives the outputs
    /// of rows `[rows, outputs]`.
    pub fn downwards<'g>(
        &self,
        graph: &'g Graph,
        rows: usize,
        mut code: impl FnMut(Site<'g>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        let top = self.images.len() - 1;
        let mut state = self.bias(graph, top, rows);
        let mut place = top;
        for (layer, of_layer) in self.places().enumerate().collect::<Vec<_>>().into_iter().rev() {
            if of_layer < place {
                state = upsample(state, self.images[place], self.images[of_layer]) + self.bias(graph, of_layer, rows);
                place = of_layer;
            }
            state = self.layer(state, layer, self.images[place], &mut code);
        }
        let each = self.outputs / (self.images[0][0] * self.images[0][1]);
        let pixels = graph.scope("decoder", || conv("out", state, (self.images[0], ONE), each, 1.0));
        crate::nn::conv::as_outputs(pixels, crate::nn::Outputs { shape: self.shape, count: self.outputs })
    }

    /// The learnt picture of a resolution, for every row `[rows·h·w, width]`.
    fn bias<'g>(&self, graph: &'g Graph, place: usize, rows: usize) -> Tensor<'g> {
        let (pixels, width) = (self.images[place].iter().product::<usize>(), self.depths.width);
        let bias = graph.param(&format!("decoder.{place}.bias"), &[pixels, width], Init::Constant(0.0));
        bias.reshape(&[1, pixels, width]).expand(&[rows, pixels, width]).reshape(&[rows * pixels, width])
    }

    /// The state below a layer.
    fn layer<'g>(
        &self,
        state: Tensor<'g>,
        layer: usize,
        image: [usize; 2],
        code: &mut impl FnMut(Site<'g>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        let (graph, Depths { width, channels, .. }) = (state.graph(), self.depths.clone());
        // From 1 on, as the KL of layers is called.
        let name = format!("decoder.layer{}", layer + 1);
        let said = self.block(2 * channels + width, 0.0).of(&format!("{name}.prior"), state, image);
        let prior = Moments::split(said.slice(1, 0, 2 * channels));
        let z = code(Site { layer, state, prior });
        let heard = graph.scope(&name, || conv("project", z, (image, ONE), width, self.share()));
        self.residual().added_to(&format!("{name}.block"), state + said.slice(1, 2 * channels, width) + heard, image)
    }

    /// q(z_l | z_{>l}, x) of a layer, given what rows say ([`Networks::upwards`]), each as often as there are codes of it
    /// `[rows·h·w, channels]`.
    pub fn posterior<'g>(&self, site: Site<'g>, said: &[Tensor<'g>]) -> Moments<'g> {
        let place = self.places().nth(site.layer).expect("it is a layer");
        let (state, image) = (site.state, self.images[place]);
        let pixels = image[0] * image[1];
        let samples = state.shape()[0] / pixels / said[place].shape()[0];
        let beside = said[place].repeat_rows(samples).reshape(state.shape());
        let posterior = self.block(2 * self.depths.channels, 1.0);
        let both = state.graph().concat(&[state, beside], 1);
        Moments::split(posterior.of(&format!("encoder.layer{}", site.layer + 1), both, image))
    }
}
