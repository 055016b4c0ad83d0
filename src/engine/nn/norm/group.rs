//! Group normalisation, of which layer and instance normalisation are cases.
//!
//! Group normalisation brings the numbers of each picture and group of channels to mean 0 and variance 1:
//! y = γ_c (x − μ) / √(σ² + ε) + β_c, with μ and σ² over the pixels and the channels of a group, by picture (Wu & He 2018). With
//! one group it is layer normalisation (Ba, Kiros & Hinton 2016), with a group for each channel instance normalisation (Ulyanov,
//! Vedaldi & Lempitsky 2016). Nothing is kept from step to step, and evaluation is as training.

use super::{EPSILON, scaled};
use crate::graph::Tensor;

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
