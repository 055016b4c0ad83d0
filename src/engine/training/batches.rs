//! The steps of an epoch: which rows each batch takes, and how many of them are live.

/// One pass over a data set in batches; the last may be short.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches {
    pub count: usize,
    pub rows: usize,
}

impl Batches {
    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.count.div_ceil(self.rows)
    }

    /// The first position and the live rows of batch `i`.
    pub fn at(&self, i: usize) -> (u32, u32) {
        let position = i * self.rows;
        (position as u32, self.rows.min(self.count - position) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::Batches;

    #[test]
    fn every_row_is_live_once() {
        for (count, rows) in [(10, 3), (9, 3), (1, 1), (60_000, 128)] {
            let batches = Batches { count, rows };
            let mut next = 0;
            for i in 0..batches.len() {
                let (position, live) = batches.at(i);
                assert_eq!(position as usize, next);
                next += live as usize;
            }
            assert_eq!(next, count);
        }
    }
}
