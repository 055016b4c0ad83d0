//! Ranks by MPI.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};

use super::super::reduce::Reduce;
use super::{Announced, Ranks, alone};
use crate::error::{Error, Result};

/// The variables by which launchers tell a process which one it is, and not always how many there are.
const NUMBERS: [&str; 2] = ["PMIX_RANK", "PMI_RANK"];

/// Numbers of one message; their count is a C int.
const MOST: usize = 1 << 28;

/// Whether this process has failed, and leaves the others behind.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Whether this process does no more with the others: one that has failed, or is about to end by a panic, is not where they are.
fn has_left() -> bool {
    FAILED.load(Ordering::SeqCst) || std::thread::panicking()
}

/// What ends MPI when it is dropped.
struct Library(Option<Universe>);

impl Drop for Library {
    fn drop(&mut self) {
        // To end it would wait for the others, which wait for this one: the launcher ends them when this process is gone.
        if has_left() {
            std::mem::forget(self.0.take());
        }
    }
}

impl Ranks {
    /// Joins the processes that were started with this one; `None` where it was started alone. To be called once.
    ///
    /// # Errors
    /// If MPI was started before, or finds no others where a launcher says that there are some.
    pub fn join() -> Result<Option<Ranks>> {
        let announced = Announced::by(|name| std::env::var(name).ok());
        if announced.is_none() && NUMBERS.iter().all(|name| std::env::var_os(name).is_none()) {
            return Ok(None);
        }
        let Some((universe, _)) = mpi::initialize_with_threading(mpi::Threading::Serialized) else {
            return Err(Error::Device("MPI was started before in this process".into()));
        };
        let world = universe.world();
        let [rank, count] = [world.rank(), world.size()].map(|number| number as usize);
        if count == 1 {
            return alone(
                announced,
                "the MPI that this program was built with finds none of the others",
                "use the launcher of that MPI, which of srun may take --mpi=pmix, or build the program with the launcher's (docs/scaling.md)",
            );
        }
        let machine = world.split_shared(world.rank());
        let [local, on_machine] = [machine.rank(), machine.size()].map(|number| number as usize);
        let reduction = || -> Box<dyn Reduce> { Box::new(World::default()) };
        let library = Box::new(Library(Some(universe)));
        Ok(Some(Ranks { rank, count, local, on_machine, reduction, begun: Arc::default(), _library: library }))
    }
}

/// All processes. An error of MPI ends them all, which is its own default.
#[derive(Default)]
struct World {
    /// Room for what this one gives.
    own: Vec<f32>,
}

impl World {
    fn of_all() -> Result<SimpleCommunicator> {
        match has_left() {
            true => Err(Error::Device("this process has left the training".into())),
            false => Ok(SimpleCommunicator::world()),
        }
    }
}

impl Reduce for World {
    fn sum(&mut self, values: &mut [f32]) -> Result<()> {
        let world = World::of_all()?;
        self.own.clear();
        self.own.extend_from_slice(values);
        for (own, values) in self.own.chunks(MOST).zip(values.chunks_mut(MOST)) {
            world.all_reduce_into(own, values, SystemOperation::sum());
        }
        Ok(())
    }

    fn broadcast(&mut self, words: &mut [u32]) -> Result<()> {
        let world = World::of_all()?;
        words.chunks_mut(MOST).for_each(|words| world.process_at_rank(0).broadcast_into(words));
        Ok(())
    }

    fn fail(&mut self, _why: &str) {
        FAILED.store(true, Ordering::SeqCst);
    }
}
