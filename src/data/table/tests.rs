use std::io::Write as _;

use super::super::format::Format;
use super::super::schema::{FieldKind, Role, Schema};
use super::super::source::{Options, Source, open, open_whole};
use super::super::{Choices, Dataset, FileKind, Splits};
use super::*;

fn of(text: &str) -> Table {
    Table::of_text(Path::new("some.csv"), text.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    Table::of_text(Path::new("some.csv"), text.to_string()).unwrap_err().to_string()
}

/// What columns are taken for, by name.
fn kinds(table: &Table, choices: &Choices) -> Vec<(String, Role, &'static str)> {
    let guesses = table.guess(choices).unwrap_or_else(|error| panic!("{error}"));
    guesses.into_iter().map(|guess| (guess.field.name.clone(), guess.field.role, guess.field.kind.name())).collect()
}

/// A file in a folder of its own, and the folder.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn opened(path: &Path, options: &Options) -> Result<Splits> {
    open(&Source::Path(path.to_owned()), options)
}

#[test]
fn separators_and_names_are_recognised() {
    for (text, delimiter, names, rows) in [
        ("a,b\n1,2\n3,4\n", b',', vec!["a", "b"], 2),
        ("a;b\n1,5;2,5\n3;4\n", b';', vec!["a", "b"], 2),
        ("1,5;2,5\n3,5;4,5\n", b';', vec!["column 1", "column 2"], 2),
        ("a\tb\n1,000\t2\n", b'\t', vec!["a", "b"], 1),
        ("a|b|c\n1|2|3\n", b'|', vec!["a", "b", "c"], 1),
        ("a\n1\n2\n", b'|', vec!["a"], 2),
        ("1,2\n3,4\n", b',', vec!["column 1", "column 2"], 2),
        (" a ,\"b,\n c\"\r\n1,2\r\n", b',', vec!["a", "b,\n c"], 1),
        ("a,,c\n1,2,3\n", b',', vec!["a", "column 2", "c"], 1),
    ] {
        let table = of(text);
        let found = (table.rows, table.names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found, (rows, names), "{text:?}");
        assert!(table.delimiter == delimiter || table.names.len() == 1, "{text:?}: {}", table.delimiter as char);
    }
}

#[test]
fn what_is_no_table_is_refused() {
    for (text, expected) in [
        ("", "this table is empty"),
        ("a,b\n", "a line of names and no rows"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, and the first 2"),
        ("a,b\n1,2\n\"1,5\",x,3\n", "separated by commas"),
        ("a,a\n1,2\n", "two columns are called a"),
    ] {
        let said = refused(text);
        assert!(said.contains(expected) && said.contains("some.csv"), "{said}");
    }
}

#[test]
fn numbers_and_gaps_are_read_as_people_write_them() {
    let table = of("a;b\n1;2\n");
    for (text, cell) in [
        ("1", Cell::Number(1.0)),
        (" -2.5e3 ", Cell::Number(-2500.0)),
        ("1,5", Cell::Number(1.5)),
        ("1,5,2", Cell::Text("1,5,2".into())),
        ("NA", Cell::Missing),
        (" n/a", Cell::Missing),
        ("NaN", Cell::Missing),
        ("?", Cell::Missing),
        ("", Cell::Missing),
        ("Null", Cell::Missing),
        ("nano", Cell::Text("nano".into())),
    ] {
        assert_eq!(table.number(text), cell, "{text:?}");
    }
    assert_eq!(of("a,b\n1,2\n").number("1,5"), Cell::Text("1,5".into()), "commas separate cells there");
}

#[test]
fn any_common_encoding_is_read() {
    let names = |bytes: &[u8]| of(&decoded(bytes.to_vec())).names;
    let expected = ["größe", "b"];
    assert_eq!(names("größe,b\n1,2\n".as_bytes()), expected);
    assert_eq!(names(&["\u{feff}größe,b\n1,2\n".as_bytes()].concat()), expected);
    assert_eq!(names(b"gr\xf6\xdfe,b\n1,2\n"), expected);
    let wide: Vec<u8> = "\u{feff}größe,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(names(&wide), expected);
    let wide: Vec<u8> = "\u{feff}größe,b\n1,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(names(&wide), expected);
}

/// Sixty rows of columns of every kind.
fn people() -> String {
    let mut text = "id,city,age,income,visits,mark,smoker,country,note,empty,source\n".to_string();
    for i in 0..60u64 {
        let city = ["Rome", "Oslo", "Lima"][i as usize % 3];
        let income = 1000.0 * (1.0 + 0.05 * (i * 37 % 60) as f64).powi(6);
        let visits = [0, 0, 1, 0, 2, 0, 1, 14, 0, 3, 30, 1, 5][i as usize % 13];
        let smoker = if i % 4 == 0 { "yes" } else { "no" };
        text += &format!(
            "p{i},{city},{}.5,{income},{visits},{},{smoker},{},{},,here\n",
            20 + i * 7 % 50,
            1 + i % 5,
            i % 2,
            ["x", "<5", "9"][i as usize % 3]
        );
    }
    text
}

#[test]
fn columns_are_taken_for_what_they_look_like() {
    let expected = [
        ("id", Role::Identity, "text"),
        ("city", Role::Input, "category"),
        ("age", Role::Input, "real"),
        ("income", Role::Input, "positive"),
        ("visits", Role::Input, "count"),
        ("mark", Role::Input, "ordinal"),
        ("smoker", Role::Input, "category"),
        ("country", Role::Input, "category"),
        ("note", Role::Input, "category"),
        ("empty", Role::Ignored, "text"),
        ("source", Role::Ignored, "text"),
    ];
    let found = kinds(&of(&people()), &Choices::default());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.0.as_str(), found.1, found.2), expected);
    }
    let numbered: String = (0..30).map(|i| format!("{},{}\n", 100 + i, i * i % 7)).collect();
    let found = kinds(&of(&numbered), &Choices::default());
    assert_eq!(found[0].1, Role::Identity, "numbers in a row are no measurement: {found:?}");
    let spelt: String = (0..30).map(|i| format!("{},{i}.5\n", ["1", "1.0", "1.00"][i % 3])).collect();
    assert_eq!(kinds(&of(&spelt), &Choices::default())[0].1, Role::Ignored, "one number, however it is written");
    let cities: String = (0..3000).map(|i| format!("c{},{i}.5\n", if i < 1500 { i } else { 1400 + i % 100 })).collect();
    let found = kinds(&of(&format!("city,x\n{cities}")), &Choices::default());
    assert_eq!(found[0].1, Role::Ignored, "texts some of which come twice say no row: {found:?}");
    let mixed: String = (0..30).map(|i| if i == 7 { "<0.5\n".into() } else { format!("{i}.5\n") }).collect();
    let said = of(&mixed).guess(&Choices::default()).unwrap_err().to_string();
    assert!(said.contains("no column is left to learn from") && said.contains("such as <0.5"), "{said}");
}

#[test]
fn people_overrule_the_guess() {
    let choices = Choices {
        label: Some("smoker".into()),
        ignore: vec!["city".into()],
        kinds: [("mark", "count"), ("visits", "real"), ("country", "id")].map(|(a, b)| (a.into(), b.into())).into(),
        ..Choices::default()
    };
    let found = kinds(&of(&people()), &choices);
    let of = |name: &str| found.iter().find(|found| found.0 == name).map(|found| (found.1, found.2)).unwrap();
    assert_eq!(of("smoker"), (Role::Label, "category"));
    assert_eq!(of("city"), (Role::Ignored, "text"));
    assert_eq!((of("mark"), of("visits")), ((Role::Input, "count"), (Role::Input, "real")));
    assert_eq!(of("country").0, Role::Identity);
}

#[test]
fn wishes_that_cannot_be_met_are_refused() {
    let table = of(&people());
    let kind = |name: &str, kind: &str| Choices { kinds: [(name.into(), kind.into())].into(), ..Choices::default() };
    for (choices, expected) in [
        (Choices { label: Some("smokr".into()), ..Choices::default() }, "no column smokr: did you mean smoker?"),
        (Choices { ignore: vec!["zzz".into()], ..Choices::default() }, "there are id, city, age"),
        (kind("city", "real"), "the column city cannot be real: it holds the text Rome"),
        (kind("visits", "positive"), "it holds 0, which is not above 0"),
        (kind("age", "count"), "not whole, or below 0"),
        (kind("city", "ordinal"), "two or more different numbers"),
        (kind("age", "catgory"), "did you mean category?"),
        (kind("empty", "category"), "it holds nothing"),
    ] {
        let said = table.guess(&choices).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

/// Training rows alone decide how columns are scaled, and all rows are scaled by that.
#[test]
fn the_training_rows_decide_the_scale() {
    let (_folder, path) = file("people.csv", people().as_bytes());
    let splits = opened(&path, &Options::default()).unwrap();
    assert_eq!((splits.train.rows, splits.test.as_ref().unwrap().rows), (48, 6));
    let moments = |data: &Dataset, column: usize| {
        let values: Vec<f64> = (0..data.rows).map(|row| f64::from(data.row(row)[column])).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
    };
    // Behind three columns of cities: age, income and visits.
    for column in 3..6 {
        let (mean, variance) = moments(&splits.train, column);
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{column}: {mean}, {variance}");
        let (mean, variance) = moments(splits.test.as_ref().unwrap(), column);
        assert!(mean.abs() > 1e-3 && (variance - 1.0).abs() > 1e-3, "{column}: {mean}, {variance}");
    }
    assert_eq!(splits.train.schema, splits.test.as_ref().unwrap().schema);
    // Read again by the schema, all rows come in their order and in their units.
    let options = Options { schema: Some(splits.train.schema.clone()), ..Options::default() };
    let whole = open_whole(&Source::Path(path.clone()), &options).unwrap();
    assert_eq!((whole.rows, &whole.schema), (60, &splits.train.schema));
    let cells = |row: usize| whole.schema.decode(&whole.row(row)).iter().map(Cell::to_string).collect::<Vec<_>>();
    assert_eq!(cells(1)[..2], ["Oslo", "27.5"]);
    assert_eq!(cells(10)[3], "30");
    let train = opened(&path, &options).unwrap().train;
    assert_eq!(train, splits.train, "a settled schema is not scaled anew");
}

/// Another file may have its columns in another order, and more of them; not fewer, and no cells of other kinds.
#[test]
fn another_file_is_read_as_the_first_was() {
    let schema = {
        let (_folder, path) = file("people.csv", people().as_bytes());
        opened(&path, &Options::default()).unwrap().train.schema
    };
    let read = |text: &str| {
        let (_folder, path) = file("other.csv", text.as_bytes());
        open_whole(&Source::Path(path), &Options { schema: Some(schema.clone()), ..Options::default() })
    };
    let other =
        "note,more,mark,country,smoker,visits,income,age,city\nx,9,5,1,no,2,5000,NA,Lima\n<5,9,1,0,yes,0,100,30,\n";
    let data = read(other).unwrap();
    let cells = |row: usize| schema.decode(&data.row(row)).iter().map(Cell::to_string).collect::<Vec<_>>();
    let mut first = cells(0);
    // The way there and back is one of logarithms in single precision.
    let income: f64 = std::mem::take(&mut first[2]).parse().unwrap();
    assert!((income / 5000.0 - 1.0).abs() < 1e-5, "{income}");
    assert_eq!(first, ["Lima", "", "", "2", "5", "no", "1", "x"]);
    assert_eq!(cells(1)[..2], ["", "30"]);
    assert_eq!(data.share_observed(), (2 * schema.width() - 4) as f64 / (2 * schema.width()) as f64);
    for (from, to, expected) in [
        ("Lima", "Paris", "line 2: the column city holds Paris, and one of the classes Lima, Oslo, Rome was expected"),
        ("5000", "-1", "line 2: the column income holds -1, and a number above 0"),
        (",age,", ",agee,", "there is no column age: did you mean agee?"),
        ("x,9,5", "x,9,7", "one of the numbers 1, 2, 3, 4, 5"),
    ] {
        let said = read(&other.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn labels_are_the_classes_of_their_column() {
    let (_folder, path) = file("people.csv", people().as_bytes());
    let options =
        Options { columns: Choices { label: Some("smoker".into()), ..Choices::default() }, ..Options::default() };
    let whole = open_whole(&Source::Path(path), &options).unwrap();
    let labels = whole.labels.as_ref().unwrap();
    assert_eq!((labels.classes, labels.names.as_slice()), (2, &["no".to_string(), "yes".to_string()][..]));
    assert_eq!(labels.values[..5], [1, 0, 0, 0, 1]);
    let (_folder, path) = file("gap.csv", people().replacen(",yes,", ",NA,", 1).as_bytes());
    let said = open_whole(&Source::Path(path), &options).unwrap_err().to_string();
    assert!(said.contains("line 2 has no smoker"), "{said}");
}

#[test]
fn a_folder_of_two_tables_keeps_its_split() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.csv"), people()).unwrap();
    let few: String = people().lines().take(4).map(|line| format!("{line}\n")).collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(few.as_bytes()).unwrap();
    std::fs::write(folder.path().join("test.csv.gz"), gz.finish().unwrap()).unwrap();
    let splits = opened(folder.path(), &Options::default()).unwrap();
    assert_eq!((splits.train.rows, splits.test.unwrap().rows), (60, 3));
    assert!(super::super::is_table(&Source::Path(folder.path().to_owned())));
}

#[test]
fn blanks_are_filled_and_all_else_stays_as_it_is_written() {
    let text = " id;;city;note\np1;1,50;Rome;a\np2;;Oslo;\"b;c\"\np3;3;NA;\n";
    let table = of(text);
    let field = |name: &str, kind, role| super::super::schema::Field { name: name.into(), kind, role, whole: false };
    let scaling = super::super::schema::Scaling { shift: 2.0, scale: 4.0 };
    let schema = Schema {
        fields: vec![
            field("city", FieldKind::Category(vec!["Oslo".into(), "Rome".into()]), Role::Input),
            field("column 2", FieldKind::Real(scaling), Role::Input),
        ],
    };
    let rows = [0.0, 1.0, 9.0, /**/ 0.2, 0.8, 0.125, /**/ 0.4, 0.6, -9.0];
    let expected = " id;;city;note\np1;1,50;Rome;a\np2;2,5;Oslo;\"b;c\"\np3;3;Rome;\n";
    for (kind, expected) in [
        (FileKind::Csv, expected.to_owned()),
        (FileKind::Tsv, expected.replace("\"b;c\"", "b,c").replace(';', "\t").replace("b,c", "b;c")),
    ] {
        let mut text = vec![];
        let rows = rows.chunks(3).map(|row| Ok(FilledRow { lines: vec![schema.decode(row)], bounds: vec![] }));
        assert_eq!(table.fill(&schema, kind, &Beside::default(), rows, &mut text).unwrap(), [1, 1]);
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
    // Two lines a row, and bounds of the numbers that were blank.
    let beside = Beside { number: Some("draw"), bounded: vec![1] };
    let lines = |row: &[f32]| vec![schema.decode(row), vec![Cell::Text("Bonn".into()), Cell::Number(-0.5)]];
    let bounds = vec![[Cell::Number(0.25), Cell::Number(7.0)]];
    let all = rows.chunks(3).map(|row| Ok(FilledRow { lines: lines(row), bounds: bounds.clone() }));
    let mut text = vec![];
    assert_eq!(table.fill(&schema, FileKind::Csv, &beside, all, &mut text).unwrap(), [1, 1]);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "draw; id;;city;note;column 2.low;column 2.high\n1;p1;1,50;Rome;a;;\n2;p1;1,50;Rome;a;;\n\
         1;p2;2,5;Oslo;\"b;c\";0,25;7\n2;p2;-0,5;Oslo;\"b;c\";0,25;7\n1;p3;3;Rome;;;\n2;p3;3;Bonn;;;\n"
    );
    let taken = Beside { number: Some("id"), bounded: vec![] };
    let said = table.fill(&schema, FileKind::Csv, &taken, std::iter::empty(), &mut vec![]).unwrap_err().to_string();
    assert!(said.contains("it has a column id"), "{said}");
}

#[test]
fn tables_are_told_from_other_files() {
    let claims = |name: &str, head: &[u8]| Delimited.claims_file(Path::new(name), head);
    assert!(claims("a.CSV", b"x") && claims("a.tsv.gz", b"1\t2\n") && claims("wdbc.data", b"842302,M,17.99,10.38"));
    assert!(
        !claims("a.txt", b"just words") && !claims("a.data", b"\0\0\x08\x03") && !claims("page.txt", b"<html>, and")
    );
}

/// Twelve lines: a part, a colour, a date, a number.
fn parts() -> String {
    let line = |i: usize| {
        let part = ["train", "Test", "train", "val"][i % 4];
        format!("{part},{},{:02}.03.2024,{}\n", ["red", "blue"][i % 2], i + 1, 10 * i)
    };
    "part,colour,seen,size\n".to_string() + &(0..12).map(line).collect::<String>()
}

#[test]
fn columns_play_the_parts_that_they_are_given() {
    let (_folder, path) = file("parts.csv", parts().as_bytes());
    let choices = Choices {
        split: Some("part".into()),
        factors: vec!["colour".into()],
        conditions: vec!["size".into(), "colour".into()],
        ..Choices::default()
    };
    let twice = opened(&path, &Options { columns: choices.clone(), ..Options::default() }).unwrap_err().to_string();
    assert!(twice.contains("colour is given two parts"), "{twice}");
    let choices = Choices { factors: vec!["colour".into()], conditions: vec!["size".into()], ..choices };
    let options = Options { columns: choices, ..Options::default() };
    let splits = opened(&path, &options).unwrap();
    let test = splits.test.as_ref().unwrap();
    assert_eq!((splits.train.rows, splits.validation.as_ref().unwrap().rows, test.rows), (6, 3, 3));
    assert_eq!([test.place(0), test.place(2)], ["line 3", "line 11"]);
    let factors = test.factors.as_ref().unwrap();
    assert_eq!((&factors.names[..], &factors.values[..]), (&["colour".to_string()][..], &[0, 0, 0][..]));
    assert_eq!(splits.train.factors.as_ref().unwrap().values, [1; 6]);
    // Training sizes are 0, 20, … 100: mean 50, deviation √(7000/6); that of line 3 is 10.
    let expected = -40.0 / (7000.0f64 / 6.0).sqrt();
    assert!((f64::from(test.condition(0)[0]) - expected).abs() < 1e-6, "{:?}", test.condition(0));
    assert_eq!(splits.train.schema.inputs().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["seen"]);
    let said = opened(&path, &Options { validation: 2, ..options.clone() }).unwrap_err().to_string();
    assert!(said.contains("leave `validation` out"), "{said}");
    let (_folder, odd) = file("odd.csv", parts().replacen("val", "else", 1).as_bytes());
    assert!(opened(&odd, &options).unwrap_err().to_string().contains("line 5: the column part holds else"));
    let (_folder, blank) = file("blank.csv", parts().replacen(",20\n", ",\n", 1).as_bytes());
    assert!(opened(&blank, &options).unwrap_err().to_string().contains("line 4 has no size"));
}

#[test]
fn dates_are_days_and_are_written_as_they_were() {
    let table = of(&parts());
    let found = kinds(&table, &Choices::default());
    assert_eq!(found[2], ("seen".to_string(), Role::Input, "date"));
    let (_folder, path) = file("parts.csv", parts().as_bytes());
    let data = open_whole(&Source::Path(path), &Options::default()).unwrap();
    let schema = &data.schema;
    let place = schema.inputs().position(|field| field.name == "seen").unwrap();
    // Days 1 to 12: mean 6.5, deviation √(143/12).
    let span = schema.spans().nth(place).unwrap().1;
    let first = f64::from(data.row(0)[span.start]);
    assert!((first + 5.5 / (143.0f64 / 12.0).sqrt()).abs() < 1e-6, "{first}");
    assert_eq!(schema.decode(&data.row(4))[place].to_string(), "05.03.2024");
    let later = of(&parts().replacen("01.03.2024", "2024-03-01", 1));
    let said = later.whole(schema).unwrap_err().to_string();
    assert!(said.contains("line 2") && said.contains("a date, as day.month.year was expected"), "{said}");
    // Two forms are none.
    assert_ne!(kinds(&later, &Choices::default())[2].2, "date");
}
