//! Patches of one picture on the CPU: taken out of it, and added into it.

use std::ops::Range;

use super::Window;
use crate::kernels::simd::vectorised;

vectorised! {
    /// Patches at some places of a picture, a row each, which begin so many words apart.
    pub(super) fn gather(window: &Window, picture: &[f32], places: Range<usize>, out: &mut [f32], pitch: usize) = take;
}

vectorised! {
    /// Adds patches, rows that begin so many words apart, to the pixels of a picture that they are of.
    pub(super) fn scatter(window: &Window, patches: &[f32], pitch: usize, places: Range<usize>, picture: &mut [f32]) = add;
}

/// Calls a function with the words of a line of taps as a constant, where they are few, and 0 otherwise.
macro_rules! by_words {
    ($words:expr, $function:ident($($argument:expr),*)) => {
        match $words {
            1 => $function::<1>($($argument),*),
            3 => $function::<3>($($argument),*),
            4 => $function::<4>($($argument),*),
            9 => $function::<9>($($argument),*),
            12 => $function::<12>($($argument),*),
            16 => $function::<16>($($argument),*),
            _ => $function::<0>($($argument),*),
        }
    };
}

#[inline(always)]
fn take(window: &Window, picture: &[f32], places: Range<usize>, out: &mut [f32], pitch: usize) {
    by_words!(words(window), take_lines(window, picture, places, out, pitch));
}

#[inline(always)]
fn add(window: &Window, patches: &[f32], pitch: usize, places: Range<usize>, picture: &mut [f32]) {
    by_words!(words(window), add_lines(window, patches, pitch, places, picture));
}

/// Words of a line of taps that stand side by side in the picture; 0 if they do not.
#[inline(always)]
fn words(window: &Window) -> usize {
    if window.dilation[1] == 1 { window.kernel[1] * window.channels } else { 0 }
}

/// Places one after the other, each with what its lines of taps see.
struct Places<'a> {
    window: &'a Window,
    across: usize,
    at: [usize; 2],
}

impl<'a> Places<'a> {
    #[inline(always)]
    fn from(window: &'a Window, place: usize) -> Places<'a> {
        let [_, across] = window.places();
        Places { window, across, at: [place / across, place % across] }
    }

    /// The taps of a line that see a pixel, and the first of these pixels; without any where none does.
    #[inline(always)]
    fn along(&self) -> (Range<usize>, usize) {
        let ([_, width], [_, taps], d) = (self.window.image, self.window.kernel, self.window.dilation[1]);
        let (start, before) = (self.at[1] * self.window.stride[1], self.window.padding[1][0]);
        if start >= before && start - before + (taps - 1) * d < width {
            return (0..taps, start - before);
        }
        let first = before.saturating_sub(start).div_ceil(d);
        let end = (width + before).saturating_sub(start).div_ceil(d).min(taps);
        if first < end { (first..end, start + first * d - before) } else { (0..0, 0) }
    }

    /// The line of the picture that a line of taps sees.
    #[inline(always)]
    fn line(&self, tap: usize) -> Option<usize> {
        self.window.source(0, self.at[0], tap)
    }

    #[inline(always)]
    fn next(&mut self) {
        self.at[1] += 1;
        if self.at[1] == self.across {
            self.at = [self.at[0] + 1, 0];
        }
    }
}

#[inline(always)]
fn take_lines<const WORDS: usize>(
    window: &Window,
    picture: &[f32],
    places: Range<usize>,
    out: &mut [f32],
    pitch: usize,
) {
    let ([kh, kw], c, d) = (window.kernel, window.channels, window.dilation[1]);
    let (line, words) = (window.image[1] * c, kw * c);
    let mut place = Places::from(window, places.start);
    for row in 0..places.len() {
        let (some, x) = place.along();
        let patch = &mut out[row * pitch..][..kh * words];
        for ky in 0..kh {
            let taps = &mut patch[ky * words..][..words];
            let Some(y) = place.line(ky) else {
                taps.fill(0.0);
                continue;
            };
            let from = &picture[y * line + x * c..];
            if WORDS > 0 && some.len() == kw {
                taps[..WORDS].copy_from_slice(&from[..WORDS]);
                continue;
            }
            taps[..some.start * c].fill(0.0);
            taps[some.end * c..].fill(0.0);
            let taps = &mut taps[some.start * c..some.end * c];
            if d == 1 {
                taps.iter_mut().zip(from).for_each(|(tap, value)| *tap = *value);
            } else {
                for (taps, from) in taps.chunks_exact_mut(c).zip(from.chunks(d * c)) {
                    taps.copy_from_slice(&from[..c]);
                }
            }
        }
        place.next();
    }
}

#[inline(always)]
fn add_lines<const WORDS: usize>(
    window: &Window,
    patches: &[f32],
    pitch: usize,
    places: Range<usize>,
    picture: &mut [f32],
) {
    let ([kh, kw], c, d) = (window.kernel, window.channels, window.dilation[1]);
    let (line, words) = (window.image[1] * c, kw * c);
    let mut place = Places::from(window, places.start);
    for row in 0..places.len() {
        let (some, x) = place.along();
        let patch = &patches[row * pitch..][..kh * words];
        for ky in 0..kh {
            let Some(y) = place.line(ky) else { continue };
            let taps = &patch[ky * words..][..words];
            let into = &mut picture[y * line + x * c..];
            if WORDS > 0 && some.len() == kw {
                for (value, tap) in into[..WORDS].iter_mut().zip(&taps[..WORDS]) {
                    *value += *tap;
                }
                continue;
            }
            let taps = &taps[some.start * c..some.end * c];
            if d == 1 {
                into.iter_mut().zip(taps).for_each(|(value, tap)| *value += *tap);
            } else {
                for (taps, into) in taps.chunks_exact(c).zip(into.chunks_mut(d * c)) {
                    into.iter_mut().zip(taps).for_each(|(value, tap)| *value += *tap);
                }
            }
        }
        place.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: [Window; 5] = [
        Window { padding: [[1, 1], [1, 1]], ..window([5, 7], 3, [3, 3], [2, 2]) },
        Window { padding: [[0, 2], [3, 1]], ..window([4, 6], 1, [2, 4], [3, 2]) },
        Window { dilation: [2, 3], padding: [[2, 2], [3, 3]], ..window([6, 5], 4, [3, 2], [1, 1]) },
        Window { padding: [[4, 4], [5, 5]], ..window([2, 3], 5, [2, 2], [1, 2]) },
        window([6, 6], 32, [2, 2], [2, 2]),
    ];

    const fn window(image: [usize; 2], channels: usize, kernel: [usize; 2], stride: [usize; 2]) -> Window {
        Window { image, channels, kernel, stride, padding: [[0; 2]; 2], dilation: [1; 2] }
    }

    #[test]
    fn patches_are_those_of_the_definition() {
        for window in WINDOWS {
            let picture: Vec<f32> = (1..=window.pixels() * window.channels).map(|i| i as f32).collect();
            let (width, pitch) = (window.width(), window.width() + 3);
            let mut exact = vec![0.0; window.rows() * width];
            window.each(|place, number, pixel| exact[place * width + number] = picture[pixel]);
            let mut found = vec![f32::NAN; window.rows() * pitch];
            gather(&window, &picture, 0..window.rows(), &mut found, pitch);
            let rows: Vec<f32> = found.chunks(pitch).flat_map(|row| row[..width].to_vec()).collect();
            assert_eq!(rows, exact, "{window:?}");
            assert!(found.chunks(pitch).all(|row| row[width..].iter().all(|gap| gap.is_nan())));
            // From the second place on.
            let mut later = vec![f32::NAN; (window.rows() - 1) * width];
            gather(&window, &picture, 1..window.rows(), &mut later, width);
            assert_eq!(later, exact[width..]);
        }
    }

    #[test]
    fn adding_is_the_adjoint() {
        for window in WINDOWS {
            let (width, pitch) = (window.width(), window.width() + 2);
            let patches: Vec<f32> = (0..window.rows() * pitch).map(|i| (i % 13) as f32).collect();
            let mut exact = vec![0.5; window.pixels() * window.channels];
            window.each(|place, number, pixel| exact[pixel] += patches[place * pitch + number]);
            let mut found = vec![0.5; exact.len()];
            scatter(&window, &patches, pitch, 0..window.rows(), &mut found);
            assert_eq!(found, exact, "{window:?}");
            assert!(width > 0);
        }
    }
}
