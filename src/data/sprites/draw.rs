//! Drawing one sprite.
//!
//! A sample at `(px, py)`, in parts of the picture with y downwards, is turned back and scaled into the sprite's own
//! coordinates, where its outline is known:
//!
//! ```text
//! u = ( cos θ (px − cx) − sin θ (py − cy)) / (R s)
//! v = (−sin θ (px − cx) − cos θ (py − cy)) / (R s)
//! ```
//!
//! with centre `(cx, cy)`, scale `s` and orientation `θ`. `R = 0.225` is the radius of the circle around a sprite of
//! scale 1; the centres keep 33/128 ≈ 0.258 away from the border, so a pixel of black remains even at 32×32.

use super::outline;

const RADIUS: f32 = 0.225;

/// One sprite, placed; lengths in parts of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sprite {
    shape: u32,
    radius: f32,
    cos: f32,
    sin: f32,
    /// Centre from the left and from the top.
    centre: [f32; 2],
}

impl Sprite {
    /// The sprite with these factors: shape, scale, orientation, x, y.
    pub(super) fn new([shape, scale, orientation, x, y]: [u32; 5]) -> Self {
        // A full turn is taken as none, so that both give the same picture to the bit.
        let angle = std::f64::consts::TAU * f64::from(orientation % 39) / 39.0;
        let centre = |k: u32| (33 + 2 * k) as f32 / 128.0;
        Self {
            shape,
            radius: RADIUS * (5 + scale) as f32 / 10.0,
            cos: libm::cos(angle) as f32,
            sin: libm::sin(angle) as f32,
            centre: [centre(x), centre(y)],
        }
    }

    /// Adds to each pixel of `canvas`, `[resolution, resolution]`, how many of its `SIDE × SIDE` samples lie inside.
    pub(super) fn draw<const SIDE: usize>(&self, resolution: usize, canvas: &mut [u8]) {
        match self.shape {
            0 => self.fill::<SIDE>(resolution, canvas, outline::square),
            1 => self.fill::<SIDE>(resolution, canvas, outline::ellipse),
            _ => self.fill::<SIDE>(resolution, canvas, outline::heart),
        }
    }

    /// Goes through the samples of the pixels that the circle around the sprite touches. The innermost loop runs over
    /// pixels, without branches, so that it is vectorised.
    fn fill<const SIDE: usize>(&self, resolution: usize, canvas: &mut [u8], inside: impl Fn(f32, f32) -> bool) {
        let size = resolution as f32;
        let span = |centre: f32| {
            let low = ((centre - self.radius) * size).floor().max(0.0) as usize;
            let high = ((centre + self.radius) * size).ceil() as usize;
            low..high.min(resolution)
        };
        let (columns, lines) = (span(self.centre[0]), span(self.centre[1]));
        let per_radius = 1.0 / self.radius;
        let (cos, sin) = (self.cos * per_radius, self.sin * per_radius);
        let part = |sample: usize| (sample as f32 + 0.5) / SIDE as f32;
        for line in lines {
            let pixels = &mut canvas[line * resolution..][columns.clone()];
            for sample in 0..SIDE * SIDE {
                let dy = (line as f32 + part(sample / SIDE)) / size - self.centre[1];
                let (u0, v0) = (-sin * dy, -cos * dy);
                let first = columns.start as f32 + part(sample % SIDE);
                for (i, pixel) in pixels.iter_mut().enumerate() {
                    let dx = (first + i as f32) / size - self.centre[0];
                    *pixel += u8::from(inside(u0 + cos * dx, v0 - sin * dx));
                }
            }
        }
    }
}
