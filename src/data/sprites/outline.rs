//! The outlines of the sprites, as implicit functions.
//!
//! A point `(u, v)` is given in the sprite's own coordinates: `v` upwards, the origin in the centre of the smallest circle
//! around the shape, and that circle of radius 1. It lies inside where the function holds:
//!
//! - square, corners on the circle: `max(|u|, |v|) ≤ 1/√2`
//! - ellipse, long axis on the circle: `u² + (v / b)² ≤ 1` with `b = 0.64`
//! - heart: `(p² + q² − 1)³ ≤ p² q³` with `p = 5/4 u`, `q = 5/4 v + 1/4`
//!
//! The smallest circle around the heart curve `(p² + q² − 1)³ = p² q³` touches its tip `(0, −1)` and its two lobes; its centre
//! is `(0, 1/4)` and its radius `5/4`. With a common circle all shapes stay inside the picture at every orientation, and
//! their areas, 0.64 to 0.75 of the circle, are alike, so a shape is told by its form and not by its brightness.

const SQUARE: f32 = std::f32::consts::FRAC_1_SQRT_2;
const ELLIPSE: f32 = 0.64;

/// Whether `(u, v)` lies in the square.
#[inline]
pub(super) fn square(u: f32, v: f32) -> bool {
    u.abs().max(v.abs()) <= SQUARE
}

/// Whether `(u, v)` lies in the ellipse.
#[inline]
pub(super) fn ellipse(u: f32, v: f32) -> bool {
    let v = v * (1.0 / ELLIPSE);
    u * u + v * v <= 1.0
}

/// Whether `(u, v)` lies in the heart.
#[inline]
pub(super) fn heart(u: f32, v: f32) -> bool {
    let (p, q) = (1.25 * u, 1.25 * v + 0.25);
    let (p2, q2) = (p * p, q * q);
    let ring = p2 + q2 - 1.0;
    ring * ring * ring <= p2 * q2 * q
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outline = fn(f32, f32) -> bool;

    /// Area by counting, extent `[left, right, bottom, top]` and radius of what a test holds for.
    fn measure(inside: Outline) -> (f32, [f32; 4], f32) {
        const N: i32 = 1000;
        let (mut hits, mut extent, mut radius) = (0, [0.0f32; 4], 0.0f32);
        for i in -N..=N {
            for j in -N..=N {
                let (u, v) = (1.2 * i as f32 / N as f32, 1.2 * j as f32 / N as f32);
                if inside(u, v) {
                    hits += 1;
                    radius = radius.max(u.hypot(v));
                    let [left, right, bottom, top] = extent;
                    extent = [left.min(u), right.max(u), bottom.min(v), top.max(v)];
                }
            }
        }
        (hits as f32 * (1.2 / N as f32).powi(2), extent, radius)
    }

    #[test]
    fn outlines_have_the_documented_sizes() {
        let known: [(Outline, f32, [f32; 4]); 3] = [
            (square, 2.0, [-0.707, 0.707, -0.707, 0.707]),
            (ellipse, 2.011, [-1.0, 1.0, -0.64, 0.64]),
            (heart, 2.344, [-0.911, 0.911, -1.0, 0.789]),
        ];
        for (inside, area, extent) in known {
            let (found_area, found_extent, radius) = measure(inside);
            assert!((found_area - area).abs() < 0.02, "{found_area} for {area}");
            for (found, expected) in found_extent.iter().zip(extent) {
                assert!((found - expected).abs() < 0.005, "{found_extent:?} for {extent:?}");
            }
            assert!((radius - 1.0).abs() < 0.005, "the circle fits: {radius}");
        }
    }
}
