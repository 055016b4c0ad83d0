//! What the CPU executor computes for a kernel: the operations that its polynomials and its random numbers are made of, where a GPU has an instruction
//! for a function. Each function's stand beside it ([`math`](super::math), [`special`](super::special), [`random`](super::random),
//! [`Func::work`](super::Func::work)).

/// Operations on numbers of 32 bits. A vector instruction does one to each of its lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Additions, subtractions, multiplications, comparisons, selections, conversions and operations on bits, changes of sign among them: one each, and a
    /// larger or smaller of two one as well. What is fused counts twice, as it does in the ceiling; a product of integers that gives 64 bits too.
    pub operations: f64,
    /// Divisions and square roots: a processor has a unit of its own for them, which takes several times as long.
    pub divisions: f64,
}

impl Work {
    /// So many operations and divisions.
    pub const fn new(operations: f64, divisions: f64) -> Work {
        Work { operations, divisions }
    }

    /// So many operations.
    pub const fn of(operations: f64) -> Work {
        Work::new(operations, 0.0)
    }

    /// Both.
    #[must_use]
    pub const fn and(self, more: Work) -> Work {
        Work::new(self.operations + more.operations, self.divisions + more.divisions)
    }

    /// What is left without some of it.
    #[must_use]
    pub const fn without(self, less: Work) -> Work {
        self.and(less.times(-1.0))
    }

    /// The same so many times.
    #[must_use]
    pub const fn times(self, count: f64) -> Work {
        Work::new(self.operations * count, self.divisions * count)
    }
}
