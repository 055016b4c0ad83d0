//! The programs that a session has loaded, by name.

use std::collections::HashMap;

use crate::program::ProgramId;

/// How many programs stay loaded that are not kept for good: more than what is done with a model needs, unless it
/// [says otherwise](LoadedPrograms::room_for).
const MOST: usize = 24;

/// Programs by name. Of those that are not kept for good, the ones that were not asked for the longest make room for others, so
/// that a session that is asked for ever other things does not grow.
#[derive(Debug, Default)]
pub(super) struct LoadedPrograms {
    named: HashMap<String, Named>,
    asked: u64,
    /// Programs more than [`MOST`] that stay.
    more: usize,
}

#[derive(Debug)]
struct Named {
    id: ProgramId,
    asked: u64,
    for_good: bool,
}

impl LoadedPrograms {
    /// The program of a name, if it is loaded.
    pub fn ask(&mut self, name: &str) -> Option<ProgramId> {
        self.asked += 1;
        let found = self.named.get_mut(name)?;
        found.asked = self.asked;
        Some(found.id)
    }

    /// The program that has to go before one more is loaded, if one has to.
    pub fn make_room(&mut self) -> Option<ProgramId> {
        let passing = self.named.iter().filter(|(_, named)| !named.for_good);
        if passing.clone().count() < MOST + self.more {
            return None;
        }
        let (oldest, _) = passing.min_by_key(|(_, named)| named.asked)?;
        let oldest = oldest.clone();
        self.named.remove(&oldest).map(|named| named.id)
    }

    /// Has so many programs more stay loaded: what is done asks for as many in turn.
    pub fn room_for(&mut self, more: usize) {
        self.more = self.more.max(more);
    }

    /// Takes note of a program.
    pub fn insert(&mut self, name: &str, id: ProgramId) {
        self.named.insert(name.to_string(), Named { id, asked: self.asked, for_good: false });
    }

    /// Keeps a program for good.
    pub fn keep(&mut self, name: &str) {
        if let Some(named) = self.named.get_mut(name) {
            named.for_good = true;
        }
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = ProgramId> {
        self.named.values().map(|named| named.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Programs;

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first() {
        let (mut loaded, mut programs) = (LoadedPrograms::default(), Programs::default());
        let mut add = |loaded: &mut LoadedPrograms, name: &str| {
            assert_eq!(loaded.ask(name), None);
            let gone = loaded.make_room();
            let id = programs.insert(());
            loaded.insert(name, id);
            (id, gone)
        };
        let (first, _) = add(&mut loaded, "first");
        loaded.keep("first");
        let ids: Vec<ProgramId> = (0..MOST)
            .map(|i| add(&mut loaded, &i.to_string()))
            .map(|(id, gone)| {
                assert_eq!(gone, None);
                id
            })
            .collect();
        assert_eq!(loaded.ask("0"), Some(ids[0]));
        assert_eq!(add(&mut loaded, "more").1, Some(ids[1]));
        assert_eq!((loaded.ask("1"), loaded.ask("first"), loaded.ids().count()), (None, Some(first), MOST + 1));
        // Of two that there is more room for, none makes another go; the next does.
        loaded.room_for(2);
        loaded.room_for(1);
        let gone = ["a", "b", "c"].map(|name| add(&mut loaded, name).1.is_some());
        assert_eq!((gone, loaded.ids().count()), ([false, false, true], MOST + 3));
    }
}
