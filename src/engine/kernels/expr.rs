//! Fused elementwise expressions: straight-line programs over one point of an iteration space.
//!
//! The lowering fuses any chain of elementwise operations into one [`Expr`]; maps, reductions and the epilogues of
//! matrix products all evaluate one. Register i holds the value of instruction i.

use super::Work;
use super::func::Func;
use super::random::{NORMAL, UNIFORM};

/// Index of a register, which is the index of the instruction that sets it.
pub type Reg = u16;

/// Where a tensor's element for a point of the iteration space lies: `offset + Σ index[d]·strides[d]` words into its
/// binding. A stride of 0 broadcasts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Words before the element of point 0.
    pub offset: usize,
    /// Words from one index of a dimension to the next.
    pub strides: Vec<usize>,
}

impl View {
    /// The view of a contiguous row-major tensor with the iteration space's own extents.
    pub fn contiguous(extents: &[usize]) -> View {
        let mut strides = vec![1; extents.len()];
        for d in (0..extents.len().saturating_sub(1)).rev() {
            strides[d] = strides[d + 1] * extents[d + 1];
        }
        View { offset: 0, strides }
    }

    /// The word of a point.
    pub fn at(&self, index: &[usize]) -> usize {
        self.offset + self.strides.iter().zip(index).map(|(s, i)| s * i).sum::<usize>()
    }

    /// The last word touched over an iteration space.
    pub fn last(&self, extents: &[usize]) -> usize {
        self.offset + self.strides.iter().zip(extents).map(|(s, e)| s * (e - 1)).sum::<usize>()
    }
}

/// A tensor read by an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    /// Which binding of the kernel.
    pub binding: usize,
    /// Which word of it.
    pub view: View,
}

/// A register written to a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// What is written.
    pub reg: Reg,
    /// Which binding of the kernel.
    pub binding: usize,
    /// Which word of it; for a sum, over the dimensions that are kept.
    pub view: View,
}

/// A stream of random numbers, and how a tensor takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RandomStream {
    /// Its number.
    pub number: u32,
    /// How many of its numbers belong to a row of the batch, those of one behind each other; 0 where all rows have them in common. A part
    /// of a batch takes those of its own rows.
    pub per_row: u32,
}

impl From<u32> for RandomStream {
    /// A stream that rows have in common.
    fn from(number: u32) -> RandomStream {
        RandomStream { number, per_row: 0 }
    }
}

impl RandomStream {
    /// The place in the stream of the first number of a part of a batch that begins at this row.
    pub fn start(self, row_offset: u32) -> usize {
        self.per_row as usize * row_offset as usize
    }
}

/// One instruction.
#[derive(Clone, Debug, PartialEq)]
pub enum Instr {
    /// The element of a load.
    Load(usize),
    /// The accumulator of the matrix product whose epilogue this is.
    Acc,
    /// A constant.
    Const(f32),
    /// A named scalar of the program: its slot among the step's scalars.
    Scalar(usize),
    /// How many rows of the batch are live.
    Rows,
    /// The row of the batch at which this part of it begins.
    RowOffset,
    /// The index along a dimension of the iteration space, plus an offset.
    Coordinate(usize, usize),
    /// A standard normal of a stream; the view says which element of the stream.
    Normal(RandomStream, View),
    /// A uniform in (0, 1) of a stream; the view says which element of the stream.
    Uniform(RandomStream, View),
    /// A scalar function of registers; those beyond its arity are 0 and ignored.
    Call(Func, [Reg; 3]),
}

/// A straight-line program over one point of an iteration space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expr {
    /// The instructions, each setting the register of its index.
    pub instrs: Vec<Instr>,
    /// The tensors that `Instr::Load` names.
    pub loads: Vec<Load>,
}

impl Expr {
    /// Appends an instruction, or finds the same one already there; gives its register.
    pub fn push(&mut self, instr: Instr) -> Reg {
        if let Some(at) = self.instrs.iter().position(|i| *i == instr) {
            return at as Reg;
        }
        self.instrs.push(instr);
        (self.instrs.len() - 1) as Reg
    }

    /// Appends a load of a tensor, or finds the same one; gives its register.
    pub fn load(&mut self, load: Load) -> Reg {
        let at = self.loads.iter().position(|l| *l == load).unwrap_or_else(|| {
            self.loads.push(load);
            self.loads.len() - 1
        });
        self.push(Instr::Load(at))
    }

    /// Appends a call.
    pub fn call(&mut self, func: Func, args: &[Reg]) -> Reg {
        let mut regs = [0; 3];
        regs[..args.len()].copy_from_slice(args);
        self.push(Instr::Call(func, regs))
    }

    /// A later instruction that is best computed with this one, since both begin with the same exponential: that of a sigmoid beside its
    /// softplus, and the precision beside a Gaussian's density.
    pub(super) fn twin(&self, at: usize) -> Option<usize> {
        let Instr::Call(func, args) = &self.instrs[at] else { return None };
        let find = |func: Func, reg: usize| {
            let wanted = Instr::Call(func, [reg as Reg, 0, 0]);
            self.instrs.iter().position(|instr| *instr == wanted)
        };
        let other = match func {
            Func::Softplus | Func::BernoulliLogProb => find(Func::Sigmoid, usize::from(args[0])),
            Func::GaussianLogProb => find(Func::Exp, find(Func::Neg, usize::from(args[2]))?),
            _ => None,
        };
        other.filter(|&other| other > at)
    }

    /// What the CPU executor computes at a point.
    pub fn work(&self) -> Work {
        let each = self.instrs.iter().enumerate().map(|(i, instr)| match instr {
            Instr::Call(func, _) if self.twin(i).is_some() => func.work().without(func.shared_work()),
            Instr::Call(func, _) => func.work(),
            Instr::Normal(..) => NORMAL,
            Instr::Uniform(..) => UNIFORM,
            _ => Work::default(),
        });
        each.fold(Work::default(), Work::and)
    }

    /// Floating-point operations per point, of which a function is one.
    pub fn flops(&self) -> usize {
        self.instrs
            .iter()
            .map(|i| match i {
                Instr::Call(..) => 1,
                // Ten rounds of four multiplications are integer work; the polynomials are about this much per draw.
                Instr::Normal(..) => 20,
                Instr::Uniform(..) => 2,
                _ => 0,
            })
            .sum()
    }
}
