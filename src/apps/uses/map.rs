//! Codes in a plane, where near ones stay near: by principal axes, or by t-SNE.

use std::path::Path;

use bhtsne::{Neighbor, tSNE};
use rayon::prelude::*;
use serde::Serialize;

use super::ids::Ids;
use super::write::{Lines, ending, number, write_file};
use crate::apps::pictures::save_points;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::{Points, principal_axes};

/// Effective neighbours of a row, where there are enough rows (van der Maaten & Hinton 2008 recommend 5 to 50).
const PERPLEXITY: f64 = 30.0;
/// How coarsely far points are taken together (van der Maaten 2014, section 4.2).
const THETA: f64 = 0.5;
/// Steps of the descent.
const STEPS: usize = 1000;
/// The fewest rows that neighbours can be told of.
const FEWEST: usize = 10;

/// How codes come into a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum MapKind {
    /// The two directions along which they spread most.
    Pca,
    /// t-distributed stochastic neighbour embedding (van der Maaten & Hinton 2008), by the tree of Barnes and Hut (van der Maaten 2014),
    /// begun at the principal axes (Kobak & Berens 2019). Distances between groups, and how wide a group is, mean nothing in it.
    Tsne,
}

/// A map that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// How it is made.
    pub kind: MapKind,
    /// The most rows on it; of more, as many are taken evenly spaced.
    pub most: usize,
    /// Decides how rows with one code are told apart at the start.
    pub seed: u64,
}

/// A map that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// Rows on it.
    pub rows: usize,
    /// Of how many.
    pub of: usize,
}

/// Whether a map of so many rows can be made and written; gives the ending of its file.
///
/// # Errors
/// If there are fewer rows than ten, or maps are not written so.
pub fn check_map(out: &Path, rows: usize) -> Result<&'static str> {
    let kind = ending(out, "a map of codes", &["png", "csv"])?;
    match rows < FEWEST {
        true => Err(Error::invalid(format!(
            "a map shows which rows have near ones, and there are {rows}: it takes {FEWEST} or more"
        ))),
        false => Ok(kind),
    }
}

/// Writes a map of the codes `[rows, latent]` of rows: as `.png` a dot for each row, coloured by its label; as `.csv` the columns `row`, what else
/// says which row it is, `label` where labels are known, `map_1` and `map_2`.
///
/// # Errors
/// As for [`check_map`]; if some codes are no numbers, or the file cannot be written.
pub fn write_map(
    out: &Path,
    wanted: Mapping,
    (ids, all): (&Ids, &Dataset),
    (codes, latent): (&[f32], usize),
) -> Result<Mapped> {
    let kind = check_map(out, all.rows)?;
    let count = all.rows.min(wanted.most);
    let chosen: Vec<usize> = (0..count).map(|i| i * all.rows / count).collect();
    let rows = all.subset(&chosen);
    let codes: Vec<f32> = chosen.iter().flat_map(|&row| &codes[row * latent..][..latent]).copied().collect();
    let points = points(&codes, latent, wanted)?;
    match kind {
        "png" => {
            let what = if wanted.kind == MapKind::Tsne { "t-SNE" } else { "principal axis" };
            let names = [1, 2].map(|axis| format!("{what} {axis}"));
            let title = match count < all.rows {
                true => format!("Codes of {count} of {} rows of {}", all.rows, all.name),
                false => format!("Codes of {}", all.name),
            };
            let labels = rows.labels.as_ref().map(|labels| (&labels.values[..], &labels.names[..]));
            save_points(out, &title, (&points, names), labels)?;
        }
        _ => write_file(out, |file| write_points(Lines::new(file, names(ids, &rows))?, ids, &rows, &chosen, &points))?,
    }
    Ok(Mapped { rows: count, of: all.rows })
}

fn names(ids: &Ids, rows: &Dataset) -> Vec<String> {
    let mut names = vec!["row".to_string()];
    names.extend(ids.names.iter().cloned());
    names.extend(rows.labels.as_ref().map(|_| "label".to_string()));
    names.extend(["map_1", "map_2"].map(String::from));
    names
}

fn write_points(mut lines: Lines, ids: &Ids, rows: &Dataset, chosen: &[usize], points: &[[f64; 2]]) -> Result<()> {
    for (at, (&row, point)) in chosen.iter().zip(points).enumerate() {
        let mut cells = vec![row.to_string()];
        cells.extend(ids.row(row).map(str::to_string));
        cells.extend(rows.labels.as_ref().map(|labels| labels.name_of(at)));
        cells.extend(point.map(number));
        lines.line(cells)?;
    }
    lines.finish()
}

/// Where codes `[rows, latent]` are in the plane.
fn points(codes: &[f32], latent: usize, wanted: Mapping) -> Result<Vec<[f64; 2]>> {
    let rows: Vec<&[f32]> = codes.chunks_exact(latent).collect();
    if codes.iter().any(|value| !value.is_finite()) {
        return Err(Error::invalid("some codes are no numbers: was the model trained to the end?"));
    }
    let axes = principal_axes(&rows, latent, latent.min(2))?;
    let place = |row: &&[f32]| match axes.place(row)[..] {
        [x, y, ..] => [x, y],
        [x] => [x, 0.0],
        [] => [0.0, 0.0],
    };
    let along: Vec<[f64; 2]> = rows.iter().map(place).collect();
    match wanted.kind {
        MapKind::Pca => Ok(along),
        MapKind::Tsne => embedded(&rows, &along, wanted.seed),
    }
}

/// t-SNE from a first embedding, which is made small. One thread does all of it, so that sums have one order and the same rows always come to
/// the same places.
fn embedded(rows: &[&[f32]], first: &[[f64; 2]], seed: u64) -> Result<Vec<[f64; 2]>> {
    let perplexity = PERPLEXITY.min((rows.len() - 1) as f64 / 3.0);
    let neighbours = neighbours(rows, (3.0 * perplexity) as usize);
    let spread = (first.iter().map(|point| point[0].powi(2)).sum::<f64>() / first.len() as f64).sqrt();
    // Rows of one code would never part.
    let noise = Points::standard_normal(rows.len(), 2, seed, 0)?;
    let scale = if spread > 0.0 { 1e-4 / spread } else { 0.0 };
    let start: Vec<f64> = first
        .iter()
        .zip(noise.iter())
        .flat_map(|(point, noise)| [0, 1].map(|i| scale * point[i] + 1e-7 * f64::from(noise[i])))
        .collect();
    let samples: Vec<usize> = (0..rows.len()).collect();
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(Error::invalid)?;
    let places = alone.install(|| {
        let mut tsne: tSNE<f64, usize> = tSNE::new(&samples);
        tsne.perplexity(perplexity).epochs(STEPS).initial_embedding(start);
        tsne.barnes_hut_with_neighbors(THETA, &neighbours).embedding()
    });
    Ok(places.chunks_exact(2).map(|place| [place[0], place[1]]).collect())
}

/// The nearest other rows of each, the nearest first; of equally near ones, those that come first.
fn neighbours(rows: &[&[f32]], count: usize) -> Vec<Vec<Neighbor<f64>>> {
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    let of_row = |row: usize| {
        let others = (0..rows.len()).filter(|&other| other != row);
        let mut all: Vec<Neighbor<f64>> =
            others.map(|index| Neighbor { index, distance: distance(rows[row], rows[index]) }).collect();
        all.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        all.truncate(count);
        all
    };
    (0..rows.len()).into_par_iter().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three groups of forty codes of five dimensions around corners that no plane shows apart along one axis.
    fn groups() -> Vec<f32> {
        let noise = Points::standard_normal(120, 5, 3, 0).unwrap();
        let corner = |group: usize, d: usize| if d == group { 8.0 } else { 0.0 };
        noise
            .iter()
            .enumerate()
            .flat_map(|(row, z)| (0..5).map(move |d| z[d] + corner(row / 40, d)).collect::<Vec<_>>())
            .collect()
    }

    fn mapped(kind: MapKind, codes: &[f32], seed: u64) -> Vec<[f64; 2]> {
        points(codes, 5, Mapping { kind, most: 120, seed }).unwrap()
    }

    /// The share of rows whose nearest in the plane is of their group.
    fn kept(points: &[[f64; 2]]) -> f64 {
        let far = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let nearest = |row: usize| {
            let others = (0..points.len()).filter(|&other| other != row);
            others.min_by(|&a, &b| far(points[row], points[a]).total_cmp(&far(points[row], points[b]))).unwrap()
        };
        (0..points.len()).filter(|&row| nearest(row) / 40 == row / 40).count() as f64 / points.len() as f64
    }

    #[test]
    fn groups_stay_together_and_the_same_rows_come_to_the_same_places() {
        let codes = groups();
        let found = mapped(MapKind::Tsne, &codes, 0);
        assert!(kept(&found) > 0.97, "{}", kept(&found));
        assert_eq!(found, mapped(MapKind::Tsne, &codes, 0), "another map of the same rows");
        // The start is made of tiny noise besides the axes, and another is another map.
        assert_ne!(found, mapped(MapKind::Tsne, &codes, 1));
        // Rows in another order are in no groups.
        let shuffled: Vec<[f64; 2]> = (0..120).map(|row| found[row * 77 % 120]).collect();
        assert!(kept(&shuffled) < 0.6, "{}", kept(&shuffled));
        // Along the principal axes distances are at most what they were.
        let along = mapped(MapKind::Pca, &codes, 0);
        let (a, b) = (&codes[..5], &codes[5 * 50..5 * 51]);
        let before = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
        assert!((along[0][0] - along[50][0]).hypot(along[0][1] - along[50][1]) <= before + 1e-4);
    }

    #[test]
    fn rows_of_one_code_are_mapped() {
        let places = mapped(MapKind::Tsne, &[0.5; 60], 0);
        assert!(places.len() == 12 && places.iter().flatten().all(|place| place.is_finite()));
        assert!(points(&[f32::NAN; 60], 5, Mapping { kind: MapKind::Pca, most: 12, seed: 0 }).is_err());
    }

    #[test]
    fn neighbours_are_in_their_order() {
        let rows = [[0.0f32], [3.0], [1.0], [-3.0]];
        let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
        let of = |row: usize| neighbours(&rows, 3)[row].iter().map(|near| near.index).collect::<Vec<_>>();
        assert_eq!([of(0), of(2)], [vec![2, 1, 3], vec![0, 1, 3]]);
    }
}
