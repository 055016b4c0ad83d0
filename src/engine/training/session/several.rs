//! A session whose weights are several: draws from a distribution that its model has of them, or those of the members of an ensemble
//! (Lakshminarayanan, Pritzel & Blundell 2017), models that were trained alike from other seeds. What is known of rows is then known of a mixture,
//! p(x) = (1/M) Σ_m p(x | w_m).

use super::super::checkpoint::Checkpoint;
use super::super::given::Given;
use super::super::weights::flat;
use super::rows::part_of_seed;
use super::{Session, write};
use crate::error::{Error, Result};
use crate::program::{Executor, ParameterSet};

/// The values of all that is learnt, a flat buffer of each set of [`Layout::learnt`](super::super::Layout::learnt).
pub(in super::super) type LearntValues = Vec<Vec<f32>>;

/// A further member of an ensemble.
#[derive(Clone, Debug)]
pub(super) struct Member {
    values: LearntValues,
    seed: u64,
}

/// What a session was before a member of its ensemble stood in for all of them.
#[derive(Debug)]
struct StoodFor {
    others: Vec<Member>,
    own: Option<(LearntValues, u64)>,
}

/// Does `work` with each member of the ensemble in turn that something's session holds, as if there were no other; of what is no ensemble, once.
pub(crate) fn each_member_of<S, T>(
    holder: &mut S,
    session: impl Fn(&mut S) -> &mut Session,
    mut work: impl FnMut(&mut S) -> Result<T>,
) -> Result<Vec<T>> {
    let members = 0..session(holder).members();
    let one = |number| {
        let before = session(holder).stand_in(number)?;
        let found = work(holder);
        session(holder).stand_back(before)?;
        found
    };
    members.map(one).collect()
}

/// The values of sets, a flat buffer of each.
pub(in super::super) fn flat_values(executor: &mut dyn Executor, sets: &[ParameterSet]) -> Result<LearntValues> {
    let one = |set: &ParameterSet| match set.parameters.is_empty() {
        true => Ok(vec![]),
        false => executor.read_f32(&set.values()),
    };
    sets.iter().map(one).collect()
}

impl Session {
    /// Takes a further member of an ensemble, of which the session's own weights are the first: a model of the same kind, its values as a
    /// checkpoint has them and the seed that it was trained with.
    ///
    /// # Errors
    /// If it is of another architecture.
    pub fn join(&mut self, member: &Checkpoint, seed: u64) -> Result<()> {
        let values = self.layout.learnt().iter().map(|set| flat(set, "", member)).collect::<Result<_>>()?;
        self.others.push(Member { values, seed });
        Ok(())
    }

    /// Has draws of the weights, so many and as the seed decides, stand in place of their mean, as the members of an ensemble do: what is known of
    /// rows is then known of the mixture of them, p(x) ≈ (1/S) Σₛ p(x | wₛ).
    ///
    /// # Errors
    /// If it holds several models already, the weights have no distribution, or the device fails.
    pub fn join_draws(&mut self, draws: usize, seed: u64) -> Result<()> {
        if self.members() > 1 {
            return Err(Error::invalid(
                "draws of the weights (--weight-draws) were asked for, and several models are used already, the members of an ensemble or draws: leave \
                 one of the two out",
            ));
        }
        let one = |draw: u64| {
            let seed = part_of_seed(seed, draw);
            let values = self.with_drawn_weights(seed, |session| session.learnt_values())?;
            Ok(Member { values, seed })
        };
        let mut drawn = (0..draws as u64).map(one).collect::<Result<Vec<_>>>()?.into_iter();
        if let Some(Member { values, seed }) = drawn.next() {
            self.exchange(&values)?;
            self.seed = seed;
        }
        self.others = drawn.collect();
        Ok(())
    }

    /// Models that it holds: 1, but for ensembles.
    pub fn members(&self) -> usize {
        1 + self.others.len()
    }

    /// Does `work` with each member of an ensemble in turn, as if there were no other; of what is no ensemble, once.
    ///
    /// # Errors
    /// If the device fails; as for `work`.
    pub fn each_member<T>(&mut self, work: impl FnMut(&mut Session) -> Result<T>) -> Result<Vec<T>> {
        each_member_of(self, |session| session, work)
    }

    /// The mean over all members of what they make of rows, see [`Session::reconstruct`]. `[rows, features]`
    ///
    /// # Errors
    /// As for [`Session::reconstruct`].
    pub fn mean_reconstruction<'a>(&mut self, rows: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        let given = rows.into();
        let mut members = self.each_member(|session| session.reconstruct(given))?;
        let (count, mut mean) = (members.len() as f32, members.swap_remove(0));
        for member in &members {
            mean.iter_mut().zip(member).for_each(|(sum, value)| *sum += value);
        }
        if count > 1.0 {
            mean.iter_mut().for_each(|sum| *sum /= count);
        }
        Ok(mean)
    }

    /// Has a member stand in for all of an ensemble, until [`Session::stand_back`]: weights and seed are its own, and there is no other.
    fn stand_in(&mut self, number: usize) -> Result<StoodFor> {
        let others = std::mem::take(&mut self.others);
        let Some(Member { values, seed }) = number.checked_sub(1).map(|place| &others[place]) else {
            return Ok(StoodFor { others, own: None });
        };
        match self.exchange(values) {
            Ok(own) => {
                let own = Some((own, std::mem::replace(&mut self.seed, *seed)));
                Ok(StoodFor { others, own })
            }
            Err(why) => {
                self.others = others;
                Err(why)
            }
        }
    }

    /// Brings back what a member stood in for.
    fn stand_back(&mut self, StoodFor { others, own }: StoodFor) -> Result<()> {
        self.others = others;
        if let Some((values, seed)) = own {
            self.seed = seed;
            self.exchange(&values)?;
        }
        Ok(())
    }

    /// How many weights [`Session::over_weights`] knows where so many draws are asked for: as many as there are draws of a distribution, or
    /// members of an ensemble.
    ///
    /// # Errors
    /// If the model has one set of weights, which are numbers.
    pub fn count_of_weights(&self, draws: usize) -> Result<usize> {
        match self.members() {
            1 => self.check_drawn_weights().map(|()| draws),
            members => Ok(members),
        }
    }

    /// Does `work` with each of several weights, which are told apart by their number: draws of their distribution, so many as are asked for
    /// and as the seed decides, or those of all members of an ensemble. Gives how many there were.
    ///
    /// # Errors
    /// If the model has one set of weights, which are numbers, or the device fails; as for `work`.
    pub fn over_weights(
        &mut self,
        draws: usize,
        seed: u64,
        mut work: impl FnMut(&mut Session, usize) -> Result<()>,
    ) -> Result<usize> {
        let count = self.count_of_weights(draws)?;
        if self.members() > 1 {
            let mut numbers = 0..;
            self.each_member(|session| work(session, numbers.next().unwrap_or(0)))?;
            return Ok(count);
        }
        for draw in 0..count {
            self.with_drawn_weights(part_of_seed(seed, draw as u64), |session| work(session, draw))?;
        }
        Ok(count)
    }

    /// The values of all that is learnt.
    pub(super) fn learnt_values(&mut self) -> Result<LearntValues> {
        flat_values(&mut *self.executor, &self.layout.learnt())
    }

    /// Puts other values of all that is learnt in place of those that there are, which it gives.
    pub(super) fn exchange(&mut self, values: &LearntValues) -> Result<LearntValues> {
        let own = self.learnt_values()?;
        for (set, values) in self.layout.learnt().iter().zip(values) {
            write(&mut *self.executor, set, &set.values(), values)?;
        }
        Ok(own)
    }
}
