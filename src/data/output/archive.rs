//! Rows and their labels as NumPy's `.npz`: the array `x`, which comes in parts, and the array `labels`.

use std::io::{self, Write};

use npyz::{DType, WriterBuilder};
use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter};

use super::frame::{Frame, Values};

/// Writes parts of so many rows in all, each a matrix and a column of labels; gives how many rows there were. Labels that are all whole numbers
/// are written as such, others as texts.
pub(super) fn write(rows: usize, parts: &mut dyn Iterator<Item = Frame>, to: &mut dyn Write) -> io::Result<usize> {
    let mut zip = ZipWriter::new_stream(to);
    begin(&mut zip, "x.npy")?;
    let mut parts = parts.peekable();
    let Some(axes) = parts.peek().and_then(|part| part.numbers_with_axes().map(|(axes, _)| axes.to_vec())) else {
        return Err(io::Error::other("there are no rows of numbers"));
    };
    let shape: Vec<u64> = [rows].iter().chain(&axes).map(|&side| side as u64).collect();
    let mut array = npyz::WriteOptions::<f32>::new().default_dtype().shape(&shape).writer(&mut zip).begin_nd()?;
    let (mut found, mut labels) = (0, vec![]);
    for part in parts {
        let (_, values) = part.numbers_with_axes().ok_or_else(|| io::Error::other("a part has no rows of numbers"))?;
        array.extend(values.iter().copied())?;
        labels.extend(part.labels());
        found += part.rows();
    }
    array.finish()?;
    if !labels.is_empty() {
        begin(&mut zip, "labels.npy")?;
        write_labels(&labels, &mut zip)?;
    }
    zip.finish().map_err(io::Error::other)?;
    Ok(found)
}

fn begin<W: Write>(zip: &mut ZipWriter<StreamWriter<W>>, name: &str) -> io::Result<()> {
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(true);
    zip.start_file(name, options).map_err(io::Error::other)
}

fn write_labels(labels: &[String], to: &mut impl Write) -> io::Result<()> {
    let shape = [labels.len() as u64];
    if let Ok(numbers) = labels.iter().map(|label| label.parse()).collect::<Result<Vec<i64>, _>>() {
        let mut array = npyz::WriteOptions::<i64>::new().default_dtype().shape(&shape).writer(to).begin_nd()?;
        array.extend(numbers)?;
        return array.finish();
    }
    let longest = labels.iter().map(String::len).max().unwrap_or(0).max(1);
    let kind = format!("|S{longest}").parse().map_err(io::Error::other)?;
    let mut array = npyz::WriteOptions::<[u8]>::new().dtype(DType::Plain(kind)).shape(&shape).writer(to).begin_nd()?;
    labels.iter().try_for_each(|label| array.push(label.as_bytes()))?;
    array.finish()
}

impl Frame {
    /// The axes and the values of its first matrix.
    fn numbers_with_axes(&self) -> Option<(&[usize], &[f32])> {
        self.blocks.iter().find_map(|block| match &block.values {
            Values::Matrix { axes, values } => Some((&axes[..], &values[..])),
            _ => None,
        })
    }

    /// Its column of texts.
    fn labels(&self) -> impl Iterator<Item = String> {
        let texts = self.blocks.iter().find_map(|block| match &block.values {
            Values::Texts(texts) => Some(texts),
            _ => None,
        });
        texts.into_iter().flatten().map(|text| text.clone().unwrap_or_default())
    }
}
