//! Pictures of falling resolutions: each half as high and as wide as the one before it, rounded up.
//!
//! Between layers pictures are `[pictures·h·w, C]`, pixel by pixel, the channels of a pixel side by side.

use crate::graph::Tensor;

/// The resolutions from a picture's own down to one pixel, each ⌈h/2⌉×⌈w/2⌉ of the one before it.
pub(super) fn resolutions(image: [usize; 2]) -> Vec<[usize; 2]> {
    let halved = |image: &[usize; 2]| (*image != [1, 1]).then(|| image.map(|size| size.div_ceil(2)));
    std::iter::successors(Some(image), halved).collect()
}

/// Pictures of h×w pixels at the next lower resolution: each pixel is the mean of the 2×2 that it covers, of fewer at the end of an odd
/// side.
pub(super) fn pool<'g>(x: Tensor<'g>, [h, w]: [usize; 2]) -> Tensor<'g> {
    let ([all, channels], graph) = (x.dims(), x.graph());
    let pictures = all / (h * w);
    // A pixel that has no neighbour counts twice: the mean of it is itself.
    let even = |t: Tensor<'g>, axis: usize| match t.shape()[axis] {
        1 => t,
        size if size % 2 == 0 => t,
        size => graph.concat(&[t, t.slice(axis, size - 1, 1)], axis),
    };
    let each = [h, w].map(|size| size.min(2));
    let [high, wide] = [h, w].map(|size| size.div_ceil(2));
    let rows = even(x.reshape(&[pictures, h, w * channels]), 1);
    let columns = even(rows.reshape(&[pictures * high * each[0], w, channels]), 1);
    let apart = columns.reshape(&[pictures * high, each[0], wide, each[1], channels]);
    apart.mean(&[1, 3]).reshape(&[pictures * high * wide, channels])
}

/// Pictures at a higher resolution, of which theirs is the next lower one: every pixel stands where it was the mean of others (nearest
/// neighbour).
pub(super) fn upsample<'g>(x: Tensor<'g>, [h, w]: [usize; 2], [high, wide]: [usize; 2]) -> Tensor<'g> {
    let [all, channels] = x.dims();
    let pictures = all / (h * w);
    let [down, across] = [high.div_ceil(h), wide.div_ceil(w)];
    let each = x.reshape(&[pictures, h, 1, w, 1, channels]).expand(&[pictures, h, down, w, across, channels]);
    let each = each.reshape(&[pictures, h * down, w * across, channels]);
    each.slice(1, 0, high).slice(2, 0, wide).reshape(&[pictures * high * wide, channels])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn sides_are_halved_and_rounded_up() {
        assert_eq!(resolutions([32, 32]), [[32, 32], [16, 16], [8, 8], [4, 4], [2, 2], [1, 1]]);
        assert_eq!(resolutions([28, 28]), [[28, 28], [14, 14], [7, 7], [4, 4], [2, 2], [1, 1]]);
        assert_eq!(resolutions([5, 1]), [[5, 1], [3, 1], [2, 1], [1, 1]]);
        assert_eq!(resolutions([1, 1]), [[1, 1]]);
    }

    /// What becomes of pictures of two channels.
    fn made(numbers: &[f64], work: impl for<'g> Fn(Tensor<'g>) -> Tensor<'g>) -> Vec<f64> {
        let (graph, mut values) = (Graph::new(), Values::default());
        values.tensors.insert("x".into(), numbers.to_vec());
        evaluate(&values, &[work(graph.input("x", &[numbers.len() / 2, 2]))]).remove(0)
    }

    #[test]
    fn a_pixel_is_the_mean_of_those_it_covers() {
        // A picture of 3×3 with 1 to 9, and its negative as the second channel; and another of tens.
        let picture = |scale: f64| (1..=9).flat_map(move |i| [scale * f64::from(i), -scale * f64::from(i)]);
        let two: Vec<f64> = picture(1.0).chain(picture(10.0)).collect();
        let expected = [3.0, -3.0, 4.5, -4.5, 7.5, -7.5, 9.0, -9.0];
        let expected: Vec<f64> = expected.iter().chain(&expected.map(|mean| 10.0 * mean)).copied().collect();
        assert_eq!(made(&two, |x| pool(x, [3, 3])), expected);
        // Along a side of one pixel there is nothing to take together.
        assert_eq!(made(&[1.0, 2.0, 3.0, 6.0, 10.0, 20.0], |x| pool(x, [3, 1])), [2.0, 4.0, 10.0, 20.0]);
    }

    #[test]
    fn a_pixel_stands_where_it_was_the_mean() {
        let small = [1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0];
        let numbers = [1, 1, 2, 1, 1, 2, 3, 3, 4].map(f64::from);
        let expected: Vec<f64> = numbers.iter().flat_map(|&x| [x, -x]).collect();
        assert_eq!(made(&small, |x| upsample(x, [2, 2], [3, 3])), expected);
        assert_eq!(made(&small[..4], |x| upsample(x, [2, 1], [3, 1])), [1.0, -1.0, 1.0, -1.0, 2.0, -2.0]);
        // What is upsampled and pooled again is what it was, at odd sides too.
        assert_eq!(made(&small, |x| pool(upsample(x, [2, 2], [3, 4]), [3, 4])), small);
    }
}
