//! What is kept on disk from one start to the next: which kernels were found fastest, and compiled pipelines.
//!
//! Files belong to one adapter, driver and version of this crate, and say so. Whatever is not exactly what this version
//! wrote for this adapter is as good as absent: it costs time at the next start, nothing else. No error leaves here.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::program::Choices;
use crate::user_cache::{crc32, keep};

/// Whom a file is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    pub version: String,
    pub adapter: String,
    pub backend: String,
    pub driver: String,
    pub device: [u32; 2],
    pub subgroups: [u32; 2],
}

/// The folder of an adapter's files; without one, nothing is kept.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    identity: Identity,
    folder: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tuning {
    #[serde(rename = "for")]
    identity: Identity,
    shapes: Choices,
}

/// The first line of a file of pipelines, as JSON; the driver's bytes follow.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "for")]
    identity: Identity,
    bytes: usize,
    crc32: u32,
}

impl Cache {
    pub fn new(identity: Identity, folder: Option<PathBuf>) -> Cache {
        Cache { identity, folder }
    }

    /// A file of this adapter's own.
    fn path(&self, kind: &str) -> Option<PathBuf> {
        let identity = serde_json::to_vec(&self.identity).ok()?;
        Some(self.folder.as_ref()?.join(format!("{kind}-{:08x}", crc32(&[&identity]))))
    }

    /// The choices that were found fastest on this adapter.
    pub fn choices(&self) -> Choices {
        let read = || {
            let text = std::fs::read(self.path("tuning")?).ok()?;
            let found: Tuning = serde_json::from_slice(&text).ok()?;
            (found.identity == self.identity).then_some(found.shapes)
        };
        read().unwrap_or_default()
    }

    /// Adds to the choices on disk.
    pub fn add_choices(&self, new: &Choices) {
        let Some(path) = self.path("tuning") else { return };
        let mut shapes = self.choices();
        shapes.extend(new.clone());
        let tuning = Tuning { identity: self.identity.clone(), shapes };
        if let Ok(text) = serde_json::to_vec_pretty(&tuning) {
            keep(&path, &[&text, b"\n"]);
        }
    }

    /// The pipelines that this adapter's driver compiled: exactly what [`Cache::save_pipelines`] wrote, or nothing.
    pub fn pipelines(&self) -> Option<Vec<u8>> {
        let mut file = std::fs::read(self.path("pipelines")?).ok()?;
        let end = file.iter().position(|&byte| byte == b'\n')?;
        let header: Header = serde_json::from_slice(&file[..end]).ok()?;
        let data = file.split_off(end + 1);
        (header.identity == self.identity && header.bytes == data.len() && header.crc32 == crc32(&[&data]))
            .then_some(data)
    }

    /// Keeps pipelines for the next start.
    pub fn save_pipelines(&self, data: &[u8]) {
        let header = Header { identity: self.identity.clone(), bytes: data.len(), crc32: crc32(&[data]) };
        if let (Some(path), Ok(header)) = (self.path("pipelines"), serde_json::to_vec(&header)) {
            keep(&path, &[&header, b"\n", data]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn identity(driver: &str) -> Identity {
        let word = |word: &str| word.to_string();
        Identity {
            version: word("1"),
            adapter: word("A"),
            backend: word("Vulkan"),
            driver: word(driver),
            device: [1, 2],
            subgroups: [32, 32],
        }
    }

    fn cache(folder: &Path) -> Cache {
        Cache::new(identity("d"), Some(folder.to_owned()))
    }

    fn choices(name: &str) -> Choices {
        [("1×2×3 NT".to_string(), name.to_string())].into()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder.path().join("made/on/demand"));
        assert_eq!((cache.choices(), cache.pipelines()), (Choices::new(), None));
        cache.add_choices(&choices("first"));
        cache.add_choices(&[("4×5×6 NT".to_string(), "second".to_string())].into());
        cache.save_pipelines(b"binary\n\0\xff");
        assert_eq!(cache.choices().len(), 2);
        assert_eq!(cache.choices()["1×2×3 NT"], "first");
        assert_eq!(cache.pipelines().unwrap(), b"binary\n\0\xff");
    }

    #[test]
    fn files_of_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let ours = cache(folder.path());
        ours.add_choices(&choices("ours"));
        ours.save_pipelines(b"ours");
        let other = Cache::new(identity("another driver"), Some(folder.path().to_owned()));
        assert_eq!((other.choices(), other.pipelines()), (Choices::new(), None));
        // Nor are they taken where a file only has the right name.
        for kind in ["tuning", "pipelines"] {
            std::fs::copy(ours.path(kind).unwrap(), other.path(kind).unwrap()).unwrap();
        }
        assert_eq!((other.choices(), other.pipelines()), (Choices::new(), None));
        assert_eq!((ours.choices(), ours.pipelines()), (choices("ours"), Some(b"ours".to_vec())));
    }

    #[test]
    fn damage_costs_only_time() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.add_choices(&choices("fast"));
        cache.save_pipelines(&[7; 300]);
        for kind in ["tuning", "pipelines"] {
            let path = cache.path(kind).unwrap();
            let whole = std::fs::read(&path).unwrap();
            let taken = || match kind {
                "tuning" => cache.choices() == choices("fast"),
                _ => cache.pipelines().is_some_and(|data| data == [7; 300]),
            };
            assert!(taken());
            for len in 0..whole.len() - 1 {
                std::fs::write(&path, &whole[..len]).unwrap();
                assert!(!taken(), "{kind} cut to {len} of {}", whole.len());
            }
            if kind == "pipelines" {
                for at in 0..whole.len() {
                    let mut bent = whole.clone();
                    bent[at] ^= 1;
                    std::fs::write(&path, &bent).unwrap();
                    assert!(!taken(), "byte {at} of the pipelines");
                }
            }
            std::fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
            assert!(!taken(), "{kind} with more behind it");
            std::fs::write(&path, &whole).unwrap();
            assert!(taken());
        }
        // A folder that cannot be made is no folder.
        let blocked = Cache::new(identity("d"), Some(cache.path("tuning").unwrap()));
        blocked.add_choices(&choices("fast"));
        blocked.save_pipelines(b"x");
        assert_eq!((blocked.choices(), blocked.pipelines()), (Choices::new(), None));
    }
}
