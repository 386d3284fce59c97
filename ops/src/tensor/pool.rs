//! Max pooling of NHWC images: windows of `size x size`, as far apart as they are wide. What is
//! left over at the right and lower edge is ignored (padding "valid").

use super::number::Float;

/// Sizes of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolShape {
    /// Images.
    pub batch: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Channels of a pixel.
    pub channels: usize,
    /// Rows and columns of a window, at least 1.
    pub size: usize,
}

impl PoolShape {
    /// Rows of an output image.
    pub fn out_height(&self) -> usize {
        self.height / self.size
    }

    /// Columns of an output image.
    pub fn out_width(&self) -> usize {
        self.width / self.size
    }

    /// Elements of the input, `batch * height * width * channels`.
    pub fn images_len(&self) -> usize {
        self.batch * self.height * self.width * self.channels
    }

    /// Elements of the output, `batch * out_height * out_width * channels`.
    pub fn out_len(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.channels
    }

    /// Calls `visit(start of a window in the input, start of its pixel in the output)`.
    fn each_window(&self, mut visit: impl FnMut(usize, usize)) {
        let mut out = 0;
        for image in 0..self.batch {
            for y in 0..self.out_height() {
                for x in 0..self.out_width() {
                    let row = image * self.height + y * self.size;
                    visit((row * self.width + x * self.size) * self.channels, out);
                    out += self.channels;
                }
            }
        }
    }

    /// Starts of the pixels of a window, relative to the window's, in reading order.
    fn pixels(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.size)
            .flat_map(move |y| (0..self.size).map(move |x| (y * self.width + x) * self.channels))
    }
}

/// `out[n, y, x, c]` = the maximum of channel `c` in window `(y, x)` of image `n`. NaN never wins
/// against a number.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn max_pool<T: Float>(shape: &PoolShape, images: &[T], out: &mut [T]) {
    assert_eq!(images.len(), shape.images_len(), "max_pool: images");
    assert_eq!(out.len(), shape.out_len(), "max_pool: out");
    out.fill(T::NEG_INFINITY);
    shape.each_window(|start, to| {
        let out = &mut out[to..to + shape.channels];
        for pixel in shape.pixels() {
            let pixel = &images[start + pixel..][..shape.channels];
            for (out, &x) in out.iter_mut().zip(pixel) {
                *out = if x > *out { x } else { *out };
            }
        }
    });
}

/// The gradient of [`max_pool`]: `out` (as the images) is `grad_out` at the first maximum of each
/// window and channel, in reading order, and zero elsewhere.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn max_pool_grad<T: Float>(shape: &PoolShape, images: &[T], grad_out: &[T], out: &mut [T]) {
    assert_eq!(images.len(), shape.images_len(), "max_pool_grad: images");
    assert_eq!(grad_out.len(), shape.out_len(), "max_pool_grad: grad_out");
    assert_eq!(out.len(), images.len(), "max_pool_grad: out");
    out.fill(T::default());
    shape.each_window(|start, from| {
        for c in 0..shape.channels {
            let mut best = start + c;
            for pixel in shape.pixels() {
                let at = start + pixel + c;
                best = if images[at] > images[best] { at } else { best };
            }
            out[best] = grad_out[from + c];
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: PoolShape = PoolShape { batch: 1, height: 3, width: 4, channels: 2, size: 2 };

    #[rustfmt::skip]
    const IMAGES: [f32; 24] = [
        1.0, 8.0,   2.0, 8.0,   5.0, -1.0,   4.0, -2.0,
        3.0, 8.0,   0.0, 8.0,   6.0, -3.0,   6.0, -0.5,
        9.0, 9.0,   9.0, 9.0,   9.0,  9.0,   9.0,  9.0,
    ];

    #[test]
    fn takes_the_maximum_of_whole_windows() {
        let mut out = [0.0; 4];
        max_pool(&SHAPE, &IMAGES, &mut out);
        assert_eq!(out, [3.0, 8.0, 6.0, -0.5]);
    }

    #[test]
    fn the_first_maximum_takes_the_gradient() {
        let mut out = [7.0; 24];
        max_pool_grad(&SHAPE, &IMAGES, &[10.0, 20.0, 30.0, 40.0], &mut out);
        let mut expected = [0.0; 24];
        expected[8] = 10.0; // 3.0
        expected[1] = 20.0; // the first 8.0 of four
        expected[12] = 30.0; // the first 6.0 of two
        expected[15] = 40.0; // -0.5
        assert_eq!(out, expected);
    }

    #[test]
    fn batches_are_independent() {
        let shape = PoolShape { batch: 2, ..SHAPE };
        let images: Vec<f32> = IMAGES.iter().copied().chain(IMAGES.map(|x| x + 1.0)).collect();
        let mut out = [0.0; 8];
        max_pool(&shape, &images, &mut out);
        assert_eq!(out, [3.0, 8.0, 6.0, -0.5, 4.0, 9.0, 7.0, 0.5]);
    }
}
