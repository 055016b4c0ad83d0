//! A map of the codes: a dot for each row, coloured by what is known of it.

use image::RgbImage;
use image::imageops::{FilterType, replace, resize};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::inline::{sheet, text_of};
use super::page::Section;
use super::rows::short;
use super::subject::{Look, Subject};
use crate::apps::pictures::{Natural, Plane, Scatter, over, strip};
use crate::apps::uses::{Coded, Known, coded, known};
use crate::data::{Dataset, Shape};
use crate::error::Result;

/// Rows that have a dot.
const MOST: usize = 1000;
/// The side of the drawing, and the room around the dots.
const SIDE: f64 = 400.0;
const ROOM: f64 = 12.0;
/// Pixels of a row's picture along its longer side.
const THUMB: u32 = 32;
/// Values of all pictures that a page carries; of larger ones, fewer rows are shown.
const MOST_VALUES: usize = 1_600_000;
/// Things that dots can be coloured by.
const COLOURINGS: usize = 12;
/// Classes with a colour of their own.
const CLASSES: usize = 20;
/// Shades of numbers.
const SHADES: usize = 10;
/// Columns of a table that are said of a row.
const CELLS: usize = 8;
/// Codes that the page carries, so that sliders go to a row's.
const MOST_CODES: usize = 40_000;

/// The map, and what it stands on.
pub struct Map {
    /// The section of the page.
    pub section: Section,
    /// The rows.
    pub rows: Dataset,
    /// Their codes, with what each dimension does.
    pub coded: Coded,
}

/// The map of the rows that a model is shown with; nothing where there are none, or its codes are no numbers.
pub fn map(subject: &mut Subject) -> Result<Option<Map>> {
    let thumbs = thumbs_of(subject.look());
    let most = thumbs.map_or(MOST, |(width, height)| MOST.min(MOST_VALUES / (3 * width * height) as usize).max(100));
    let encodes = subject.session.model.can().encode.is_some();
    let Some(rows) = subject.some_rows(most).filter(|_| encodes) else { return Ok(None) };
    let coded = coded(subject.session, &rows)?;
    let latent = subject.session.latent()?;
    let codes: Vec<&[f32]> = coded.means.chunks_exact(latent).collect();
    if codes.is_empty() || codes.iter().any(|code| code.iter().any(|value| !value.is_finite())) {
        return Ok(None);
    }
    let scatter = match latent {
        1 => strip(&codes, None),
        _ => over(&Plane::of(&codes, latent)?, &codes, None),
    };
    let points = places(&scatter);
    let colourings: Vec<Colouring> = known(&rows).into_iter().take(COLOURINGS).map(Colouring::of).collect();
    let what = match subject.session.model.can().decode {
        Some(_) => "Each dot is a row, where the mean of its code lies.",
        None => "This model has no codes. Each dot is a row, where the last hidden layer puts it.",
    };
    let body = html! {
        p {
            (what)
            @if latent > 2 { " Of " (latent) " dimensions the drawing shows the two directions along which codes spread most." }
            @if rows.rows < subject.rows().map_or(0, |all| all.rows) { " " (rows.rows) " rows from all over the data are shown." }
        }
        (drawing(&scatter, &points, &colourings))
    };
    let data = json!({
        "points": points.iter().map(|[x, y]| json!([round(*x), round(*y)])).collect::<Vec<_>>(),
        "rows": (0..rows.rows).map(|row| rows.place(row)).collect::<Vec<_>>(),
        "said": said(&rows),
        "labels": rows.labels.as_ref().map(|labels| (0..rows.rows).map(|row| labels.name_of(row)).collect::<Vec<_>>()),
        "colourings": colourings.iter().map(Colouring::data).collect::<Vec<_>>(),
        "thumbs": match (subject.look(), thumbs) {
            (Look::Pictures(shape), Some(size)) => thumbnails(shape, size, &rows)?,
            _ => Value::Null,
        },
        "codes": (coded.means.len() <= MOST_CODES).then(|| text_of(bytemuck::cast_slice(&coded.means))),
        "latent": latent,
    });
    let section = Section { id: "map", title: "A map of the codes", body, data: Some(("map", data)) };
    Ok(Some(Map { section, rows, coded }))
}

/// Where the dots are in the drawing.
fn places(scatter: &Scatter) -> Vec<[f64; 2]> {
    let share = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low);
    let inner = SIDE - 2.0 * ROOM;
    let place = |&[x, y]: &[f64; 2]| {
        [ROOM + inner * share(x, scatter.x.range), SIDE - ROOM - inner * share(y, scatter.y.range)]
    };
    scatter.points.iter().map(place).collect()
}

fn round(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}

fn drawing(scatter: &Scatter, points: &[[f64; 2]], colourings: &[Colouring]) -> Markup {
    html! {
        div class="map" {
            div {
                @if colourings.len() > 1 {
                    p class="choice" {
                        label for="colouring" { "Colour by" }
                        " "
                        select id="colouring" { @for (at, one) in colourings.iter().enumerate() { option value=(at) { (one.name) } } }
                    }
                }
                div class="stage square" id="map-stage" tabindex="0" role="group" aria-label="Map of codes" aria-description="Arrow keys go from row to row" {
                    svg viewBox={ "0 0 " (SIDE) " " (SIDE) } role="img" aria-label={ "Map of the codes of " (points.len()) " rows" } {
                        g class="dots" {
                            @for (at, [x, y]) in points.iter().enumerate() {
                                circle class=(colourings.first().map_or("k0".to_string(), |one| one.class(at))) cx=(round(*x)) cy=(round(*y)) r="3" {}
                            }
                        }
                        circle class="chosen" r="7" visibility="hidden" {}
                    }
                }
                p class="axes" { "Across: " (scatter.x.name) @if !scatter.y.name.is_empty() { ". Upwards: " (scatter.y.name) } "." }
            }
            div class="beside" {
                ul class="key" id="map-key" aria-label="Colours" {
                    @if let Some(first) = colourings.first() {
                        @for (class, name) in first.key() { li { span class={ "swatch " (class) } {} (name) } }
                    }
                }
                div class="card" id="map-card" role="status" { p { "Point at a dot, or go through them with the arrow keys." } }
            }
        }
    }
}

/// What dots are coloured by.
struct Colouring {
    name: String,
    /// The names of classes, or the ends of numbers.
    names: Vec<String>,
    is_of_numbers: bool,
    /// The class or the shade of each row; one that is not known has none.
    of: Vec<Option<usize>>,
}

impl Colouring {
    fn of((name, known): (String, Known)) -> Colouring {
        match known {
            Known::Classes(classes) => {
                let mut names: Vec<String> = classes.clone();
                names.sort_by(|a, b| natural(a).partial_cmp(&natural(b)).unwrap_or(a.cmp(b)).then(a.cmp(b)));
                names.dedup();
                // A gap is no class.
                names.retain(|name| !name.is_empty());
                let place = |class: &String| names.iter().position(|name| name == class);
                let of = classes.iter().map(place).collect();
                Colouring { name, names, is_of_numbers: false, of }
            }
            Known::Numbers(numbers) => {
                let finite = || numbers.iter().copied().filter(|number| number.is_finite());
                let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), n| (a.min(n), b.max(n)));
                let shade = |number: &f64| {
                    let share = if high > low { (number - low) / (high - low) } else { 0.5 };
                    number.is_finite().then_some(((share * SHADES as f64) as usize).min(SHADES - 1))
                };
                let names = [low, high].map(|end| crate::spoken::significant(end, 4)).to_vec();
                Colouring { of: numbers.iter().map(shade).collect(), name, names, is_of_numbers: true }
            }
        }
    }

    /// The class of the style that a dot has.
    fn class(&self, row: usize) -> String {
        match self.of[row] {
            None => "none".to_string(),
            Some(shade) if self.is_of_numbers => format!("s{shade}"),
            Some(class) => format!("k{}", class % CLASSES),
        }
    }

    fn key(&self) -> Vec<(String, String)> {
        if self.is_of_numbers {
            let ends = [0, SHADES - 1].map(|shade| format!("s{shade}"));
            return ends.into_iter().zip(self.names.iter().cloned()).collect();
        }
        self.names.iter().enumerate().map(|(at, name)| (format!("k{}", at % CLASSES), name.clone())).collect()
    }

    fn data(&self) -> Value {
        let classes: Vec<String> = (0..self.of.len()).map(|row| self.class(row)).collect();
        json!({ "classes": classes, "key": self.key() })
    }
}

/// What classes are sorted by: their numbers, where they have some.
fn natural(name: &str) -> Option<f64> {
    name.parse().ok()
}

/// What is said of each row of a table: the first of its columns.
fn said(rows: &Dataset) -> Value {
    if !rows.schema.is_table() {
        return Value::Null;
    }
    let names: Vec<&str> = rows.schema.inputs().take(CELLS).map(|field| field.name.as_str()).collect();
    let cells =
        |row: usize| -> Vec<String> { rows.schema.decode(&rows.row(row)).iter().take(CELLS).map(short).collect() };
    json!({ "names": names, "cells": (0..rows.rows).map(cells).collect::<Vec<_>>() })
}

/// How large the picture of a row is.
fn thumbs_of(look: Look) -> Option<(u32, u32)> {
    let Look::Pictures(Shape { height, width, .. }) = look else { return None };
    let shrink = (height.max(width) as f64 / f64::from(THUMB)).max(1.0);
    Some([width, height].map(|side| ((side as f64 / shrink).round() as u32).max(1)).into())
}

/// All rows as small pictures on one sheet.
fn thumbnails(shape: Shape, (width, height): (u32, u32), rows: &Dataset) -> Result<Value> {
    let (x, _) = rows.gather(0..rows.rows);
    let natural = Natural::new(shape, x.iter());
    let columns = (rows.rows as f64).sqrt().ceil() as u32;
    let mut all = RgbImage::new(columns * width, (rows.rows as u32).div_ceil(columns) * height);
    for (at, row) in (0u32..).zip(x.chunks_exact(shape.features())) {
        let picture = natural.picture(row);
        let small = if picture.dimensions() == (width, height) {
            picture
        } else {
            resize(&picture, width, height, FilterType::Triangle)
        };
        replace(&mut all, &small, i64::from(at % columns * width), i64::from(at / columns * height));
    }
    Ok(json!({ "source": sheet(&all, shape.channels == 1)?, "width": width, "height": height, "columns": columns }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_sorted_as_people_do_and_numbers_are_shaded() {
        let classes = ["10", "9", "", "9"].map(String::from).to_vec();
        let found = Colouring::of(("label".into(), Known::Classes(classes)));
        assert_eq!(found.names, ["9", "10"]);
        assert_eq!([0, 1, 2, 3].map(|row| found.class(row)), ["k1", "k0", "none", "k0"]);
        let found = Colouring::of(("age".into(), Known::Numbers(vec![0.0, 99.0, 100.0, f64::NAN])));
        assert_eq!([0, 1, 2, 3].map(|row| found.class(row)), ["s0", "s9", "s9", "none"]);
        assert_eq!(found.key()[1], ("s9".to_string(), "100.0".to_string()));
    }
}
