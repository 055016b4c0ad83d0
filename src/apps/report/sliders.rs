//! What the dimensions of the code mean: a slider for each, and what the decoder makes of it.

use crate::data::{Dataset, Shape};
use image::RgbImage;
use image::imageops::replace;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::inline::sheet;
use super::map::Map;
use super::page::Section;
use super::portable::portable;
use super::rows::short;
use super::subject::{Look, Subject};
use super::told::{Told, field};
use crate::apps::pictures::Natural;
use crate::apps::uses::{Coded, quantiles};
use crate::error::Result;
use crate::training::Given;

/// Dimensions that are shown at once, and all that have a slider.
const SHOWN: usize = 8;
const MOST: usize = 64;
/// Dimensions that are decoded beforehand, and the values of each.
const RECORDED: usize = 10;
const STEPS: usize = 9;
/// How far sliders reach where no codes are known: of a standard normal, 99 in 100 codes lie within.
const REACH: f32 = 2.6;

/// The sliders, and whether the page decodes by itself.
pub struct Sliders {
    /// The section of the page.
    pub section: Section,
    /// Whether it has the decoder.
    pub decodes: bool,
}

/// A dimension of the code, as a slider has it.
pub struct Dimension {
    /// Its number, from 0.
    pub number: usize,
    /// What it says, in nats, where that is known of each.
    pub kl: Option<f64>,
    /// The least value of the slider.
    pub low: f32,
    /// The largest.
    pub high: f32,
    /// Where it is recorded.
    pub steps: Vec<f32>,
}

/// Sliders for the dimensions, those that say most first; nothing where codes are not decoded.
pub fn sliders(subject: &mut Subject, map: Option<&Map>) -> Result<Option<Sliders>> {
    if subject.session.model.can().decode.is_none() {
        return Ok(None);
    }
    let latent = subject.session.latent()?;
    let (dimensions, centre) = dimensions(map.map(|map| &map.coded), latent);
    let rows = map.map(|map| &map.rows);
    let (_, known) = subject.known(0);
    let told = Told::of(subject, &known);
    let program = portable(subject.session, (latent, subject.form.condition))?;
    let (decodes, why) = (program.is_ok(), program.as_ref().err().cloned());
    let recorded = record(subject, rows, &dimensions, (&centre, &known))?;
    let data = json!({
        "centre": centre,
        "dimensions": dimensions.iter().map(|d| json!({ "number": d.number, "low": d.low, "high": d.high, "steps": d.steps })).collect::<Vec<_>>(),
        "look": look(subject, rows),
        "told": told.data(),
        "known": known,
        "program": program.ok(),
        "recorded": if decodes { Value::Null } else { recorded.data },
    });
    let normal = subject.session.model.can().generate.is_some() && subject.config.model.codes_are_standard_normal();
    let body = html! {
        p { (sentence(subject, decodes, why.as_deref(), &dimensions, latent)) }
        div class="turn" {
            div class="result" {
                (stage(subject))
                @if decodes {
                    div class="buttons" {
                        button type="button" id="to-mean" { "Mean code" }
                        @if normal { button type="button" id="to-drawn" { "Draw a code" } }
                        @if map.is_some() { button type="button" id="to-row" { "A row's code" } }
                    }
                }
            }
            div class="sliders" {
                @if decodes { (told.controls()) }
                @for one in dimensions.iter().take(SHOWN) { (slider(one, &centre, decodes)) }
                @if dimensions.len() > SHOWN {
                    details {
                        summary { (dimensions.len() - SHOWN) " more dimensions, which say less" }
                        @for one in dimensions.iter().skip(SHOWN) { (slider(one, &centre, decodes)) }
                    }
                }
            }
        }
        (recorded.shown)
    };
    let section = Section { id: "dimensions", title: "What the dimensions mean", body, data: Some(("sliders", data)) };
    Ok(Some(Sliders { section, decodes }))
}

/// The dimensions with their reach, and the code that they start from.
pub fn dimensions(coded: Option<&Coded>, latent: usize) -> (Vec<Dimension>, Vec<f32>) {
    let Some(coded) = coded else {
        let steps: Vec<f32> = (0..STEPS).map(|step| REACH * (2.0 * step as f32 / (STEPS - 1) as f32 - 1.0)).collect();
        let of = |number| Dimension { number, kl: None, low: -REACH, high: REACH, steps: steps.clone() };
        return ((0..latent.min(MOST)).map(of).collect(), vec![0.0; latent]);
    };
    let values = |number: usize| coded.means.iter().skip(number).step_by(latent).copied();
    let mut centre = vec![0.0; latent];
    coded.dimensions.iter().for_each(|of| centre[of.dimension] = of.mean as f32);
    let of = |of: &crate::apps::Dimension| {
        let number = of.dimension;
        let (low, high) = values(number).fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        // A dimension that says nothing is turned as far as the prior reaches.
        let (low, high) = if high - low > 1e-3 { (low, high) } else { (low - REACH, high + REACH) };
        Dimension { number, kl: of.kl, low, high, steps: quantiles(values(number), STEPS) }
    };
    (coded.dimensions.iter().take(MOST).map(of).collect(), centre)
}

/// The order of the dimensions, for people: that of their KL where it is known of each, and else that of their spread, where there are codes.
pub fn order(dimensions: &[Dimension]) -> &'static str {
    if dimensions.iter().any(|dimension| dimension.kl.is_some()) {
        "Dimensions come in the order of their KL, those that say most first."
    } else if dimensions.is_sorted_by_key(|dimension| dimension.number) {
        ""
    } else {
        "Dimensions whose codes differ most from row to row come first."
    }
}

/// What is seen, and where it comes from.
fn sentence(subject: &Subject, decodes: bool, why: Option<&str>, dimensions: &[Dimension], latent: usize) -> String {
    let mut text = match why.filter(|_| !decodes) {
        None => "Turn the numbers of a code, and see what the decoder makes of it: it runs in this page. ".to_string(),
        Some(why) => format!(
            "Turn one number of a code at a time, all others being at their mean, and see what was decoded beforehand ({why}). "
        ),
    };
    if !decodes && subject.form.condition > 0 {
        text += "What the model is told stays what it is for the first row. ";
    }
    text += order(dimensions);
    if dimensions.len() < latent {
        text += &format!(" Those behind the first {MOST} have no slider.");
    }
    text
}

/// Where what is decoded appears.
fn stage(subject: &Subject) -> Markup {
    const SAID: &str = "What the decoder makes of the code";
    html! {
        @match subject.look() {
            Look::Pictures(shape) => canvas id="decoded" class="pixels" role="img" aria-label=(SAID) width=(shape.width) height=(shape.height) {},
            Look::Table => div class="frame" tabindex="0" role="region" aria-label=(SAID) {
                table { caption { (SAID) } tbody id="decoded" {} }
            },
            Look::Vectors => svg id="decoded" class="wide" viewBox="0 0 240 120" role="img" aria-label=(SAID) {
                polyline class="curve ink-a" points="" {}
            },
        }
    }
}

fn slider(one: &Dimension, centre: &[f32], decodes: bool) -> Markup {
    let id = format!("z{}", one.number);
    let (low, high, step, value) = match decodes {
        true => {
            let at = centre[one.number].clamp(one.low, one.high);
            (
                format!("{:.4}", one.low),
                format!("{:.4}", one.high),
                format!("{:.5}", (one.high - one.low) / 200.0),
                format!("{at:.4}"),
            )
        }
        false => ("0".into(), (STEPS - 1).to_string(), "1".into(), (STEPS / 2).to_string()),
    };
    html! {
        div class="slider" {
            label for=(id) { "z" sub { (one.number) } @if let Some(kl) = one.kl { small { "KL " (format!("{kl:.2}")) " nats" } } }
            input type="range" id=(id) min=(low) max=(high) step=(step) value=(value) data-dimension=(one.number);
            output for=(id) {}
        }
    }
}

/// How the script shows what is decoded, the rows being such as these.
pub fn look(subject: &Subject, rows: Option<&Dataset>) -> Value {
    match subject.look() {
        Look::Pictures(shape) => {
            let (low, high) = natural(shape, rows).range;
            json!({ "kind": "pictures", "width": shape.width, "height": shape.height, "channels": shape.channels, "low": low, "high": high })
        }
        Look::Table => {
            let fields: Vec<Value> = subject.form.schema.spans().map(|(one, span)| field(one, span.start)).collect();
            json!({ "kind": "table", "fields": fields })
        }
        Look::Vectors => json!({ "kind": "vectors" }),
    }
}

/// How values become colours: as they do of the rows that are shown.
fn natural(shape: Shape, rows: Option<&Dataset>) -> Natural {
    let values = rows.map_or(vec![], |rows| rows.gather(0..rows.rows.min(64)).0);
    Natural::new(shape, values.iter())
}

/// What was decoded beforehand: what the script is given, and what is seen without one.
struct Recorded {
    data: Value,
    shown: Markup,
}

fn record(
    subject: &mut Subject,
    shown: Option<&Dataset>,
    dimensions: &[Dimension],
    (centre, known): (&[f32], &[f32]),
) -> Result<Recorded> {
    let look = subject.look();
    let recorded = &dimensions[..dimensions.len().min(RECORDED)];
    let mut codes = vec![];
    for one in recorded {
        for &value in &one.steps {
            let mut code = centre.to_vec();
            code[one.number] = value;
            codes.extend(code);
        }
    }
    let values = subject.session.decode(Given::new(&codes, &known.repeat(recorded.len() * STEPS)))?;
    let width = subject.form.schema.width();
    let rows: Vec<&[f32]> = values.chunks_exact(width).collect();
    Ok(match look {
        Look::Pictures(shape) => {
            let picture = together(&natural(shape, shown), (shape.width as u32, shape.height as u32), &rows);
            let source = sheet(&picture, shape.channels == 1)?;
            let names: Vec<String> = recorded.iter().map(|one| format!("z{}", one.number)).collect();
            let alt =
                format!("Decoded codes: dimensions {} downwards, from low to high values across", names.join(", "));
            let shown = html! {
                details open[recorded.len() <= 2] {
                    summary { "All at once" }
                    figure class="all" {
                        img id="recorded" class="pixels" src=(source) alt=(alt) width=(picture.width()) height=(picture.height());
                        figcaption { "A dimension in each line, those that say most above; values rise from left to right." }
                    }
                }
            };
            Recorded { data: json!({ "dimensions": recorded.len(), "steps": STEPS }), shown }
        }
        Look::Table => {
            let cells: Vec<Vec<String>> =
                rows.iter().map(|row| subject.form.schema.decode(row).iter().map(short).collect()).collect();
            Recorded { data: json!({ "dimensions": recorded.len(), "steps": STEPS, "cells": cells }), shown: html! {} }
        }
        Look::Vectors => {
            Recorded { data: json!({ "dimensions": recorded.len(), "steps": STEPS, "values": rows }), shown: html! {} }
        }
    })
}

/// Rows of pictures on one sheet, `STEPS` side by side.
fn together(natural: &Natural, (width, height): (u32, u32), rows: &[&[f32]]) -> RgbImage {
    let columns = STEPS as u32;
    let mut all = RgbImage::new(columns * width, (rows.len() as u32).div_ceil(columns) * height);
    for (at, row) in (0u32..).zip(rows) {
        replace(&mut all, &natural.picture(row), i64::from(at % columns * width), i64::from(at / columns * height));
    }
    all
}
