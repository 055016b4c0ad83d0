//! Pictures of other sizes without weights: average pooling, and the nearest pixel.

use crate::graph::Tensor;
use crate::kernels::Window;

/// Average pooling of pictures that lie as `window` says, to `[pictures·places, C]`: the mean over the taps, of which those that
/// see nothing count as zeros. Where kernels lie side by side and cover the picture, no patches are made.
pub fn average_pool(x: Tensor, window: Window) -> Tensor {
    let ([h, w], [kh, kw], c) = (window.image, window.kernel, window.channels);
    let [down, across] = window.places();
    if window.kernel == window.stride && [down * kh, across * kw] == window.image && window.dilation == [1; 2] {
        let pictures = x.shape().iter().product::<usize>() / (h * w * c);
        return x.reshape(&[pictures, down, kh, across, kw, c]).mean(&[2, 4]).reshape(&[pictures * down * across, c]);
    }
    let patches = x.patches(window);
    let rows = patches.shape()[0];
    patches.reshape(&[rows, kh * kw, c]).mean(&[1]).reshape(&[rows, c])
}

/// Each pixel `[h, w]` as a square of so many by so many: pictures of any shape with `h·w·C` numbers each to
/// `[pictures·h·times·w·times, C]`.
pub fn upsample_nearest(x: Tensor, [h, w]: [usize; 2], channels: usize, times: usize) -> Tensor {
    let pictures = x.shape().iter().product::<usize>() / (h * w * channels);
    let apart = x.reshape(&[pictures, h, 1, w, 1, channels]).expand(&[pictures, h, times, w, times, channels]);
    apart.reshape(&[pictures * h * times * w * times, channels])
}
