//! Tables of text as Parquet.

use std::io;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

/// Rows of a group.
const GROUP: usize = 1 << 17;

/// What all cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whole numbers of 64 bits.
    Whole,
    /// Numbers.
    Number,
    /// Texts.
    Text,
}

impl Kind {
    /// What a column of this kind and one more cell are.
    fn and(self, cell: &str) -> Kind {
        match self {
            Kind::Whole if cell.parse::<i64>().is_ok_and(|value| value.to_string() == cell) => Kind::Whole,
            Kind::Whole | Kind::Number if is_number(cell) => Kind::Number,
            _ => Kind::Text,
        }
    }

    fn of_column(self, name: &str) -> parquet::errors::Result<Type> {
        let builder = match self {
            Kind::Whole => Type::primitive_type_builder(name, Physical::INT64),
            Kind::Number => Type::primitive_type_builder(name, Physical::DOUBLE),
            Kind::Text => {
                Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String))
            }
        };
        builder.with_repetition(Repetition::OPTIONAL).build()
    }
}

/// Whether a text is a number, and no code such as 007 that only looks like one.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let is_code = digits.starts_with('0') && digits[1..].starts_with(|next: char| next.is_ascii_digit());
    // A whole number that a double does not hold stays a text.
    let is_kept = |value: f64| cell.contains(['.', 'e', 'E']) || value.to_string() == cell;
    digits.starts_with(|first: char| first.is_ascii_digit()) && !is_code && cell.parse::<f64>().is_ok_and(is_kept)
}

/// The bytes of a table that is given as text, a line of names and one for each row, cells separated by commas. A column whose cells are all numbers becomes one of
/// numbers, and blanks become nulls.
pub(crate) fn write(text: &[u8]) -> io::Result<Vec<u8>> {
    let records = || ReaderBuilder::new().has_headers(false).from_reader(text).into_records();
    let mut all = records();
    let names = all.next().transpose()?.unwrap_or_default();
    // Kinds, where there is a cell at all.
    let mut kinds: Vec<Option<Kind>> = vec![None; names.len()];
    for record in all {
        for (kind, cell) in kinds.iter_mut().zip(&record?).filter(|(_, cell)| !cell.is_empty()) {
            *kind = Some(kind.unwrap_or(Kind::Whole).and(cell));
        }
    }
    // What was whole before there was a fraction may have more digits than a double.
    for record in records().skip(1) {
        for (kind, cell) in kinds.iter_mut().zip(&record?).filter(|(_, cell)| !cell.is_empty()) {
            if matches!(kind, Some(Kind::Number)) && !is_number(cell) {
                *kind = Some(Kind::Text);
            }
        }
    }
    let kinds: Vec<Kind> = kinds.into_iter().map(|kind| kind.unwrap_or(Kind::Text)).collect();
    let fields: Vec<_> =
        kinds.iter().zip(&names).map(|(kind, name)| kind.of_column(name).map(Arc::new)).collect::<Result<_, _>>()?;
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut file = SerializedFileWriter::new(vec![], schema, properties)?;
    let mut rows = records().skip(1);
    loop {
        let group: Vec<StringRecord> = rows.by_ref().take(GROUP).collect::<Result<_, _>>()?;
        if group.is_empty() {
            break;
        }
        let mut writer = file.next_row_group()?;
        for (place, kind) in kinds.iter().enumerate() {
            let cells = || group.iter().map(|record| record.get(place).unwrap_or_default());
            let levels: Vec<i16> = cells().map(|cell| i16::from(!cell.is_empty())).collect();
            let known = || cells().filter(|cell| !cell.is_empty());
            let Some(mut column) = writer.next_column()? else { break };
            match kind {
                Kind::Whole => {
                    let values: Vec<i64> = known().map(|cell| cell.parse().unwrap_or_default()).collect();
                    column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
                }
                Kind::Number => {
                    let values: Vec<f64> = known().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
                    column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
                }
                Kind::Text => {
                    let values: Vec<ByteArray> = known().map(ByteArray::from).collect();
                    column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
                }
            }
            column.close()?;
        }
        writer.close()?;
    }
    Ok(file.into_inner()?)
}
