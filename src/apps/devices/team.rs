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
    /// The bytes that data may take where nothing is said, where several processes have settled it.
    pub(crate) settled_memory: Option<u64>,
}

impl From<Box<dyn Executor>> for Team {
    fn from(first: Box<dyn Executor>) -> Team {
        Team { first, others: vec![], share: None, settled_memory: None }
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
                Ok(Team { others: all.collect::<Result<_>>()?, ..first.into() })
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
        self.described(None)
    }

    /// As [`Team::describe`], with the reason why it is these of this process.
    pub fn described(&self, why: Option<&str>) -> String {
        let mut text = self.all().map(Executor::describe).collect::<Vec<_>>().join(" + ");
        if let Some(why) = why {
            text = format!("{text}, {why}");
        }
        match &self.share {
            None => text,
            Some(Share { parts: 2, .. }) => format!("{text}, and that of another rank"),
            Some(share) => format!("{text}, and those of {} other ranks", share.parts - 1),
        }
    }

    /// Whether all of it is the CPU executor.
    pub fn is_cpu(&self) -> bool {
        self.all().all(Executor::is_cpu)
    }

    /// Settles with the other processes how much memory data may take where nothing is said: as much as is usual where it is least. What stays
    /// on disk is shuffled within windows of that size, which must be the same for all.
    ///
    /// # Errors
    /// If they cannot be reached.
    pub fn settle_memory(&mut self, ranks: &Ranks) -> Result<()> {
        self.settled_memory = Some(ranks.least(self.usual_memory())?);
        Ok(())
    }

    /// The bytes of memory that data may take where nothing is said: what processes have settled, or half of the machine's, or of a device's own
    /// where that is less.
    pub(crate) fn usual_memory(&self) -> u64 {
        let usual = || self.all().filter_map(Executor::own_memory).fold(crate::memory::total(), u64::min) / 2;
        self.settled_memory.unwrap_or_else(usual)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::training::in_threads;

    #[test]
    fn a_reason_stands_beside_the_device_that_it_is_about() {
        let of = |processes| Team { share: in_threads(processes).into_iter().next(), ..Team::of(Cpu::exact()) };
        let device = Cpu::exact().describe();
        let why = Some("as no GPU was found");
        assert_eq!(Team::of(Cpu::exact()).described(why), format!("{device}, as no GPU was found"));
        assert_eq!(of(2).described(why), format!("{device}, as no GPU was found, and that of another rank"));
        assert_eq!(of(3).described(why), format!("{device}, as no GPU was found, and those of 2 other ranks"));
        assert_eq!(of(3).describe(), format!("{device}, and those of 2 other ranks"));
    }
}
