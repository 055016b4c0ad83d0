//! The files of a comparison, beside its runs.

use std::fs;
use std::path::Path;

use super::{Comparison, Figures};
use crate::apps::pictures::{NamedRows, save_rate_distortion};
use crate::apps::train::TrainRun;
use crate::data::{Frame, Keep, Output, ROWS};
use crate::error::{Error, Result};
use crate::files::write_own;

/// What stands in the folder besides runs.
const FILES: [&str; 4] = ["compare.csv", "compare.json", "compare.png", "rate-distortion.png"];

/// A column of the table.
type Column = (&'static str, fn(&Figures) -> Option<f64>);

/// The columns that there are figures for without a model.
const SAMPLES: &str = "frechet_samples";
const BETWEEN: &str = "distance_between";

/// The columns of the table.
const COLUMNS: [Column; 10] = [
    ("parameters", |of| Some(of.parameters as f64)),
    ("seconds", |of| Some(of.seconds)),
    ("reconstruction_error", |of| of.reconstruction_error),
    ("distortion", |of| of.distortion),
    ("rate", |of| of.rate),
    ("elbo", |of| of.elbo),
    ("nll", |of| of.nll),
    ("bits_per_dimension", |of| of.bits_per_dimension),
    (SAMPLES, |of| of.samples),
    (BETWEEN, |of| of.between),
];

/// Says so if a folder holds what no comparison has left there.
///
/// # Errors
/// If it does.
pub(super) fn check_folder(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        let name = entry.file_name();
        let is_run = entry.path().is_dir() && (TrainRun::is_in(&entry.path()) || is_begun(&entry.path()));
        if !is_run && !FILES.iter().any(|known| name == **known) {
            return Err(Error::invalid(format!(
                "{} holds {}, which is no part of a comparison: give another --out, such as a new folder",
                folder.display(),
                name.to_string_lossy()
            )));
        }
    }
    Ok(())
}

/// Whether a run was begun in a folder, and nothing of it saved: what is hidden, and settings.
fn is_begun(folder: &Path) -> bool {
    let is_known = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(".elbo") || name == crate::config::FILE_NAME
    };
    fs::read_dir(folder).is_ok_and(|entries| entries.flatten().all(|entry| is_known(&entry)))
}

/// Writes them.
///
/// # Errors
/// If one cannot be written.
pub(super) fn save(found: &Comparison, folder: &Path) -> Result<()> {
    let json = serde_json::to_string_pretty(found).map_err(Error::invalid)?;
    write_own(&folder.join(FILES[1]), |file| writeln!(file, "{json}"))?;
    Output::new(&folder.join(FILES[0]), ROWS, &Keep::default())?.write_rows(&table(found))?;
    if let Some(shape) = found.shape {
        let mut sheet = Sheet::default();
        for (i, model) in found.models.iter().enumerate() {
            if i == 0 {
                sheet.add("held-out rows".to_string(), &model.shown.rows);
            }
            sheet.add(format!("{}: rebuilt", model.name), &model.shown.rebuilt);
            sheet.add(format!("{}: new", model.name), &model.shown.new);
        }
        let columns = sheet.images.len() / shape.features() / sheet.names.len().max(1);
        let rows = NamedRows { images: &sheet.images, shape, columns, names: &sheet.names };
        rows.save(&folder.join(FILES[2]))?;
    }
    let points: Vec<(String, Vec<[f64; 2]>)> = found
        .models
        .iter()
        .filter(|model| model.beta.is_some())
        .map(|model| {
            let of_run = |run: &super::Of<Figures>| Some([run.of.rate?, run.of.distortion?]);
            (model.name.clone(), model.runs.iter().filter_map(of_run).collect())
        })
        .collect();
    match points.len() {
        0 | 1 => Ok(()),
        _ => save_rate_distortion(&folder.join(FILES[3]), &points),
    }
}

/// Rows of pictures with names.
#[derive(Default)]
struct Sheet {
    images: Vec<f32>,
    names: Vec<String>,
}

impl Sheet {
    fn add(&mut self, name: String, rows: &[f32]) {
        if !rows.is_empty() {
            self.images.extend_from_slice(rows);
            self.names.push(name);
        }
    }
}

/// A line for each run, and for what is got without a model.
fn table(found: &Comparison) -> Frame {
    let yes = |is: bool| Some(if is { "yes" } else { "no" }.to_string());
    let mut names = vec![];
    let (mut seeds, mut can) = (vec![], [vec![], vec![], vec![]]);
    let mut figures: Vec<Vec<f64>> = vec![vec![]; COLUMNS.len()];
    for model in &found.models {
        let of = model.abilities;
        for run in &model.runs {
            names.push(model.name.clone());
            seeds.push(run.seed as f64);
            let all = [of.generates, of.tells_uncertainty, of.fills_gaps];
            can.iter_mut().zip(all).for_each(|(can, is)| can.push(yes(is)));
            let own = COLUMNS.iter().map(|(_, figure)| figure(&run.of).unwrap_or(f64::NAN));
            figures.iter_mut().zip(own).for_each(|(column, figure)| column.push(figure));
        }
    }
    for known in &found.baselines {
        let of = &known.of;
        for (name, samples, between) in [
            ("real rows", of.real_rows, 1.0),
            ("shuffled columns", of.shuffled_columns, f64::NAN),
            ("the mean row", of.mean_row, f64::NAN),
            ("averaged rows", f64::NAN, of.averaged_rows.unwrap_or(f64::NAN)),
        ] {
            names.push(name.to_string());
            seeds.push(known.seed as f64);
            can.iter_mut().for_each(|can| can.push(None));
            let own = COLUMNS.iter().map(|(column, _)| match *column {
                SAMPLES => samples,
                BETWEEN => between,
                _ => f64::NAN,
            });
            figures.iter_mut().zip(own).for_each(|(column, figure)| column.push(figure));
        }
    }
    let frame = Frame::new().ids("model", names).numbers("seed", seeds);
    let abilities = ["generates", "tells_uncertainty", "fills_gaps"].into_iter().zip(can);
    let frame = abilities.fold(frame, |frame, (name, can)| frame.texts(name, can));
    COLUMNS.iter().zip(figures).fold(frame, |frame, ((name, _), figures)| frame.numbers(name, figures))
}
