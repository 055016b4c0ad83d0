//! What the measurements did from epoch to epoch, as drawings that scale.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::about::spoken;
use super::page::Section;
use super::subject::Subject;
use super::tables;
use crate::apps::pictures::{Axis, bulk, visible};
use crate::distributions::Measure;
use crate::error::Result;
use crate::training::metrics::{EpochRecord, Split};

/// The size of a drawing, and the room for its labels: above, right, below, left.
const SIZE: (f64, f64) = (360.0, 220.0);
const ROOM: [f64; 4] = [12.0, 10.0, 38.0, 52.0];
/// Of more epochs, some are left out.
const MOST: usize = 400;
/// Lines of the table.
const LINES: usize = 40;

/// The epochs and values of every part of the data.
type Series = Vec<(Split, Vec<(f64, f64)>)>;

/// What is drawn of every epoch.
struct Panel {
    title: &'static str,
    value: fn(&EpochRecord) -> f64,
    /// Whether it is one number for all parts of the data.
    is_of_training: bool,
}

const ELBO: Panel = Panel { title: "ELBO", value: |record| record.elbo, is_of_training: false };
const LOSS: Panel = Panel { title: "Loss", value: |record| record.loss, is_of_training: false };
const RECONSTRUCTION: Panel =
    Panel { title: "Reconstruction", value: |record| record.reconstruction, is_of_training: false };
const KL: Panel = Panel { title: "KL", value: |record| record.kl, is_of_training: false };
const ACCURACY: Panel = Panel {
    title: "Accuracy",
    value: |record| record.parts.get("accuracy").copied().unwrap_or(f64::NAN),
    is_of_training: false,
};
const TOLD: Panel = Panel {
    title: "Accuracy of the discriminator",
    value: |record| record.parts.get("discriminator_accuracy").copied().unwrap_or(f64::NAN),
    is_of_training: false,
};
const GENERATOR: Panel = Panel {
    title: "Loss of the generator",
    value: |record| record.parts.get("generator_loss").copied().unwrap_or(f64::NAN),
    is_of_training: false,
};
const WEIGHT: Panel =
    Panel { title: "Weight of the KL", value: |record| record.beta.unwrap_or(f64::NAN), is_of_training: true };

/// The curves of all epochs.
pub fn section(subject: &Subject, history: &[EpochRecord]) -> Result<Section> {
    let (id, title) = ("curves", "Learning curves");
    if history.is_empty() {
        let body = html! { p { "There are no measurements of the epochs beside this model (metrics.jsonl), so there are no curves." } };
        return Ok(Section { id, title, body, data: None });
    }
    let panels: Vec<(&Panel, Series)> =
        panels(subject, history).into_iter().map(|panel| (panel, series(panel, history))).collect();
    let unit = subject.session.model.measure(subject.rows().is_some_and(|rows| rows.is_black_and_white())).unit();
    let drawings: Vec<(Markup, Value)> =
        panels.iter().enumerate().map(|(at, (panel, series))| drawing(at, panel, series)).collect();
    let splits: Vec<Split> =
        panels.first().map_or(vec![], |(_, series)| series.iter().map(|(split, _)| *split).collect());
    let body = html! {
        p { "In " (unit) ", means over the rows of each part of the data. " (falling(subject)) }
        ul class="key" aria-label="Colours" { @for split in splits { li { span class={ "swatch " (ink(split)) } {} (spoken(split)) } } }
        div class="charts" { @for (drawing, _) in &drawings { (drawing) } }
        details { summary { "The same as a table" } (table(&panels)) }
    };
    let data: Vec<&Value> = drawings.iter().map(|(_, data)| data).collect();
    Ok(Section { id, title, body, data: Some(("curves", json!(data))) })
}

/// How to read them.
fn falling(subject: &Subject) -> &'static str {
    let measure = subject.session.model.measure(false);
    match subject.config.model.kind.is_variational {
        _ if matches!(measure, Measure::Adversarial | Measure::Features) => {
            "Two networks play against each other: neither loss falls for good, and neither says how good new rows are."
        }
        true => {
            "Where the ELBO of the training rows still rises and that of the others falls, the model learns by heart."
        }
        false => {
            "Where the loss of the training rows still falls and that of the others rises, the model learns by heart."
        }
    }
}

fn panels(subject: &Subject, history: &[EpochRecord]) -> Vec<&'static Panel> {
    if !subject.config.model.kind.is_variational {
        let beside = [("accuracy", &ACCURACY), ("generator_loss", &GENERATOR), ("discriminator_accuracy", &TOLD)];
        let is_told = |name: &str| history.iter().any(|record| record.parts.contains_key(name));
        let beside = beside.into_iter().filter(|(name, _)| is_told(name)).map(|(_, panel)| panel);
        return std::iter::once(&LOSS).chain(beside).collect();
    }
    let weights: Vec<f64> =
        history.iter().filter(|record| record.split == Split::Train).filter_map(|record| record.beta).collect();
    let mut all = vec![&ELBO, &RECONSTRUCTION, &KL];
    all.extend(weights.windows(2).any(|pair| pair[0] != pair[1]).then_some(&WEIGHT));
    all
}

/// The epochs and values of every part of the data.
fn series(panel: &Panel, history: &[EpochRecord]) -> Series {
    let splits = [Split::Train, Split::Validation, Split::Test];
    let of = |split: Split| -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = history
            .iter()
            .filter(|record| record.split == split)
            .map(|record| (record.epoch as f64, (panel.value)(record)))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        thinned(points, MOST)
    };
    let shown = splits.into_iter().filter(|split| !panel.is_of_training || *split == Split::Train);
    shown.map(|split| (split, of(split))).filter(|(_, points)| !points.is_empty()).collect()
}

/// At most so many of them, the first and the last included.
fn thinned<T: Copy>(all: Vec<T>, most: usize) -> Vec<T> {
    if all.len() <= most {
        return all;
    }
    (0..most).map(|i| all[i * (all.len() - 1) / (most - 1)]).collect()
}

fn ink(split: Split) -> &'static str {
    match split {
        Split::Train => "ink-a",
        Split::Validation => "ink-b",
        Split::Test => "ink-c",
    }
}

fn drawing(at: usize, panel: &Panel, series: &[(Split, Vec<(f64, f64)>)]) -> (Markup, Value) {
    let ((width, height), [above, right, below, left]) = (SIZE, ROOM);
    let points = || series.iter().flat_map(|(_, points)| points.iter().copied());
    let (first, last) = points().fold((f64::INFINITY, 0.0_f64), |(a, b), p| (a.min(p.0), b.max(p.0)));
    let span = if last > first { (first, last) } else { (first - 0.5, first + 0.5) };
    let (low, high) = bulk(points().map(|point| point.1));
    let (x, y) = (Axis::whole("epoch", span, 5), Axis::new("", (low, high), 4));
    let across = |value: f64| left + (value - span.0) / (span.1 - span.0) * (width - left - right);
    let up = |value: f64| height - below - (value - low) / (high - low) * (height - above - below);
    let said: Vec<String> = series
        .iter()
        .filter_map(|(split, points)| Some(format!("{} rows end at {:.3}", spoken(*split), points.last()?.1)))
        .collect();
    let path = |points: &[(f64, f64)]| -> String {
        let pieces = visible(points, low, high).into_iter().map(|piece| {
            let places: Vec<String> = piece.iter().map(|p| format!("{:.1} {:.1}", across(p.0), up(p.1))).collect();
            // A lone value is a dot: a line to where it is already.
            format!("M{}{}", places.join("L"), if places.len() == 1 { "h0" } else { "" })
        });
        pieces.collect()
    };
    let markup = html! {
        figure class="chart" {
            figcaption id={ "chart-" (at) } { h3 { (panel.title) } }
            div class="stage" tabindex="0" role="group" aria-labelledby={ "chart-" (at) } aria-description="Arrow keys read the values of an epoch" data-chart=(at) {
                svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label={ (panel.title) " over epochs: " (said.join("; ")) } {
                    g class="grid" {
                        @for (value, _) in &y.ticks { line x1=(left) x2=(width - right) y1=(places(up(*value))) y2=(places(up(*value))) {} }
                    }
                    g class="ticks" aria-hidden="true" {
                        @for (value, text) in &y.ticks { text x=(left - 6.0) y=(places(up(*value) + 4.0)) text-anchor="end" { (text) } }
                        @for (value, text) in &x.ticks { text x=(places(across(*value))) y=(height - below + 16.0) text-anchor="middle" { (text) } }
                        text x=(places((left + width - right) / 2.0)) y=(height - 4.0) text-anchor="middle" { "epoch" }
                    }
                    @for (split, points) in series { path class={ "curve " (ink(*split)) } d=(path(points)) {} }
                    line class="cursor" x1="0" x2="0" y1=(above) y2=(height - below) visibility="hidden" {}
                }
                p class="readout" role="status" {}
            }
        }
    };
    let all: Vec<Value> = series
        .iter()
        .map(|(split, points)| json!({ "name": spoken(*split), "points": points.iter().map(|p| json!([p.0, rounded(p.1)])).collect::<Vec<_>>() }))
        .collect();
    (markup, json!({ "from": span.0, "to": span.1, "left": left, "right": width - right, "series": all }))
}

/// A place in a drawing.
fn places(value: f64) -> String {
    format!("{value:.1}")
}

/// Six digits: enough to read, and short.
fn rounded(value: f64) -> Option<f64> {
    value.is_finite().then(|| format!("{value:.5e}").parse().unwrap_or(value))
}

fn table(panels: &[(&Panel, Series)]) -> Markup {
    let columns: Vec<(String, &Vec<(f64, f64)>)> = panels
        .iter()
        .flat_map(|(panel, series)| {
            series.iter().map(|(split, points)| (format!("{}, {}", panel.title, spoken(*split)), points))
        })
        .collect();
    let epochs: Vec<f64> = columns.first().map_or(vec![], |(_, points)| points.iter().map(|point| point.0).collect());
    let rows: Vec<(String, Vec<String>)> = thinned(epochs, LINES)
        .into_iter()
        .map(|epoch| {
            let cell = |(_, points): &(String, &Vec<(f64, f64)>)| {
                points.iter().find(|point| point.0 == epoch).map_or(String::new(), |point| format!("{:.3}", point.1))
            };
            (epoch.to_string(), columns.iter().map(cell).collect())
        })
        .collect();
    let heads: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    tables::numbers("Measurements by epoch", "epoch", &heads, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_ends() {
        let all: Vec<usize> = (0..1001).collect();
        let kept = thinned(all, 5);
        assert_eq!(kept, [0, 250, 500, 750, 1000]);
        assert_eq!(thinned(vec![3, 1], 5), [3, 1]);
    }

    #[test]
    fn values_stand_where_they_are() {
        let points = vec![(1.0, 0.0), (2.0, 1.0), (3.0, f64::NAN)];
        let (markup, data) = drawing(0, &KL, &[(Split::Test, points)]);
        // From epoch 1 at the left edge of the frame to epoch 3 at its right: epoch 2 is in the middle.
        let text = markup.into_string();
        let middle = (52.0 + 350.0) / 2.0;
        assert!(text.contains(&format!("L{middle:.1} ")) && text.contains("d=\"M52.0 "), "{text}");
        assert_eq!(data["series"][0]["points"], json!([[1.0, 0.0], [2.0, 1.0], [3.0, null]]));
    }
}
