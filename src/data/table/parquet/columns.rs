//! Columns, some rows at a time.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes, ByteArray, DataType, FixedLenByteArray};
use parquet::schema::types::ColumnDescPtr;

use super::cells::{Kind, float, of_int96};

/// A column of single values.
pub(super) struct Column {
    /// Its name, behind those of the records that it lies in.
    pub name: String,
    /// What its file says of it.
    pub about: ColumnDescPtr,
    kind: Kind,
}

impl Column {
    pub fn new(about: ColumnDescPtr) -> Result<Column, String> {
        let name = about.path().string();
        let kind = Kind::of(&about).map_err(|why| format!("the column {name} cannot be read: {why}"))?;
        Ok(Column { name, about, kind })
    }

    /// The next cells, at most so many, of which the texts take no more than so many bytes; nothing in those that are null.
    pub fn cells(&self, reader: &mut ColumnReader, count: usize, room: u64) -> Result<Vec<String>, String> {
        let kind = self.kind;
        let bytes = |value: &[u8]| kind.of_bytes(value);
        let cells = match reader {
            ColumnReader::BoolColumnReader(reader) => self.next(reader, count, |value| Ok(value.to_string())),
            ColumnReader::Int32ColumnReader(reader) => self.next(reader, count, |&value| kind.of_i32(value)),
            ColumnReader::Int64ColumnReader(reader) => self.next(reader, count, |&value| kind.of_i64(value)),
            ColumnReader::Int96ColumnReader(reader) => self.next(reader, count, |&value| of_int96(value)),
            ColumnReader::FloatColumnReader(reader) => self.next(reader, count, |value| Ok(float(value))),
            ColumnReader::DoubleColumnReader(reader) => self.next(reader, count, |value| Ok(float(value))),
            ColumnReader::ByteArrayColumnReader(reader) => {
                let mut left = room;
                self.next(reader, count, |value: &ByteArray| bytes(within(value.as_bytes(), &mut left)?))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                let mut left = room;
                self.next(reader, count, |value: &FixedLenByteArray| bytes(within(value.as_bytes(), &mut left)?))
            }
        };
        cells.map_err(|why| format!("the column {} of this Parquet file cannot be read: {why}", self.name))
    }

    fn next<T: DataType>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        count: usize,
        mut cell: impl FnMut(&T::T) -> Result<String, String>,
    ) -> Result<Vec<String>, String> {
        let (mut levels, mut values) = (vec![], vec![]);
        let full = self.about.max_def_level();
        let levels_of = (full > 0).then_some(&mut levels);
        reader.read_records(count, levels_of, None, &mut values).map_err(|error| error.to_string())?;
        let mut values = values.iter();
        if full == 0 {
            return values.map(cell).collect();
        }
        let found = levels.into_iter().map(|level| match level == full {
            false => Ok(String::new()),
            true => values.next().map_or_else(|| Err("there are fewer values than it says".to_owned()), &mut cell),
        });
        found.collect()
    }
}

/// Bytes, if there is room for them.
fn within<'a>(bytes: &'a [u8], room: &mut u64) -> Result<&'a [u8], String> {
    *room =
        room.checked_sub(bytes.len() as u64).ok_or("its texts are far larger than a file of its size should hold")?;
    Ok(bytes)
}
