//! One IDX file: its header, checked against its length, and its bytes.

use std::path::Path;

use super::super::input::{Input, head, seems};
use crate::error::{Error, Result};

/// The element types of IDX; only the first is read.
pub(super) const TYPES: [(u8, &str); 6] = [
    (0x08, "unsigned bytes"),
    (0x09, "signed bytes"),
    (0x0b, "16-bit integers"),
    (0x0c, "32-bit integers"),
    (0x0d, "32-bit floats"),
    (0x0e, "64-bit floats"),
];

/// Reads the sizes and bytes of one file; `wanted` and `dimensions` say what it should hold.
pub(super) fn read_array(path: &Path, wanted: &str, dimensions: &[usize]) -> Result<(Vec<usize>, Vec<u8>)> {
    let mut input = Input::open(path)?;
    let magic = input.up_to(4)?;
    let [0, 0, kind, count @ 1..=u8::MAX] = magic[..] else {
        return Err(Error::malformed(path, format!("this {}; expected an IDX file of {wanted}", seems(&head(path)?))));
    };
    let known = TYPES.iter().find(|(code, _)| *code == kind);
    if kind != 0x08 || !dimensions.contains(&usize::from(count)) {
        let values = known.map_or("values of an unknown type", |(_, name)| name);
        let meaning = match count {
            1 => ", which is how labels are kept",
            3 => ", which is how images are kept",
            _ => "",
        };
        return Err(Error::malformed(
            path,
            format!(
                "this is a {count}-dimensional IDX file of {values}{meaning} (magic \
                 0000{kind:02x}{count:02x}); expected unsigned bytes as {wanted}"
            ),
        ));
    }
    let header = input.up_to(4 * u64::from(count))?;
    if header.len() < 4 * usize::from(count) {
        return Err(Error::malformed(
            path,
            format!(
                "the file is truncated in its header, after {} of {} bytes: fetch or write it again",
                4 + header.len(),
                4 + 4 * usize::from(count)
            ),
        ));
    }
    let sizes: Vec<u32> =
        header.chunks_exact(4).map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]])).collect();
    // At most three sizes below 2³² are multiplied, so the product fits.
    let promised = sizes.iter().map(|&size| u128::from(size)).product();
    let what: Vec<String> = sizes.iter().map(u32::to_string).collect();
    let bytes = input.rest(promised, &format!("{} values", what.join("×")))?;
    Ok((sizes.iter().map(|&size| size as usize).collect(), bytes))
}
