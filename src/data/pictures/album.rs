//! All pictures of a store, decoded to rows of one size.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use image::ImageFormat;

use super::about::{About, Chosen};
use super::decode::{self, Row, Why};
use super::name::{KINDS, Says, readable, says};
use super::shelf::{Filling, Shelf};
use super::size::PictureSize;
use super::store::{Entry, Store};
use super::take::Taken;
use crate::data::colour::to_grey;
use crate::data::memory;
use crate::data::origin::Skipped;
use crate::data::progress::tell;
use crate::data::stored::{is_too_large, too_large};
use crate::error::{Error, Result};

/// The side of rows where pictures have no common size, or a larger one.
pub(super) const USUAL: usize = 64;

/// Of so many pictures one may be broken: it is left out, with a warning. Where more are, none is read.
const ONE_BROKEN_OF: usize = 20;

/// Pictures as rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Album {
    pub(super) about: About,
    /// `[rows, height, width, channels]`.
    pub(super) bytes: Vec<u8>,
}

/// What became of a file.
#[derive(Clone)]
enum State {
    Waiting,
    Row(ImageFormat),
    Other,
    Broken(Why),
}

/// What was read of a store.
pub(super) enum Found {
    /// Pictures in memory.
    Album(Album),
    /// Pictures that stay on disk.
    Shelf(Shelf),
}

/// Decodes all pictures of a store; in the place `on_disk`, where memory is limited to so many bytes and they are too large for it.
pub(super) fn read(
    store: &dyn Store,
    path: &Path,
    given: Option<PictureSize>,
    on_disk: (Option<&Path>, Option<u64>),
) -> Result<Found> {
    let listing = store.list()?;
    let (wanted, strays): (Vec<Entry>, Vec<Entry>) =
        listing.entries.into_iter().partition(|entry| says(&entry.name) != Says::Other);
    let (size, chosen) = match given {
        Some(size) => (size, Chosen::Given),
        None => choose_size(store, &wanted)?,
    };
    let row = size.height * size.width * 3;
    let (mut names, mut formats, mut broken, mut others) = (vec![], BTreeMap::new(), vec![], vec![]);
    let all = wanted.len() as u128 * row as u128;
    let sink = match on_disk {
        (Some(place), Some(memory)) if is_too_large(all, Some(memory)) => Sink::Disk(Filling::new(place, row)?),
        (None, Some(memory)) if is_too_large(all, Some(memory)) => {
            let advice = "there is no folder to keep them in: name one with ELBO_CACHE_DIR, choose a smaller --size";
            return Err(too_large(path, all, memory, advice));
        }
        _ => {
            let what = || format!("{} pictures of {}×{} pixels in colour", wanted.len(), size.height, size.width);
            memory::check(path, all, crate::memory::total(), what, "give a smaller --size, or fewer pictures")?;
            Sink::Memory(vec![0; wanted.len() * row])
        }
    };
    let Rows { mut sink, states, is_grey } = decode_all(store, &wanted, size, sink)?;
    if let Sink::Disk(filling) = &mut sink {
        filling.check()?;
    }
    let (files, mut places) = (wanted.len(), vec![]);
    for (place, (entry, state)) in wanted.iter().zip(states).enumerate() {
        let name = readable(&entry.name);
        match state {
            State::Row(format) => {
                places.push(place as u32);
                names.push(name);
                *formats.entry(format!("{format:?}").to_uppercase()).or_default() += 1;
            }
            State::Broken(why) => broken.push(format!("{name} {why}")),
            State::Other | State::Waiting => others.push(name),
        }
    }
    check_broken(path, &broken, names.len())?;
    if names.is_empty() {
        let files = strays.len() + others.len();
        let found = if files == 0 { "no files".to_owned() } else { format!("{files} files and no picture") };
        return Err(Error::malformed(
            path,
            format!("this {} holds {found}; expected pictures: {}", store.kind(), KINDS),
        ));
    }
    others.extend(strays.iter().map(|entry| readable(&entry.name)));
    others.sort();
    let skipped = [Skipped::new("broken pictures", broken), Skipped::new("files that are no pictures", others)];
    let skipped = skipped.into_iter().flatten().chain(listing.skipped).collect();
    let channels = if is_grey { 1 } else { 3 };
    let about = About { size, chosen, channels, names, formats, skipped };
    match sink {
        Sink::Disk(filling) => Ok(Found::Shelf(filling.finish(about, places, files)?)),
        Sink::Memory(mut bytes) => {
            for (to, &from) in places.iter().enumerate() {
                bytes.copy_within(from as usize * row..(from as usize + 1) * row, to * row);
            }
            bytes.truncate(places.len() * row);
            if is_grey {
                to_grey(&mut bytes);
            }
            Ok(Found::Album(Album { about, bytes }))
        }
    }
}

/// The size that all pictures have, if it is small; else the usual one.
fn choose_size(store: &dyn Store, wanted: &[Entry]) -> Result<(PictureSize, Chosen)> {
    let common: Mutex<Option<(u32, u32)>> = Mutex::new(None);
    let differ = AtomicBool::new(false);
    store.visit(wanted, &|_, taken| {
        let Taken::Picture(format, bytes) = taken else { return ControlFlow::Continue(()) };
        let Ok(size) = decode::size(format, &bytes) else { return ControlFlow::Continue(()) };
        let is_small = size.0.max(size.1) as usize <= USUAL;
        let mut common = common.lock().unwrap_or_else(PoisonError::into_inner);
        if is_small && *common.get_or_insert(size) == size {
            return ControlFlow::Continue(());
        }
        differ.store(true, Ordering::Relaxed);
        ControlFlow::Break(())
    })?;
    let common = common.into_inner().unwrap_or_else(PoisonError::into_inner).filter(|_| !differ.into_inner());
    Ok(match common {
        Some((height, width)) => (PictureSize { height: height as usize, width: width as usize }, Chosen::Common),
        None => (PictureSize::square(USUAL), Chosen::Usual),
    })
}

/// Where decoded rows go.
enum Sink {
    Memory(Vec<u8>),
    Disk(Filling),
}

/// Rows in the order of the files, with gaps where there is none, `[files, height, width, 3]`.
struct Rows {
    sink: Sink,
    states: Vec<State>,
    is_grey: bool,
}

fn decode_all(store: &dyn Store, wanted: &[Entry], size: PictureSize, sink: Sink) -> Result<Rows> {
    let row = size.height * size.width * 3;
    let whole = Rows { sink, states: vec![State::Waiting; wanted.len()], is_grey: true };
    let (rows, done) = (Mutex::new(whole), AtomicUsize::new(0));
    store.visit(wanted, &|place, taken| {
        let (state, found) = match taken {
            Taken::Other => (State::Other, None),
            Taken::Broken(why) => (State::Broken(why), None),
            Taken::Picture(format, bytes) => match decode::row(format, &bytes, size) {
                Ok(found) => (State::Row(format), Some(found)),
                Err(why) => (State::Broken(why), None),
            },
        };
        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Row { rgb, is_grey }) = found {
            match &mut rows.sink {
                Sink::Memory(bytes) => bytes[place * row..(place + 1) * row].copy_from_slice(&rgb),
                Sink::Disk(filling) => filling.put(place, &rgb),
            }
            rows.is_grey &= is_grey;
        }
        if matches!(&rows.sink, Sink::Disk(filling) if filling.has_failed()) {
            return ControlFlow::Break(());
        }
        rows.states[place] = state;
        drop(rows);
        tell("reading pictures", done.fetch_add(1, Ordering::Relaxed) + 1, wanted.len());
        ControlFlow::Continue(())
    })?;
    Ok(rows.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Refuses pictures of which too many are broken: there, something else is wrong.
fn check_broken(path: &Path, broken: &[String], rows: usize) -> Result<()> {
    if broken.len() * ONE_BROKEN_OF <= broken.len() + rows {
        return Ok(());
    }
    let Some(broken) = Skipped::new("", broken.iter().cloned()) else { return Ok(()) };
    let named: Vec<String> = broken.first.iter().map(|name| format!("\n  {name}")).collect();
    let more = match broken.count - broken.first.len() {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    Err(Error::malformed(
        path,
        format!(
            "{} of {} pictures are broken, and at most one of {ONE_BROKEN_OF} may be; fetch or remove them:{}{more}",
            broken.count,
            broken.count + rows,
            named.concat()
        ),
    ))
}
