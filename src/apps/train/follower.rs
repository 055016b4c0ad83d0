//! A process that has a part in the run of another.

use std::path::Path;

use super::super::devices::Team;
use super::super::folder::place_of;
use super::prepared::{Standing, identity, new_data, with_trainer};
use crate::config::Config;
use crate::data::{Fingerprint, Splits};
use crate::error::Result;
use crate::training::Trainer;

/// A trainer that follows the run of another process.
pub struct Follower {
    /// What follows.
    pub trainer: Trainer,
    identity: [(&'static str, String); 2],
}

impl Follower {
    /// A trainer that has a part in the run of these settings: a new one, perhaps of data that has been read already, or one that goes on from
    /// a checkpoint. The first gives it its parameters.
    ///
    /// # Errors
    /// If the data or the checkpoint cannot be read, the checkpoint does not fit the configuration or the data, or the device has too little
    /// memory.
    pub fn new(mut config: Config, data: Option<Splits>, place: Option<&Path>, team: Team) -> Result<Follower> {
        let (data, trainer) = match place {
            None => {
                config.name_pieces();
                let data = new_data(&mut config, data, &team)?;
                with_trainer(&mut config, data, team)?
            }
            Some(place) => {
                let (folder, path) = place_of(place)?;
                let Standing { data, trainer, .. } = Standing::at(&mut config, (&folder, &path), team)?;
                (data, trainer)
            }
        };
        let identity = identity(&config, &Fingerprint::of(&data).to_string())?;
        Ok(Follower { trainer, identity })
    }

    /// See [`Prepared::identity`].
    pub fn identity(&self) -> &[(&'static str, String); 2] {
        &self.identity
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::prepared::Prepared;
    use super::super::{Outcome, TrainRun, Watcher};
    use super::*;
    use crate::config::Preset;
    use crate::cpu::Cpu;
    use crate::training::checkpoint::Checkpoint;
    use crate::training::metrics::EpochRecord;
    use crate::training::{Progress, Share, in_threads};

    /// Notes the losses of epochs.
    #[derive(Default)]
    struct Losses(Vec<f64>);

    impl Watcher for Losses {
        fn progress(&mut self, _: u64, _: u64, _: &Progress) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }

        fn epoch(&mut self, records: &[EpochRecord]) {
            self.0.extend(records.iter().map(|record| record.loss));
        }

        fn noticed(&mut self, sentence: &str) {
            assert!(!sentence.contains("last bits"), "{sentence}");
        }
    }

    fn config(epochs: usize) -> Config {
        let mut config = Preset::Classic.config();
        config.data.source = "digits".into();
        config.data.validation = 10;
        config.model.encoder = "mlp:8".parse().unwrap();
        config.model.latent = 2;
        (config.training.epochs, config.training.batch) = (epochs, 25);
        config
    }

    fn team(share: Option<Share>) -> Team {
        Team { share, ..Team::of(Cpu::exact()) }
    }

    #[test]
    fn a_run_ends_where_another_process_is_asked_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = <[Share; 2]>::try_from(in_threads(2)).ok().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut follower = Follower::new(config(3), None, None, team(Some(second))).unwrap();
                follower.trainer.follow(&|| true).unwrap();
            });
            let place = folder.path().join("run");
            let mut run = Prepared::new(None, config(3), &place, team(Some(first))).unwrap().kept().unwrap();
            assert_eq!(run.train(&mut Losses::default()).unwrap(), Outcome::Stopped);
            assert!(run.steps_done() > 0 && run.epochs_done() == 0);
        });
    }

    #[test]
    fn a_checkpoint_of_other_rows_or_of_none_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("run");
        Prepared::new(None, config(1), &place, team(None)).unwrap().kept().unwrap();
        let follow = |config: Config| Follower::new(config, None, Some(&place), team(in_threads(2).pop()));
        assert!(follow(config(1)).is_ok());
        let mut other = config(1);
        other.data.source = "sprites".into();
        (other.data.resolution, other.data.count) = (16, Some(60));
        assert!(follow(other).is_err());
        let path = place.join("checkpoint.safetensors");
        let mut checkpoint = Checkpoint::load(&path).unwrap();
        checkpoint.tensors[0].2[0] = f32::NAN;
        checkpoint.save(&path).unwrap();
        assert!(follow(config(1)).is_err(), "numbers that have run away");
    }

    #[test]
    fn a_run_of_several_processes_is_that_of_one() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [alone, shared] = [0, 1].map(|i| folders[i].path().join("run"));
        let mut expected = Losses::default();
        TrainRun::start_on(None, config(2), &alone, team(None)).unwrap().train(&mut expected).unwrap();
        TrainRun::resume_on(config(3), &alone, team(None), false).unwrap().train(&mut expected).unwrap();
        let mut found = Losses::default();
        // Begun, and gone on with.
        for (epochs, place) in [(2, None), (3, Some(&*shared))] {
            let mut shares = in_threads(3).into_iter();
            let first = team(shares.next());
            let follow = |share: Share| {
                let mut follower = Follower::new(config(epochs), None, place, team(Some(share))).unwrap();
                follower.trainer.follow(&|| false).unwrap();
                follower.identity
            };
            std::thread::scope(|scope| {
                let followers: Vec<_> = shares.map(|share| scope.spawn(move || follow(share))).collect();
                let prepared = match place {
                    None => Prepared::new(None, config(epochs), &shared, first).unwrap(),
                    Some(place) => Prepared::again(config(epochs), place, first, false).unwrap(),
                };
                let identity = prepared.identity().clone();
                let mut run = prepared.kept().unwrap();
                assert_eq!(run.train(&mut found).unwrap(), Outcome::Finished);
                drop(run);
                for follower in followers {
                    assert_eq!(follower.join().unwrap(), identity);
                }
            });
        }
        // Training, validation and test rows of three epochs.
        assert_eq!((expected.0.len(), found.0.len()), (9, 9));
        for (found, expected) in found.0.iter().zip(&expected.0) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found}, {expected}");
        }
        assert_ne!(found.0[0], found.0[3], "what is compared moves");
    }
}
