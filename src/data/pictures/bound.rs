//! A bound on what archives unpack to: a small file can claim to hold more than anyone could read.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// Files in an archive.
pub(super) const MOST_FILES: usize = 4_000_000;

/// What any archive may unpack to, and how many times its own size a large one may.
const ALWAYS: u64 = 16 << 30;
const TIMES: u64 = 100;

/// How many more bytes an archive may unpack to.
pub(super) struct Bound {
    left: AtomicU64,
    most: u64,
}

impl Bound {
    /// Of an archive of this size.
    pub(super) fn of(stored: u64) -> Bound {
        Bound::at(stored.saturating_mul(TIMES).saturating_add(ALWAYS))
    }

    fn at(most: u64) -> Bound {
        Bound { left: most.into(), most }
    }

    /// A reader that fails where the archive has unpacked to too much.
    pub(super) fn reader<'a>(&'a self, inner: impl Read + 'a) -> impl Read + 'a {
        Bounded { inner, bound: self }
    }
}

struct Bounded<'a, R> {
    inner: R,
    bound: &'a Bound,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let spent =
            self.bound.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(read as u64));
        spent.map(|_| read).map_err(|_| {
            let most = self.bound.most >> 30;
            io::Error::other(format!(
                "the archive unpacks to more than {most} GiB, which no archive of its size should"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_readers_share_one_bound() {
        let bound = Bound::at(10);
        let read = |bytes: &[u8]| bound.reader(bytes).read_to_end(&mut Vec::new()).map_err(|e| e.to_string());
        assert_eq!(read(&[0; 6]), Ok(6));
        assert_eq!(read(&[0; 4]), Ok(4));
        assert!(read(&[0]).unwrap_err().contains("unpacks to more"));
        assert_eq!(Bound::of(1 << 30).most, 116 << 30);
        assert_eq!(Bound::of(u64::MAX).most, u64::MAX);
    }
}
