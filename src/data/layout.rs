//! How rows of one length lie in a file, and what values they are.

use npyz::{TypeChar, TypeStr};

use super::colour::to_grey;
use super::npy::numbers::{channels_last, numbers};
use super::values::{PackingKind, Values, pack_bits};

/// How rows lie in a file.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Bytes from one row to the next.
    pub(crate) stride: usize,
    /// Bytes of a row before its values.
    pub(crate) lead: usize,
    /// Values of a row.
    pub(crate) features: usize,
    /// The type of a value.
    pub(crate) number: TypeStr,
    /// In which order they lie.
    pub(crate) pixels: Pixels,
}

/// The order of the values of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixels {
    /// As they are wanted.
    Ordered,
    /// Plane by plane, of so many channels.
    Planes(usize),
    /// Red, green and blue, of which a grey is wanted.
    Grey,
    /// Grey pictures that lie on their side, so many pixels to what becomes a column.
    Turned(usize),
}

impl Layout {
    /// Whether values of this type can be read.
    pub(crate) fn can_read(number: &TypeStr) -> bool {
        numbers(number, &[]).is_some()
    }

    fn is_of_bytes(&self) -> bool {
        (self.number.type_char(), self.number.size_field()) == (TypeChar::Uint, 1)
    }

    /// How its values are kept in memory, unless bytes are found to be black and white.
    pub(crate) fn kind(&self) -> PackingKind {
        match self.number.type_char() {
            TypeChar::Bool => PackingKind::Bits,
            TypeChar::Uint if self.is_of_bytes() => PackingKind::Bytes,
            _ => PackingKind::Floats,
        }
    }

    /// The values of whole rows.
    pub(crate) fn values(&self, bytes: &[u8]) -> Values {
        let own: Vec<u8>;
        let bytes = if self.lead == 0 {
            bytes
        } else {
            own = bytes.chunks_exact(self.stride).flat_map(|row| &row[self.lead..]).copied().collect();
            &own
        };
        match self.kind() {
            PackingKind::Bits => Values::Bits(pack_bits(&self.ordered(bytes.to_vec()), self.features)),
            PackingKind::Bytes if self.pixels == Pixels::Grey => {
                let mut grey = bytes.to_vec();
                to_grey(&mut grey);
                Values::Bytes(grey)
            }
            PackingKind::Bytes => Values::Bytes(self.ordered(bytes.to_vec())),
            PackingKind::Floats => Values::Floats(self.ordered(self.floats(bytes))),
        }
    }

    fn floats(&self, bytes: &[u8]) -> Vec<f32> {
        // The usual case, which need not be taken apart.
        let is_usual = cfg!(target_endian = "little") && self.number.to_string() == "<f4";
        if is_usual {
            let mut floats = vec![0.0; bytes.len() / 4];
            bytemuck::cast_slice_mut(&mut floats).copy_from_slice(bytes);
            return floats;
        }
        numbers(&self.number, bytes).into_iter().flatten().map(|number| number as f32).collect()
    }

    fn ordered<T: Copy>(&self, values: Vec<T>) -> Vec<T> {
        match self.pixels {
            Pixels::Ordered | Pixels::Grey => values,
            Pixels::Planes(channels) => channels_last(&values, channels, self.features / channels),
            Pixels::Turned(width) => {
                let (rows, height) = (values.chunks_exact(self.features), self.features / width);
                rows.flat_map(|row| (0..row.len()).map(move |i| row[i % height * width + i / height])).collect()
            }
        }
    }
}
