//! `elbo fit-prior`.

use std::path::Path;
use std::time::Instant;

use super::args::FitPriorArgs;
use super::claim::Claimed;
use super::style::{Align, Table, count, duration, typed, word};
use crate::apps::{PriorFit, PriorFitted, fit_prior, open_device};
use crate::error::{Error, Result};

/// Fits a prior to the codes of a trained model.
pub fn run(args: &FitPriorArgs) -> Result<()> {
    let usual = PriorFit::usual(&args.run, args.prior.clone())?;
    let fit = PriorFit {
        epochs: args.epochs as usize,
        learning_rate: args.learning_rate.unwrap_or(usual.learning_rate),
        seed: args.seed,
        ..usual
    };
    let claimed = match &args.out {
        Some(folder) => Claimed::given(folder),
        None => {
            let mut name = args.run.components().as_path().as_os_str().to_owned();
            name.push(format!("-{}", fit.prior.id));
            Claimed::next_free(Path::new(&name))?
        }
    };
    let (started, what) = (Instant::now(), fit.loss());
    let mut say = |epoch: usize, loss: f64| {
        if !args.json {
            println!("epoch {epoch:3}  train: {what} {loss:.3}");
        }
    };
    let found = fit_prior(&args.run, &claimed.folder, &fit, &|| open_device(&args.device), &mut say)?;
    let folder = claimed.keep();
    if args.json {
        println!("{}", serde_json::to_string(&found).map_err(Error::invalid)?);
        return Ok(());
    }
    let rows = format!("{} rows held out ({})", count(found.rows as u64), found.split);
    println!("\n{}", table(&found, &rows));
    if let Some(note) = fit.note() {
        println!("{note}\n");
    }
    println!("{} parameters were fitted in {}.", count(found.parameters as u64), duration(started.elapsed()));
    println!("The run with this prior is kept in {}. Next: {} sample {}", folder.display(), typed(), word(&folder));
    Ok(())
}

fn table(found: &PriorFitted, rows: &str) -> Table {
    let (before, after) = (found.before.to_string(), found.after.to_string());
    let mut table = Table::new(&[(rows, Align::Left), (&before, Align::Right), (&after, Align::Right)]);
    let figures = [found.before_figures, found.after_figures];
    let mut row = |name: &str, [before, after]: [f64; 2]| {
        table.row([name.to_string(), format!("{before:.3}"), format!("{after:.3}")]);
    };
    row("-ln p(z) of codes, nats", figures.map(|f| f.cross_entropy));
    if let [Some(before), Some(after)] = figures.map(|f| f.elbo) {
        row("ELBO, nats per example", [before, after]);
    }
    table
}
