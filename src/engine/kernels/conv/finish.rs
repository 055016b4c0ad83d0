//! What becomes of the elements of a product on the CPU, rows at a time while they are in the cache.

use crate::kernels::expr_cpu::{Row, evaluate, store, with_registers};
use crate::kernels::{Access, Args, Expr, Instr, Load, Matmul, Reg, Step, Store, View};

/// An epilogue in the form that is fastest: a bias that is added first is where the sums start, and where all that is read and
/// written lies as the elements do, rows are no matter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finish {
    expr: Expr,
    /// What is done with each binding.
    access: Vec<Access>,
    stores: Vec<Store>,
    columns: usize,
    is_flat: bool,
    is_plain: bool,
    /// Where the sums start from.
    pub bias: Option<Load>,
}

impl Finish {
    /// That of a product. Without `may_start`, sums start from 0.
    pub fn new(product: &Matmul, may_start: bool) -> Finish {
        let (mut expr, mut stores, columns) = (product.expr.clone(), product.stores.clone(), product.n);
        let bias = product.bias().filter(|(_, load)| may_start && load.view.strides[1] == 1);
        let bias = bias.map(|(sum, load)| (sum, load.clone()));
        if let Some((sum, load)) = &bias {
            expr.instrs[*sum] = Instr::Acc;
            drop_unused(&mut expr, load);
        }
        let lies_so = |view: &View| view.strides == [columns, 1];
        let is_one = |view: &View| view.strides == [0, 0];
        let is_flat = expr.instrs.iter().all(|instr| match instr {
            Instr::Load(load) => lies_so(&expr.loads[*load].view) || is_one(&expr.loads[*load].view),
            Instr::Coordinate(..) | Instr::Normal(..) | Instr::Uniform(..) => false,
            _ => true,
        }) && stores.iter().all(|store| lies_so(&store.view));
        let is_plain = stores.len() == 1 && expr.instrs[stores[0].reg as usize] == Instr::Acc;
        if is_flat {
            let views = expr.loads.iter_mut().map(|load| &mut load.view);
            for view in views.chain(stores.iter_mut().map(|store| &mut store.view)) {
                view.strides.remove(0);
            }
        }
        Finish {
            expr,
            access: product.access.clone(),
            stores,
            columns,
            is_flat,
            is_plain,
            bias: bias.map(|(_, load)| load),
        }
    }

    /// The bias, if sums start from one.
    pub fn start<'a>(&self, args: &'a Args) -> Option<&'a [f32]> {
        self.bias.as_ref().map(|load| &args.read(load.binding)[load.view.offset..][..self.columns])
    }

    /// Does it to whole rows of elements, the first of which has this number.
    ///
    /// # Safety
    /// As for [`crate::kernels::Words::part`]: these rows of all outputs belong to this thread.
    pub unsafe fn rows(&self, first: usize, elements: &[f32], args: &Args, step: &Step) {
        if self.is_flat {
            let start = first * self.columns;
            // SAFETY: the caller's.
            return unsafe { self.lanes(&mut [start], elements, args, step) };
        }
        for (row, elements) in elements.chunks_exact(self.columns).enumerate() {
            // SAFETY: the caller's.
            unsafe { self.lanes(&mut [first + row, 0], elements, args, step) };
        }
    }

    /// Does it to elements side by side, the first of which has this index.
    ///
    /// # Safety
    /// As for [`Finish::rows`].
    unsafe fn lanes(&self, index: &mut [usize], elements: &[f32], args: &Args, step: &Step) {
        if self.is_plain {
            // SAFETY: the caller's.
            return unsafe { store(elements, args, self.stores[0].binding, &self.stores[0].view, index) };
        }
        with_registers(&self.expr, &self.access, |regs| {
            for acc in elements.chunks(regs.lanes()) {
                let row = Row { index, len: acc.len(), rows: 1, acc };
                evaluate(&self.expr, regs, &row, args, step);
                for s in &self.stores {
                    // SAFETY: the caller's.
                    unsafe { store(regs.read(s.reg, &row, args), args, s.binding, &s.view, index) };
                }
                *index.last_mut().expect("an element has an index") += acc.len();
            }
        });
    }
}

/// Replaces the instruction of a load that nothing uses any more.
fn drop_unused(expr: &mut Expr, load: &Load) {
    let is_it = |instr: &Instr| matches!(instr, Instr::Load(l) if expr.loads[*l] == *load);
    let Some(at) = expr.instrs.iter().position(is_it) else { return };
    let reads = |instr: &Instr| matches!(instr, Instr::Call(func, args) if args[..func.arity()].contains(&(at as Reg)));
    if !expr.instrs.iter().any(reads) {
        expr.instrs[at] = Instr::Const(0.0);
    }
}
