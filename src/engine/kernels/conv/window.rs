//! The geometry of a convolution: which pixels each place of a kernel sees.
//!
//! A kernel of kh×kw taps moves over a picture of h×w pixels in steps of its stride s, from `padding` pixels in front of the
//! picture to `padding` pixels behind it; its taps lie `dilation` d pixels apart. Along each axis there are
//! `⌊(h + before + after − d (k − 1) − 1) / s⌋ + 1` places, and tap t of place o sees the pixel `o s + t d − before`, or nothing
//! where that lies outside (Dumoulin & Visin 2016, relationship 15). These are PyTorch's rules; what Keras calls `same` is
//! [`Window::same`].

/// Where a kernel stands on a picture, axis by axis: rows, then columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Pixels: height and width.
    pub image: [usize; 2],
    /// Values of a pixel.
    pub channels: usize,
    /// Taps.
    pub kernel: [usize; 2],
    /// Pixels from one place to the next.
    pub stride: [usize; 2],
    /// Pixels in front of the picture and behind it that a kernel may reach, which count as zeros.
    pub padding: [[usize; 2]; 2],
    /// Pixels from one tap to the next.
    pub dilation: [usize; 2],
}

impl Window {
    /// A square kernel with the same stride and padding on all sides, without dilation.
    pub fn square(image: [usize; 2], channels: usize, kernel: usize, stride: usize, padding: usize) -> Window {
        Window {
            image,
            channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [[padding; 2]; 2],
            dilation: [1; 2],
        }
    }

    /// A square kernel with ⌈h/s⌉×⌈w/s⌉ places: as many zeros as that takes, of which the odd one stands behind the picture, as
    /// Keras and TensorFlow have it where they say `same`.
    pub fn same(image: [usize; 2], channels: usize, kernel: usize, stride: usize) -> Window {
        let padding = image.map(|size| {
            let all = ((size.div_ceil(stride.max(1)).max(1) - 1) * stride + kernel).saturating_sub(size);
            [all / 2, all - all / 2]
        });
        Window { padding, ..Window::square(image, channels, kernel, stride, 0) }
    }

    /// Says why there is no place for the kernel, or no kernel.
    ///
    /// # Errors
    /// If a size is 0, or the kernel does not fit.
    pub fn check(&self) -> Result<(), String> {
        let [h, w] = self.image;
        let [kh, kw] = self.kernel;
        if [h, w, self.channels, kh, kw].contains(&0) || self.stride.contains(&0) || self.dilation.contains(&0) {
            return Err(format!(
                "a kernel of {kh}×{kw} on a picture of {h}×{w}×{} with stride {:?} and dilation {:?}: all of these are at least 1",
                self.channels, self.stride, self.dilation
            ));
        }
        for (axis, name) in ["rows", "columns"].into_iter().enumerate() {
            let (reach, [before, after]) = (self.reach(axis), self.padding[axis]);
            let size = self.image[axis];
            if size + before + after < reach {
                return Err(format!(
                    "a kernel that spans {reach} {name} does not fit on a picture of {h}×{w}, which has {size} {name} and {} of \
                     padding",
                    before + after
                ));
            }
        }
        Ok(())
    }

    /// Pixels along an axis from the first tap to the last.
    fn reach(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// Places along each axis.
    pub fn places(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let [before, after] = self.padding[axis];
            (self.image[axis] + before + after - self.reach(axis)) / self.stride[axis] + 1
        })
    }

    /// Pixels along each axis, of the padding too, from the first that a place sees to the last.
    pub fn seen(&self) -> [usize; 2] {
        let places = self.places();
        [0, 1].map(|axis| self.stride[axis] * (places[axis] - 1) + self.reach(axis))
    }

    /// Places on a picture.
    pub fn rows(&self) -> usize {
        self.places().iter().product()
    }

    /// Pixels of a picture.
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }

    /// Values that a kernel sees at a place: kh·kw·C. The value of channel c at tap (y, x) is number `(y kw + x) C + c`.
    pub fn width(&self) -> usize {
        self.kernel.iter().product::<usize>() * self.channels
    }

    /// Whether there is a place on each pixel, which sees nothing else: patches are the picture itself.
    pub fn sees_each_pixel_alone(&self) -> bool {
        self.kernel == [1; 2] && self.stride == [1; 2] && self.padding == [[0; 2]; 2]
    }

    /// The index along an axis that a tap sees at a place, if it is one of the picture's.
    pub fn source(&self, axis: usize, place: usize, tap: usize) -> Option<usize> {
        let at = place * self.stride[axis] + tap * self.dilation[axis];
        at.checked_sub(self.padding[axis][0]).filter(|&at| at < self.image[axis])
    }

    /// Calls `with` with every number of a patch matrix of one picture and the number of the pixel's value that stands there:
    /// `(place, number within the patch, number within the picture)`.
    pub fn each(&self, mut with: impl FnMut(usize, usize, usize)) {
        let [_, across] = self.places();
        for place in 0..self.rows() {
            for tap in 0..self.kernel[0] * self.kernel[1] {
                let (y, x) = (
                    self.source(0, place / across, tap / self.kernel[1]),
                    self.source(1, place % across, tap % self.kernel[1]),
                );
                let (Some(y), Some(x)) = (y, x) else { continue };
                for c in 0..self.channels {
                    with(place, tap * self.channels + c, (y * self.image[1] + x) * self.channels + c);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_in_the_formula() {
        let places = |image, kernel, stride, padding| Window::square(image, 1, kernel, stride, padding).places();
        assert_eq!(places([64, 64], 4, 2, 1), [32, 32]);
        assert_eq!(places([5, 7], 3, 1, 0), [3, 5]);
        // The stride does not divide: what is left over is not seen.
        assert_eq!(places([6, 8], 3, 2, 0), [2, 3]);
        assert_eq!(Window::square([6, 8], 1, 3, 2, 0).seen(), [5, 7]);
        // Padding beyond the kernel: places that see nothing.
        assert_eq!(places([1, 1], 2, 1, 3), [6, 6]);
        let dilated = Window { dilation: [2, 3], ..Window::square([9, 9], 1, 3, 1, 0) };
        assert_eq!((dilated.places(), dilated.seen()), ([5, 3], [9, 9]));
        let uneven = Window { padding: [[0, 1], [2, 0]], ..Window::square([4, 4], 1, 3, 2, 0) };
        assert_eq!(uneven.places(), [2, 2]);
    }

    #[test]
    fn same_pads_the_end_first() {
        let same = |size, kernel, stride| {
            let window = Window::same([size, size], 1, kernel, stride);
            (window.places()[0], window.padding[0])
        };
        assert_eq!(same(28, 3, 2), (14, [0, 1]));
        assert_eq!(same(7, 3, 2), (4, [1, 1]));
        assert_eq!(same(5, 3, 1), (5, [1, 1]));
        assert_eq!(same(5, 1, 3), (2, [0, 0]));
    }

    #[test]
    fn taps_see_pixels() {
        let window = Window { dilation: [1, 2], ..Window::square([3, 4], 2, 2, 2, 1) };
        assert_eq!(window.places(), [2, 2]);
        assert_eq!([0, 1].map(|tap| window.source(0, 0, tap)), [None, Some(0)]);
        assert_eq!([0, 1].map(|tap| window.source(1, 1, tap)), [Some(1), Some(3)]);
        assert_eq!(window.source(0, 1, 1), Some(2));
        let mut seen = Vec::new();
        window.each(|place, number, pixel| seen.push((place, number, pixel)));
        // The first place sees pixel (0, 1) with its last tap alone.
        assert_eq!(seen[..2], [(0, 6, 2), (0, 7, 3)]);
        assert_eq!(seen.iter().filter(|(place, ..)| *place == 0).count(), 2);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let said = |window: Window| window.check().unwrap_err();
        assert!(Window::square([2, 2], 1, 4, 2, 1).check().is_ok());
        assert!(said(Window::square([1, 9], 1, 4, 2, 1)).contains("spans 4 rows does not fit on a picture of 1×9"));
        assert!(said(Window::square([9, 1], 1, 4, 2, 1)).contains("has 1 columns and 2 of padding"));
        assert!(said(Window::square([9, 9], 1, 0, 2, 1)).contains("at least 1"));
        assert!(said(Window::square([9, 9], 1, 3, 0, 1)).contains("at least 1"));
    }
}
