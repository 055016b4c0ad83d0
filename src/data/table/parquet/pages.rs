//! Pages of columns, refused where they say of themselves what their file cannot hold.
//!
//! The reader behind allocates what a page announces: values of a dictionary, lengths of texts. Here that is held against the page and
//! the rows of its group first. A packed page has been unpacked by then, to at most the 2 GiB that its header may announce.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

/// The pages of a column of one group of rows.
pub(super) struct Pages {
    /// As they come.
    pub pages: Box<dyn PageReader>,
    /// The column that they are of.
    pub column: ColumnDescPtr,
    /// Rows of the group that no page has held yet.
    pub rows_left: u64,
    /// Bytes that all pages of the file may yet have when they are unpacked.
    pub room: Arc<AtomicU64>,
}

impl Pages {
    fn check(&mut self, page: &Page) -> Result<()> {
        let (bytes, values) = (page.buffer().len() as u64, u64::from(page.num_values()));
        let room = self.room.load(Ordering::Relaxed);
        if bytes > room {
            return Err(refusal("its pages unpack to far more than a file of its size should hold"));
        }
        self.room.store(room - bytes, Ordering::Relaxed);
        if page.is_dictionary_page() {
            // Each value takes a byte or more.
            return if values > bytes { Err(refusal("a page announces more values than it holds")) } else { Ok(()) };
        }
        if values > self.rows_left {
            return Err(refusal("its pages announce more values than there are rows"));
        }
        self.rows_left -= values;
        self.check_lengths(page, values)
    }

    /// Lengths of texts that are packed as differences come with their own count.
    fn check_lengths(&self, page: &Page, values: u64) -> Result<()> {
        let lists = match page.encoding() {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
            Encoding::DELTA_BYTE_ARRAY => 2,
            _ => return Ok(()),
        };
        let mut rest = behind_levels(page, &self.column).ok_or_else(damaged)?;
        if rest.is_empty() {
            // All of its cells are null.
            return Ok(());
        }
        for _ in 0..lists {
            let (count, length) = differences(rest).ok_or_else(damaged)?;
            if count > values {
                return Err(refusal("a page announces more values than it holds"));
            }
            rest = rest.get(length..).ok_or_else(damaged)?;
        }
        Ok(())
    }
}

fn refusal(why: &str) -> ParquetError {
    ParquetError::General(why.to_owned())
}

fn damaged() -> ParquetError {
    refusal("a page is damaged")
}

/// The values of a page, behind the levels that say which are there. Columns of lists are not read, so that there is one kind of levels.
fn behind_levels<'a>(page: &'a Page, column: &ColumnDescPtr) -> Option<&'a [u8]> {
    match page {
        Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
            buf.get(*def_levels_byte_len as usize + *rep_levels_byte_len as usize..)
        }
        Page::DataPage { buf, .. } if column.max_def_level() > 0 => {
            let length = u32::from_le_bytes(*buf.first_chunk()?);
            buf.get(4..)?.get(length as usize..)
        }
        _ => Some(page.buffer()),
    }
}

/// How many numbers a list packed as differences announces, and how many bytes it takes.
fn differences(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut at = 0;
    let (block, parts, count) = (number(bytes, &mut at)?, number(bytes, &mut at)?, number(bytes, &mut at)?);
    number(bytes, &mut at)?;
    if parts == 0 || block == 0 || !block.is_multiple_of(parts) {
        return None;
    }
    let part = block / parts;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        // The least difference, the width in bits of each part, and those parts that hold anything.
        number(bytes, &mut at)?;
        let widths = bytes.get(at..)?.get(..usize::try_from(parts).ok()?)?;
        at += widths.len();
        for &width in widths.iter().take(usize::try_from(left.div_ceil(part)).ok()?) {
            at = at.checked_add(usize::try_from(part.checked_mul(width.into())? / 8).ok()?)?;
        }
        left = left.saturating_sub(block);
    }
    (at <= bytes.len()).then_some((count, at))
}

/// A number of seven bits a byte, the lowest first.
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(page) = self.pages.get_next_page()? else { return Ok(None) };
        self.check(&page)?;
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_differences_are_measured_before_they_are_read() {
        // Blocks of 128 in 4 parts; one number: no block.
        assert_eq!(differences(&[0x80, 1, 4, 1, 10]), Some((1, 5)));
        // Three numbers: one block, whose first part has 32 numbers of 2 bits, and the others nothing.
        let block = [&[0x80, 1, 4, 3, 10, 0, 2, 0, 0, 0][..], &[0; 8], b"text"].concat();
        assert_eq!(differences(&block), Some((3, 18)));
        // Widths of parts that hold nothing count for nothing.
        let odd = [&[0x80, 1, 4, 3, 10, 0, 2, 9, 9, 9][..], &[0; 8]].concat();
        assert_eq!(differences(&odd), Some((3, 18)));
        assert_eq!(differences(&block[..17]), None);
        // 2^35 numbers of which there is nothing.
        assert_eq!(differences(&[0x80, 1, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 10]), None);
        for bad in [&[][..], &[0x80, 1, 0, 1, 10], &[0x80, 1, 3, 1, 10], &[0xff; 12]] {
            assert_eq!(differences(bad), None, "{bad:?}");
        }
    }
}
