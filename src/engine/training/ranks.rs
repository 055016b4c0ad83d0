//! Training shared among processes that a launcher such as `mpirun` has started together, on one machine or several.
//!
//! Each process is a rank and has a part of every batch; rank 0 leads. What they do together is MPI's, behind the cargo feature `mpi`.

#[cfg(feature = "mpi")]
mod world;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::reduce::{Reduce, Share};
use crate::error::{Error, Result};

/// The variables by which launchers tell a process how many were started with it: Open MPI, MPICH and Intel MPI, MVAPICH; behind them Slurm, in
/// a step of which one of them may have been started.
const COUNTS: [&str; 4] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"];

/// Lines of a text that are quoted where two differ.
const QUOTED: usize = 3;

/// The processes that train one model, as one of them sees them.
pub struct Ranks {
    /// Which one it is, counted from 0.
    pub rank: usize,
    /// How many there are.
    pub count: usize,
    /// Which one it is of those on its machine.
    pub local: usize,
    /// How many there are on its machine.
    pub on_machine: usize,
    reduction: fn() -> Box<dyn Reduce>,
    begun: Arc<AtomicBool>,
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
        alone(
            Announced::by(|name| std::env::var(name).ok()),
            "this program was built without MPI",
            "build it with the cargo feature `mpi` (docs/scaling.md), or start it once, with --devices 0,1",
        )
    }

    /// What all ranks do together, while none of them trains.
    pub fn reduction(&self) -> Box<dyn Reduce> {
        (self.reduction)()
    }

    /// The part of every batch that is this process's. A trainer that has it reaches the others from the next [`Ranks::begin`] on; one that was
    /// begun before has ended by then.
    pub fn share(&self) -> Share {
        self.begun.store(false, Ordering::SeqCst);
        let reduce = Box::new(Gated { reduce: self.reduction(), begun: self.begun.clone() });
        Share { part: self.rank, parts: self.count, reduce }
    }

    /// Begins the training, if all have come to what they need for it: from then on rank 0 leads and the others follow, and do nothing else
    /// together.
    ///
    /// # Errors
    /// As for [`Ranks::all`].
    pub fn begin<T>(&self, outcome: Result<T>) -> Result<T> {
        let own = self.all(outcome)?;
        self.begun.store(true, Ordering::SeqCst);
        Ok(own)
    }

    /// What this one has come to, if all have come to something.
    ///
    /// # Errors
    /// If one of them has failed: the first of those gives its own error, and the others [`Error::Elsewhere`].
    pub fn all<T>(&self, outcome: Result<T>) -> Result<T> {
        all(&mut *self.reduction(), (self.rank, self.count), outcome)
    }

    /// The least of the numbers that they have.
    ///
    /// # Errors
    /// If one cannot be reached.
    pub fn least(&self, own: u64) -> Result<u64> {
        least(&mut *self.reduction(), (self.rank, self.count), own)
    }

    /// Says so if some have other values than rank 0 of what all must have the same, each with its name. Ranks of any version may be asked.
    ///
    /// # Errors
    /// With the names, the ranks and what differs, of the first rank that has others; [`Error::Elsewhere`] of the rest.
    pub fn agree(&self, values: &[(&str, String)]) -> Result<()> {
        agree(&mut *self.reduction(), (self.rank, self.count), values)
    }
}

/// What a launcher says of how many processes it has started: the variable, and their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Announced(&'static str, usize);

impl Announced {
    /// By the first of [`COUNTS`] that is a number, where that is more than one.
    fn by(variable: impl Fn(&str) -> Option<String>) -> Option<Announced> {
        let number = |name: &&'static str| Some(Announced(name, variable(name)?.parse().ok()?));
        COUNTS.iter().find_map(number).filter(|announced| announced.1 > 1)
    }
}

/// No ranks, of a process that has found no others; but if a launcher says that there are some, what is in the way and what helps.
fn alone(announced: Option<Announced>, why: &str, help: &str) -> Result<Option<Ranks>> {
    match announced {
        None => Ok(None),
        Some(Announced(name, count)) => Err(Error::invalid(format!(
            "{count} processes were started together, as {name} says, and {why}, so that each would train a model of its own: {help}. If that is \
             what you want, start each without {name}, as by env -u {name}"
        ))),
    }
}

/// The reduction of a trainer: shut until the training begins, so that one that is given up before says nothing to ranks that do not follow it.
struct Gated {
    reduce: Box<dyn Reduce>,
    begun: Arc<AtomicBool>,
}

impl Gated {
    fn opened(&mut self) -> Result<&mut dyn Reduce> {
        match self.begun.load(Ordering::SeqCst) {
            true => Ok(&mut *self.reduce),
            false => Err(Error::invalid("the ranks have not begun to train")),
        }
    }
}

impl Reduce for Gated {
    fn sum(&mut self, values: &mut [f32]) -> Result<()> {
        self.opened()?.sum(values)
    }

    fn broadcast(&mut self, words: &mut [u32]) -> Result<()> {
        self.opened()?.broadcast(words)
    }

    fn fail(&mut self, why: &str) {
        // Before, it is told by the outcome that all wait for.
        if let Ok(reduce) = self.opened() {
            reduce.fail(why);
        }
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

/// See [`Ranks::least`].
fn least(reduce: &mut dyn Reduce, (rank, count): (usize, usize), own: u64) -> Result<u64> {
    // 16 bits in each number, which single precision keeps whole.
    const NUMBERS: usize = 4;
    let mut all = vec![0.0; NUMBERS * count];
    for (place, number) in all[NUMBERS * rank..][..NUMBERS].iter_mut().enumerate() {
        *number = f32::from((own >> (16 * place)) as u16);
    }
    reduce.sum(&mut all)?;
    let whole = |numbers: &[f32]| numbers.iter().rev().fold(0, |whole, &number| whole << 16 | number as u64);
    Ok(all.chunks_exact(NUMBERS).map(whole).fold(own, u64::min))
}

/// See [`Ranks::agree`].
fn agree(reduce: &mut dyn Reduce, (rank, count): (usize, usize), values: &[(&str, String)]) -> Result<()> {
    let expected = values.iter().map(|(_, own)| of_first(reduce, own)).collect::<Result<Vec<String>>>()?;
    let mut differing = vec![0.0; count * values.len()];
    for (flags, ((_, own), expected)) in differing.chunks_exact_mut(count).zip(values.iter().zip(&expected)) {
        flags[rank] = f32::from(u8::from(own != expected));
    }
    reduce.sum(&mut differing)?;
    let differs = |rank: usize| differing.chunks_exact(count).any(|flags| flags[rank] > 0.0);
    let Some(first) = (0..count).find(|&rank| differs(rank)) else { return Ok(()) };
    if rank != first {
        return Err(Error::Elsewhere(first));
    }
    let mut problems: Vec<String> = vec![];
    for (flags, ((what, own), expected)) in differing.chunks_exact(count).zip(values.iter().zip(&expected)) {
        let ranks: Vec<String> = (0..count).filter(|&rank| flags[rank] > 0.0).map(|rank| rank.to_string()).collect();
        let mut problem = match &ranks[..] {
            [] => continue,
            [one] => format!("rank {one} differs from rank 0 in its {what}"),
            several => format!("ranks {} differ from rank 0 in their {what}", several.join(", ")),
        };
        if flags[rank] > 0.0 {
            let (own, expected) = (only_in(own, expected), only_in(expected, own));
            problem += &format!(": rank {rank} has {own}, rank 0 {expected}");
        }
        problems.push(problem);
    }
    let names: Vec<&str> = values.iter().map(|(what, _)| *what).collect();
    Err(Error::invalid(format!("{}. All ranks need the same {}", problems.join("; "), names.join(" and "))))
}

/// The text that rank 0 has.
fn of_first(reduce: &mut dyn Reduce, own: &str) -> Result<String> {
    let mut length = [own.len() as u32];
    reduce.broadcast(&mut length)?;
    let length = length[0] as usize;
    let mut words = vec![0u32; length.div_ceil(4)];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    // Of the others, what they have is overwritten.
    bytes.iter_mut().zip(own.as_bytes()).for_each(|(byte, own)| *byte = *own);
    reduce.broadcast(&mut words)?;
    Ok(String::from_utf8_lossy(&bytemuck::cast_slice(&words)[..length]).into_owned())
}

/// The lines of a text that another has not, as they are quoted.
fn only_in(text: &str, other: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !other.lines().any(|known| known == *line)).collect();
    let quoted: Vec<String> = lines.iter().take(QUOTED).map(|line| format!("`{line}`")).collect();
    match lines.len() {
        0 => "no such line".to_string(),
        count if count > QUOTED => format!("{} and {} more lines", quoted.join(", "), count - QUOTED),
        _ => quoted.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::reduce::Alone;
    use super::super::threads::in_threads;
    use super::*;

    /// What three ranks come to, each on its own thread.
    fn three<T: Send>(work: impl Fn(&mut dyn Reduce, (usize, usize)) -> Result<T> + Sync) -> Vec<Result<T>> {
        std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = in_threads(3)
                .into_iter()
                .map(|mut share| scope.spawn(move || work(&mut *share.reduce, (share.part, share.parts))))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
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
                    _ => panic!("rank {rank}: {found:?}"),
                }
            }
        }
    }

    #[test]
    fn a_trainer_says_nothing_before_all_have_begun() {
        let ranks = Ranks {
            rank: 0,
            count: 1,
            local: 0,
            on_machine: 1,
            reduction: || Box::new(Alone),
            begun: Arc::default(),
            _library: Box::new(()),
        };
        let mut share = ranks.share();
        let mut given = [1.0];
        assert!(share.reduce.sum(&mut given).is_err() && share.reduce.broadcast(&mut [0]).is_err());
        assert!(ranks.begin(Err::<(), _>(Error::invalid("no such file"))).is_err());
        assert!(share.reduce.sum(&mut given).is_err(), "nothing has begun where one has failed");
        assert_eq!(ranks.begin(Ok(7)).unwrap(), 7);
        assert!(share.reduce.sum(&mut given).is_ok() && share.reduce.broadcast(&mut [0]).is_ok());
        assert!(ranks.share().reduce.sum(&mut given).is_err(), "another training has yet to begin");
    }

    #[test]
    fn ranks_that_have_something_else_are_named_with_what_it_is() {
        // Texts of other lengths than rank 0's, longer and shorter.
        let found = three(|reduce, (rank, count)| {
            let settings = ["seed = 1\nbatch = 128\nbeta = 1", "seed = 1\nbatch = 64\nbeta = 1", "seed = 1"][rank];
            let rows = if rank == 2 { "1,000 rows" } else { "some rows" };
            let values = [("settings", settings), ("rows", rows)];
            agree(reduce, (rank, count), &values.map(|(what, value)| (what, value.to_string())))
        });
        let Err(Error::Invalid(said)) = &found[1] else { panic!("{found:?}") };
        assert_eq!(
            said,
            "ranks 1, 2 differ from rank 0 in their settings: rank 1 has `batch = 64`, rank 0 `batch = 128`; rank 2 differs from rank 0 in \
             its rows. All ranks need the same settings and rows"
        );
        assert!([0, 2].iter().all(|&rank: &usize| matches!(found[rank], Err(Error::Elsewhere(1)))), "{found:?}");
        assert!(three(|reduce, at| agree(reduce, at, &[("rows", "the same".to_string())])).iter().all(Result::is_ok));
    }

    #[test]
    fn the_least_is_told_to_the_byte() {
        // Single precision has 24 bits: of each two that follow one another it would make one number.
        for numbers in [
            [33_554_434, 33_554_433, u64::MAX],
            [5, u64::MAX - 1, u64::MAX],
            [u64::MAX, u64::MAX - 1, u64::MAX],
            [1 << 40; 3],
        ] {
            let found = three(|reduce, at| least(reduce, at, numbers[at.0]));
            let expected = numbers.into_iter().min();
            assert!(found.iter().all(|found| found.as_ref().ok().copied() == expected), "{numbers:?}: {found:?}");
        }
    }

    #[test]
    fn a_launcher_that_says_there_are_others_is_heard() {
        let by = |set: &[(&str, &str)]| {
            Announced::by(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()))
        };
        for name in COUNTS {
            assert_eq!(by(&[(name, "4")]), Some(Announced(name, 4)));
            assert!(["1", "0", "many", ""].iter().all(|value| by(&[(name, value)]).is_none()), "{name}");
        }
        assert_eq!(by(&[]), None);
        // One that a launcher has started alone, itself in a step of several tasks.
        assert_eq!(by(&[("SLURM_STEP_NUM_TASKS", "2"), ("OMPI_COMM_WORLD_SIZE", "1")]), None);
        assert!(alone(None, "", "").is_ok_and(|ranks| ranks.is_none()));
        let Err(Error::Invalid(said)) = alone(Some(Announced("PMI_SIZE", 4)), "nothing joins them", "join them") else {
            panic!("each would train alone")
        };
        assert!(
            ["4 processes", "PMI_SIZE", "nothing joins them", ": join them."].iter().all(|word| said.contains(word)),
            "{said}"
        );
    }

    #[test]
    fn few_lines_are_quoted() {
        let lines = "a\nb\nc\nd\ne";
        assert_eq!(only_in(lines, "x"), "`a`, `b`, `c` and 2 more lines");
        assert_eq!(only_in(lines, "a\nc"), "`b`, `d`, `e`");
        assert_eq!(only_in("a", lines), "no such line");
    }
}
