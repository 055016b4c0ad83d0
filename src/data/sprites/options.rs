//! What built-in sprites look like.

/// What the built-in sprites look like, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpriteOptions {
    /// Height and width in pixels, 8 to 1024.
    pub resolution: usize,
    /// Training rows drawn from the grid, without repetition; 20,000 when not given. A tenth as many, at most 2,000 and at
    /// least 1, are drawn for the test set.
    pub count: Option<usize>,
    /// The whole grid in order, black and white, without a test set: 377 MB at 64×64.
    pub full: bool,
    /// Black and white, one bit a pixel, instead of grey with smooth edges.
    pub binary: bool,
}

impl Default for SpriteOptions {
    fn default() -> Self {
        Self { resolution: 32, count: None, full: false, binary: false }
    }
}
