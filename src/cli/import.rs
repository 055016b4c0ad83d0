//! `elbo import`.

use super::args::{ImportArgs, Resolved, resolve};
use super::claim::Claimed;
use super::style::{Align, Table, printable, typed, word};
use super::train::usual_folder;
use crate::apps::{Suggested, TrainRun, import, open_device, suggest_map};
use crate::error::{Error, Result};

/// Begins a run with the weights of another program, or says how that could be done.
pub fn run(args: &ImportArgs) -> Result<()> {
    let Resolved { config, chosen } = resolve(&args.training())?;
    let data = chosen.map(|(_, data)| data);
    let Some(map) = &args.map else {
        let suggested = suggest_map(config, data, &args.weights)?;
        match args.json {
            true => println!("{}", serde_json::to_string(&suggested).map_err(Error::invalid)?),
            false => show(&suggested),
        }
        return Ok(());
    };
    let claimed = match &args.out {
        Some(folder) => Claimed::given(folder),
        None => Claimed::next_free(&usual_folder(&config))?,
    };
    if TrainRun::is_in(&claimed.folder) {
        return Err(Error::invalid(format!("{} holds a run already: give another --out", claimed.folder.display())));
    }
    let executor = open_device(&config.device.device)?;
    let found = import((config, data), (&args.weights, map), &claimed.folder, executor)?;
    let folder = claimed.keep();
    if args.json {
        let mut found = serde_json::to_value(found).map_err(Error::invalid)?;
        found["folder"] = serde_json::json!(folder);
        println!("{found}");
        return Ok(());
    }
    println!("{} tensors taken from {}", found.taken, args.weights.display());
    for (names, what) in [
        (found.transposed, "Read transposed"),
        (found.started, "Left as they start"),
        (found.left_over, "Left over in the file"),
    ] {
        if !names.is_empty() {
            println!("{what}: {}", printable(&names.join(", ")));
        }
    }
    println!("The run is kept in {0}. Next: {1} evaluate {2}", folder.display(), typed(), word(&folder));
    Ok(())
}

/// Both sides, and the map.
fn show(suggested: &Suggested) {
    for (title, tensors) in [("the model", &suggested.model), ("the file", &suggested.file)] {
        let mut table = Table::new(&[(title, Align::Left), ("shape", Align::Left)]);
        tensors.iter().for_each(|(name, shape)| {
            table.row([name.clone(), format!("{shape:?}")]);
        });
        // Behind signs of a comment, so that all of it is a map.
        table.to_string().lines().for_each(|line| println!("{}", format!("# {line}").trim_end()));
    }
    println!("# A map that may be meant. Look through it, keep it in a file, and give that with --map.");
    print!("{}", suggested.map);
    if !suggested.is_whole {
        println!("# What is not found takes another name, or false to stay as it starts.");
    }
}
