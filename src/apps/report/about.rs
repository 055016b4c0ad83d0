//! What was trained on what, in words, and the commands that do it again.

use std::path::Path;
use std::time::Duration;

use maud::{Markup, html};

use super::page::{Section, source};
use super::subject::{Held, Subject};
use crate::apps::described;
use crate::config::FILE_NAME;
use crate::error::Result;
use crate::spoken::{count, duration};
use crate::training::metrics::{EpochRecord, Split};

/// What there is to know of a run.
pub fn section(subject: &mut Subject, history: &[EpochRecord]) -> Result<Section> {
    let facts = facts(subject, history)?;
    let body = html! {
        (tiles(subject, history))
        dl class="facts" {
            @for (name, lines) in &facts {
                div { dt { (name) } dd { @for line in lines { span { (line) } } } }
            }
        }
        h3 { "Do it again" }
        pre tabindex="0" role="region" aria-label="Commands" { code { (commands(subject).join("\n")) } }
        details {
            summary { "All settings" }
            pre tabindex="0" role="region" aria-label="Settings" { code { (subject.config.to_toml()?) } }
        }
    };
    Ok(Section { id: "about", title: "What was learnt", body, data: None })
}

/// The figures that people look for first.
fn tiles(subject: &Subject, history: &[EpochRecord]) -> Markup {
    let is_variational = subject.config.model.kind.is_variational;
    let of_weights: Vec<&EpochRecord> = history.iter().filter(|record| record.epoch == subject.weights_of()).collect();
    // What is judged by comes last: training, validation, test.
    let last = of_weights.iter().max_by_key(|record| record.split);
    let mut tiles = vec![];
    if let Some(record) = last {
        let (name, value) = if is_variational { ("ELBO", record.elbo) } else { ("Loss", record.loss) };
        tiles.push((format!("{value:.2}"), format!("{name}, {} rows", spoken(record.split))));
    }
    tiles.push((count(subject.session.layout.count() as u64), "parameters".to_string()));
    tiles.push((count(epochs(subject, history)), "epochs".to_string()));
    if let Some(time) = time(history) {
        tiles.push((time, "of training".to_string()));
    }
    html! { ul class="tiles" { @for (value, name) in &tiles { li { strong { (value) } span { (name) } } } } }
}

/// Epochs that were trained, which are more than those of the weights where the best were kept.
fn epochs(subject: &Subject, history: &[EpochRecord]) -> u64 {
    history.iter().map(|record| record.epoch).fold(subject.epoch, u64::max)
}

/// The rows of a part, for people.
pub fn spoken(split: Split) -> &'static str {
    match split {
        Split::Train => "training",
        Split::Validation => "validation",
        Split::Test => "test",
    }
}

/// What all epochs took, measuring included.
fn time(history: &[EpochRecord]) -> Option<String> {
    let seconds: f64 = history.iter().filter_map(|record| record.seconds).filter(|seconds| seconds.is_finite()).sum();
    (seconds > 0.0).then(|| duration(Duration::from_secs_f64(seconds)))
}

fn facts(subject: &Subject, history: &[EpochRecord]) -> Result<Vec<(&'static str, Vec<String>)>> {
    let (config, form) = (subject.config, subject.form);
    let (model, training) = (&config.model, &config.training);
    let mut facts = vec![];
    let mut data = vec![subject.splits.map_or_else(|| source(subject), |splits| splits.train.describe())];
    if let Some(splits) = subject.splits {
        data.extend((!splits.origin.format.is_empty()).then(|| splits.origin.format.clone()));
        let held_out = [(&splits.validation, "validation"), (&splits.test, "test")];
        data.extend(held_out.into_iter().filter_map(|(rows, name)| {
            rows.as_ref().map(|rows| format!("{} rows held out for {name}", count(rows.rows as u64)))
        }));
        data.extend(splits.origin.warnings.iter().map(|warning| format!("Warning: {warning}")));
    }
    facts.push(("Data", data));
    if let Held::Rows(split, rows) = &subject.held {
        let shown = format!("{} {} rows of {}", count(rows.rows as u64), spoken(*split), rows.name);
        facts.push(("Shown here", vec![shown]));
    }
    let classes = subject.session.model.can().decode.is_none().then_some(form.classes.len());
    facts.push(("Model", vec![model.kind.about.name.to_string(), described(config, form.shape(), classes)?]));
    let mut loss = vec![format!("reconstruction by {}", model.likelihood)];
    if model.kind.is_variational {
        loss.push(format!("posterior {}, prior {}", model.posterior, model.prior));
        loss.push(format!("objective {}, weight of the KL {}", model.objective, model.beta));
    }
    facts.push(("Loss", loss));
    if form.condition > 0 {
        let told = match form.classes.is_empty() {
            true => subject.told().join(", "),
            false => format!("which of {} classes", form.classes.len()),
        };
        facts.push(("Told of every row", vec![told]));
    }
    let weights = match subject.best {
        Some(best) => {
            format!("weights of epoch {}, the best by the loss of the validation rows ({:.2})", best.epoch, best.loss)
        }
        None => "weights of the last epoch".to_string(),
    };
    facts.push((
        "Training",
        vec![
            format!("{} of {} epochs in batches of {} rows", epochs(subject, history), training.epochs, training.batch),
            format!("{}, learning rate {}", training.optimiser, training.learning_rate),
            format!("preset {}; {weights}", config.preset.name()),
        ],
    ));
    let device = subject.device.clone().unwrap_or_else(|| format!("--device {} was asked for", config.device.device));
    facts.push(("Device", vec![device]));
    facts.extend(time(history).map(|time| ("Time", vec![format!("{time}, with measuring after each epoch")])));
    facts.push(("Seed", vec![training.seed.to_string()]));
    Ok(facts)
}

/// What to type, so that the same comes out again.
fn commands(subject: &Subject) -> Vec<String> {
    let run = quoted(&subject.folder.to_string_lossy());
    if !subject.is_run {
        return vec![format!(
            "elbo train --data {} --seed {}",
            quoted(&subject.config.data.source),
            subject.config.training.seed
        )];
    }
    let settings = quoted(&Path::new(subject.folder).join(FILE_NAME).to_string_lossy());
    let mut all = vec![format!("elbo train --config {settings} --out again")];
    let can = subject.session.model.can();
    all.extend(can.encode.is_some().then(|| format!("elbo evaluate {run}")));
    all.push(format!("elbo report {run}"));
    all
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,+@".contains(c));
    if is_plain { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_where_a_shell_would_part_or_read_them() {
        let words = ["runs/vae-digits", "my run", "it's; rm -rf", "$(x)", ""];
        assert_eq!(words.map(quoted), ["runs/vae-digits", "'my run'", "'it'\\''s; rm -rf'", "'$(x)'", "''"]);
    }
}
