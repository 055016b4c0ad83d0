//! `elbo reproduce`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::args::{ReproduceArgs, train_config};
use super::interrupt::on_interrupt;
use super::style::{Align, Table, duration, significant};
use crate::apps::open_device;
use crate::apps::reproduce::{Found, Planned, ROWS, Row, perform};
use crate::error::{Error, Result};

/// Lists the rows of the literature, or runs one.
pub fn run(args: &ReproduceArgs) -> Result<()> {
    let Some(name) = &args.name else {
        list();
        return Ok(());
    };
    let row = Row::find(name)?;
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join("reproduce").join(row.name));
    let planned = plan(row, args, &folder)?;
    println!("{}: {}\n  source   {}\n  differs  {}", row.name, row.what, row.source, row.differs);
    println!("  takes    about {} on two processor cores\n", row.takes);
    let stopped = on_interrupt()?;
    let mut found = Found::default();
    for &(run, seed) in &planned {
        let words = run.words(seed, &args.data, &folder);
        let config = train_config(&words)?;
        let into = folder.join(format!("{}-{seed}", run.id));
        println!("elbo train {} --out {}", words.join(" "), into.display());
        let open = || open_device(&args.device);
        let seconds = perform((run, row.uses), &config, &into, &open, &|| stopped.load(Ordering::SeqCst), &mut found)?;
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

/// The runs of a row, each with a seed; nothing is trained before all are known to be sound that stand by themselves.
fn plan(row: &'static Row, args: &ReproduceArgs, folder: &Path) -> Result<Vec<(&'static Planned, u64)>> {
    let all: Vec<_> = row.runs.iter().flat_map(|run| run.seeds.iter().map(move |&seed| (run, seed))).collect();
    for (run, seed) in all.iter().filter(|(run, _)| !run.stands_on_another()) {
        train_config(&run.words(*seed, &args.data, folder))?;
    }
    Ok(all)
}

fn list() {
    let mut table = Table::new(&[("row", Align::Left), ("takes about", Align::Right), ("what", Align::Left)]);
    for row in ROWS {
        table.row([row.name, row.takes, row.what]);
    }
    println!("{table}\nOne of them: elbo reproduce NAME --data FOLDER, the folder that holds mnist, frey...");
}
