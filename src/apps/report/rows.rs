//! New rows, and rows beside what the model makes of them: as pictures, tables or lines.

use crate::data::Shape;
use maud::{Markup, html};

use super::inline::png;
use super::page::Section;
use super::subject::{Look, Subject};
use super::tables;
use crate::apps::pictures::Natural;
use crate::data::schema::Cell;
use crate::error::Result;
use crate::training::Given;

/// New pictures, of a model that is told no classes.
const PICTURES: usize = 48;
/// New lines of a table, and new vectors.
const LINES: usize = 6;
/// New rows of each class, and the most classes.
const OF_CLASS: usize = 8;
const CLASSES: usize = 20;
/// Pictures beside what is made of them, and lines of a table.
const PAIRS: usize = 16;
const PAIRS_OF_LINES: usize = 3;

/// New rows from the prior; nothing where the model draws none.
pub fn samples(subject: &mut Subject) -> Result<Option<Section>> {
    if subject.session.model.can().generate.is_none() {
        return Ok(None);
    }
    let (form, look) = (subject.form, subject.look());
    let each = if matches!(look, Look::Pictures(_)) { OF_CLASS } else { 1 };
    let alone = if matches!(look, Look::Pictures(_)) { PICTURES } else { LINES };
    let shown: Vec<&String> = form.classes.iter().take(CLASSES).collect();
    let (names, y): (Vec<String>, Vec<f32>) = if form.condition == 0 {
        (vec![String::new(); alone], vec![])
    } else if form.classes.is_empty() {
        let (names, y): (Vec<String>, Vec<Vec<f32>>) = (0..alone).map(|at| subject.known(at)).unzip();
        (names, y.concat())
    } else {
        let names = shown.iter().flat_map(|name| vec![(*name).clone(); each]).collect();
        (names, form.every_label(each)[..shown.len() * each * form.condition].to_vec())
    };
    let (count, seed) = (names.len(), subject.seed);
    let values = match look {
        Look::Table => subject.session.draw_rows(count, &y, seed)?,
        _ => subject.session.sample(count, &y, seed)?,
    };
    let width = form.schema.width();
    let rows: Vec<&[f32]> = values.chunks_exact(width).collect();
    let drawn = match look {
        Look::Table => {
            "Lines that are in no data: codes drawn from the prior, and cells drawn from what the decoder says of each."
        }
        _ => "Rows that are in no data: codes drawn from the prior, and what the decoder makes of them.",
    };
    let body = html! {
        p { (drawn) @if form.classes.len() > CLASSES { " Of the first " (CLASSES) " classes." } }
        @match look {
            Look::Pictures(shape) if form.classes.is_empty() => (pictures(shape, &rows, &names)?),
            Look::Pictures(shape) => @for (class, rows) in shown.iter().zip(rows.chunks(each)) {
                h3 class="class" { (class) }
                (pictures(shape, rows, &vec![(*class).clone(); each])?)
            },
            Look::Table => (lines_of_table(subject, &rows, &names)),
            Look::Vectors => div class="lines" {
                @for (at, row) in rows.iter().enumerate() {
                    figure { (line(&format!("New row {}", at + 1), &[row])) figcaption { "New row " (at + 1) " " (names[at]) } }
                }
            },
        }
    };
    Ok(Some(Section { id: "samples", title: "New rows", body, data: None }))
}

impl Subject<'_> {
    /// What may be told of a row, and its name: that of a row that is shown, or the middle of what was told in training.
    pub fn known(&self, at: usize) -> (String, Vec<f32>) {
        match self.rows() {
            Some(rows) => {
                let row = at % rows.rows;
                (format!("told what is known of {}", rows.place(row)), rows.condition(row))
            }
            None if !self.form.classes.is_empty() => {
                let class = &self.form.classes[at % self.form.classes.len()];
                (
                    class.clone(),
                    (0..self.form.condition).map(|i| f32::from(u8::from(i == at % self.form.condition))).collect(),
                )
            }
            None => {
                let middle = |at: usize| self.form.ranges.get(at).map_or(0.0, |[low, high]| (low + high) / 2.0);
                (String::new(), (0..self.form.condition).map(middle).collect())
            }
        }
    }
}

/// Rows above what the model makes of them; nothing where there are no rows or no decoder.
pub fn rebuilt(subject: &mut Subject) -> Result<Option<Section>> {
    let look = subject.look();
    let most = if matches!(look, Look::Pictures(_)) { PAIRS } else { PAIRS_OF_LINES };
    let Some(rows) = subject.some_rows(most).filter(|_| subject.session.model.can().reconstruct.is_some()) else {
        return Ok(None);
    };
    let (x, y) = rows.gather(0..rows.rows);
    let again = subject.session.reconstruct(Given::new(&x, &y))?;
    let width = subject.form.schema.width();
    let names: Vec<String> = (0..rows.rows)
        .map(|row| match &rows.labels {
            Some(labels) => format!("{}, {}", rows.place(row), labels.name_of(row)),
            None => rows.place(row),
        })
        .collect();
    let pairs: Vec<(&[f32], &[f32])> = x.chunks_exact(width).zip(again.chunks_exact(width)).collect();
    let body = html! {
        p { "Rows of the data, and what the decoder makes of the means of their codes." }
        @match look {
            Look::Pictures(shape) => (pairs_of_pictures(shape, &pairs, &names)?),
            Look::Table => (pairs_of_lines(subject, &pairs, &names)),
            Look::Vectors => {
                ul class="key" aria-label="Colours" {
                    li { span class="swatch ink-a" {} "the row" }
                    li { span class="swatch ink-c" {} "built again" }
                }
                div class="lines" {
                    @for ((row, again), name) in pairs.iter().zip(&names) {
                        figure { (line(&format!("{name}, and built again"), &[row, again])) figcaption { (name) } }
                    }
                }
            },
        }
    };
    Ok(Some(Section { id: "rebuilt", title: "Rows, built again", body, data: None }))
}

/// Pictures side by side, as many as fit.
fn pictures(shape: Shape, rows: &[&[f32]], names: &[String]) -> Result<Markup> {
    let natural = Natural::new(shape, rows.iter().copied().flatten());
    let sources: Vec<String> = rows.iter().map(|row| png(&natural.picture(row))).collect::<Result<_>>()?;
    Ok(html! {
        ul class="pictures" {
            @for (at, source) in sources.iter().enumerate() {
                li { (picture(shape, source, &format!("New picture {} {}", at + 1, names[at]))) }
            }
        }
    })
}

fn picture(shape: Shape, source: &str, alt: &str) -> Markup {
    html! { img src=(source) alt=(alt.trim()) width=(shape.width) height=(shape.height); }
}

fn pairs_of_pictures(shape: Shape, pairs: &[(&[f32], &[f32])], names: &[String]) -> Result<Markup> {
    let natural = Natural::new(shape, pairs.iter().flat_map(|(row, _)| row.iter()));
    let both = |(row, again): &(&[f32], &[f32])| -> Result<[String; 2]> {
        Ok([png(&natural.picture(row))?, png(&natural.picture(again))?])
    };
    let sources: Vec<[String; 2]> = pairs.iter().map(both).collect::<Result<_>>()?;
    Ok(html! {
        p class="legend" { "Above the row, below what is made of it." }
        ul class="pictures pairs" {
            @for ([row, again], name) in sources.iter().zip(names) {
                li title=(name) { (picture(shape, row, name)) (picture(shape, again, &format!("{name}, built again"))) }
            }
        }
    })
}

/// The columns of a table downwards, so that many of them fit on a phone.
fn lines_of_table(subject: &Subject, rows: &[&[f32]], names: &[String]) -> Markup {
    let cells: Vec<Vec<Cell>> = rows.iter().map(|row| subject.form.schema.decode(row)).collect();
    let heads: Vec<String> =
        (1..).zip(names).map(|(at, name)| if name.is_empty() { at.to_string() } else { name.clone() }).collect();
    let body: Vec<(String, Vec<String>)> = subject
        .form
        .schema
        .inputs()
        .enumerate()
        .map(|(at, field)| (field.name.clone(), cells.iter().map(|cells| short(&cells[at])).collect()))
        .collect();
    tables::numbers("New lines, each in a column", "column", &heads, &body)
}

fn pairs_of_lines(subject: &Subject, pairs: &[(&[f32], &[f32])], names: &[String]) -> Markup {
    let schema = &subject.form.schema;
    let cells: Vec<[Vec<Cell>; 2]> =
        pairs.iter().map(|(row, again)| [schema.exact(row), schema.decode(again)]).collect();
    tables::framed(
        "Rows, and what is made of them",
        html! {
            thead { tr {
                th scope="col" { "column" }
                @for name in names { th scope="col" class="number" { (name) small { "built again" } } }
            } }
            tbody {
                @for (at, field) in schema.inputs().enumerate() {
                    tr {
                        th scope="row" { (field.name) }
                        @for [row, again] in &cells {
                            td class="number" {
                                @if row[at] == Cell::Missing { span class="gap" { "a gap" } } @else { (short(&row[at])) }
                                small { (short(&again[at])) }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// A cell in few letters.
pub fn short(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) if number.fract() != 0.0 => crate::spoken::significant(*number, 4),
        other => other.to_string(),
    }
}

/// Rows of numbers as lines over their places, those of gaps left out.
fn line(alt: &str, rows: &[&[f32]]) -> Markup {
    const SIZE: (f64, f64) = (240.0, 72.0);
    let finite = || rows.iter().flat_map(|row| row.iter()).copied().filter(|value| value.is_finite()).map(f64::from);
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let span = if high > low { high - low } else { 1.0 };
    let points = |row: &[f32]| -> String {
        let last = row.len().saturating_sub(1).max(1) as f64;
        let place = |(at, value): (usize, &f32)| {
            let across = 4.0 + at as f64 / last * (SIZE.0 - 8.0);
            format!("{across:.1},{:.1}", SIZE.1 - 6.0 - (f64::from(*value) - low) / span * (SIZE.1 - 12.0))
        };
        let places: Vec<String> = row.iter().enumerate().filter(|(_, value)| value.is_finite()).map(place).collect();
        places.join(" ")
    };
    html! {
        svg viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } role="img" aria-label=(alt) {
            @for (row, ink) in rows.iter().zip(["ink-a", "ink-c"]) { polyline class={ "curve " (ink) } points=(points(row)) {} }
        }
    }
}
