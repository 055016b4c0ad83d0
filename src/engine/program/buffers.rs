//! The buffers of an executor, by name, and who needs them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Buffer, check_room};
use crate::error::{Error, Result};

/// Buffers of a kind that is the executor's own affair. One lives as long as a program that names it is loaded, or as
/// the executor where it was asked for by itself.
#[derive(Debug)]
pub(crate) struct Buffers<B> {
    named: HashMap<String, Held<B>>,
}

#[derive(Debug)]
struct Held<B> {
    buffer: B,
    words: usize,
    programs: usize,
    asked_for: bool,
}

impl<B> Default for Buffers<B> {
    fn default() -> Buffers<B> {
        Buffers { named: HashMap::new() }
    }
}

impl<B: Clone> Buffers<B> {
    /// Says so if one of these is here with another size.
    ///
    /// # Errors
    /// With both sizes.
    pub fn check_sizes(&self, wanted: &[Buffer]) -> Result<()> {
        let other = wanted.iter().find_map(|buffer| {
            let held = self.named.get(&buffer.name)?;
            (held.words != buffer.words).then_some((buffer, held.words))
        });
        match other {
            None => Ok(()),
            Some((Buffer { name, words }, held)) => {
                Err(Error::invalid(format!("the buffer {name} has {held} words in one program and {words} in another")))
            }
        }
    }

    /// Bytes of those that are not here yet.
    pub fn bytes_missing(&self, wanted: &[Buffer]) -> u64 {
        wanted.iter().filter(|buffer| !self.named.contains_key(&buffer.name)).map(Buffer::bytes).sum()
    }

    /// A buffer for one more program, made if it is not here.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn take(&mut self, wanted: &Buffer, make: impl FnOnce() -> Result<B>) -> Result<B> {
        let held = self.held(wanted, make)?;
        held.programs += 1;
        Ok(held.buffer.clone())
    }

    /// Keeps a buffer whatever becomes of programs; made if it is not here.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn keep(&mut self, wanted: &Buffer, make: impl FnOnce() -> Result<B>) -> Result<()> {
        self.held(wanted, make)?.asked_for = true;
        Ok(())
    }

    fn held(&mut self, wanted: &Buffer, make: impl FnOnce() -> Result<B>) -> Result<&mut Held<B>> {
        Ok(match self.named.entry(wanted.name.clone()) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                place.insert(Held { buffer: make()?, words: wanted.words, programs: 0, asked_for: false })
            }
        })
    }

    /// One program fewer needs a buffer; gives it if nothing does any more.
    pub fn release(&mut self, name: &str) -> Option<B> {
        let held = self.named.get_mut(name)?;
        held.programs -= 1;
        let is_needed = held.programs > 0 || held.asked_for;
        if is_needed { None } else { self.named.remove(name).map(|held| held.buffer) }
    }

    /// A buffer and its words.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn get(&self, name: &str) -> Result<(&B, usize)> {
        let held = self.named.get(name);
        let held = held.ok_or_else(|| Error::invalid(format!("no loaded program has a buffer named {name}")))?;
        Ok((&held.buffer, held.words))
    }

    /// The same for so many words that are to be written.
    ///
    /// # Errors
    /// If there is none of that name, or it is smaller.
    pub fn with_room(&self, name: &str, first: usize, words: usize) -> Result<&B> {
        let (buffer, room) = self.get(name)?;
        check_room(name, room, first, words).map(|()| buffer)
    }

    /// How many there are, and their bytes.
    pub fn extent(&self) -> (u64, u64) {
        (self.named.len() as u64, self.named.values().map(|held| 4 * held.words as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(name: &str, words: usize) -> Buffer {
        Buffer { name: name.to_string(), words }
    }

    #[test]
    fn a_buffer_lives_as_long_as_it_is_needed() {
        let mut buffers: Buffers<u32> = Buffers::default();
        let (a, b) = (buffer("a", 10), buffer("b", 20));
        let mut take = |buffer, made| buffers.take(buffer, || Ok(made)).unwrap();
        assert_eq!((take(&a, 1), take(&a, 2), take(&b, 3)), (1, 1, 3));
        buffers.keep(&b, || Ok(4)).unwrap();
        assert!(buffers.take(&buffer("d", 5), || Err(Error::invalid("no room"))).is_err() && buffers.get("d").is_err());
        assert_eq!(buffers.bytes_missing(&[a.clone(), buffer("c", 5)]), 20);
        assert_eq!((buffers.release("a"), buffers.release("b"), buffers.extent()), (None, None, (2, 120)));
        assert_eq!((buffers.release("a"), buffers.extent()), (Some(1), (1, 80)));
        assert!(
            buffers.get("a").is_err()
                && buffers.with_room("b", 1, 20).is_err()
                && buffers.with_room("b", 0, 20).is_ok()
        );
        assert!(buffers.check_sizes(&[buffer("b", 21)]).unwrap_err().to_string().contains("20 words"));
        assert!(buffers.check_sizes(&[a, b]).is_ok());
    }
}
