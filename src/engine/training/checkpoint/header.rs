//! The header of a safetensors file: what it says, and whether that can be true.
//!
//! The `safetensors` crate checks that the tensors follow each other without gap or overlap, that shapes and lengths agree
//! and that nothing overflows. It reads names into a hash map, where the second of two equal names silently wins, and
//! writes metadata in an order that changes from run to run; so the map is read and written here.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Read;

use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The most bytes a header may have: some hundred thousand tensors.
const MAX_HEADER: u64 = 16 << 20;
const LENGTH: u64 = size_of::<u64>() as u64;
const METADATA: &str = "__metadata__";

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    /// In the order of their bytes in the file.
    pub(super) tensors: Vec<(String, TensorInfo)>,
}

impl Header {
    /// The JSON text, padded so that the values behind it are aligned.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut names = HashSet::new();
        for (name, _) in &self.tensors {
            if name == METADATA {
                return Err(format!("`{METADATA}` is reserved and cannot name a tensor"));
            }
            if !names.insert(name) {
                return Err(format!("two tensors are named {}", shown(name)));
            }
        }
        let mut bytes = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        bytes.resize(bytes.len().next_multiple_of(LENGTH as usize), b' ');
        if bytes.len() as u64 > MAX_HEADER {
            return Err(format!("its header would have {} bytes, and {MAX_HEADER} is the most", bytes.len()));
        }
        Ok(bytes)
    }
}

/// Reads the header of a file of `length` bytes and checks it against that length; the file then stands at the first value.
pub(super) fn read(file: &mut impl Read, length: u64) -> Result<Header, String> {
    if length == 0 {
        return Err("the file is empty".into());
    }
    if length < LENGTH {
        return Err(format!("the file has only {length} bytes, and the length of the header alone takes {LENGTH}"));
    }
    let mut first = [0; LENGTH as usize];
    file.read_exact(&mut first).map_err(|error| error.to_string())?;
    if let Some(kind) = looks_like(&first) {
        return Err(format!("the file is {kind}, and a safetensors file was expected"));
    }
    let header = u64::from_le_bytes(first);
    if header > length - LENGTH {
        return Err(format!(
            "its first {LENGTH} bytes announce a header of {header} bytes, and only {} follow: the file is cut off, or no \
             safetensors file",
            length - LENGTH
        ));
    }
    if header > MAX_HEADER {
        return Err(format!("its header has {header} bytes, and {MAX_HEADER} is the most"));
    }
    let mut text = vec![0; header as usize];
    file.read_exact(&mut text).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&text)
        .map_err(|error| format!("its header is not UTF-8 text (byte {})", LENGTH + error.valid_up_to() as u64))?;
    let header = serde_json::from_str::<Header>(text).map_err(|error| format!("its header is damaged: {error}"))?;
    check(header, length - LENGTH - text.len() as u64)
}

/// Puts the tensors in the order of their bytes; these must be `available` in all.
fn check(mut header: Header, available: u64) -> Result<Header, String> {
    for (name, info) in &header.tensors {
        if info.dtype != Dtype::F32 {
            return Err(format!("its tensor {} holds {} values, and only F32 can be read", shown(name), info.dtype));
        }
    }
    header.tensors.sort_by_key(|(_, info)| info.data_offsets);
    let end = match Metadata::new(None, header.tensors.clone()) {
        Ok(checked) => checked.data_len() as u64,
        Err(safetensors::SafeTensorError::InvalidOffset(name)) => {
            return Err(format!("its tensor {} overlaps another one, or leaves a gap before it", shown(&name)));
        }
        Err(error) => return Err(format!("its header contradicts itself: {error}")),
    };
    if end != available {
        let hint = if end > available { "the file is cut off" } else { "the file has been added to" };
        return Err(format!("its tensors take {end} bytes, and {available} are there: {hint}"));
    }
    Ok(header)
}

/// A name out of a file, fit to be shown: quoted, without control characters, not too long.
pub(super) fn shown(name: &str) -> String {
    let mut short: String = name.chars().take(80).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// What a file is that people may take for a checkpoint.
fn looks_like(first: &[u8; LENGTH as usize]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 6] = [
        (b"\x89PNG", "a PNG picture"),
        (b"\x1f\x8b", "gzip-compressed"),
        (b"PK\x03\x04", "a zip archive, as PyTorch and NumPy write them"),
        (b"\x80\x02", "a Python pickle"),
        (b"\x89HDF", "an HDF5 file"),
        (b"{\"", "JSON text"),
    ];
    // A header length that small would be a valid one, so the magic must not be read out of its low bytes alone.
    let plausible = u64::from_le_bytes(*first) <= MAX_HEADER;
    KNOWN.iter().find(|(magic, _)| !plausible && first.starts_with(magic)).map(|(_, kind)| *kind)
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry(METADATA, &self.metadata)?;
        }
        for (name, info) in &self.tensors {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header { metadata: BTreeMap::new(), tensors: Vec::new() };
                let mut names = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format!("the name {} appears twice", shown(&name))));
                    }
                    if name == METADATA {
                        header.metadata = map.next_value::<Words>()?.0;
                    } else {
                        header.tensors.push((name, map.next_value()?));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Metadata: strings by unique names.
struct Words(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Words, A::Error> {
                let mut words = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if words.contains_key(&key) {
                        return Err(A::Error::custom(format!("the metadata {} appears twice", shown(&key))));
                    }
                    words.insert(key, value);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
