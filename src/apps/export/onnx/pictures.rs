//! Convolutions, their transposes, patches and folds, as ONNX does them: on pictures `[pictures, C, h, w]`.

use super::builder::{Value, whole_of, wholes_of};
use super::dims::{Dim, fixed, parts};
use super::proto::Attribute;
use super::translate::{Stored, Translation};
use crate::error::Result;
use crate::graph::{NodeId, Op};
use crate::kernels::Window;

/// How a kernel moves.
fn moves(window: &Window) -> Vec<Attribute> {
    let [[top, bottom], [left, right]] = window.padding;
    vec![
        wholes_of("kernel_shape", window.kernel),
        wholes_of("strides", window.stride),
        wholes_of("pads", [top, left, bottom, right]),
        wholes_of("dilations", window.dilation),
    ]
}

/// How a kernel moves back, to pictures of all pixels that `window` lies on, also of those that no place sees.
fn moves_back(window: &Window) -> Vec<Attribute> {
    let seen = window.seen();
    let unseen = [0, 1].map(|axis| window.image[axis] + window.padding[axis].iter().sum::<usize>() - seen[axis]);
    let mut attributes = moves(window);
    attributes.push(wholes_of("output_padding", unseen));
    attributes
}

/// Kernels that each see one tap, of `channels` groups `[C·taps, 1, kh, kw]`.
fn single_taps(window: &Window) -> Vec<f32> {
    let taps = window.kernel.iter().product::<usize>();
    let number = |place: usize| f32::from(u8::from(place / taps % taps == place % taps));
    (0..window.channels * taps * taps).map(number).collect()
}

impl Translation<'_> {
    /// A node's numbers as pictures `[pictures, C, h, w]`.
    fn pictures(&mut self, id: NodeId, image: [usize; 2], channels: usize) -> Result<Value> {
        let Stored { value, image: lies } = self.stored(id).clone();
        if lies == Some(image) && value.shape[1] == Dim::Fixed(channels) {
            return Ok(value);
        }
        let whole = self.whole(id)?;
        let count = parts(&whole.shape, image[0] * image[1] * channels)?;
        let [h, w, c] = [image[0], image[1], channels].map(Dim::Fixed);
        let pixels = self.reshape(&whole, &[count, h, w, c]);
        Ok(self.permute(&pixels, &[0, 3, 1, 2]))
    }

    /// Weights `[n, kh·kw·C]` as kernels `[n, C, kh, kw]`; `turned` are those that lie as `[kh·kw·C, n]`.
    fn kernels(&mut self, weight: NodeId, turned: bool, window: &Window) -> Result<Value> {
        let mut weight = self.whole(weight)?;
        if turned {
            weight = self.permute(&weight, &[1, 0]);
        }
        let sizes = [weight.shape[0], window.kernel[0].into(), window.kernel[1].into(), window.channels.into()];
        let taps = self.reshape(&weight, &sizes);
        Ok(self.permute(&taps, &[0, 3, 1, 2]))
    }

    /// Whether the second argument of a product is read transposed.
    fn reads_transposed(&self, product: NodeId) -> bool {
        matches!(self.graph.node(product).op, Op::MatMul { transpose_b: true, .. })
    }

    /// A product of patches.
    pub(super) fn convolution(&mut self, id: NodeId, window: Window, x: NodeId, weight: NodeId) -> Result<Stored> {
        let kernels = self.kernels(weight, !self.reads_transposed(id), &window)?;
        let pictures = self.pictures(x, window.image, window.channels)?;
        let places = window.places();
        let shape = vec![pictures.shape[0], kernels.shape[0], places[0].into(), places[1].into()];
        let value = self.out.op("Conv", &[&pictures, &kernels], moves(&window), shape);
        Ok(Stored { value, image: Some(places) })
    }

    /// The fold of a product of places.
    pub(super) fn transposed(&mut self, id: NodeId, window: Window, x: NodeId, weight: NodeId) -> Result<Stored> {
        let product = self.graph.node(id).inputs[0];
        let kernels = self.kernels(weight, self.reads_transposed(product), &window)?;
        let Dim::Fixed(inputs) = kernels.shape[0] else { return Err(super::dims::apart()) };
        let pictures = self.pictures(x, window.places(), inputs)?;
        let [h, w] = window.image;
        let shape = vec![pictures.shape[0], window.channels.into(), h.into(), w.into()];
        let value = self.out.op("ConvTranspose", &[&pictures, &kernels], moves_back(&window), shape);
        Ok(Stored { value, image: Some(window.image) })
    }

    /// What a kernel sees at each place `[pictures·places, kh·kw·C]`, by kernels that each see one tap.
    pub(super) fn patches(&mut self, id: NodeId, window: Window, x: NodeId) -> Result<Stored> {
        let pictures = self.pictures(x, window.image, window.channels)?;
        let (count, [across, along], taps) = (pictures.shape[0], window.places(), window.width() / window.channels);
        let [kh, kw] = window.kernel;
        let kernels = self.out.constant("taps", &[window.channels * taps, 1, kh, kw], single_taps(&window));
        let mut attributes = moves(&window);
        attributes.push(whole_of("group", window.channels as i64));
        let shape = vec![count, (window.channels * taps).into(), across.into(), along.into()];
        let seen = self.out.op("Conv", &[&pictures, &kernels], attributes, shape);
        let apart = self.reshape(&seen, &[count, window.channels.into(), taps.into(), (across * along).into()]);
        let by_place = self.permute(&apart, &[0, 3, 2, 1]);
        let shape = self.sizes.of(id)?;
        Ok(Stored { value: self.reshape(&by_place, &shape), image: None })
    }

    /// Patches added to the pixels that they are of, by kernels that each write one tap.
    pub(super) fn fold(&mut self, window: Window, patches: NodeId) -> Result<Stored> {
        let whole = self.whole(patches)?;
        let count = parts(&whole.shape, window.rows() * window.width())?;
        let (channels, taps) = (window.channels, window.width() / window.channels);
        let [kh, kw] = window.kernel;
        let [across, along] = window.places().map(Dim::Fixed);
        let apart = self.reshape(&whole, &[count, window.rows().into(), taps.into(), channels.into()]);
        let by_channel = self.permute(&apart, &[0, 3, 2, 1]);
        let places = self.reshape(&by_channel, &[count, (channels * taps).into(), across, along]);
        let kernels = self.out.constant("taps", &[channels * taps, 1, kh, kw], single_taps(&window));
        let mut attributes = moves_back(&window);
        attributes.push(whole_of("group", channels as i64));
        let [h, w] = window.image;
        let mut shape = vec![count];
        shape.extend(fixed(&[channels, h, w]));
        let value = self.out.op("ConvTranspose", &[&places, &kernels], attributes, shape);
        Ok(Stored { value, image: Some(window.image) })
    }
}

impl From<usize> for Dim {
    fn from(size: usize) -> Dim {
        Dim::Fixed(size)
    }
}
