//! Normalisation: the numbers between layers brought to one scale.
//!
//! Group normalisation brings the numbers of each picture and group of channels to mean 0 and variance 1:
//! y = γ_c (x − μ) / √(σ² + ε) + β_c, with μ and σ² over the pixels and the channels of a group, by picture (Wu & He 2018). With
//! one group it is layer normalisation (Ba, Kiros & Hinton 2016), with a group for each channel instance normalisation (Ulyanov,
//! Vedaldi & Lempitsky 2016). Nothing is kept from step to step, and evaluation is as training.
//!
//! Batch normalisation is in a file of its own.

use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::graph::{Init, Tensor};

/// Added to variances, as PyTorch's layers do.
pub(super) const EPSILON: f32 = 1e-5;

/// What brings the numbers between layers to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Norm {
    /// Nothing.
    None,
    /// Group normalisation: by picture and group of channels.
    Group,
    /// Batch normalisation: by channel, over all pictures of a batch.
    Batch,
    /// Layer normalisation: by picture.
    Layer,
    /// Instance normalisation: by picture and channel.
    Instance,
}

/// Group normalisation of pictures of so many pixels, `[pictures·pixels, channels]` to the same shape, in so many groups, which
/// must divide the channels. `scale` (γ, at 1) and `shift` (β, at 0) are `[channels]`.
pub fn group_norm<'g>(name: &str, x: Tensor<'g>, pixels: usize, groups: usize) -> Tensor<'g> {
    let (graph, [rows, channels]) = (x.graph(), x.dims());
    assert!(channels.is_multiple_of(groups), "{groups} groups of {channels} channels");
    let pictures = rows / pixels;
    // The mean of each channel first, then that of a group's channels, which are few numbers.
    let mean_of = |t: Tensor<'g>| {
        let by_channel = t.mean(&[1]).reshape(&[pictures, groups, channels / groups]);
        by_channel.mean(&[2]).expand(&[pictures, groups, channels / groups]).reshape(&[pictures, 1, channels])
    };
    let apart = x.reshape(&[pictures, pixels, channels]);
    let centred = apart - mean_of(apart);
    let normal = centred * (1.0 / (mean_of(centred.square()) + EPSILON).sqrt());
    graph.scope(name, || scaled(normal).reshape(&[rows, channels]))
}

/// γ_c x + β_c, `x` of any shape with the channels last.
pub(super) fn scaled(x: Tensor) -> Tensor {
    let [scale, shift] = [("scale", 1.0), ("shift", 0.0)]
        .map(|(part, start)| x.graph().param(part, &[x.width()], Init::Constant(start)));
    x * scale + shift
}
