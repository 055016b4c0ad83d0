//! A training that several processes share: rank 0 has the folder and the screen, the others follow.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::super::args::{Resolved, TrainArgs, resolve};
use super::super::interrupt::on_interrupt;
use super::super::print;
use super::{first_of_two, go_on, open};
use crate::apps::{Follower, Team};
use crate::error::{Error, Result};
use crate::memory;
use crate::training::Ranks;

/// Trains a model together with other processes. Gives the folder of the run, which is rank 0's.
pub(super) fn run(args: &TrainArgs, ranks: &Ranks) -> Result<PathBuf> {
    if ranks.rank > 0 {
        print::silence();
    }
    let own = |error| named(ranks.rank, error);
    // From here on all ranks do the same together, and one that has failed says so where they meet next. First
    // their versions, as others may do other things.
    let what = if args.print_config { "--print-config" } else { "training" };
    ranks.agree(&[("version", env!("CARGO_PKG_VERSION").to_string()), ("task", what.to_string())])?;
    memory::share(ranks.on_machine);
    let resolved = ranks.all(resolved(args).map_err(own))?;
    if args.print_config {
        print!("{}", resolved.config.to_toml()?);
        return Ok(PathBuf::new());
    }
    let mut team = ranks.all(Team::of_rank(&resolved.config.device, ranks).map_err(own))?;
    team.settle_memory(ranks)?;
    match ranks.rank {
        0 => {
            let opened = ranks.all(open(args, resolved, team))?;
            ranks.agree(opened.run.identity())?;
            go_on(args, ranks.begin(opened.begin())?, None)
        }
        _ => {
            let Resolved { config, chosen } = resolved;
            let data = chosen.map(|(_, data)| data);
            let follower = Follower::new(config, data, args.resume.as_deref(), team);
            let mut follower = ranks.all(follower.map_err(own))?;
            ranks.agree(follower.identity())?;
            let stop = ranks.begin(on_interrupt().map_err(own))?;
            follower.trainer.follow(&|| stop.load(Ordering::SeqCst)).map_err(own)?;
            Ok(PathBuf::new())
        }
    }
}

/// Says so if settings are those of several models.
fn one_model(resolved: Resolved) -> Result<Resolved> {
    match resolved.config.training.models() {
        1 => Ok(resolved),
        models => Err(Error::invalid(format!(
            "`members` is {models}, and ranks train one model at a time: say which with --member, for each of them in turn"
        ))),
    }
}

/// An error of a rank, with its name where nobody sees which it is.
fn named(rank: usize, error: Error) -> Error {
    match rank {
        0 => error,
        _ => Error::invalid(format!("rank {rank}: {error}")),
    }
}

fn resolved(args: &TrainArgs) -> Result<Resolved> {
    match first_of_two(args) {
        None => one_model(resolve(args)?),
        Some(kind) => Err(Error::invalid(format!(
            "`kind` is {kind}, which stands on a VAE, and ranks train one model at a time: train the VAE first, and give its run as \
             --second-stage"
        ))),
    }
}
