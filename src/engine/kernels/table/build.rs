//! Builds maps and their cases: every load and store brings its binding with it.

use super::{Case, Fill, Input};
use crate::kernels::{Access, Expr, Fold, Func, Instr, Load, Map, Reduction, Reg, Store, View};

/// A map in the making.
pub(super) struct Build {
    pub map: Map,
    pub inputs: Vec<Input>,
}

impl Build {
    /// A map over these extents, the last `reduced` of which its reductions run over.
    pub fn new(extents: &[usize], reduced: usize) -> Build {
        let map = Map {
            extents: extents.to_vec(),
            reduced,
            expr: Expr::default(),
            stores: vec![],
            reductions: vec![],
            access: vec![],
        };
        Build { map, inputs: vec![] }
    }

    /// A further binding; gives its index.
    pub fn bind(&mut self, access: Access, input: Input) -> usize {
        self.map.access.push(access);
        self.inputs.push(input);
        self.inputs.len() - 1
    }

    /// Loads a tensor of the iteration space's own extents.
    pub fn load(&mut self, fill: Fill) -> Reg {
        let view = View::contiguous(&self.map.extents);
        self.load_view(fill, view)
    }

    /// Loads a tensor through a view.
    pub fn load_view(&mut self, fill: Fill, view: View) -> Reg {
        let binding = self.bind(Access::Read, Input::new(view.last(&self.map.extents) + 1, fill));
        self.map.expr.load(Load { binding, view })
    }

    /// Loads from a binding that is there already.
    pub fn load_from(&mut self, binding: usize, view: View) -> Reg {
        self.map.expr.load(Load { binding, view })
    }

    pub fn push(&mut self, instr: Instr) -> Reg {
        self.map.expr.push(instr)
    }

    pub fn constant(&mut self, value: f32) -> Reg {
        self.push(Instr::Const(value))
    }

    pub fn call(&mut self, func: Func, args: &[Reg]) -> Reg {
        self.map.expr.call(func, args)
    }

    /// Stores a register to a tensor of the iteration space's own extents.
    pub fn store(&mut self, reg: Reg) {
        let view = View::contiguous(&self.map.extents);
        let binding = self.bind(Access::Write, Input::output(view.last(&self.map.extents) + 1));
        self.map.stores.push(Store { reg, binding, view });
    }

    /// Stores a register to a binding that is there already.
    pub fn store_to(&mut self, binding: usize, reg: Reg, view: View) {
        self.map.stores.push(Store { reg, binding, view });
    }

    /// Sums a register over the reduced dimensions.
    pub fn sum(&mut self, reg: Reg) {
        self.reduce(reg, Fold::Sum);
    }

    /// Keeps the largest of a register over the reduced dimensions.
    pub fn largest(&mut self, reg: Reg) {
        self.reduce(reg, Fold::Max);
    }

    fn reduce(&mut self, reg: Reg, fold: Fold) {
        let kept = &self.map.extents[..self.map.extents.len() - self.map.reduced];
        let (view, len) = (View::contiguous(kept), kept.iter().product());
        let binding = self.bind(Access::Write, Input::output(len));
        self.map.reductions.push(Reduction { fold, store: Store { reg, binding, view } });
    }

    /// The weight of a row in a mean over the live ones: 1/rows, and 0 for padding.
    pub fn row_weight(&mut self) -> Reg {
        let row = self.push(Instr::Coordinate(0, 0));
        let rows = self.push(Instr::Rows);
        let live = self.call(Func::Less, &[row, rows]);
        self.call(Func::Div, &[live, rows])
    }

    /// The finished case.
    pub fn case(self, label: impl Into<String>) -> Case {
        Case::new(label, self.map, self.inputs)
    }
}

/// Extents as people write them.
pub(super) fn shape(extents: &[usize]) -> String {
    extents.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

/// A view by its numbers.
pub(super) fn view(offset: usize, strides: &[usize]) -> View {
    View { offset, strides: strides.to_vec() }
}
