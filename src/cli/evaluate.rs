//! `elbo evaluate`.

use super::args::EvaluateArgs;
use super::style::{Align, Table};
use crate::apps::{Saved, open_device};
use crate::config::{Binarise, ModelKind};
use crate::error::{Error, Result};
use crate::training::metrics::{EpochRecord, Split};

/// Measures a trained model on its test set.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    let executor = open_device(&args.device)?;
    if !args.json {
        println!("Device: {}", executor.describe());
    }
    let mut saved = Saved::open(&args.run, executor)?;
    let splits = saved.data(args.data.as_deref())?;
    let (split, data) = match (&splits.test, &splits.validation) {
        (Some(data), _) => (Split::Test, data),
        (None, Some(data)) => (Split::Validation, data),
        (None, None) => (Split::Train, &splits.train),
    };
    let config = &saved.config;
    let how = (config.training.batch, config.model.beta, config.data.binarise == Binarise::Dynamic);
    let (mut record, _) = saved.session.evaluate(split, data, how)?;
    record.epoch = saved.epoch;
    if args.json {
        let text = serde_json::to_string(&record).map_err(Error::invalid)?;
        println!("{text}");
        return Ok(());
    }
    println!("Data:   {} ({split} set, {} rows)\n", data.name, data.rows);
    print!("{}", table(&record, saved.config.model.kind));
    Ok(())
}

fn table(record: &EpochRecord, kind: ModelKind) -> Table {
    let mut table = Table::new(&[("measure", Align::Left), ("value", Align::Right), ("unit", Align::Left)]);
    let nats = "nats per example";
    let number = |value: f64| format!("{value:.3}");
    match kind {
        ModelKind::Vae => {
            table.row(["ELBO".to_string(), number(record.elbo), nats.to_string()]);
            table.row(["reconstruction, -ln p(x|z)".to_string(), number(record.reconstruction), nats.to_string()]);
            table.row(["KL(q(z|x) || p(z))".to_string(), number(record.kl), nats.to_string()]);
            table.row(["loss, with beta".to_string(), number(record.loss), nats.to_string()]);
            if let Some(bits) = record.bits_per_dimension {
                table.row(["-ELBO".to_string(), format!("{bits:.4}"), "bits per dimension".to_string()]);
            }
            if let Some(units) = record.active_units {
                let of = format!("of {} latent dimensions", record.kl_per_dimension.len());
                table.row(["active units".to_string(), units.to_string(), of]);
            }
        }
        ModelKind::Ae => table.row(["loss".to_string(), number(record.loss), nats.to_string()]),
    }
    table
}
