//! Training shared among processes that a launcher such as `mpirun` has started together, on one machine or several.
//!
//! Each process is a rank and has a part of every batch; rank 0 leads. What they do together is MPI's, behind the cargo feature `mpi`.

#[cfg(feature = "mpi")]
mod world;

use std::any::Any;

use sha2::{Digest, Sha256};

use super::reduce::{Reduce, Share};
use crate::error::{Error, Result};

/// The variables by which launchers tell a process how many were started with it: Open MPI, MPICH and Intel MPI, MVAPICH.
#[cfg(not(feature = "mpi"))]
const COUNTS: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"];

/// The processes that train one model, as one of them sees them.
pub struct Ranks {
    /// Which one it is, counted from 0.
    pub rank: usize,
    /// How many there are.
    pub count: usize,
    /// Which one it is of those on its machine.
    pub local: usize,
    reduce: fn() -> Box<dyn Reduce>,
    /// What ends the ranks' library when it is dropped.
    _library: Box<dyn Any>,
}

impl Ranks {
    /// Joins the processes that were started with this one; `None` where it was started alone. To be called once.
    ///
    /// # Errors
    /// If there are others, and this program was built without MPI.
    #[cfg(not(feature = "mpi"))]
    pub fn join() -> Result<Option<Ranks>> {
        let count = |name: &&str| std::env::var(name).ok().and_then(|count| count.parse::<usize>().ok());
        match COUNTS.iter().find_map(count) {
            None | Some(0 | 1) => Ok(None),
            Some(count) => Err(Error::invalid(format!(
                "{count} processes were started together, and this program was built without MPI, so that each would train a model of its \
                 own: build it with the cargo feature `mpi` (docs/scaling.md), or start it once, with --devices 0,1"
            ))),
        }
    }

    /// The part of every batch that is this process's.
    pub fn share(&self) -> Share {
        Share { part: self.rank, parts: self.count, reduce: (self.reduce)() }
    }

    /// What this one has come to, if all have come to something.
    ///
    /// # Errors
    /// If one of them has failed: the first of those gives its own error, and the others [`Error::Elsewhere`].
    pub fn all<T>(&self, outcome: Result<T>) -> Result<T> {
        all(&mut *(self.reduce)(), (self.rank, self.count), outcome)
    }

    /// Says so if some have other values than rank 0 of what all must have the same, each with its name.
    ///
    /// # Errors
    /// With the names and the ranks, of rank 0; [`Error::Elsewhere`] of the others.
    pub fn agree(&self, values: &[(&str, String)]) -> Result<()> {
        agree(&mut *(self.reduce)(), (self.rank, self.count), values)
    }
}

/// See [`Ranks::all`].
fn all<T>(reduce: &mut dyn Reduce, (rank, count): (usize, usize), outcome: Result<T>) -> Result<T> {
    let mut failed = vec![0.0; count];
    failed[rank] = f32::from(u8::from(outcome.is_err()));
    reduce.sum(&mut failed)?;
    match failed.iter().position(|failed| *failed > 0.0) {
        None => outcome,
        Some(first) if first == rank => outcome,
        Some(first) => Err(Error::Elsewhere(first)),
    }
}

/// See [`Ranks::agree`].
fn agree(reduce: &mut dyn Reduce, (rank, count): (usize, usize), values: &[(&str, String)]) -> Result<()> {
    let mut differing = vec![0.0; count * values.len()];
    for (place, (_, value)) in values.iter().enumerate() {
        let own: [u8; 32] = Sha256::digest(value).into();
        let own: [u32; 8] = bytemuck::cast(own);
        let mut first = own;
        reduce.broadcast(&mut first)?;
        differing[place * count + rank] = f32::from(u8::from(own != first));
    }
    reduce.sum(&mut differing)?;
    let problem = |((what, _), differing): (&(&str, String), &[f32])| {
        let ranks = differing.iter().enumerate().filter(|(_, differs)| **differs > 0.0);
        let ranks: Vec<String> = ranks.map(|(rank, _)| rank.to_string()).collect();
        match &ranks[..] {
            [] => None,
            [rank] => Some(format!("rank {rank} has other {what} than rank 0")),
            ranks => Some(format!("ranks {} have other {what} than rank 0", ranks.join(", "))),
        }
    };
    let problems: Vec<String> = values.iter().zip(differing.chunks_exact(count)).filter_map(problem).collect();
    match (problems.is_empty(), rank) {
        (true, _) => Ok(()),
        (false, 0) => Err(Error::invalid(format!(
            "{}: all processes that train one model need the same program, settings and rows",
            problems.join("; ")
        ))),
        (false, _) => Err(Error::Elsewhere(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads::in_threads;
    use super::*;

    /// What three ranks come to, each on its own thread.
    fn three<T: Send>(work: impl Fn(&mut dyn Reduce, (usize, usize)) -> Result<T> + Sync) -> Vec<Result<T>> {
        std::thread::scope(|scope| {
            let work = &work;
            let ranks = in_threads(3).into_iter();
            let threads: Vec<_> = ranks
                .map(|mut share| scope.spawn(move || work(&mut *share.reduce, (share.part, share.parts))))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn said<T>(found: &[Result<T>]) -> Vec<String> {
        found.iter().map(|found| found.as_ref().err().map_or(String::new(), Error::to_string)).collect()
    }

    #[test]
    fn the_first_that_fails_says_why_and_all_know() {
        for failing in [vec![], vec![1], vec![2, 1], vec![0, 2]] {
            let found = three(|reduce, (rank, count)| {
                let outcome = if failing.contains(&rank) { Err(Error::invalid("no such file")) } else { Ok(rank) };
                all(reduce, (rank, count), outcome)
            });
            let Some(first) = failing.iter().min() else {
                assert!(found.iter().enumerate().all(|(rank, found)| found.as_ref().ok() == Some(&rank)));
                continue;
            };
            for (rank, found) in found.iter().enumerate() {
                match found {
                    Err(Error::Invalid(why)) => assert!(rank == *first && why == "no such file"),
                    Err(Error::Elsewhere(elsewhere)) => assert!(rank != *first && elsewhere == first),
                    _ => panic!("rank {rank}: {:?}", said(std::slice::from_ref(found))),
                }
            }
        }
    }

    #[test]
    fn ranks_that_have_something_else_are_named() {
        let found = three(|reduce, (rank, count)| {
            let settings = if rank == 1 { "batch = 64" } else { "batch = 128" };
            let rows = if rank > 0 { "others" } else { "rows" };
            let values = [("settings", settings.to_string()), ("rows", rows.to_string()), ("program", "1".to_string())];
            agree(reduce, (rank, count), &values)
        });
        let said = said(&found);
        assert!(
            said[0].starts_with("rank 1 has other settings than rank 0; ranks 1, 2 have other rows than rank 0:"),
            "{said:?}"
        );
        assert!(!said[0].contains("other program"), "{said:?}");
        assert!(found[1..].iter().all(|found| matches!(found, Err(Error::Elsewhere(0)))), "{said:?}");
        assert!(three(|reduce, at| agree(reduce, at, &[("rows", "the same".to_string())])).iter().all(Result::is_ok));
    }
}
