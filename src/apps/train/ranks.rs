//! Runs that several processes share, of which the first has the folder.

use std::path::Path;

use super::super::devices::Team;
use super::super::folder::place_of;
use super::super::form::Form;
use super::super::setup::open_data;
use super::{TrainRun, make_absolute, new_data};
use crate::config::{Config, DeviceConfig};
use crate::data::{Fingerprint, Splits};
use crate::error::{Error, Result};
use crate::training::Trainer;
use crate::training::checkpoint::Checkpoint;

/// A trainer that follows the run of another process.
pub struct Follower {
    /// What follows.
    pub trainer: Trainer,
    identity: [(&'static str, String); 3],
}

impl TrainRun {
    /// What all processes that share a run must have the same, by name.
    ///
    /// # Errors
    /// If the settings cannot be written.
    pub fn identity(&self) -> Result<[(&'static str, String); 3]> {
        identity(&self.config, self.fingerprint.clone())
    }
}

impl Follower {
    /// A trainer that has a part in the run of these settings: a new one, perhaps of data that has been read already, or one that goes on from
    /// a checkpoint.
    ///
    /// # Errors
    /// If the data or the checkpoint cannot be read, or the device has too little memory.
    pub fn new(mut config: Config, data: Option<Splits>, place: Option<&Path>, team: Team) -> Result<Follower> {
        config.name_pieces();
        let data = match place {
            None => new_data(&mut config, data, &team)?,
            Some(place) => {
                let (_, path) = place_of(place)?;
                let form = Form::read(&Checkpoint::load(&path)?).map_err(|error| Error::malformed(&path, error))?;
                open_data(&config, Some(&form.schema))?
            }
        };
        make_absolute(&mut config)?;
        let (data, trainer) = TrainRun::prepare(&mut config, data, team)?;
        let identity = identity(&config, Fingerprint::of(&data).to_string())?;
        Ok(Follower { trainer, identity })
    }

    /// See [`TrainRun::identity`].
    pub fn identity(&self) -> &[(&'static str, String); 3] {
        &self.identity
    }
}

fn identity(config: &Config, rows: String) -> Result<[(&'static str, String); 3]> {
    // Each has a device of its own.
    let settings = Config { device: DeviceConfig::default(), ..config.clone() }.to_toml()?;
    Ok([("program", env!("CARGO_PKG_VERSION").to_string()), ("settings", settings), ("rows", rows)])
}
