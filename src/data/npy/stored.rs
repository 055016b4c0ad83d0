//! Arrays that stay on disk, because memory has no room for them.

use std::path::Path;

use super::super::dataset::Dataset;
use super::super::input::Input;
use super::super::layout::{Layout, Pixels};
use super::super::levels;
use super::super::options::Options;
use super::super::origin::Origin;
use super::super::standardise::is_of_columns;
use super::super::stored::{Part, Stored, too_large};
use super::super::values::{PackingKind, Values};
use super::Rows;
use super::array::Header;
use super::axes::Axes;
use crate::error::{Error, Result};

/// The rows of an array of which memory may hold so many bytes. Bytes are parts of 255; other numbers stand for themselves, and no column
/// is scaled.
pub(super) fn rows(
    header: &Header,
    input: Input,
    (path, name): (&Path, &str),
    (memory, options): (u64, &Options),
    origin: &mut Origin,
) -> Result<Rows> {
    let axes = Axes::new(path, &header.sizes)?;
    let needed = header.bytes_in_memory();
    if !header.is_ordered {
        let advice =
            "its first axis varies fastest, so that no row lies together: write it with numpy.ascontiguousarray";
        return Err(too_large(path, needed, memory, advice));
    }
    let Some(offset) = input.offset(header.bytes(), &header.what())? else {
        return Err(too_large(path, needed, memory, "it is compressed, so that no row can be found: unpack it"));
    };
    if !Layout::can_read(&header.kind) {
        return Err(Error::malformed(path, "the array holds texts, and numbers were expected"));
    }
    let shape = axes.shape;
    let pixels = if axes.is_channels_first { Pixels::Planes(shape.channels) } else { Pixels::Ordered };
    let features = shape.features();
    let layout = Layout { stride: features * header.width, lead: 0, features, number: header.kind.clone(), pixels };
    let is_of_bytes = layout.kind() == PackingKind::Bytes;
    let (stored, _) = Stored::open(vec![Part::new(path, offset, header.sizes[0])?], layout, memory)?;
    let stored = match levels::settled(options) {
        None if !options.schema.as_ref().is_some_and(is_of_columns) => stored,
        Some(u8::MAX) if is_of_bytes => stored.with_greys(),
        Some(1) if stored.is_black_and_white() => stored,
        _ => {
            let advice = "rows on disk are not scaled as these are to be: write them so scaled";
            return Err(too_large(path, needed, memory, advice));
        }
    };
    let (low, high) = stored.range();
    if options.schema.is_none() && (low < 0.0 || high > 1.0) {
        let said = "the rows stay on disk and their numbers are taken as they are: no column is scaled, and only bytes are divided";
        origin.warnings.push(said.to_owned());
    }
    axes.tell(origin);
    Ok(Rows { data: Dataset::new(name, Values::Stored(stored), shape)?, is_unscaled: false })
}
