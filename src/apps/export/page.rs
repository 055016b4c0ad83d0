//! The page: what runs in it, and what was recorded for browsers where nothing runs.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{Markup, html};

use super::carried::{Carried, carried};
use super::programs::Bundled;
use crate::apps::report::{
    Dimension, Document, Look, Section, Subject, json, order, rebuilt, samples, source, text_of,
};
use crate::error::{Error, Result};
use crate::spoken::counted;

const STYLE: &str =
    concat!(include_str!("../../../assets/report/style.css"), include_str!("../../../assets/export/style.css"));
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../../../assets/report/page.js"),
    include_str!("../../../assets/report/rows.js"),
    include_str!("../../../assets/report/turning.js"),
    include_str!("../../../assets/export/runner.js"),
    include_str!("../../../assets/export/model.js"),
    include_str!("../../../assets/export/turn.js"),
    include_str!("../../../assets/export/map.js"),
    include_str!("../../../assets/export/rebuild.js"),
    include_str!("../../../assets/export/train.js"),
    include_str!("../../../assets/export/start.js"),
    "})();\n"
);
/// Sliders that are shown at once.
const SHOWN: usize = 8;

/// The text of a page, and how much of it are weights and rows.
///
/// # Errors
/// If the device fails.
pub fn page(subject: &mut Subject, bundled: Bundled, notes: &[String]) -> Result<(String, usize)> {
    let Bundled { mut bundle, steps, rows } = bundled;
    let carried = carried(subject)?;
    let contents: Vec<String> =
        std::mem::take(&mut bundle.contents).iter().map(|words| packed(&words.bytes())).collect::<Result<_>>()?;
    let mut numbers: usize = contents.iter().map(String::len).sum();
    numbers +=
        carried.rows.as_ref().map_or(0, |(rows, _)| 16 * (rows.rows * subject.session.model.features()).div_ceil(3));
    let programs = packed(&serde_json::to_vec(&bundle).map_err(Error::invalid)?)?;
    let recorded: Vec<Section> = [samples(subject)?, rebuilt(subject)?].into_iter().flatten().collect();
    let live: Vec<Section> = [
        turn(subject, &carried),
        rebuild(subject, &carried),
        new_rows(subject),
        (steps > 0).then(|| train(steps, rows)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let data = carried.data;
    let (kind, name) = (subject.config.model.kind.to_string(), source(subject));
    let body = html! {
        a class="skip" href="#main" { "Skip to the model" }
        header class="top" {
            p class="kicker" { "A model of elbo that runs in this page" }
            h1 { (kind) " on " span class="name" { (name) } }
            p class="lead" { (subject.config.model.kind.about.name) }
            p id="engine" class="engine" role="status" { "Shown here is what was recorded." }
            nav id="live-nav" aria-label="Sections" hidden {
                ul { @for section in &live { li { a href={ "#" (section.id) } { (section.title) } } } }
            }
        }
        main id="main" {
            @if !notes.is_empty() {
                div class="notes" role="note" { @for note in notes { p { (note) } } }
            }
            div id="live" hidden { @for section in &live { (section) } }
            div id="recorded" {
                noscript { p class="notes" { "Scripts are off, and the model runs by them: what is here was recorded." } }
                @for section in &recorded { (section) }
            }
        }
        footer {
            p { "Made by elbo " (env!("CARGO_PKG_VERSION")) ". This page is one file: it needs no network, and sends nothing anywhere." }
        }
        script type="application/json" id="data" { (json(&data)?) }
        script type="text/plain" id="programs" { (programs) }
        @for (at, one) in contents.iter().enumerate() { script type="text/plain" id={ "contents-" (at) } { (one) } }
    };
    let text = Document { title: format!("{kind} on {name}"), style: STYLE, script: SCRIPT, body }.into_text();
    Ok((text, numbers))
}

/// Bytes as Base64 of what gzip makes of them.
fn packed(bytes: &[u8]) -> Result<String> {
    let mut packer = GzEncoder::new(vec![], Compression::best());
    packer.write_all(bytes).and_then(|()| packer.finish()).map(|packed| text_of(&packed)).map_err(Error::invalid)
}

/// Codes that are turned.
fn turn(subject: &Subject, carried: &Carried) -> Option<Section> {
    if carried.dimensions.is_empty() {
        return None;
    }
    let sliders = |some: &[Dimension]| html! { @for one in some { (slider(one, carried.centre[one.number])) } };
    let (first, others) = carried.dimensions.split_at(SHOWN.min(carried.dimensions.len()));
    let has_map = carried.centre.len() == 2;
    // The ends of a walk are shown small, where that says something.
    let is_seen = !matches!(subject.look(), Look::Table);
    let body = html! {
        p {
            "Turn the numbers of a code, and see what the decoder makes of it. "
            @if has_map { "Drag over the map, or turn one number at a time." } @else { (order(&carried.dimensions)) }
        }
        div class="turn" {
            div class="result" {
                (stage(subject, "decoded", "What the decoder makes of the code"))
                div class="buttons" {
                    button type="button" id="to-mean" { "Mean code" }
                    @if carried.is_normal { button type="button" id="to-drawn" { "Draw a code" } }
                    @if carried.rows.is_some() { button type="button" id="to-row" { "A row’s code" } }
                }
            }
            div class="sliders" {
                @if has_map {
                    div class="plane" id="plane" tabindex="0" role="group" aria-label="Map of the codes" aria-describedby="plane-hint" {
                        canvas id="manifold" class="pixels" width="16" height="16" aria-hidden="true" {}
                        svg viewBox="0 0 100 100" aria-hidden="true" { g id="plane-rows" class="dots" {} circle id="plane-code" class="chosen" r="2.6" {} }
                    }
                    p class="hint" id="plane-hint" { "Arrow keys move the code, with Shift in larger steps." }
                }
                (carried.told.controls())
                (sliders(first))
                @if !others.is_empty() {
                    details { summary { (others.len()) " more dimensions, which say less" } (sliders(others)) }
                }
            }
        }
        h3 id="walk-title" { "Walk between two codes" }
        div class="walk" role="group" aria-labelledby="walk-title" {
            div class="end" { @if is_seen { (stage(subject, "walk-a", "Code A")) } button type="button" id="set-a" { "A is the code above" } }
            div class="way" {
                label for="walk" { "From A to B" }
                input type="range" id="walk" min="0" max="1" step="0.005" value="0";
                button type="button" id="walk-play" aria-pressed="false" { "Walk" }
            }
            div class="end" { @if is_seen { (stage(subject, "walk-b", "Code B")) } button type="button" id="set-b" { "B is the code above" } }
        }
    };
    Some(Section { id: "turn", title: "Turn the code", body, data: None })
}

fn slider(one: &Dimension, value: f32) -> Markup {
    let id = format!("z{}", one.number);
    html! {
        div class="slider" {
            label for=(id) { "z" sub { (one.number) } @if let Some(kl) = one.kl { small { "KL " (format!("{kl:.2}")) " nats" } } }
            input type="range" id=(id) min=(format!("{:.4}", one.low)) max=(format!("{:.4}", one.high))
                step=(format!("{:.5}", (one.high - one.low) / 200.0)) value=(format!("{:.4}", value.clamp(one.low, one.high)));
            output for=(id) {}
        }
    }
}

/// Where a row is shown.
fn stage(subject: &Subject, id: &str, said: &str) -> Markup {
    html! {
        @match subject.look() {
            Look::Pictures(shape) => canvas id=(id) class="pixels" role="img" aria-label=(said) width=(shape.width) height=(shape.height) {},
            Look::Table => div class="frame" tabindex="0" role="region" aria-label=(said) { table { caption { (said) } tbody id=(id) {} } },
            Look::Vectors => svg id=(id) class="wide" viewBox="0 0 240 120" role="img" aria-label=(said) { polyline class="curve ink-a" points="" {} },
        }
    }
}

/// Rows that go through the model; pictures may be the visitor's own.
fn rebuild(subject: &Subject, carried: &Carried) -> Option<Section> {
    let is_picture = matches!(subject.look(), Look::Pictures(_));
    if carried.dimensions.is_empty() || (carried.rows.is_none() && !is_picture) {
        return None;
    }
    let body = html! {
        p {
            @if is_picture { "Draw a picture, drop one here, or take a row of the data: the encoder finds its code, and the decoder builds it again." }
            @else { "Take a row of the data: the encoder finds its code, and the decoder builds it again." }
        }
        div class="pair" id="drop" {
            div {
                @if let Look::Pictures(shape) = subject.look() {
                    canvas id="pad" class="pixels pad" role="img" aria-label="What goes in: draw here with a pointer" width=(shape.width) height=(shape.height) {}
                } @else { (stage(subject, "given", "What goes in")) }
            }
            div { (stage(subject, "rebuilt-row", "What the model makes of it")) }
        }
        div class="buttons" {
            @if let Some((_, names)) = &carried.rows {
                label class="field" for="row" { "Row of the data "
                    select id="row" { option value="" { "…" } @for (at, name) in names.iter().enumerate() { option value=(at) { (name) } } }
                }
            }
            @if let Look::Pictures(shape) = subject.look() {
                @if shape.channels == 3 { label class="field" { "Colour " input type="color" id="ink" value="#e0a030"; } }
                button type="button" id="clear" { "Clear" }
                label class="file" { input type="file" id="file" accept="image/*"; span { "Choose a picture" } }
            }
            button type="button" id="to-code" { "Turn its code" }
        }
        p class="note" id="rebuild-said" role="status" {}
    };
    let title = if is_picture { "Build a picture again" } else { "Build a row again" };
    Some(Section { id: "rebuild", title, body, data: None })
}

/// New rows from the prior.
fn new_rows(subject: &Subject) -> Option<Section> {
    subject.session.model.can().generate.as_ref()?;
    let body = html! {
        p { "Rows that are in no data: codes drawn from the prior, and what the decoder makes of them." }
        @match subject.look() {
            Look::Pictures(_) => ul id="new-rows" class="pictures wide-pictures" aria-label="New rows" {},
            Look::Table => div class="frame" tabindex="0" role="region" aria-label="New lines" { table { caption { "New lines, each in a column" } tbody id="new-rows" {} } },
            Look::Vectors => div id="new-rows" class="lines" {},
        }
        div class="buttons" { button type="button" id="draw" { "Draw others" } }
    };
    Some(Section { id: "new", title: "New rows", body, data: None })
}

/// Training that goes on.
fn train(steps: usize, rows: usize) -> Section {
    let body = html! {
        p {
            "Training goes on from where the run stopped, over " (counted(rows, "row")) " that this page carries, for up to "
            (counted(steps, "step")) ". All that is above follows."
        }
        div class="buttons" {
            button type="button" id="train-go" aria-pressed="false" { "Train" }
            button type="button" id="train-back" { "Back to the start" }
        }
        figure class="chart live-chart" {
            figcaption id="loss-title" { h3 { "Loss of each step" } }
            svg id="loss" viewBox="0 0 720 240" role="img" aria-labelledby="loss-title" {
                g class="grid" id="loss-grid" {}
                g class="ticks" id="loss-ticks" aria-hidden="true" {}
                polyline class="curve faint" id="loss-steps" points="" {}
                polyline class="curve ink-a" id="loss-mean" points="" {}
            }
        }
        dl class="readings" {
            div { dt { "Step" } dd id="train-step" { "0 of " (steps) } }
            div { dt { "Loss, mean of 20 steps" } dd id="train-loss" { "–" } }
            div { dt { "Steps a second" } dd id="train-speed" { "–" } }
        }
        p class="note" id="train-said" role="status" {}
    };
    Section { id: "train", title: "Train on", body, data: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_hold_nothing_that_would_end_them_and_make_no_html_of_text() {
        for forbidden in [
            "</script",
            "<!--",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "https://",
            "fetch(",
        ] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
        assert!(!STYLE.contains("</style") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn what_is_packed_is_gzip() {
        // The first bytes of gzip are 1f 8b 08.
        assert!(packed(b"words words words").unwrap().starts_with("H4sI"));
    }
}
