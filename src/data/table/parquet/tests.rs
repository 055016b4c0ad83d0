//! Files of PyArrow, written by `tests/fixtures/parquet/make.py`, and damaged ones.

use std::path::PathBuf;

use super::super::super::formats::Found;
use super::super::super::schema::Role;
use super::super::super::{FileKind, Frame, Keep, Options, Output, ROWS, Source, open, open_whole};
use super::super::{Beside, FilledRow, Table, Tables, parquet_of};
use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet").join(name)
}

/// The cells of a column.
fn column(table: &Table, name: &str) -> Vec<String> {
    table.column(name).unwrap_or_else(|error| panic!("{error}"))
}

/// What the columns of the fixtures hold, null in row 2.
const COLUMNS: &[(&str, [&str; 6])] = &[
    ("i8", ["-3", "-2", "", "0", "1", "2"]),
    ("i16", ["0", "300", "", "900", "1200", "1500"]),
    ("i32", ["0", "-70000", "", "-210000", "-280000", "-350000"]),
    ("i64", ["0", "1099511627776", "", "3298534883328", "4398046511104", "5497558138880"]),
    ("u8", ["250", "251", "", "253", "254", "255"]),
    ("u16", ["65530", "65531", "", "65533", "65534", "65535"]),
    ("u32", ["4294967290", "4294967291", "", "4294967293", "4294967294", "4294967295"]),
    (
        "u64",
        [
            "18446744073709551610",
            "18446744073709551611",
            "",
            "18446744073709551613",
            "18446744073709551614",
            "18446744073709551615",
        ],
    ),
    ("f16", ["-2.5", "-1.5", "", "0.5", "1.5", "2.5"]),
    ("f32", ["0.1", "1.1", "", "3.1", "4.1", "5.1"]),
    ("f64", ["0", "0.1", "", "0.3", "0.4", "0.5"]),
    ("flag", ["true", "false", "", "false", "true", "false"]),
    ("price", ["-2.05", "-1.05", "", "0.95", "1.95", "2.95"]),
    (
        "large",
        ["0", "100000000000000000000", "", "300000000000000000000", "400000000000000000000", "500000000000000000000"],
    ),
    ("day", ["2024-03-31", "2024-04-01", "", "2024-04-03", "2024-04-04", "2024-04-05"]),
    (
        "seen",
        [
            "2024-03-31 12:30:05.25",
            "2024-04-01 12:30:05.25",
            "",
            "2024-04-03 12:30:05.25",
            "2024-04-04 12:30:05.25",
            "2024-04-05 12:30:05.25",
        ],
    ),
    (
        "ns",
        [
            "2024-03-31 12:30:05.25",
            "2024-03-30 12:30:05.25",
            "",
            "2024-03-28 12:30:05.25",
            "2024-03-27 12:30:05.25",
            "2024-03-26 12:30:05.25",
        ],
    ),
    ("clock", ["60", "61", "", "63", "64", "65"]),
    ("word", ["größe", "a,b", "", "say \"x\"", "two\nlines", "x"]),
    ("kind", ["red", "blue", "", "blue", "red", "blue"]),
    ("raw", ["ff00", "ff01", "", "ff03", "ff04", "ff05"]),
    ("all.x", ["0", "1", "2", "3", "4", "5"]),
    ("all.y", ["0", "-1", "-2", "-3", "", "-5"]),
];

#[test]
fn every_type_is_read_however_it_is_packed() {
    for name in ["plain.parquet", "snappy.parquet", "zstd.parquet", "gzip.parquet", "lz4.parquet", "deltas.parquet"] {
        let table = Table::read(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(table.rows, 6, "{name}");
        let mut seen = 0;
        for (column_name, expected) in
            COLUMNS.iter().filter(|(column, _)| table.names.iter().any(|name| name == column))
        {
            assert_eq!(column(&table, column_name), *expected, "{name}: {column_name}");
            seen += 1;
        }
        assert_eq!(seen, table.names.len(), "{name}: {:?}", table.names);
        let has_lists = !["gzip.parquet", "lz4.parquet", "deltas.parquet"].contains(&name);
        assert_eq!(table.lists, vec!["many".to_owned(); has_lists.into()], "{name}");
    }
    let said = Table::read(&fixture("brotli.parquet")).unwrap_err().to_string();
    assert!(said.contains("brotli") && said.contains("write it again"), "{said}");
}

#[test]
fn a_file_is_a_table_like_any_other() {
    let table = Table::read(&fixture("snappy.parquet")).unwrap();
    let guesses = table.guess(&super::super::Choices::default()).unwrap();
    let kind = |name: &str| {
        let field = &guesses.iter().find(|guess| guess.field.name == name).unwrap().field;
        (field.role, field.kind.name())
    };
    assert_eq!(kind("flag"), (Role::Input, "category"));
    assert_eq!((kind("day").1, kind("f64").1, kind("kind").1), ("date", "real", "category"));
    let source = Source::Path(fixture("snappy.parquet"));
    let mut options = Options::default();
    options.columns.label = Some("kind".to_owned());
    let said = open(&source, &options).unwrap_err().to_string();
    assert!(said.contains("row 2 has no kind"), "{said}");
    options.columns.label = None;
    let splits = open(&source, &options).unwrap();
    assert_eq!(splits.origin.format, "a table of 23 columns, in Parquet");
    assert_eq!(splits.origin.skipped[0].to_string(), "columns of lists (1): many");
    assert_eq!(splits.train.place(2), "row 2");
    assert!(super::super::super::is_table(&source));
}

/// A table that is written and read is what it was: numbers as numbers, codes and texts as texts, blanks as nulls.
#[test]
fn what_is_written_is_read_again() {
    let text = "n,x,code,word,none\n1,0.5,007,\"a,b\",\n-3,,1,größe,\n,1e300,,\"\",\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    std::fs::write(&path, write(text.as_bytes()).unwrap()).unwrap();
    let table = Table::read(&path).unwrap();
    assert_eq!(table.names, ["n", "x", "code", "word", "none"]);
    assert_eq!(column(&table, "n"), ["1", "-3", ""]);
    assert_eq!(column(&table, "x")[..2], ["0.5", ""]);
    assert_eq!(column(&table, "x")[2].parse(), Ok(1e300));
    assert_eq!(column(&table, "code"), ["007", "1", ""]);
    assert_eq!(column(&table, "word"), ["a,b", "größe", ""]);
    let file = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let types: Vec<String> = file
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|c| c.physical_type().to_string())
        .collect();
    assert_eq!(types, ["INT64", "DOUBLE", "BYTE_ARRAY", "BYTE_ARRAY", "BYTE_ARRAY"]);
    // Names that are numbers are names.
    std::fs::write(&path, write(b"1,2\n3,4\n5,6\n").unwrap()).unwrap();
    assert_eq!(
        (Table::read(&path).unwrap().names, Table::read(&path).unwrap().rows),
        (vec!["1".into(), "2".into()], 2)
    );
    // No digit is lost, neither of a number beyond 64 bits nor of one beside fractions, which a double would round.
    for [long, beside] in [["18446744073709551615", "3"], ["9007199254740993", "0.5"]] {
        std::fs::write(&path, write(format!("id\n{long}\n{beside}\n").as_bytes()).unwrap()).unwrap();
        assert_eq!(column(&Table::read(&path).unwrap(), "id"), [long, beside]);
    }
}

#[test]
fn rows_and_filled_tables_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let out = Output::new(&path, ROWS, &Keep::default()).unwrap();
    assert_eq!(out.kind(), FileKind::Parquet);
    let frame = Frame::new().ids("name", ["a", "b"]).matrix("z", &[2], vec![0.5, 1.0, f32::NAN, 2.25]);
    out.write_rows(&frame).unwrap();
    let table = Table::read(&path).unwrap();
    assert_eq!(
        (column(&table, "name"), column(&table, "z0")),
        (vec!["a".into(), "b".into()], vec!["0.5".into(), String::new()])
    );
    let csv = folder.path().join("t.csv");
    std::fs::write(&csv, "a;b;c\n1,5;NA;x\n2,5;3;\n3,5;4;y\n").unwrap();
    let source = Source::Path(csv.clone());
    let options = Options { validation: 0, ..Options::default() };
    let data = open_whole(&source, &options).unwrap();
    let rows: Vec<f32> =
        (0..data.rows).flat_map(|row| data.row(row)).map(|v| if v.is_nan() { 0.0 } else { v }).collect();
    let Found::Tables(tables) = super::super::super::formats::read_file(&csv, &options).unwrap() else { panic!() };
    let Tables { train, .. } = *tables;
    let mut text = vec![];
    let rows = rows
        .chunks(data.schema.width())
        .map(|row| Ok(FilledRow { lines: vec![data.schema.decode(row)], bounds: vec![] }));
    assert_eq!(train.fill(&data.schema, out.kind(), &Beside::default(), rows, &mut text).unwrap(), [0, 1, 1]);
    std::fs::write(&path, parquet_of(&text).unwrap()).unwrap();
    let filled = Table::read(&path).unwrap();
    assert_eq!(column(&filled, "a"), ["1.5", "2.5", "3.5"]);
    assert!(column(&filled, "b").iter().all(|cell| !cell.is_empty()));
}

/// No cut and no changed byte makes it panic, or take more than a file of this size should.
#[test]
fn damaged_files_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let whole = std::fs::read(fixture("lz4.parquet")).unwrap();
    for end in [4, 8, 12, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        std::fs::write(&path, &whole[..end]).unwrap();
        let said = Table::read(&path).unwrap_err().to_string();
        assert!(said.contains("a.parquet: this Parquet file"), "{end}: {said}");
    }
    // The part with the schema says that it is as long as the file, and longer.
    for length in [whole.len() as u32, u32::MAX] {
        let mut bytes = whole.clone();
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        assert!(Table::read(&path).is_err());
    }
}

/// A record in a record in a record ends no stack.
#[test]
fn schemas_may_be_nested_deeply() {
    const DEPTH: usize = 20_000;
    let zigzag = |value: u64| {
        let (mut left, mut out) = (value << 1, vec![]);
        while left >= 0x80 {
            out.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
        out
    };
    // Thrift: version, then a list of schema elements, each a group with one child.
    let mut footer = vec![0x15, 2, 0x19, 0xfc];
    let (mut left, mut count) = (DEPTH + 1, vec![]);
    while left >= 0x80 {
        count.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    count.push(left as u8);
    footer.extend(count);
    for _ in 0..DEPTH {
        footer.extend([0x35, 0, 0x18, 1, b'g', 0x15, 2, 0]);
    }
    footer.extend([0x15, 2, 0x25, 2, 0x18, 1, b'x', 0]);
    footer.push(0x16);
    footer.extend(zigzag(0));
    footer.extend([0x19, 0x0c, 0]);
    let bytes = [b"PAR1", &footer[..], &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.parquet");
    std::fs::write(&path, bytes).unwrap();
    let said = Table::read(&path).unwrap_err().to_string();
    assert!(said.contains("deep.parquet"), "{said}");
}

/// A text of a megabyte, once in the dictionary and many times in the rows, is refused and not unpacked.
#[test]
fn bombs_are_refused() {
    use ::parquet::basic::{Repetition, Type as Physical};
    use ::parquet::data_type::{ByteArray, ByteArrayType};
    use ::parquet::file::{properties::WriterProperties, writer::SerializedFileWriter};
    use ::parquet::schema::types::Type;
    let field = Type::primitive_type_builder("x", Physical::BYTE_ARRAY).with_repetition(Repetition::REQUIRED);
    let schema = Type::group_type_builder("s").with_fields(vec![Arc::new(field.build().unwrap())]).build().unwrap();
    let properties = WriterProperties::builder()
        .set_dictionary_page_size_limit(1 << 24)
        .set_compression(::parquet::basic::Compression::ZSTD(Default::default()))
        .build();
    let mut file = SerializedFileWriter::new(vec![], Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let large = vec![ByteArray::from(vec![b'a'; 1 << 20]); 4096];
    column.typed::<ByteArrayType>().write_batch(&large, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    let bytes = file.into_inner().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.parquet");
    std::fs::write(&path, &bytes).unwrap();
    let said = Table::read(&path).unwrap_err().to_string();
    assert!(bytes.len() < 100_000 && said.contains("far larger than a file of its size"), "{} {said}", bytes.len());
}
