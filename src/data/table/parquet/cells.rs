//! Values of columns as the texts of cells.

use std::fmt::{Display, Write};

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::data_type::Int96;
use parquet::schema::types::ColumnDescriptor;

use super::super::super::schema::{DateForm, DateOrder};

const SECONDS_A_DAY: i64 = 86_400;
/// The day from which the days of 96-bit times are counted is this many days before 1 January 1970.
const JULIAN_EPOCH: i64 = 2_440_588;
/// Days of the years 0 to 9999.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// Numbers as they are.
    Signed,
    /// Whole numbers without a sign.
    Unsigned,
    /// Whole numbers over a power of ten.
    Decimal(u32),
    /// Days since 1 January 1970.
    Date,
    /// So many parts of a second since 1 January 1970.
    Timestamp(i64),
    /// So many parts of a second since midnight.
    Time(i64),
    /// Half precision.
    Half,
    /// Texts, or bytes.
    Bytes,
}

impl Kind {
    /// That of a column.
    pub fn of(column: &ColumnDescriptor) -> Result<Kind, String> {
        let parts = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        };
        let decimal = |scale: i32| match u32::try_from(scale) {
            Ok(scale @ 0..=38) => Ok(Kind::Decimal(scale)),
            _ => Err(format!("it holds decimals of {scale} places")),
        };
        match column.logical_type_ref() {
            Some(LogicalType::Timestamp(time)) => return Ok(Kind::Timestamp(parts(&time.unit))),
            Some(LogicalType::Time(time)) => return Ok(Kind::Time(parts(&time.unit))),
            Some(LogicalType::Date) => return Ok(Kind::Date),
            Some(LogicalType::Decimal(about)) => return decimal(about.scale),
            Some(LogicalType::Integer(about)) if !about.is_signed => return Ok(Kind::Unsigned),
            Some(LogicalType::Float16) => return Ok(Kind::Half),
            _ => {}
        }
        Ok(match column.converted_type() {
            ConvertedType::DATE => Kind::Date,
            ConvertedType::TIME_MILLIS => Kind::Time(1_000),
            ConvertedType::TIME_MICROS => Kind::Time(1_000_000),
            ConvertedType::TIMESTAMP_MILLIS => Kind::Timestamp(1_000),
            ConvertedType::TIMESTAMP_MICROS => Kind::Timestamp(1_000_000),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                Kind::Unsigned
            }
            ConvertedType::DECIMAL => return decimal(column.type_scale()),
            _ => match column.physical_type() {
                Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => Kind::Bytes,
                _ => Kind::Signed,
            },
        })
    }

    /// A whole number of 32 bits.
    pub fn of_i32(self, value: i32) -> Result<String, String> {
        match self {
            Kind::Unsigned => Ok(value.cast_unsigned().to_string()),
            _ => self.of_i64(value.into()),
        }
    }

    /// A whole number.
    pub fn of_i64(self, value: i64) -> Result<String, String> {
        match self {
            Kind::Unsigned => Ok(value.cast_unsigned().to_string()),
            Kind::Decimal(scale) => Ok(decimal(value.into(), scale)),
            Kind::Date => date(value),
            Kind::Timestamp(parts) => timestamp(value.div_euclid(parts), value.rem_euclid(parts), parts),
            Kind::Time(parts) => Ok(decimal(value.into(), parts.ilog10())),
            Kind::Signed | Kind::Half | Kind::Bytes => Ok(value.to_string()),
        }
    }

    /// Bytes: a number with the highest byte first, a half, or a text; what is none of these, as hexadecimal digits.
    pub fn of_bytes(self, bytes: &[u8]) -> Result<String, String> {
        match (self, bytes) {
            (Kind::Decimal(scale), _) => Ok(decimal(signed(bytes)?, scale)),
            (Kind::Half, &[low, high]) => Ok(float(&half::f16::from_le_bytes([low, high]))),
            _ => Ok(match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => bytes.iter().fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{byte:02x}");
                    text
                }),
            }),
        }
    }
}

/// A time of 96 bits: nanoseconds of a day, and the day.
pub(super) fn of_int96(value: Int96) -> Result<String, String> {
    let [low, high, day] = *value.data() else { return Err("it holds a time of 96 bits that has none".to_owned()) };
    let nanos = i64::from(low) | i64::from(high) << 32;
    let second = nanos.div_euclid(1_000_000_000) + (i64::from(day) - JULIAN_EPOCH) * SECONDS_A_DAY;
    timestamp(second, nanos.rem_euclid(1_000_000_000), 1_000_000_000)
}

/// A number as the shortest text that reads as the same; nothing where it is none.
pub(super) fn float<T: Display + PartialEq>(value: &T) -> String {
    // What is no number is not even equal to itself.
    #[allow(clippy::eq_op)]
    let is_number = value == value;
    if is_number { value.to_string() } else { String::new() }
}

fn date(days: i64) -> Result<String, String> {
    match DAYS.contains(&days) {
        true => Ok(DateForm { order: DateOrder::YearDash, time: false }.write(days as f64)),
        false => Err(format!("it holds a date {days} days from 1970, and years from 0 to 9999 were expected")),
    }
}

/// A time so many seconds from 1970, and so many of the parts of one.
fn timestamp(seconds: i64, rest: i64, parts: i64) -> Result<String, String> {
    let (day, second) = (seconds.div_euclid(SECONDS_A_DAY), seconds.rem_euclid(SECONDS_A_DAY));
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let fraction = match rest {
        0 => String::new(),
        rest => format!(".{rest:0width$}", width = parts.ilog10() as usize),
    };
    Ok(format!("{} {time}{}", date(day)?, fraction.trim_end_matches('0')))
}

/// A whole number over a power of ten.
fn decimal(value: i128, scale: u32) -> String {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale as usize + 1);
    let (whole, rest) = digits.split_at(digits.len() - scale as usize);
    let rest = rest.trim_end_matches('0');
    let (sign, point) = (if value < 0 { "-" } else { "" }, if rest.is_empty() { "" } else { "." });
    format!("{sign}{whole}{point}{rest}")
}

/// A whole number of up to 16 bytes, the highest first.
fn signed(bytes: &[u8]) -> Result<i128, String> {
    if bytes.is_empty() || bytes.len() > 16 {
        return Err(format!("it holds decimals of {} bytes, and 1 to 16 are read", bytes.len()));
    }
    let start = if bytes[0] < 0x80 { 0 } else { -1 };
    Ok(bytes.iter().fold(start, |value, &byte| value << 8 | i128::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_written_as_tables_have_them() {
        let nanos = Kind::Timestamp(1_000_000_000);
        for (found, expected) in [
            (Kind::Signed.of_i64(-7), "-7"),
            (Kind::Unsigned.of_i32(-1), "4294967295"),
            (Kind::Unsigned.of_i64(-1), "18446744073709551615"),
            (Kind::Decimal(2).of_i32(-5), "-0.05"),
            (Kind::Decimal(2).of_i64(1250), "12.5"),
            (Kind::Decimal(0).of_i64(120), "120"),
            (Kind::Decimal(3).of_bytes(&[0xff, 0x00]), "-0.256"),
            (Kind::Decimal(2).of_bytes(&[0x01, 0x00]), "2.56"),
            (Kind::Date.of_i32(19_813), "2024-03-31"),
            (Kind::Date.of_i32(-1), "1969-12-31"),
            // As `date -u -d "2024-03-31 12:30:05" +%s` has it.
            (Kind::Timestamp(1_000).of_i64(1_711_888_205_250), "2024-03-31 12:30:05.25"),
            (Kind::Timestamp(1_000_000).of_i64(-1), "1969-12-31 23:59:59.999999"),
            (nanos.of_i64(1_711_888_205_000_000_000), "2024-03-31 12:30:05"),
            (Kind::Time(1_000).of_i32(5_250), "5.25"),
            (Kind::Half.of_bytes(&[0, 0xc1]), "-2.5"),
            (Kind::Bytes.of_bytes("größe".as_bytes()), "größe"),
            (Kind::Bytes.of_bytes(&[0xff, 0x0a]), "ff0a"),
            (of_int96(vec![1_000_000_000, 0, 2_440_588].into()), "1970-01-01 00:00:01"),
        ] {
            assert_eq!(found.as_deref(), Ok(expected));
        }
        assert_eq!([float(&f64::NAN), float(&0.1f32), float(&0.1f64)], ["", "0.1", "0.1"]);
        for wrong in [Kind::Date.of_i32(i32::MAX), nanos.of_i64(i64::MIN).and(Kind::Timestamp(1_000).of_i64(i64::MIN))]
        {
            assert!(wrong.unwrap_err().contains("years from 0 to 9999"));
        }
        assert!(Kind::Decimal(1).of_bytes(&[0; 17]).unwrap_err().contains("17 bytes"));
    }
}
