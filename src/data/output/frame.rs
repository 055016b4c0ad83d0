//! Rows to be written: columns of one length, with names.

use std::io::{self, Write};

use csv::WriterBuilder;

use super::super::schema::{Cell, Field, FieldKind, Role, Schema};
use super::super::table::parquet_of;
use super::FileKind;

/// Rows of numbers and texts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    pub(super) blocks: Vec<Block>,
}

/// Columns that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) name: String,
    /// Whether it only says which rows they are.
    pub(super) is_id: bool,
    pub(super) values: Values,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    /// A column of texts `[rows]`; nothing where one is not known.
    Texts(Vec<Option<String>>),
    /// A column of numbers `[rows]`; NaN where one is not known.
    Numbers(Vec<f64>),
    /// Numbers `[rows, axes...]`.
    Matrix { axes: Vec<usize>, values: Vec<f32> },
}

impl Frame {
    /// One without columns.
    pub fn new() -> Frame {
        Frame::default()
    }

    /// The rows `[rows, width]` that a model makes, in the units of their columns: of a table a column for each field, of pictures and
    /// vectors all numbers as they are.
    pub fn of_rows(schema: &Schema, rows: &[f32]) -> Frame {
        Frame::of_rows_and(schema, rows, None)
    }

    /// The same with the label of each `[rows]`: of a table in its own column, in its place among the others; else behind the numbers, as
    /// `label`.
    pub fn of_labelled_rows(schema: &Schema, rows: &[f32], labels: &[String]) -> Frame {
        Frame::of_rows_and(schema, rows, Some(labels))
    }

    fn of_rows_and(schema: &Schema, rows: &[f32], labels: Option<&[String]>) -> Frame {
        let with_labels = |frame: Frame, name: &str| match labels {
            Some(labels) => frame.texts(name, labels.iter().cloned().map(Some)),
            None => frame,
        };
        let mut inputs = schema.inputs();
        if let (Some(Field { name, kind, .. }), None) = (inputs.next(), inputs.next())
            && let Some(shape) = kind.shape()
        {
            return with_labels(Frame::new().matrix(name, &shape.sides(), rows.to_vec()), "label");
        }
        let width = schema.width().max(1);
        let mut spans = schema.spans().map(|(_, span)| span);
        schema.fields.iter().fold(Frame::new(), |frame, field| match field.role {
            Role::Input => {
                let span = spans.next().expect("every input has its columns");
                let cells = rows.chunks_exact(width).map(|row| field.decode(&row[span.clone()]));
                match field.kind {
                    FieldKind::Category(_) | FieldKind::Date(..) | FieldKind::Text => {
                        frame.texts(&field.name, cells.map(text))
                    }
                    _ => frame.numbers(&field.name, cells.map(number)),
                }
            }
            Role::Label => with_labels(frame, &field.name),
            _ => frame,
        })
    }

    /// Adds a column that says which row is which.
    pub fn ids<T: Into<String>>(self, name: &str, ids: impl IntoIterator<Item = T>) -> Frame {
        let values = Values::Texts(ids.into_iter().map(|id| Some(id.into())).collect());
        self.with(name, true, values)
    }

    /// Adds a column of texts, or of nothing where one is not known.
    pub fn texts(self, name: &str, texts: impl IntoIterator<Item = Option<String>>) -> Frame {
        let values = Values::Texts(texts.into_iter().collect());
        self.with(name, false, values)
    }

    /// Adds a column of numbers, NaN where one is not known.
    pub fn numbers(self, name: &str, numbers: impl IntoIterator<Item = f64>) -> Frame {
        let values = Values::Numbers(numbers.into_iter().collect());
        self.with(name, false, values)
    }

    /// Adds numbers `[rows, axes...]`, whose columns are called `name` and their place from 0.
    ///
    /// # Panics
    /// If they are no whole rows.
    pub fn matrix(self, name: &str, axes: &[usize], values: Vec<f32>) -> Frame {
        let width = axes.iter().product::<usize>();
        assert!(width > 0 && values.len().is_multiple_of(width), "{} values in rows of {width}", values.len());
        self.with(name, false, Values::Matrix { axes: axes.to_vec(), values })
    }

    fn with(mut self, name: &str, is_id: bool, values: Values) -> Frame {
        let block = Block { name: name.to_owned(), is_id, values };
        assert!(self.blocks.is_empty() || block.rows() == self.rows(), "{} rows of {name}", block.rows());
        self.blocks.push(block);
        self
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.blocks.first().map_or(0, Block::rows)
    }

    /// The names of all columns.
    pub fn names(&self) -> Vec<String> {
        self.blocks.iter().flat_map(Block::names).collect()
    }

    /// Says why it cannot be written in a format.
    pub(super) fn check(&self, kind: FileKind) -> Result<(), String> {
        let text = self.learnt().find(|block| matches!(block.values, Values::Texts(_)));
        match (kind, text) {
            (FileKind::Npy, Some(block)) => Err(format!(
                "an array of NumPy holds numbers only, and the column {} holds texts: give a name that ends in .csv",
                block.name
            )),
            (kind, _) if kind.is_picture() || kind == FileKind::Folder => {
                Err("rows do not go into a picture".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Writes it.
    pub(super) fn write(&self, kind: FileKind, to: &mut dyn Write) -> io::Result<()> {
        match kind {
            FileKind::Csv => self.write_separated(b',', to),
            FileKind::Tsv => self.write_separated(b'\t', to),
            FileKind::Npy => Frame::write_array(self.rows(), &mut std::iter::once(self.clone()), to).map(drop),
            FileKind::Parquet => {
                let mut text = vec![];
                self.write_separated(b',', &mut text)?;
                to.write_all(&parquet_of(&text)?)
            }
            FileKind::Npz => super::archive::write(self.rows(), &mut std::iter::once(self.clone()), to).map(drop),
            FileKind::Png | FileKind::Jpeg | FileKind::Webp | FileKind::Folder => {
                Err(io::Error::other("rows are no picture"))
            }
        }
    }

    fn learnt(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| !block.is_id)
    }

    fn write_separated(&self, delimiter: u8, to: &mut dyn Write) -> io::Result<()> {
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(to);
        writer.write_record(self.names())?;
        self.write_lines(&mut writer)?;
        writer.flush()
    }

    fn write_lines(&self, writer: &mut csv::Writer<impl Write>) -> io::Result<()> {
        for row in 0..self.rows() {
            for block in &self.blocks {
                block.cells(row).try_for_each(|cell| writer.write_field(cell.to_string()))?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    /// Writes parts with the same columns as lines; gives how many rows they had.
    pub(super) fn write_parts(
        kind: FileKind,
        parts: &mut dyn Iterator<Item = Frame>,
        to: &mut dyn Write,
    ) -> io::Result<usize> {
        if kind == FileKind::Parquet {
            let mut text = vec![];
            let rows = Frame::write_parts(FileKind::Csv, parts, &mut text)?;
            to.write_all(&parquet_of(&text)?)?;
            return Ok(rows);
        }
        let delimiter = match kind {
            FileKind::Csv => b',',
            FileKind::Tsv => b'\t',
            other => return Err(io::Error::other(format!("lines do not go into .{}", other.endings().join(" or .")))),
        };
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(to);
        let (mut rows, mut is_begun) = (0, false);
        for part in parts {
            if !std::mem::replace(&mut is_begun, true) {
                writer.write_record(part.names())?;
            }
            part.write_lines(&mut writer)?;
            rows += part.rows();
        }
        writer.flush()?;
        Ok(rows)
    }

    /// Writes parts of so many rows in all as one array: that of the only matrix with its axes, in single precision; else all columns side by
    /// side, in double. What says which rows they are is left out: rows keep their order. Gives how many rows there were.
    pub(super) fn write_array(
        rows: usize,
        parts: &mut dyn Iterator<Item = Frame>,
        to: &mut dyn Write,
    ) -> io::Result<usize> {
        use npyz::WriterBuilder;
        let Some(first) = parts.next() else { return Ok(0) };
        let sizes = |axes: &[usize]| -> Vec<u64> { [rows].iter().chain(axes).map(|&n| n as u64).collect() };
        let axes = first.only_matrix().map(|(axes, _)| axes.to_vec());
        let width = first.learnt().map(Block::width).sum();
        let mut found = 0;
        let parts = std::iter::once(first).chain(parts).inspect(|part| found += part.rows());
        if let Some(axes) = axes {
            let shape = sizes(&axes);
            let mut writer = npyz::WriteOptions::<f32>::new().default_dtype().shape(&shape).writer(to).begin_nd()?;
            for part in parts {
                writer.extend(part.only_matrix().into_iter().flat_map(|(_, values)| values).copied())?;
            }
            writer.finish()?;
            return Ok(found);
        }
        let shape = sizes(&[width]);
        let mut writer = npyz::WriteOptions::<f64>::new().default_dtype().shape(&shape).writer(to).begin_nd()?;
        for part in parts {
            for row in 0..part.rows() {
                writer.extend(part.learnt().flat_map(|block| block.cells(row)).map(number))?;
            }
        }
        writer.finish()?;
        Ok(found)
    }

    /// The axes and the values of a matrix that is all there is.
    fn only_matrix(&self) -> Option<(&[usize], &[f32])> {
        let mut blocks = self.learnt();
        match (blocks.next().map(|block| &block.values), blocks.next()) {
            (Some(Values::Matrix { axes, values }), None) => Some((axes, values)),
            _ => None,
        }
    }
}

impl Block {
    fn rows(&self) -> usize {
        match &self.values {
            Values::Texts(texts) => texts.len(),
            Values::Numbers(numbers) => numbers.len(),
            Values::Matrix { values, .. } => values.len() / self.width(),
        }
    }

    pub(super) fn width(&self) -> usize {
        match &self.values {
            Values::Matrix { axes, .. } => axes.iter().product(),
            _ => 1,
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        match &self.values {
            Values::Matrix { .. } => (0..self.width()).map(|j| format!("{}{j}", self.name)).collect(),
            _ => vec![self.name.clone()],
        }
    }

    fn cells(&self, row: usize) -> Box<dyn Iterator<Item = Cell> + '_> {
        let known = |value: f64| if value.is_nan() { Cell::Missing } else { Cell::Number(value) };
        match &self.values {
            Values::Texts(texts) => Box::new(texts[row].iter().map(|text| Cell::Text(text.clone())).chain(
                // A blank is a cell too.
                texts[row].is_none().then_some(Cell::Missing),
            )),
            Values::Numbers(numbers) => Box::new(std::iter::once(known(numbers[row]))),
            Values::Matrix { values, .. } => {
                let row = &values[row * self.width()..(row + 1) * self.width()];
                Box::new(row.iter().map(move |&value| known(f64::from(value))))
            }
        }
    }
}

fn text(cell: Cell) -> Option<String> {
    (cell != Cell::Missing).then(|| cell.to_string())
}

fn number(cell: Cell) -> f64 {
    cell.number().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::Scaling;
    use super::super::super::shape::Shape;
    use super::*;

    fn written(frame: &Frame, kind: FileKind) -> Vec<u8> {
        frame.check(kind).unwrap();
        let mut out = Vec::new();
        frame.write(kind, &mut out).unwrap();
        out
    }

    fn table() -> Schema {
        let field = |name: &str, kind| Field { name: name.to_owned(), kind, role: Role::Input, whole: false };
        Schema {
            fields: vec![
                field("age", FieldKind::Real(Scaling { shift: 10.0, scale: 2.0 })),
                field("colour", FieldKind::Category(vec!["red, dark".into(), "blue".into()])),
                field("visits", FieldKind::Count(Scaling { shift: 0.0, scale: 1.0 })),
            ],
        }
    }

    #[test]
    fn rows_of_a_table_are_in_the_units_of_its_columns() {
        let rows = [0.25, 0.9, 0.1, 4.0f32.ln(), f32::NAN, 0.1, 0.9, 0.0];
        let frame = Frame::of_rows(&table(), &rows).ids("row", ["p1", "p2"]);
        let text = String::from_utf8(written(&frame, FileKind::Csv)).unwrap();
        assert_eq!(text, "age,colour,visits,row\n10.5,\"red, dark\",3,p1\n,blue,0,p2\n");
        let text = String::from_utf8(written(&frame, FileKind::Tsv)).unwrap();
        assert_eq!(text, "age\tcolour\tvisits\trow\n10.5\tred, dark\t3\tp1\n\tblue\t0\tp2\n");
        assert!(frame.check(FileKind::Npy).unwrap_err().contains("column colour holds texts"));
        assert!(frame.check(FileKind::Png).is_err());
    }

    #[test]
    fn arrays_keep_their_axes_and_leave_ids_out() {
        let schema = Schema::from(Shape { height: 2, width: 1, channels: 3 });
        let values: Vec<f32> = (0..12).map(|i| i as f32 / 4.0).collect();
        let frame = Frame::of_rows(&schema, &values).ids("file", ["a.png", "b.png"]);
        let bytes = written(&frame, FileKind::Npy);
        let array = npyz::NpyFile::new(&bytes[..]).unwrap();
        assert_eq!((array.shape(), array.order()), (&[2, 2, 1, 3][..], npyz::Order::C));
        assert_eq!(array.into_vec::<f32>().unwrap(), values);
        let vectors = Frame::of_rows(&Shape::vector(6).into(), &values);
        assert_eq!(npyz::NpyFile::new(&written(&vectors, FileKind::Npy)[..]).unwrap().shape(), [2, 6]);
        assert_eq!(vectors.names(), ["x0", "x1", "x2", "x3", "x4", "x5"]);
    }

    #[test]
    fn several_columns_are_one_array_side_by_side() {
        let frame =
            Frame::new().matrix("z", &[2], vec![0.5, 1.0, -1.0, 2.0]).numbers("score", [20_230_101.0, f64::NAN]);
        let bytes = written(&frame, FileKind::Npy);
        let array = npyz::NpyFile::new(&bytes[..]).unwrap();
        assert_eq!(array.shape(), [2, 3]);
        let found = array.into_vec::<f64>().unwrap();
        assert_eq!(found[..5], [0.5, 1.0, 20_230_101.0, -1.0, 2.0]);
        assert!(found[5].is_nan());
        let text = String::from_utf8(written(&frame, FileKind::Csv)).unwrap();
        assert_eq!(text, "z0,z1,score\n0.5,1,20230101\n-1,2,\n");
    }
}
