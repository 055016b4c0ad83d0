//! A training that several processes share: the first has the folder and the screen, the others follow.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::super::args::{Resolved, TrainArgs, resolve};
use super::super::interrupt::on_interrupt;
use super::super::print;
use super::{begin, first_of_two, go_on};
use crate::apps::{Follower, Team};
use crate::error::{Error, Result};
use crate::training::Ranks;

/// Trains a model together with other processes. Gives the folder of the run.
pub(super) fn run(args: &TrainArgs, ranks: &Ranks) -> Result<PathBuf> {
    match ranks.rank {
        0 => lead(args, ranks),
        rank => follow(args, ranks).map_err(|error| match error {
            Error::Interrupted(_) | Error::Elsewhere(_) => error,
            other => Error::Device(format!("rank {rank}: {other}")),
        }),
    }
}

/// The first process.
fn lead(args: &TrainArgs, ranks: &Ranks) -> Result<PathBuf> {
    let resolved = ranks.all(resolved(args))?;
    if args.print_config {
        print!("{}", resolved.config.to_toml()?);
        return Ok(PathBuf::new());
    }
    let team = Team::of_rank(&resolved.config.device, ranks);
    let begun = ranks.all(team.and_then(|team| begin(args, resolved, team)))?;
    ranks.agree(&begun.run.identity()?)?;
    go_on(args, begun)
}

/// Another process, which is not heard of.
fn follow(args: &TrainArgs, ranks: &Ranks) -> Result<PathBuf> {
    print::silence();
    let Resolved { config, chosen } = ranks.all(resolved(args))?;
    if args.print_config {
        return Ok(PathBuf::new());
    }
    let stop = on_interrupt()?;
    let data = chosen.map(|(_, data)| data);
    let team = Team::of_rank(&config.device, ranks);
    let follower = ranks.all(team.and_then(|team| Follower::new(config, data, args.resume.as_deref(), team)));
    let mut follower = follower?;
    ranks.agree(follower.identity())?;
    follower.trainer.follow(&|| stop.load(Ordering::SeqCst))?;
    Ok(PathBuf::new())
}

fn resolved(args: &TrainArgs) -> Result<Resolved> {
    match first_of_two(args) {
        None => resolve(args),
        Some(kind) => Err(Error::invalid(format!(
            "`kind` is {kind}, which stands on a VAE, and several processes train one model at a time: train the VAE first, and give its run \
             as --second-stage"
        ))),
    }
}
