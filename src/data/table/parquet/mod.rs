//! Parquet: tables whose columns have types, in groups of rows, packed.
//!
//! A file is read into the text of a table of commas and line breaks, so that all that tables can do goes for it too; what has types is
//! written from such a text. Columns of lists are left out, and fields of a record are columns called `record.field`.
//!
//! Files are not trusted. What pages announce is checked before it is made use of ([`pages`]), the text is bounded by the size of the file,
//! and reading happens on a thread of its own: schemas are read by recursion, so its stack grows with the part of the file that holds
//! them, and a panic of the reader behind ends that thread and becomes an error.

mod cells;
mod columns;
mod pages;
mod write;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use csv::WriterBuilder;
use parquet::column::reader::get_column_reader;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::{MAX_BYTES, READER};
use crate::error::{Error, Result};

use columns::Column;
use pages::Pages;

pub(crate) use write::write;

/// The most bytes of text, and of unpacked pages, for a byte of the file; and what any file may have.
const FACTOR: u64 = 4096;
const FREE: u64 = 16 << 20;
/// Rows that are read at once.
const BATCH: usize = 2048;
/// Bytes of stack for a byte of the part that holds the schema.
const STACK: u64 = 512;

/// Reads a file: a line of names and one for each row; and the names of columns that were left out, as they hold lists.
///
/// # Errors
/// If it is damaged, packed in a way that is not known, or too large.
pub(super) fn read(path: &Path) -> Result<(String, Vec<String>)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let stack = usize::try_from((schema_length(&file, length) * STACK).max(8 << 20)).unwrap_or(usize::MAX);
    let work = || text_of(file, length).map_err(|why| Error::malformed(path, why));
    let panicked =
        || Error::malformed(path, "this Parquet file is damaged in a way that it cannot be read: write it again");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(READER.to_owned()).stack_size(stack).spawn_scoped(scope, work);
        thread.map_err(Error::io("read", path))?.join().unwrap_or_else(|_| Err(panicked()))
    })
}

/// How many bytes at the end of a file hold its schema, by what the file says of itself, and no more than it has.
fn schema_length(mut file: &File, length: u64) -> u64 {
    use std::io::{Read, Seek, SeekFrom};
    let mut last = [0; 8];
    let found = file.seek(SeekFrom::End(-8)).and_then(|_| file.read_exact(&mut last));
    let said = u32::from_le_bytes([last[0], last[1], last[2], last[3]]);
    if found.is_ok() { u64::from(said).min(length) } else { 0 }
}

fn text_of(file: File, length: u64) -> std::result::Result<(String, Vec<String>), String> {
    let broken = |error: &dyn std::fmt::Display| {
        format!("this Parquet file cannot be read ({error}): write it again, as with DataFrame.to_parquet")
    };
    let reader = SerializedFileReader::new(file).map_err(|error| broken(&error))?;
    let about = reader.metadata();
    let schema = about.file_metadata().schema_descr();
    let (mut columns, mut lists) = (vec![], vec![]);
    for (place, column) in schema.columns().iter().enumerate() {
        match column.max_rep_level() {
            0 => columns.push((place, Column::new(column.clone())?)),
            _ => lists.push(column.path().parts().first().cloned().unwrap_or_default()),
        }
    }
    lists.dedup();
    if columns.is_empty() {
        return Err("this Parquet file has no columns of single values".to_owned());
    }
    let most = length.saturating_mul(FACTOR).saturating_add(FREE).min(MAX_BYTES);
    let too_large = || {
        format!(
            "this Parquet file of {length} bytes unpacks to more than {most} bytes of text, which no table of its size should: give a part of it"
        )
    };
    let rows = |group: usize| u64::try_from(about.row_group(group).num_rows()).unwrap_or(u64::MAX);
    let all = (0..reader.num_row_groups()).map(rows).fold(0, u64::saturating_add);
    // A cell takes a byte, for what is behind it.
    if all.saturating_mul(columns.len() as u64) > most {
        return Err(too_large());
    }
    let room = Arc::new(AtomicU64::new(most));
    let mut text = WriterBuilder::new().from_writer(vec![]);
    let written = |error: csv::Error| format!("its cells cannot be read: {error}");
    text.write_record(columns.iter().map(|(_, column)| &column.name)).map_err(written)?;
    for group in 0..reader.num_row_groups() {
        let rows = rows(group);
        let of_group = reader.get_row_group(group).map_err(|error| broken(&error))?;
        let mut readers = vec![];
        for (place, column) in &columns {
            let pages = of_group.get_column_page_reader(*place).map_err(|error| broken(&error))?;
            let about = column.about.clone();
            let pages = Pages { pages, column: about.clone(), rows_left: rows, room: room.clone() };
            readers.push(get_column_reader(about, Box::new(pages)));
        }
        let mut done = 0;
        while done < rows {
            let wanted = usize::try_from(rows - done).unwrap_or(BATCH).min(BATCH);
            let mut left = most.saturating_sub(text.get_ref().len() as u64);
            let mut cells = vec![];
            for ((_, column), reader) in columns.iter().zip(&mut readers) {
                let found = column.cells(reader, wanted, left)?;
                if found.len() != wanted {
                    return Err(format!(
                        "this Parquet file is truncated or damaged: the column {} has fewer values than there are rows",
                        column.name
                    ));
                }
                let bytes: usize = found.iter().map(|cell| cell.len() + 1).sum();
                left = left.checked_sub(bytes as u64).ok_or_else(too_large)?;
                cells.push(found);
            }
            for row in 0..wanted {
                text.write_record(cells.iter().map(|cells| &cells[row])).map_err(written)?;
            }
            done += wanted as u64;
        }
    }
    let text = text.into_inner().map_err(|error| broken(&error))?;
    Ok((String::from_utf8(text).map_err(|error| broken(&error))?, lists))
}

#[cfg(test)]
mod tests;
