//! The reads of an executor that are under way.

use std::sync::{Arc, Weak};

use crate::error::{Error, Result};

/// A read that is under way; see [`Executor::begin_read`](super::Executor::begin_read). What is read is thrown away where the ticket is.
#[derive(Debug)]
pub struct ReadTicket(Arc<()>);

/// What an executor keeps of each read until it is given to whoever holds the ticket.
#[derive(Debug)]
pub(crate) struct Reads<T> {
    open: Vec<(Weak<()>, T)>,
}

impl<T> Default for Reads<T> {
    fn default() -> Reads<T> {
        Reads { open: Vec::new() }
    }
}

impl<T> Reads<T> {
    /// Keeps a read, and forgets those that nobody asks for any more.
    pub fn open(&mut self, read: T) -> ReadTicket {
        self.open.retain(|(ticket, _)| ticket.strong_count() > 0);
        let ticket = Arc::new(());
        self.open.push((Arc::downgrade(&ticket), read));
        ReadTicket(ticket)
    }

    fn place(&self, ticket: &ReadTicket) -> Result<usize> {
        let found = self.open.iter().position(|(open, _)| std::ptr::eq(open.as_ptr(), Arc::as_ptr(&ticket.0)));
        found.ok_or_else(|| Error::invalid("what was read was given before: begin another read"))
    }

    /// The read of a ticket.
    ///
    /// # Errors
    /// If it was closed.
    #[cfg(feature = "gpu")]
    pub fn get(&self, ticket: &ReadTicket) -> Result<&T> {
        Ok(&self.open[self.place(ticket)?].1)
    }

    /// Gives the read of a ticket up.
    ///
    /// # Errors
    /// If it was closed.
    pub fn close(&mut self, ticket: &ReadTicket) -> Result<T> {
        let place = self.place(ticket)?;
        Ok(self.open.swap_remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_one_read() {
        let mut reads = Reads::default();
        let (a, b) = (reads.open(1), reads.open(2));
        assert_eq!((reads.close(&a).unwrap(), reads.close(&a).is_err()), (1, true));
        let c = reads.open(3);
        drop(b);
        let d = reads.open(4);
        assert_eq!((reads.open.len(), reads.close(&d).unwrap(), reads.close(&c).unwrap()), (2, 4, 3));
    }
}
