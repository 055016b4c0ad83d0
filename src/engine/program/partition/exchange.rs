//! What parts exchange: numbers that each has read from its device, on their way through a sum over all of them.

use std::borrow::Cow;

/// How rows of a batch lie in a tensor: `outer` blocks, in each of which `width` words of every row lie behind each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowBlocks {
    /// How many blocks.
    pub outer: usize,
    /// Words of a row in a block.
    pub width: usize,
}

/// What a part has of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// All of it.
    Whole,
    /// A summand of it.
    Summand,
    /// Its own rows.
    Rows(RowBlocks),
}

/// A buffer that becomes another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What is read.
    pub from: String,
    /// What that is of the tensor.
    pub held: Held,
    /// What is written: the whole tensor, or the part's own rows of it.
    pub to: String,
    /// How its rows lie, where only the part's own are written.
    pub taken: Option<RowBlocks>,
}

/// The rows of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartRows {
    /// Rows of a whole batch.
    pub batch: usize,
    /// The first that is this part's.
    pub first: usize,
    /// How many the part has room for; those past the batch's end are none.
    pub count: usize,
}

impl PartRows {
    /// The rows of part `part` of `parts`.
    pub fn of(batch: usize, (part, parts): (usize, usize)) -> PartRows {
        let count = batch.div_ceil(parts);
        PartRows { batch, first: part * count, count }
    }

    /// How many of its rows are the batch's.
    pub fn own(&self) -> usize {
        self.count.min(self.batch.saturating_sub(self.first))
    }
}

impl Exchange {
    /// Of a buffer of summands, which becomes their sum.
    pub fn sum_of(buffer: String) -> Exchange {
        Exchange { to: buffer.clone(), from: buffer, held: Held::Summand, taken: None }
    }

    /// What a part adds to the sum, of what it has read; nothing where all have it all.
    pub fn summand<'a>(&self, read: &'a [f32], rows: &PartRows) -> Cow<'a, [f32]> {
        match self.held {
            Held::Whole => Cow::Borrowed(&[]),
            Held::Summand => Cow::Borrowed(read),
            Held::Rows(RowBlocks { outer, width }) => {
                let mut all = vec![0.0; outer * rows.batch * width];
                let words = rows.own() * width;
                let blocks = all.chunks_exact_mut(rows.batch * width).zip(read.chunks_exact(rows.count * width));
                if words > 0 {
                    blocks.for_each(|(all, own)| all[rows.first * width..][..words].copy_from_slice(&own[..words]));
                }
                Cow::Owned(all)
            }
        }
    }

    /// What a part writes, of the whole tensor. Rows past the batch's end are its last.
    pub fn written<'a>(&self, whole: &'a [f32], rows: &PartRows) -> Cow<'a, [f32]> {
        let Some(RowBlocks { outer: _, width }) = self.taken else { return Cow::Borrowed(whole) };
        let mut own = Vec::new();
        for block in whole.chunks_exact(rows.batch * width) {
            for row in rows.first..rows.first + rows.count {
                own.extend_from_slice(&block[row.min(rows.batch - 1) * width..][..width]);
            }
        }
        Cow::Owned(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_all_parts_make_the_whole_and_are_taken_from_it() {
        // Two blocks of five rows of two words, in three parts of two rows: the last has one row, and room for another.
        let whole: Vec<f32> = (1..=20).map(|i| i as f32).collect();
        let blocks = RowBlocks { outer: 2, width: 2 };
        let gathered = Exchange { from: String::new(), held: Held::Rows(blocks), to: String::new(), taken: None };
        let split = Exchange { held: Held::Whole, taken: Some(blocks), ..gathered.clone() };
        let parts: Vec<PartRows> = (0..3).map(|part| PartRows::of(5, (part, 3))).collect();
        let own: Vec<Vec<f32>> = parts.iter().map(|rows| split.written(&whole, rows).into_owned()).collect();
        assert_eq!(own[1], [5.0, 6.0, 7.0, 8.0, 15.0, 16.0, 17.0, 18.0]);
        assert_eq!(own[2], [9.0, 10.0, 9.0, 10.0, 19.0, 20.0, 19.0, 20.0]);
        let summands: Vec<Cow<[f32]>> = own.iter().zip(&parts).map(|(own, rows)| gathered.summand(own, rows)).collect();
        let sum: Vec<f32> = (0..20).map(|i| summands.iter().map(|summand| summand[i]).sum()).collect();
        assert_eq!(sum, whole);
        assert!(split.summand(&whole, &parts[0]).is_empty(), "what all have is not sent");
        // A part past the end adds nothing, and takes what weighs nothing.
        let none = PartRows::of(5, (3, 4));
        assert_eq!(none, PartRows { batch: 5, first: 6, count: 2 });
        assert!(gathered.summand(&own[0], &none).iter().all(|value| *value == 0.0));
        assert_eq!(
            split.written(&whole, &none),
            own[2][..2].repeat(2).into_iter().chain(own[2][4..6].repeat(2)).collect::<Vec<_>>()
        );
    }
}
