//! Decoded pictures, kept in the user's cache folder, so that the next start takes a moment.
//!
//! A file is called by a hash of what it was made from: where the pictures lie, the names, sizes and times of all files, the wanted
//! size, the version of this program. A picture that is changed in place with its size and its time kept is not noticed.
//! A file is a word, the length of what is said of the pictures (JSON), that, the pixels, and a checksum of all before it. Files
//! that were not used for longest make room for new ones.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::about::About;
use super::album::Album;
use super::size::PictureSize;
use super::store::Store;
use crate::user_cache::{crc32, keep};

const MAGIC: &[u8] = b"elbo pictures 1\n";

/// The most that all files may take together; albums of more than half of that are not kept.
const MOST_BYTES: u64 = 8 << 30;

/// The place of a store's decoded pictures.
pub(super) fn place(folder: &Path, store: &dyn Store, size: Option<PictureSize>) -> PathBuf {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(format!("{size:?} {}\n", store.kind()));
    store.identify(&mut hash);
    let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join("pictures").join(name)
}

/// What is kept there: exactly what [`save`] wrote, or nothing.
pub(super) fn load(place: &Path) -> Option<Album> {
    let mut file = fs::read(place).ok()?;
    let end = file.len().checked_sub(4)?;
    let (body, sum) = file.split_at(end);
    if crc32(&[body]).to_le_bytes() != sum {
        return None;
    }
    let rest = body.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let about = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let start = MAGIC.len() + 8 + about.len();
    let about: About = serde_json::from_slice(about).ok()?;
    file.truncate(end);
    let bytes = file.split_off(start);
    let row = about.size.height.checked_mul(about.size.width)?.checked_mul(about.channels)?;
    if about.names.is_empty() || bytes.len() != row.checked_mul(about.names.len())? {
        return None;
    }
    // So that it is among the last to go.
    let used = FileTimes::new().set_modified(SystemTime::now());
    let _ = File::options().append(true).open(place).and_then(|file| file.set_times(used));
    Some(Album { about, bytes })
}

/// Keeps decoded pictures there, if that can be done.
pub(super) fn save(place: &Path, album: &Album) {
    let Ok(about) = serde_json::to_vec(&album.about) else { return };
    if album.bytes.len() as u64 > MOST_BYTES / 2 {
        return;
    }
    let length = (about.len() as u64).to_le_bytes();
    let parts: [&[u8]; 4] = [MAGIC, &length, &about, &album.bytes];
    let sum = crc32(&parts).to_le_bytes();
    if keep(place, &[&parts[..], &[&sum]].concat()) {
        make_room(place, MOST_BYTES);
    }
}

/// Removes files beside this one that were not used for longest, until all together take no more than so many bytes.
fn make_room(place: &Path, most: u64) {
    let Some(files) = place.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = files
        .flatten()
        .filter_map(|file| {
            // Rows of data larger than memory may be in use, and take more than this by their nature.
            if file.path().extension().is_some_and(|ending| ending == "rows" || ending == "json") {
                return None;
            }
            let about = file.metadata().ok().filter(|about| about.is_file())?;
            Some((about.modified().ok()?, about.len(), file.path()))
        })
        .collect();
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, size, path) in files.into_iter().filter(|(.., path)| path != place) {
        if bytes <= most {
            break;
        }
        if fs::remove_file(path).is_ok() {
            bytes -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::about::Chosen;
    use super::*;

    fn album() -> Album {
        let about = About {
            size: PictureSize { height: 2, width: 3 },
            chosen: Chosen::Common,
            channels: 1,
            names: vec!["a.png".into(), "b.png".into()],
            formats: [("PNG".to_owned(), 2)].into(),
            skipped: vec![],
        };
        Album { about, bytes: (0..12).collect() }
    }

    #[test]
    fn only_what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("made/on/demand");
        assert_eq!(load(&place), None);
        save(&place, &album());
        assert_eq!(load(&place), Some(album()));
        let whole = fs::read(&place).unwrap();
        for end in 0..whole.len() {
            fs::write(&place, &whole[..end]).unwrap();
            assert_eq!(load(&place), None, "cut to {end} of {}", whole.len());
        }
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            fs::write(&place, &bent).unwrap();
            assert_eq!(load(&place), None, "byte {at}");
        }
        fs::write(&place, [&whole[..], b"more"].concat()).unwrap();
        assert_eq!(load(&place), None);
        fs::write(&place, &whole).unwrap();
        assert_eq!(load(&place), Some(album()));
    }

    #[test]
    fn rows_that_do_not_fit_what_is_said_of_them_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("x");
        for change in [
            |album: &mut Album| album.bytes.push(0),
            |album: &mut Album| drop(album.about.names.pop()),
            |album: &mut Album| album.about.size.height = usize::MAX,
            |album: &mut Album| (album.about.names, album.bytes) = Default::default(),
        ] {
            let mut other = album();
            change(&mut other);
            save(&place, &other);
            assert!(place.exists());
            assert_eq!(load(&place), None);
        }
    }

    #[test]
    fn the_longest_unused_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, age) in [("old", 300), ("older", 400), ("new", 0), ("recent", 100)] {
            fs::write(path(name), [0; 100]).unwrap();
            let time = SystemTime::now() - std::time::Duration::from_secs(age);
            File::options().append(true).open(path(name)).unwrap().set_modified(time).unwrap();
        }
        let left = || ["older", "old", "recent", "new"].map(|name| path(name).exists());
        make_room(&path("new"), 400);
        assert_eq!(left(), [true; 4]);
        make_room(&path("new"), 250);
        assert_eq!(left(), [false, false, true, true]);
        // What was just written stays, however large it is.
        make_room(&path("new"), 0);
        assert_eq!(left(), [false, false, false, true]);
    }
}
