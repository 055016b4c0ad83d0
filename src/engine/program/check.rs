//! What the executors rely on. On the CPU several threads write the words of one call at once, without locks: that this is sound rests on
//! what is checked here of every program before anything runs it.

use std::collections::HashSet;

use super::{Call, MOST_BINDINGS as MOST, Program};
use crate::kernels::Access;

impl Program {
    /// Checks that names of buffers differ, that slices lie inside their buffers, and that no call has more than eight bindings, binds
    /// one buffer to read and to write, or writes words twice.
    ///
    /// # Panics
    /// If the lowering broke a rule: that is an error in this crate.
    pub(super) fn check(self) -> Program {
        let mut names = HashSet::new();
        for buffer in &self.buffers {
            assert!(names.insert(&buffer.name), "two buffers are called {}", buffer.name);
        }
        for call in &self.calls {
            if let Some(fault) = self.fault(call) {
                panic!("{}: {fault}", call.label);
            }
        }
        self
    }

    /// The rule that a call breaks, if it breaks one.
    fn fault(&self, call: &Call) -> Option<String> {
        let access = call.kernel.bindings();
        if access.len() != call.bindings.len() {
            return Some(format!("{} bindings for {} slices", access.len(), call.bindings.len()));
        }
        if access.len() > MOST {
            return Some(format!("{} bindings, at most {MOST} are portable", access.len()));
        }
        for (i, a) in call.bindings.iter().enumerate() {
            let inside = self.buffers.get(a.buffer).is_some_and(|b| a.offset + a.words <= b.words);
            if a.offset % 64 != 0 || !inside {
                return Some(format!("{a:?} does not lie in a buffer, or does not begin at a multiple of 64"));
            }
            for (j, b) in call.bindings.iter().enumerate().skip(i + 1).filter(|(_, b)| b.buffer == a.buffer) {
                if access[i] != access[j] {
                    return Some(format!("bindings {i} and {j} read and write one buffer"));
                }
                let apart = a.offset + a.words <= b.offset || b.offset + b.words <= a.offset;
                if access[i] == Access::Write && !apart {
                    return Some(format!("bindings {i} and {j} write the same words"));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::kernels::{Args, Cost, Kernel, Module, Step, Traits};
    use crate::program::{Buffer, Slice};

    /// Has bindings, and is never run.
    #[derive(Debug)]
    struct Bound(Vec<Access>);

    impl Kernel for Bound {
        fn name(&self) -> &'static str {
            "bound"
        }
        fn bindings(&self) -> Vec<Access> {
            self.0.clone()
        }
        fn module(&self, _: &Traits, _: usize) -> Module {
            unreachable!("it is never run")
        }
        fn cost(&self) -> Cost {
            Cost::default()
        }
        fn run(&self, _: &Args, _: &Step) {}
    }

    fn program(sizes: &[usize]) -> Program {
        let buffer = |(i, &words): (usize, &usize)| Buffer { name: format!("b{i}"), words };
        let buffers = sizes.iter().enumerate().map(buffer).collect();
        Program {
            name: "p".into(),
            buffers,
            calls: vec![],
            scalars: vec![],
            statistics: vec![],
            ring: None,
            outputs: vec![],
        }
    }

    fn call(bound: &[(Access, Slice)]) -> Call {
        let (access, bindings) = bound.iter().copied().unzip();
        Call { kernel: Arc::new(Bound(access)), bindings, label: "call".into() }
    }

    /// The rules, word by word: how often a call reads and writes each word that there is.
    fn is_sound(sizes: &[usize], bound: &[(Access, Slice)]) -> bool {
        let mut read = sizes.iter().map(|&words| vec![0; words]).collect::<Vec<_>>();
        let mut written = read.clone();
        for &(access, slice) in bound {
            let words = if access == Access::Write { &mut written } else { &mut read };
            for word in slice.offset..slice.offset + slice.words {
                let Some(count) = words.get_mut(slice.buffer).and_then(|words| words.get_mut(word)) else {
                    return false;
                };
                *count += 1;
            }
        }
        let both = |b: usize| {
            let bound = |wanted: Access| bound.iter().any(|(access, slice)| *access == wanted && slice.buffer == b);
            bound(Access::Read) && bound(Access::Write)
        };
        bound.len() <= 8
            && bound.iter().all(|(_, slice)| slice.offset % 64 == 0)
            && (0..sizes.len()).all(|b| !both(b))
            && written.iter().flatten().all(|&times| times <= 1)
    }

    #[test]
    fn what_is_let_through_is_what_is_sound_word_by_word() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut outcomes = [0; 2];
        for _ in 0..20_000 {
            let sizes: Vec<usize> = (0..rng.random_range(1..6)).map(|_| 64 * rng.random_range(1..6)).collect();
            let writes = rng.random_range(0..sizes.len());
            let bound: Vec<(Access, Slice)> = (0..rng.random_range(1..10usize))
                .map(|_| {
                    let buffer = rng.random_range(0..sizes.len());
                    let offset = 64 * rng.random_range(0..5) + usize::from(rng.random_range(0..200) == 0);
                    let words = rng.random_range(1..130usize).min(sizes[buffer].saturating_sub(offset).max(1));
                    let is_odd = rng.random_range(0..50) == 0;
                    let access = if (buffer <= writes) != is_odd { Access::Write } else { Access::Read };
                    (access, Slice { buffer, offset, words })
                })
                .collect();
            let fault = program(&sizes).fault(&call(&bound));
            let sound = is_sound(&sizes, &bound);
            outcomes[usize::from(sound)] += 1;
            assert_eq!(fault.is_none(), sound, "{sizes:?}, {bound:?}: {fault:?}");
        }
        assert!(outcomes.iter().all(|&count| count > 2_000), "both come up: {outcomes:?}");
    }

    #[test]
    fn each_rule_is_told() {
        let at = |buffer, offset, words| Slice { buffer, offset, words };
        let (read, write) = (Access::Read, Access::Write);
        let fault = |bound: &[(Access, Slice)]| program(&[256, 64]).fault(&call(bound)).unwrap_or_default();
        assert_eq!(
            fault(&[(write, at(0, 0, 64)), (write, at(0, 64, 192)), (read, at(1, 0, 64)), (read, at(1, 0, 9))]),
            ""
        );
        assert!(fault(&[(write, at(0, 0, 65)), (write, at(0, 64, 1))]).contains("0 and 1 write the same words"));
        assert!(fault(&[(write, at(0, 0, 64)), (read, at(0, 128, 1))]).contains("read and write one buffer"));
        assert!(fault(&[(read, at(1, 0, 65))]).contains("does not lie"));
        assert!(fault(&[(read, at(2, 0, 1))]).contains("does not lie"));
        assert!(fault(&[(read, at(0, 32, 1))]).contains("multiple of 64"));
        assert!(fault(&[(read, at(0, 0, 1)); 9]).contains("9 bindings"));
        let mut short = call(&[(read, at(0, 0, 1))]);
        short.bindings.clear();
        assert!(program(&[64]).fault(&short).is_some_and(|fault| fault.contains("0 slices")));
    }

    #[test]
    #[should_panic(expected = "two buffers are called b0")]
    fn buffers_of_one_name_would_be_one_memory() {
        let mut program = program(&[64, 64]);
        program.buffers[1].name = "b0".into();
        program.check();
    }
}
