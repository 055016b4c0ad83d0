//! The devices that share a training: usually one.

use super::{in_turn, open_device, open_tuned};
use crate::config::DeviceConfig;
use crate::error::{Error, Result};
use crate::program::{Choices, Executor};
use crate::training::{Ranks, Share};

/// Devices that share a training, each of which has a part of every batch. The first leads.
pub struct Team {
    pub(crate) first: Box<dyn Executor>,
    pub(crate) others: Vec<Box<dyn Executor>>,
    /// The part that is this process's, where several processes share the training.
    pub(crate) share: Option<Share>,
}

impl From<Box<dyn Executor>> for Team {
    fn from(first: Box<dyn Executor>) -> Team {
        Team { first, others: vec![], share: None }
    }
}

impl Team {
    /// One device.
    pub fn of(executor: impl Executor + 'static) -> Team {
        let first: Box<dyn Executor> = Box::new(executor);
        first.into()
    }

    /// Opens the devices that settings name. Kernels are timed first unless the settings forbid it.
    ///
    /// # Errors
    /// If there is no such device.
    pub fn open(config: &DeviceConfig) -> Result<Team> {
        let open = if config.deterministic { open_device } else { open_tuned };
        match &config.devices {
            None => Ok(open(&config.device)?.into()),
            Some(devices) => {
                let mut all = devices.choices().iter().map(open);
                let first = all.next().unwrap_or_else(|| open(&config.device))?;
                Ok(Team { first, others: all.collect::<Result<_>>()?, share: None })
            }
        }
    }

    /// Opens the device of a process that has a part in a training, as settings name it; `auto` and `gpu` are the GPUs of a machine, one for each
    /// of its processes in turn.
    ///
    /// # Errors
    /// If there is no such device, or the settings name several.
    pub fn of_rank(config: &DeviceConfig, ranks: &Ranks) -> Result<Team> {
        if let Some(devices) = &config.devices {
            return Err(Error::invalid(format!(
                "`devices` are {devices}, all of one process, and {} processes share this training with one device each: leave it out",
                ranks.count
            )));
        }
        let device = in_turn(&config.device, ranks.local);
        let mut team = Team::open(&DeviceConfig { device, ..config.clone() })?;
        team.share = Some(ranks.share());
        Ok(team)
    }

    /// The devices, for people.
    pub fn describe(&self) -> String {
        let devices = self.all().map(Executor::describe).collect::<Vec<_>>().join(" + ");
        match &self.share {
            None => devices,
            Some(Share { parts: 2, .. }) => format!("{devices}, and that of another rank"),
            Some(share) => format!("{devices}, and those of {} other ranks", share.parts - 1),
        }
    }

    /// Whether all of it is the CPU executor.
    pub fn is_cpu(&self) -> bool {
        self.all().all(Executor::is_cpu)
    }

    /// The bytes that each has of its own memory, where one has some: the least.
    pub(crate) fn own_memory(&self) -> Option<u64> {
        self.all().filter_map(Executor::own_memory).min()
    }

    /// As [`Executor::replay_choices`], on all of them.
    pub(crate) fn replay_choices(&mut self, recorded: Option<Choices>) {
        self.others.iter_mut().for_each(|executor| executor.replay_choices(recorded.clone()));
        self.first.replay_choices(recorded);
    }

    fn all(&self) -> impl Iterator<Item = &dyn Executor> {
        [&self.first].into_iter().chain(&self.others).map(|executor| &**executor)
    }
}
