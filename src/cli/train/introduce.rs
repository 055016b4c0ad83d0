//! What is trained on what, in words.

use super::super::style;
use crate::apps::{TrainRun, described};
use crate::config::Chosen;
use crate::data::Schema;
use crate::data::schema::{Role, some_of};
use crate::error::Result;

/// Columns that sentences are filled into.
const WIDTH: usize = 100;

/// Says what is trained on what, where batches of so many rows were asked for.
pub(super) fn introduce(run: &TrainRun, batch: usize, chosen: Option<&Chosen>) -> Result<()> {
    println!("Data:   {}", run.data.train.describe());
    let origin = &run.data.origin;
    let skipped = origin.skipped.iter().map(|skipped| format!("left out: {skipped}"));
    let warnings = origin.warnings.iter().map(|warning| format!("warning: {warning}"));
    let said = [origin.format.clone()].into_iter().chain(origin.guesses.iter().cloned()).chain(skipped).chain(warnings);
    for sentence in said {
        let filled = textwrap::Options::new(WIDTH).initial_indent("        ").subsequent_indent("          ");
        println!("{}", textwrap::fill(&style::printable(&sentence), filled));
    }
    for (name, data) in [("validation", &run.data.validation), ("test", &run.data.test)] {
        if let Some(data) = data {
            println!("        {} rows held out for {name}", style::count(data.rows as u64));
        }
    }
    for line in columns(&run.data.train.schema) {
        println!("        {line}");
    }
    if run.config.training.batch < batch {
        println!("        in batches of {} rows, which are all there are", run.config.training.batch);
    }
    let model = &run.config.model;
    let classes = run.can().decode.is_none().then(|| run.classes());
    let layers = described(&run.config, run.data.train.shape(), classes)?;
    println!("Model:  {}, {layers}, {} parameters", model.kind, style::count(run.parameters() as u64));
    match run.kl_estimator() {
        Some(estimator) => println!("        reconstruction: {}; KL: {estimator}", run.measure()),
        None => println!("        loss: {}", run.measure()),
    }
    let (training, preset) = (&run.config.training, run.config.preset.name());
    let why = chosen.map_or(String::new(), |chosen| format!(", for {}; --preset names another", chosen.why));
    let passes = if training.epochs == 1 { "epoch" } else { "epochs" };
    let fewer =
        training.patience.map_or(String::new(), |n| format!(", fewer if validation rows get no better for {n}"));
    println!("        preset {preset}{why}; {} {passes}{fewer}", training.epochs);
    if let Some(first) = &run.config.first_stage {
        println!("        on codes of {}, frozen, {} parameters", first.run, style::count(run.frozen() as u64));
    }
    println!("Folder: {}", run.folder.display());
    for warning in run.warnings() {
        println!("        warning: {}", style::printable(warning));
    }
    if let Some(sentence) = warm_up(run) {
        println!("{}", textwrap::fill(&sentence, WIDTH));
    }
    if run.epochs_done() > 0 {
        println!("Going on after epoch {}.", run.epochs_done());
    }
    println!();
    Ok(())
}

/// What the columns of a table are taken for, by kind.
fn columns(schema: &Schema) -> Vec<String> {
    if !schema.is_table() {
        return vec![];
    }
    let mut kinds: Vec<(&str, Vec<&str>)> = vec![];
    for field in &schema.fields {
        let kind = match field.role {
            Role::Input => field.kind.name(),
            Role::Label => "label",
            Role::Condition => "told to the model",
            Role::Factor => "factor",
            Role::Split => "training, validation or test",
            Role::Weight => "weight of each row",
            Role::Identity => "identity, not learnt",
            Role::Ignored => "left out",
        };
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) => names.push(&field.name),
            None => kinds.push((kind, vec![&field.name])),
        }
    }
    let line = |(kind, names): (&str, Vec<&str>)| format!("{kind} ({}): {}", names.len(), some_of(&names));
    kinds.into_iter().map(line).collect()
}

/// What becomes of the weight of the KL term while it grows.
fn warm_up(run: &TrainRun) -> Option<String> {
    let training = &run.config.training;
    let (warm_up, epochs) = (training.kl_warmup_epochs, training.epochs);
    if run.kl_estimator().is_none() || warm_up == 0 {
        return None;
    }
    let ends = if warm_up > epochs {
        let weight = run.config.model.beta * epochs as f64 / warm_up as f64;
        format!(
            "warning: that is longer than the run, which ends at a weight of {weight:.2}: give a smaller --kl-warmup-epochs"
        )
    } else {
        "until then codes are cheap, and the ELBO may fall".to_string()
    };
    Some(format!("The weight of the KL term grows over the first {warm_up} of {epochs} epochs: {ends}."))
}
