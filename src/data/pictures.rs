//! A folder of pictures, or a zip or tar archive of one: each picture is a row.
//!
//! What is read: PNG, JPEG, WebP, GIF, BMP, TIFF, PNM, QOI, farbfeld and TGA. The end of a file's name says that it is a picture,
//! its first bytes say which; a file without an ending is one if its first bytes say so. Hidden files are passed over, other
//! files are named. Rows are sorted by path, byte by byte. How a picture becomes a row is said in [`decode`], what folders
//! mean in [`layout`]: rows are `[height, width, 1]` where no pixel of any picture has a colour, else `[height, width, 3]`.
//!
//! The size is the one that was asked for; else, where all pictures have one size of at most 64×64, that; else 64×64.
//!
//! One broken picture in twenty is left out, with a warning; where there are more, nothing is read. While pictures are
//! decoded, memory holds all rows with three channels, and of each thread a file and its decoded picture, which may take
//! 512 MiB. Rows are kept in the user's cache folder ([`kept`]).

mod about;
mod album;
mod bound;
mod decode;
mod folder;
mod jpeg;
mod kept;
mod layout;
mod name;
mod open;
pub(super) mod options;
mod shelf;
mod size;
mod store;
mod take;
mod tar;
mod zip;

use std::path::Path;

pub use options::PictureOptions;
pub use size::PictureSize;

use super::colour::to_grey;
use super::dataset::Dataset;
use super::format::{Format, Found, Parts};
use super::input;
use super::labels::Labels;
use super::names::{file_stem, folder_name};
use super::options::Options;
use super::origin::Origin;
use super::place::Places;
use super::schema::Schema;
use super::shape::Shape;
use super::stored::is_too_large;
use super::values::Values;
use crate::error::{Error, Result};
use about::{About, Chosen};
use album::{Album, USUAL};
use layout::Layout;
use name::KINDS;
use shelf::Shelf;
use store::Store;

/// The format of pictures in files.
pub(crate) struct Pictures;

impl Format for Pictures {
    fn name(&self) -> &'static str {
        "folders of pictures (PNG, JPEG and others), also as .zip, .tar or .tar.gz"
    }

    fn claims_file(&self, path: &Path, head: &[u8]) -> bool {
        open::open_archive(path, head).is_some() || name::format(&[], head).is_some()
    }

    fn read_file(&self, path: &Path, options: &Options) -> Result<Found> {
        let head = input::head(path)?;
        match open::open_archive(path, &head) {
            Some(archive) => read(&*archive, path, &file_stem(path), options),
            None => Err(Error::malformed(
                path,
                format!(
                    "this {}, and one picture is nothing to learn from: give the folder that it lies in",
                    input::seems(&head)
                ),
            )),
        }
    }

    fn claims_folder(&self, folder: &Path) -> bool {
        folder::has_pictures(folder)
    }

    fn read_folder(&self, folder: &Path, options: &Options) -> Result<Found> {
        read(&*open::open_folder(folder)?, folder, &folder_name(folder), options)
    }

    fn looks_for(&self) -> String {
        format!("pictures ({KINDS})")
    }

    fn takes_size(&self) -> bool {
        true
    }
}

/// Reads a store, or what is kept of it.
fn read(store: &dyn Store, path: &Path, name: &str, options: &Options) -> Result<Found> {
    let like = options.schema.as_ref().filter(|schema| !schema.is_table()).map(Schema::shape);
    let of_model = like.map(|shape| PictureSize { height: shape.height, width: shape.width });
    let size = options.pictures.size.or(of_model.filter(|size| size.is_usable()));
    let place = options.pictures.cache.as_ref().map(|folder| kept::place(folder, store, size));
    let place = place.as_deref();
    let fits =
        |place: &&Path| std::fs::metadata(place).is_ok_and(|about| !is_too_large(about.len().into(), options.memory));
    let kept = place.filter(fits).and_then(kept::load).map(album::Found::Album);
    let found = match kept.or_else(|| place.and_then(Shelf::load).map(album::Found::Shelf)) {
        Some(found) => found,
        None => {
            let found = album::read(store, path, size, (place, options.memory))?;
            if let (Some(place), album::Found::Album(album)) = (place, &found) {
                kept::save(place, album);
            }
            found
        }
    };
    let origin = |about: &About| told(store.kind(), about, options.pictures.size.is_some());
    let parts = match (found, place) {
        (album::Found::Album(album), _) => {
            let (origin, Album { about, bytes }) = (origin(&album.about), album);
            arrange(name, about, like, origin, |about, channels| {
                Ok(Values::Bytes(with_channels(bytes, about, channels)))
            })
        }
        (album::Found::Shelf(shelf), place) => {
            let (origin, about, memory) =
                (origin(&shelf.about), shelf.about.clone(), options.memory.unwrap_or(u64::MAX));
            arrange(name, about, like, origin, |_, channels| {
                Ok(Values::Stored(shelf.rows(place.unwrap_or(path), channels, memory)?))
            })
        }
    };
    Ok(parts?.into())
}

/// Rows of an album with so many channels.
fn with_channels(mut bytes: Vec<u8>, about: &About, channels: usize) -> Vec<u8> {
    match (about.channels, channels) {
        (1, 3) => bytes.into_iter().flat_map(|value| [value; 3]).collect(),
        (3, 1) => {
            to_grey(&mut bytes);
            bytes
        }
        _ => bytes,
    }
}

/// Puts rows into parts, with their classes; with the channels of a trained model, where they are for one.
fn arrange(
    name: &str,
    about: About,
    like: Option<Shape>,
    mut origin: Origin,
    values: impl FnOnce(&About, usize) -> Result<Values>,
) -> Result<Parts> {
    let channels = match like.map(|shape| shape.channels) {
        Some(3) if about.channels == 1 => 3,
        Some(1) if about.channels == 3 => {
            origin
                .warnings
                .push("the pictures are in colour, and the model knows grey only: they are read as grey".into());
            1
        }
        _ => about.channels,
    };
    let shape = Shape { height: about.size.height, width: about.size.width, channels };
    let mut whole = Dataset::new(name, values(&about, channels)?, shape)?;
    let names = about.names.clone().into();
    whole.places = Some(Places::Files((0..about.names.len() as u32).collect(), names));
    let Layout { parts, classes, labels } = layout::read(&about.names);
    let labelled = |data: Dataset, rows: &mut dyn Iterator<Item = usize>| {
        let values: Option<Vec<u32>> = rows.map(|row| labels[row]).collect();
        let labels = values.map(|values| Labels { values, classes: classes.len(), names: classes.clone() });
        Dataset { labels, ..data }
    };
    if !classes.is_empty() {
        origin.guesses.push(format!(
            "the {} folders that pictures lie in are their classes; in a single folder they have none",
            classes.len()
        ));
    }
    let Some(parts) = parts else {
        whole = labelled(whole, &mut (0..about.names.len()));
        return Ok(Parts::whole(whole, origin));
    };
    origin.guesses.push("the folders train, val and test are the parts; to split by chance, rename them".into());
    let part = |rows: &Vec<usize>| (!rows.is_empty()).then(|| labelled(whole.subset(rows), &mut rows.iter().copied()));
    let [train, validation, test] = parts.each_ref().map(part);
    for (part, data) in [("validation", &validation), ("test", &test)] {
        if data.as_ref().is_some_and(|data| data.labels.is_none()) && !classes.is_empty() {
            origin
                .warnings
                .push(format!("the pictures of the {part} part lie in no folders of classes, so they have none"));
        }
    }
    let train = train.unwrap_or(whole);
    Ok(Parts { train, validation, test, origin, is_unscaled: false })
}

/// What is said of an album.
fn told(kind: &str, about: &About, is_size_given: bool) -> Origin {
    let About { size, chosen, formats, skipped, .. } = about;
    let formats: Vec<String> = formats.iter().map(|(format, count)| format!("{count} {format}")).collect();
    let mut origin = Origin::of(format!("pictures in a {kind} ({})", formats.join(", ")));
    let how = match chosen {
        Chosen::Given if is_size_given => None,
        Chosen::Given => Some(format!("cut and scaled to {size} pixels, the size of the model's rows")),
        Chosen::Common => {
            Some(format!("kept at {size} pixels, the size of all of them; --size brings them to another"))
        }
        Chosen::Usual => Some(format!(
            "cut around the middle and scaled to {USUAL} pixels, as they are larger or differ in size; --size 32 or --size \
             48x64 brings them to another"
        )),
    };
    origin.guesses.extend(how);
    origin.skipped.clone_from(skipped);
    if about.names.len() == 1 {
        origin.warnings.push("there is only one picture".into());
    }
    origin
}

#[cfg(test)]
mod tests;
