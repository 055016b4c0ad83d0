//! What holds pictures: a folder or an archive.

use std::fs::Metadata;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::take::Taken;
use crate::data::origin::Skipped;
use crate::error::Result;

/// A file in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path in the store, with `/` between the parts; not always text.
    pub(super) name: Vec<u8>,
    /// Its place in the store's own order.
    pub(super) at: usize,
}

/// What a store holds: all files that are not hidden, sorted by name, byte by byte; and what could not be looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    pub(super) skipped: Vec<Skipped>,
}

/// What is done with a file: the place in the list of those that were wanted, and what was read of it.
pub(super) type Each<'a> = dyn Fn(usize, Taken) -> ControlFlow<()> + Sync + 'a;

/// A folder or an archive.
pub(super) trait Store: Sync {
    /// What people call it.
    fn kind(&self) -> &'static str;

    /// Adds all that tells this store, as it is now, from others and from what it was: a change of its files changes the hash.
    fn identify(&self, hash: &mut Sha256);

    /// What is in it.
    fn list(&self) -> Result<Listing>;

    /// Reads files, several at a time, until all are read or one breaks off.
    fn visit(&self, wanted: &[Entry], each: &Each) -> Result<()>;
}

/// Adds what tells an archive, as it is now: where it is, how long, and when it was written.
pub(super) fn identify_file(path: &Path, hash: &mut Sha256) {
    hash.update(path.canonicalize().unwrap_or_else(|_| path.to_owned()).as_os_str().as_encoded_bytes());
    let about = std::fs::metadata(path).ok();
    hash.update(about.as_ref().map_or(0, |about| about.len()).to_le_bytes());
    hash.update(about.map_or(0, |about| written(&about)).to_le_bytes());
}

/// When a file was last written, in nanoseconds from 1970; 0 where the system does not say.
pub(super) fn written(about: &Metadata) -> u128 {
    let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos())
}
