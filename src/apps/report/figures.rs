//! What the model was measured at: the last evaluation, or else what was measured while it trained.

use maud::{Markup, html};

use super::about::spoken;
use super::page::Section;
use super::subject::Subject;
use super::tables::framed;
use crate::apps::{Comparison, EVALUATION, Evaluation, KlEstimator};
use crate::error::{Error, Result};
use crate::files::read_own;
use crate::spoken::count;
use crate::training::metrics::EpochRecord;

/// The most bytes that an evaluation may have.
const MAX_BYTES: u64 = 64 << 20;

/// Figures, and where they are from.
pub struct Found {
    evaluation: Evaluation,
    from: String,
}

/// The figures of a model, where there are any.
///
/// # Errors
/// If the evaluation is there and cannot be read.
pub fn found(subject: &Subject, history: &[EpochRecord]) -> Result<Option<Found>> {
    let path = subject.folder.join(EVALUATION);
    if subject.is_run && path.is_file() {
        let text = read_own(&path, "an evaluation", MAX_BYTES)?;
        let evaluation: Evaluation = serde_json::from_slice(&text).map_err(|error| {
            Error::malformed(
                &path,
                format!("no evaluation ({error}): run `elbo evaluate` again, or take the file away"),
            )
        })?;
        // One of other weights says nothing of these.
        if evaluation.record.epoch == subject.weights_of() {
            let of_first = match evaluation.members.len() {
                0 => String::new(),
                models => format!(
                    " These are figures of the mixture of {models} models; pictures, codes and curves on this page are of the first."
                ),
            };
            let from = format!(
                "By elbo evaluate, of {} {} rows of {}.{of_first}",
                count(evaluation.rows as u64),
                spoken(evaluation.record.split),
                evaluation.data
            );
            return Ok(Some(Found { evaluation, from }));
        }
    }
    let of_weights = history.iter().filter(|record| record.epoch == subject.weights_of());
    let Some(record) = of_weights.max_by_key(|record| record.split).cloned() else { return Ok(None) };
    let from = format!(
        "Measured on the {} rows after epoch {}. elbo evaluate {} says more: the likelihood, and whether codes lie as the prior has them.",
        spoken(record.split),
        record.epoch,
        subject.folder.display()
    );
    let model = &*subject.session.model;
    let is_black_and_white = subject.rows().is_some_and(|rows| rows.is_black_and_white());
    let latent = model.can().decode.is_some().then(|| subject.session.latent()).transpose()?;
    let evaluation = Evaluation {
        data: String::new(),
        rows: 0,
        latent,
        record,
        measure: model.measure(is_black_and_white),
        binarisation_seed: None,
        notes: vec![],
        kl_estimator: KlEstimator::of(model),
        importance: None,
        nll_bits_per_dimension: None,
        reconstruction_error: None,
        columns: vec![],
        aggregate_posterior: Default::default(),
        disentanglement: Default::default(),
        excluded_factors: vec![],
        members: vec![],
    };
    Ok(Some(Found { evaluation, from }))
}

/// The figures with what they mean.
pub fn section(subject: &Subject, found: Option<Found>) -> Result<Section> {
    let (id, title) = ("figures", "Figures, and what they mean");
    let Some(Found { evaluation, from }) = found else {
        let body = html! { p { "Nothing was measured beside this model. " code { "elbo evaluate " (subject.folder.display()) } " measures it." } };
        return Ok(Section { id, title, body, data: None });
    };
    let body = html! {
        p { (from) }
        (main(&evaluation))
        (beside("Codes against the prior", ["distance", "standard error", "prior and itself"], &evaluation.distances()))
        (beside("Codes against known factors", ["score", "by chance", "perfect"], &evaluation.scores()))
        @if !evaluation.columns.is_empty() { (columns(&evaluation)) }
        @for note in evaluation.excluded_factors.iter().chain(&evaluation.notes) { p class="note" { (note) } }
    };
    Ok(Section { id, title, body, data: None })
}

fn main(evaluation: &Evaluation) -> Markup {
    html! {
        dl class="figures" {
            @for figure in evaluation.figures() {
                div class=[figure.name.starts_with(' ').then_some("detail")] {
                    dt { (figure.name.trim()) }
                    dd class="value" { strong { (figure.value) } " " span class="unit" { (figure.unit) } }
                    dd class="meaning" { (figure.meaning) }
                }
            }
        }
    }
}

/// Figures beside what they are compared with; nothing where there are none.
fn beside(caption: &str, heads: [&str; 3], all: &[Comparison]) -> Markup {
    html! {
        @if !all.is_empty() {
            h3 { (caption) }
            (framed(caption, html! {
                thead { tr { th scope="col" { "measure" } @for head in heads { th scope="col" class="number" { (head) } } } }
                tbody {
                    @for one in all {
                        tr {
                            th scope="row" { (one.name) small { (one.meaning) } }
                            @for value in &one.values { td class="number" { (value) } }
                        }
                    }
                }
            }))
        }
    }
}

fn columns(evaluation: &Evaluation) -> Markup {
    html! {
        h3 { "Columns" }
        p { "How far the cells of each column are off that are built again, beside what the best constant would give." }
        (framed("Errors by column", html! {
            thead { tr {
                th scope="col" { "column" }
                @for head in ["error", "of a constant"] { th scope="col" class="number" { (head) } }
                th scope="col" { "unit" }
            } }
            tbody {
                @for column in &evaluation.columns {
                    @let [error, constant, unit] = column.spoken();
                    tr {
                        th scope="row" { (column.name) small { (column.kind) } }
                        td class="number" { (error) }
                        td class="number" { (constant) }
                        td { (unit) }
                    }
                }
            }
        }))
    }
}
