//! The colours of all pictures: one light theme, one list for classes, one ramp for quantities.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// The ground of plots.
pub const PAPER: Rgb = [250, 250, 248];
/// The ground of images: a little darker, so that a white image keeps its edges.
pub const MAT: Rgb = [218, 219, 216];
/// Lines of a coordinate grid.
pub const RULE: Rgb = [229, 229, 225];
/// The frame of a plot and its tick marks.
pub const AXIS: Rgb = [150, 153, 160];
/// Titles and labels.
pub const INK: Rgb = [45, 48, 56];
/// Everything said in passing.
pub const MUTED: Rgb = [108, 112, 121];
/// Something is wrong here.
pub const ALERT: Rgb = [190, 44, 50];
/// A value that is not a finite number: loud on purpose, as no image looks like that by itself.
pub const NOT_FINITE: Rgb = [255, 0, 255];

/// Classes told apart: ten strong colours, then their ten pale sisters.
const CLASSES: [Rgb; 20] = [
    [52, 108, 176],
    [234, 130, 38],
    [58, 148, 80],
    [204, 58, 66],
    [126, 90, 168],
    [140, 92, 62],
    [226, 116, 178],
    [104, 110, 122],
    [180, 164, 32],
    [32, 164, 184],
    [158, 190, 230],
    [248, 192, 138],
    [154, 210, 162],
    [240, 162, 162],
    [196, 178, 222],
    [202, 166, 144],
    [244, 190, 220],
    [182, 188, 198],
    [220, 210, 122],
    [146, 220, 228],
];

/// More classes than this are drawn along the ramp.
pub const DISTINCT_CLASSES: usize = CLASSES.len();

/// From dark to light, with lightness rising all the way, so it also reads in grey.
const RAMP: [Rgb; 6] = [[44, 26, 84], [58, 70, 138], [44, 116, 146], [46, 160, 134], [130, 200, 92], [248, 226, 84]];

/// The colour of a class; they repeat after [`DISTINCT_CLASSES`].
pub fn class(index: usize) -> Rgb {
    CLASSES[index % CLASSES.len()]
}

/// The colour of a quantity between 0 and 1, clipped outside; [`NOT_FINITE`] where it is not finite.
pub fn ramp(t: f32) -> Rgb {
    if !t.is_finite() {
        return NOT_FINITE;
    }
    let at = t.clamp(0.0, 1.0) * (RAMP.len() - 1) as f32;
    let left = (at as usize).min(RAMP.len() - 2);
    let (a, b, share) = (RAMP[left], RAMP[left + 1], at - left as f32);
    std::array::from_fn(|i| (f32::from(a[i]) * (1.0 - share) + f32::from(b[i]) * share).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lightness(colour: Rgb) -> f32 {
        let [r, g, b] = colour.map(f32::from);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn the_ramp_rises_in_lightness_and_stops_at_its_ends() {
        let steps: Vec<f32> = (0..=100).map(|i| lightness(ramp(i as f32 / 100.0))).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0]));
        assert_eq!((ramp(-3.0), ramp(7.0)), (RAMP[0], RAMP[5]));
        assert_eq!((ramp(f32::NAN), ramp(f32::INFINITY)), (NOT_FINITE, NOT_FINITE));
    }

    #[test]
    fn no_two_classes_look_alike_and_none_like_the_paper() {
        let apart = |a: Rgb, b: Rgb| (0..3).map(|i| a[i].abs_diff(b[i]) as u32).sum::<u32>();
        for i in 0..DISTINCT_CLASSES {
            assert!(apart(class(i), PAPER) > 70);
            assert!((0..i).all(|j| apart(class(i), class(j)) > 40), "{i}");
        }
    }
}
