//! The programs of an executor, by the handles it gave out.

use std::fmt;

use crate::error::{Error, Result};

/// A program that an executor has loaded. It stands for that program alone: once that is unloaded, for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProgramId {
    slot: u32,
    /// How many programs had the slot before.
    generation: u32,
}

impl fmt::Display for ProgramId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

/// What an executor keeps of each program that is loaded. The place of one that is unloaded is used again.
#[derive(Debug)]
pub(crate) struct Programs<T> {
    slots: Vec<(u32, Option<T>)>,
}

impl<T> Default for Programs<T> {
    fn default() -> Programs<T> {
        Programs { slots: Vec::new() }
    }
}

impl<T> Programs<T> {
    /// The handle that the next program will have.
    pub fn next(&self) -> ProgramId {
        let free = self.slots.iter().position(|(_, kept)| kept.is_none());
        let slot = free.unwrap_or(self.slots.len());
        ProgramId { slot: slot as u32, generation: self.slots.get(slot).map_or(0, |(generation, _)| *generation) }
    }

    /// Keeps a program.
    pub fn insert(&mut self, program: T) -> ProgramId {
        let id = self.next();
        let slot = id.slot as usize;
        if slot == self.slots.len() {
            self.slots.push((0, None));
        }
        self.slots[slot].1 = Some(program);
        id
    }

    /// Gives a program up.
    ///
    /// # Errors
    /// If it is not loaded.
    pub fn remove(&mut self, id: ProgramId) -> Result<T> {
        let found = self.slots.get_mut(id.slot as usize).filter(|(generation, _)| *generation == id.generation);
        let (generation, kept) = found.ok_or_else(|| not_loaded(id))?;
        let program = kept.take().ok_or_else(|| not_loaded(id))?;
        *generation += 1;
        Ok(program)
    }

    /// A program.
    ///
    /// # Errors
    /// If it is not loaded.
    pub fn get(&self, id: ProgramId) -> Result<&T> {
        let found = self.slots.get(id.slot as usize).filter(|(generation, _)| *generation == id.generation);
        found.and_then(|(_, kept)| kept.as_ref()).ok_or_else(|| not_loaded(id))
    }

    /// A program, to be changed.
    ///
    /// # Errors
    /// If it is not loaded.
    pub fn get_mut(&mut self, id: ProgramId) -> Result<&mut T> {
        let found = self.slots.get_mut(id.slot as usize).filter(|(generation, _)| *generation == id.generation);
        found.and_then(|(_, kept)| kept.as_mut()).ok_or_else(|| not_loaded(id))
    }

    /// All programs that are loaded.
    pub fn iter(&self) -> impl Iterator<Item = (ProgramId, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, (generation, kept))| {
            Some((ProgramId { slot: slot as u32, generation: *generation }, kept.as_ref()?))
        })
    }
}

fn not_loaded(id: ProgramId) -> Error {
    Error::invalid(format!("the program {id} is not loaded any more: load it again, which gives it another handle"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_stands_for_one_program() {
        let mut programs = Programs::default();
        let [a, b] = ["a", "b"].map(|name| programs.insert(name));
        assert_eq!((programs.remove(a).unwrap(), *programs.get(b).unwrap()), ("a", "b"));
        let next = programs.next();
        let c = programs.insert("c");
        assert_eq!((c, programs.slots.len()), (next, 2));
        // The place is the same, the handle is not.
        for gone in [programs.get(a).err(), programs.remove(a).err(), programs.get_mut(a).err()] {
            assert!(gone.unwrap().to_string().contains("not loaded"));
        }
        assert_eq!(programs.iter().collect::<Vec<_>>(), [(c, &"c"), (b, &"b")]);
    }
}
