//! The page: its head, its sections one below the other, their data, styles and scripts.

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use serde_json::{Map, Value};

use super::Data;
use super::inline::{hash, json};
use super::subject::Subject;
use crate::error::Result;

const STYLE: &str = include_str!("../../../assets/report/style.css");
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../../../assets/report/page.js"),
    include_str!("../../../assets/report/functions.js"),
    include_str!("../../../assets/report/decoder.js"),
    include_str!("../../../assets/report/rows.js"),
    include_str!("../../../assets/report/turning.js"),
    include_str!("../../../assets/report/curves.js"),
    include_str!("../../../assets/report/map.js"),
    include_str!("../../../assets/report/sliders.js"),
    include_str!("../../../assets/report/start.js"),
    "})();\n"
);

/// A part of the page.
pub struct Section {
    /// What links to it name.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it says.
    pub body: Markup,
    /// What its script is given.
    pub data: Option<Data>,
}

/// The whole text of a page.
pub fn page(subject: &Subject, sections: &[Section], notes: &[String]) -> Result<String> {
    let data: Map<String, Value> = sections
        .iter()
        .filter_map(|section| section.data.clone())
        .map(|(name, data)| (name.to_string(), data))
        .collect();
    let (kind, name) = (subject.config.model.kind.to_string(), source(subject));
    let body = html! {
        a class="skip" href="#main" { "Skip to the report" }
        header class="top" {
            p class="kicker" { "A report of elbo" }
            h1 { (kind) " on " span class="name" { (name) } }
            p class="lead" { (subject.config.model.kind.about.name) }
            nav aria-label="Sections" {
                ul { @for section in sections { li { a href={ "#" (section.id) } { (section.title) } } } }
            }
        }
        main id="main" {
            @if !notes.is_empty() {
                div class="notes" role="note" { @for note in notes { p { (note) } } }
            }
            noscript { p class="notes" { "Scripts are off: curves, map and pictures are here, and sliders and details are not." } }
            @for section in sections { (section) }
        }
        footer {
            p { "Made by elbo " (env!("CARGO_PKG_VERSION")) ". This page is one file: it needs no network, and sends nothing anywhere." }
        }
        script type="application/json" id="data" { (json(&data)?) }
    };
    Ok(Document { title: format!("{kind} on {name}"), style: STYLE, script: SCRIPT, body }.into_text())
}

impl Render for Section {
    fn render(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby={ (self.id) "-title" } {
                h2 id={ (self.id) "-title" } { (self.title) }
                (self.body)
            }
        }
    }
}

/// A page that fetches, sends and frames nothing, and runs no script or style but its own.
pub struct Document {
    /// Its title.
    pub title: String,
    /// Its style.
    pub style: &'static str,
    /// Its script, which runs behind the body.
    pub script: &'static str,
    /// All that is seen, and the data of the script.
    pub body: Markup,
}

impl Document {
    /// The text of the page.
    pub fn into_text(self) -> String {
        let Document { title, style, script, body } = self;
        let policy = format!(
            "default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
            hash(style),
            hash(script)
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content=(concat!("elbo ", env!("CARGO_PKG_VERSION")));
                    title { (title) " – elbo" }
                    style { (PreEscaped(style)) }
                }
                body {
                    (body)
                    script { (PreEscaped(script)) }
                }
            }
        };
        page.into_string()
    }
}

/// What people call the data.
pub fn source(subject: &Subject) -> String {
    match subject.splits {
        Some(splits) => splits.train.name.clone(),
        None => {
            let source = std::path::Path::new(&subject.config.data.source);
            source.file_name().map_or(subject.config.data.source.clone(), |name| name.to_string_lossy().into_owned())
        }
    }
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
            "http://",
            "https://",
        ] {
            // The namespace of SVG is a name, and nothing is fetched by it.
            let text = SCRIPT.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains(forbidden), "{forbidden}");
        }
        assert!(!STYLE.contains("</style") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
