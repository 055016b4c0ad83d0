//! `elbo reproduce`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::args::{ReproduceArgs, train_config};
use super::interrupt::on_interrupt;
use super::style::{Align, Table, duration, significant};
use crate::apps::open_device;
use crate::apps::reproduce::{DATA, Found, Planned, ROWS, Row, perform};
use crate::config::Config;
use crate::error::{Error, Result};

/// Lists the rows of the literature, or runs one.
pub fn run(args: &ReproduceArgs) -> Result<()> {
    let Some(name) = &args.name else {
        list();
        return Ok(());
    };
    let row = Row::find(name)?;
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join("reproduce").join(row.name));
    let planned = plan(row, args)?;
    println!("{}: {}\n  source   {}\n  differs  {}", row.name, row.what, row.source, row.differs);
    println!("  takes    about {} on two processor cores\n", row.takes);
    let stopped = on_interrupt()?;
    let mut found = Found::default();
    for (run, config, options) in &planned {
        let into = folder.join(format!("{}-{}", run.id, config.training.seed));
        println!("elbo train {options} --seed {} --out {}", config.training.seed, into.display());
        let open = || open_device(&args.device);
        let seconds = perform(run, config, &into, &open, &|| stopped.load(Ordering::SeqCst), &mut found)?;
        println!("  {}", duration(Duration::from_secs_f64(seconds)));
    }
    let verdicts = row.verdicts(&found);
    if args.json {
        println!("{}", serde_json::to_string(&verdicts).map_err(Error::invalid)?);
    }
    let columns = [
        ("measured", Align::Left),
        ("got", Align::Right),
        ("paper", Align::Left),
        ("accepted", Align::Left),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for verdict in &verdicts {
        let got = significant(verdict.got, 4);
        let holds = if verdict.holds { "holds" } else { "does not hold" };
        table.row([verdict.what, &got, verdict.paper, verdict.accepted, holds]);
    }
    println!("\n{table}");
    match verdicts.iter().filter(|verdict| !verdict.holds).count() {
        0 => Ok(()),
        wrong => Err(Error::invalid(format!("{wrong} of {} checks do not hold", verdicts.len()))),
    }
}

/// The runs of a row with their settings and options; nothing is trained before all of them are known to be sound.
fn plan(row: &'static Row, args: &ReproduceArgs) -> Result<Vec<(&'static Planned, Config, String)>> {
    let data = args.data.display().to_string();
    let mut planned = Vec::new();
    for run in row.runs {
        let options = run.options.replace(DATA, &data);
        for &seed in run.seeds {
            let mut words: Vec<String> = run.options.split_whitespace().map(|w| w.replace(DATA, &data)).collect();
            words.extend(["--seed".to_string(), seed.to_string()]);
            planned.push((run, train_config(&words)?, options.clone()));
        }
    }
    Ok(planned)
}

fn list() {
    let mut table = Table::new(&[("row", Align::Left), ("takes about", Align::Right), ("what", Align::Left)]);
    for row in ROWS {
        table.row([row.name, row.takes, row.what]);
    }
    println!("{table}\nOne of them: elbo reproduce NAME --data FOLDER, the folder that holds mnist, frey...");
}
