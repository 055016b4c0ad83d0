//! Graphs as nodes of ONNX, operation by operation, whatever the model.
//!
//! What stretches to a shape is left as it is until something needs it whole, as the functions of ONNX stretch by themselves. A convolution is
//! a product of patches here, and its transpose the fold of a product; both become the operators that do them at once, and what follows a
//! convolution value by value stays channel by channel, as ONNX has pictures, until something else is done with it.

use std::collections::HashMap;

use super::builder::{Builder, Value, whole_of, wholes_of};
use super::dims::{Dim, Dims, Sizes, fixed, parts};
use super::functions::call;
use super::proto::FLOAT;
use crate::error::{Error, Result};
use crate::graph::{Graph, NodeId, Op};
use crate::kernels::{Func, Window};

/// Parameters by name: shape and numbers.
pub type Parameters = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// What leaves of a graph are.
pub struct Leaves<'a> {
    /// Parameters.
    pub parameters: &'a Parameters,
    /// Numbers of a step, by name.
    pub scalar: &'a dyn Fn(&str) -> f32,
    /// Inputs, by name.
    pub inputs: HashMap<String, Value>,
}

/// A value that stands for a node.
#[derive(Clone)]
pub(super) struct Stored {
    /// The value; of the node's shape or one that stretches to it, unless it is of pictures.
    pub value: Value,
    /// Where it holds pictures `[pictures, C, h, w]` that stand for `[pictures·h·w, C]`: h and w.
    pub image: Option<[usize; 2]>,
}

/// A graph on its way into ONNX.
pub struct Translation<'a> {
    pub(super) graph: &'a Graph,
    pub(super) sizes: Sizes<'a>,
    pub(super) out: &'a Builder,
    leaves: Leaves<'a>,
    known: HashMap<NodeId, Stored>,
    whole: HashMap<NodeId, Value>,
    uses: HashMap<NodeId, usize>,
}

/// What a node and those in front of it are done as.
pub(super) enum Form {
    /// Its own operation.
    Plain,
    /// A convolution of pictures by weights.
    Convolution(Window, NodeId, NodeId),
    /// A transposed convolution of places by weights.
    Transposed(Window, NodeId, NodeId),
}

impl<'a> Translation<'a> {
    /// A graph to be translated.
    pub fn new(graph: &'a Graph, sizes: Sizes<'a>, out: &'a Builder, leaves: Leaves<'a>) -> Translation<'a> {
        let (known, whole, uses) = (HashMap::new(), HashMap::new(), HashMap::new());
        Translation { graph, sizes, out, leaves, known, whole, uses }
    }

    /// The values of nodes, whole.
    ///
    /// # Errors
    /// If an operation on the way to them has no form in ONNX.
    pub fn values(&mut self, wanted: &[NodeId]) -> Result<Vec<Value>> {
        let mut open = wanted.to_vec();
        let mut needed = std::collections::BTreeSet::new();
        while let Some(id) = open.pop() {
            *self.uses.entry(id).or_default() += 1;
            if needed.insert(id) {
                open.extend(self.operands(id));
            }
        }
        for id in needed {
            let stored = self.node(id)?;
            self.known.insert(id, stored);
        }
        wanted.iter().map(|&id| self.whole(id)).collect()
    }

    fn operands(&self, id: NodeId) -> Vec<NodeId> {
        match self.form(id) {
            Form::Plain => self.graph.node(id).inputs.clone(),
            Form::Convolution(_, x, weight) | Form::Transposed(_, x, weight) => vec![x, weight],
        }
    }

    /// What a node is done as.
    pub(super) fn form(&self, id: NodeId) -> Form {
        let node = self.graph.node(id);
        let first = node.inputs.first().map(|&id| self.graph.node(id));
        match (&node.op, first.map(|first| &first.op)) {
            (Op::MatMul { transpose_a: false, .. }, Some(Op::Patches(window)))
                if self.graph.shape(node.inputs[0])[1] == window.width() =>
            {
                Form::Convolution(*window, self.graph.node(node.inputs[0]).inputs[0], node.inputs[1])
            }
            (Op::Fold(window), Some(Op::MatMul { transpose_a: false, .. }))
                if self.graph.shape(node.inputs[0])[1] == window.width() =>
            {
                let [x, weight] = self.graph.node(node.inputs[0]).inputs[..] else { return Form::Plain };
                Form::Transposed(*window, x, weight)
            }
            _ => Form::Plain,
        }
    }

    fn node(&mut self, id: NodeId) -> Result<Stored> {
        match self.form(id) {
            Form::Convolution(window, x, weight) => return self.convolution(id, window, x, weight),
            Form::Transposed(window, x, weight) => return self.transposed(id, window, x, weight),
            Form::Plain => {}
        }
        let (node, shape, out) = (self.graph.node(id), self.sizes.of(id)?, self.out);
        let first = node.inputs.first().copied();
        let of = |translation: &mut Self, place: usize| translation.whole(node.inputs[place]);
        let value = match &node.op {
            Op::Param(name) => {
                let found = self.leaves.parameters.get(name);
                let (sizes, numbers) =
                    found.ok_or_else(|| Error::invalid(format!("the model has no parameter {name}")))?;
                out.constant(name, sizes, numbers.clone())
            }
            Op::Input(name) => {
                let found = self.leaves.inputs.get(name).cloned();
                found.ok_or_else(|| Error::invalid(format!("nothing is given as the input {name}")))?
            }
            Op::Const(bits) => out.scalar(bits.get()),
            Op::Scalar(name) => out.scalar((self.leaves.scalar)(name)),
            Op::RowOffset => out.scalar(0.0),
            Op::Rows => out.cast(&out.given(&out.rows_times(1), fixed(&[1])), FLOAT),
            Op::Coordinate(axis) => self.coordinate(*axis, &shape)?,
            Op::Detach => return Ok(self.known[&node.inputs[0]].clone()),
            Op::Call(func) => return self.call(*func, &node.inputs),
            Op::MatMul { transpose_a, transpose_b } => {
                let [a, b] = [of(self, 0)?, of(self, 1)?];
                let turned = |name, turned: &bool| turned.then(|| whole_of(name, 1));
                let how = [turned("transA", transpose_a), turned("transB", transpose_b)];
                out.op("Gemm", &[&a, &b], how.into_iter().flatten().collect(), shape)
            }
            Op::Patches(window) => return self.patches(id, *window, node.inputs[0]),
            Op::Fold(window) => return self.fold(*window, node.inputs[0]),
            Op::Sum(axes) | Op::Max(axes) => {
                let a = of(self, 0)?;
                let axes: Vec<i64> = axes.iter().map(|&axis| axis as i64).collect();
                let kind = if matches!(node.op, Op::Sum(_)) { "ReduceSum" } else { "ReduceMax" };
                out.given(&out.node(kind, vec![out.used(&a), out.wholes(&axes)], vec![], None), shape)
            }
            // What is the same everywhere stays one number.
            Op::Reshape | Op::Permute(_) | Op::Slice { .. } if self.is_one_number(first) => {
                self.known[&node.inputs[0]].value.clone()
            }
            Op::Expand => {
                let Stored { value, image } = self.known[&node.inputs[0]].clone();
                if image.is_some() { self.whole(node.inputs[0])? } else { value }
            }
            Op::Reshape => {
                let a = of(self, 0)?;
                self.reshape(&a, &shape)
            }
            Op::Permute(order) => {
                let a = of(self, 0)?;
                self.permute(&a, order)
            }
            Op::Slice { axis, start } => {
                let a = of(self, 0)?;
                let Dim::Fixed(len) = shape[*axis] else {
                    return Err(Error::invalid(
                        "a part of all rows has no form in ONNX: give the number of rows with --batch",
                    ));
                };
                let ends = [*start, start + len, *axis].map(|number| out.wholes(&[number as i64]));
                let inputs = std::iter::once(out.used(&a)).chain(ends).collect();
                out.given(&out.node("Slice", inputs, vec![], None), shape)
            }
            Op::Concat(axis) => {
                let all = (0..node.inputs.len()).map(|place| of(self, place)).collect::<Result<Vec<Value>>>()?;
                out.op("Concat", &all.iter().collect::<Vec<_>>(), vec![whole_of("axis", *axis as i64)], shape)
            }
            Op::Normal(_) | Op::Uniform(_) | Op::Batch { .. } => {
                return Err(Error::invalid(
                    "what is asked for is drawn by chance, and a file of ONNX gives the same for the same",
                ));
            }
        };
        Ok(Stored { value, image: None })
    }

    fn is_one_number(&self, id: Option<NodeId>) -> bool {
        id.is_some_and(|id| self.known[&id].value.shape.is_empty())
    }

    /// A node's value in the node's shape.
    pub(super) fn whole(&mut self, id: NodeId) -> Result<Value> {
        if let Some(known) = self.whole.get(&id) {
            return Ok(known.clone());
        }
        let (Stored { value, image }, shape, out) = (self.known[&id].clone(), self.sizes.of(id)?, self.out);
        let whole = if image.is_some() {
            let turned = self.permute(&value, &[0, 2, 3, 1]);
            self.reshape(&turned, &shape)
        } else if value.shape == shape {
            value
        } else {
            let offset = shape.len() - value.shape.len();
            let to = |(place, dim): (usize, &Dim)| match place.checked_sub(offset).map(|place| value.shape[place]) {
                Some(own) if own == *dim => Dim::Fixed(1),
                _ => *dim,
            };
            let to: Dims = shape.iter().enumerate().map(to).collect();
            out.given(&out.node("Expand", vec![out.used(&value), out.sizes(&to)], vec![], None), shape)
        };
        self.whole.insert(id, whole.clone());
        Ok(whole)
    }

    /// A node's value as it is kept.
    pub(super) fn stored(&self, id: NodeId) -> &Stored {
        &self.known[&id]
    }

    /// The same elements in another shape.
    pub(super) fn reshape(&self, value: &Value, shape: &[Dim]) -> Value {
        let out = self.out;
        if value.shape == shape {
            return value.clone();
        }
        if let Some(numbers) = &value.numbers {
            return Value { shape: shape.to_vec(), numbers: Some(numbers.clone()), ..value.clone() };
        }
        // One size that hangs on the rows is what is left of the elements.
        let open = shape.iter().filter(|dim| matches!(dim, Dim::Rows(_))).count() == 1;
        let left = |dim: &Dim| if let Dim::Fixed(size) = dim { *size as i64 } else { -1 };
        let sizes = if open { out.wholes(&shape.iter().map(left).collect::<Vec<i64>>()) } else { out.sizes(shape) };
        out.given(&out.node("Reshape", vec![out.used(value), sizes], vec![], None), shape.to_vec())
    }

    /// Axes in another order; numbers that are known are put there at once.
    pub(super) fn permute(&self, value: &Value, order: &[usize]) -> Value {
        let shape: Dims = order.iter().map(|&axis| value.shape[axis]).collect();
        let Some(numbers) = &value.numbers else {
            return self.out.op("Transpose", &[value], vec![wholes_of("perm", order.iter().copied())], shape);
        };
        let size = |dim: &Dim| if let Dim::Fixed(size) = dim { *size } else { 1 };
        let (from, to): (Vec<usize>, Vec<usize>) =
            (value.shape.iter().map(size).collect(), shape.iter().map(size).collect());
        let strides: Vec<usize> = (0..from.len()).map(|axis| from[axis + 1..].iter().product()).collect();
        let place = |mut element: usize| {
            let mut place = 0;
            for (size, &axis) in to.iter().zip(order).rev() {
                place += element % size * strides[axis];
                element /= size;
            }
            place
        };
        let turned: Vec<f32> = (0..numbers.len()).map(|element| numbers[place(element)]).collect();
        Value { shape, numbers: Some(turned.into()), ..value.clone() }
    }

    /// Each element's index along an axis; the others stretch.
    fn coordinate(&self, axis: usize, shape: &[Dim]) -> Result<Value> {
        let (mut lies, out) = (fixed(&vec![1; shape.len()]), self.out);
        lies[axis] = shape[axis];
        let along = match shape[axis] {
            Dim::Fixed(size) => {
                out.constant("places", &[size], (0..size).map(|place| place as f32).collect::<Vec<f32>>())
            }
            Dim::Rows(times) => {
                let scalar = |name: String| out.node("Squeeze", vec![name], vec![], None);
                let ends = [out.wholes(&[0]), out.rows_times(times), out.wholes(&[1])].map(scalar);
                let range = out.given(&out.node("Range", ends.to_vec(), vec![], None), vec![shape[axis]]);
                out.cast(&range, FLOAT)
            }
        };
        Ok(self.reshape(&along, &lies))
    }

    /// A function of nodes' values, of pictures where one is and the others stretch to such or are such.
    fn call(&mut self, func: Func, inputs: &[NodeId]) -> Result<Stored> {
        let all: Vec<Stored> = inputs.iter().map(|id| self.known[id].clone()).collect();
        let image = all.iter().find_map(|stored| Some((stored.image?, stored.value.shape[1])));
        let as_pictures = image.and_then(|(image, channels)| {
            let values: Option<Vec<Value>> =
                all.iter().map(|stored| self.by_channel(stored, image, channels)).collect();
            Some((values?, image))
        });
        let (values, image) = match as_pictures {
            Some((values, image)) => (values, Some(image)),
            None => {
                let value = |(stored, id): (&Stored, &NodeId)| match stored.image {
                    Some(_) => self.whole(*id),
                    None => Ok(stored.value.clone()),
                };
                (all.iter().zip(inputs).map(value).collect::<Result<Vec<Value>>>()?, None)
            }
        };
        if let (Func::Add, [a, b]) = (func, &values[..])
            && self.uses[&inputs[0]] == 1
            && self.add_bias(inputs[0], a, b)
        {
            return Ok(Stored { value: a.clone(), image });
        }
        Ok(Stored { value: call(self.out, func, &values)?, image })
    }

    /// A value beside pictures `[pictures, C, h, w]`: such pictures, one number, or one for each channel.
    fn by_channel(&self, stored: &Stored, image: [usize; 2], channels: Dim) -> Option<Value> {
        match stored.image {
            Some(other) => (other == image).then(|| stored.value.clone()),
            None if stored.value.shape.is_empty() => Some(stored.value.clone()),
            None => {
                let one = parts(&stored.value.shape, 1).ok()?;
                let is_last = stored.value.shape.last() == Some(&channels);
                let shape = [Dim::Fixed(1), channels, Dim::Fixed(1), Dim::Fixed(1)];
                (one == channels && is_last).then(|| self.reshape(&stored.value, &shape))
            }
        }
    }

    /// Makes numbers that are added to a product or a convolution, one for each output, its bias; whether that could be done.
    fn add_bias(&self, to: NodeId, value: &Value, bias: &Value) -> bool {
        let is_product = matches!(self.graph.node(to).op, Op::MatMul { .. } | Op::Fold(_));
        let axis = if self.known[&to].image.is_some() { 1 } else { value.shape.len().saturating_sub(1) };
        let (Some(numbers), Some(&Dim::Fixed(outputs))) = (&bias.numbers, value.shape.get(axis)) else { return false };
        let is_row = axis == 1 && value.shape.len() == 4 || bias.shape.last() == Some(&Dim::Fixed(outputs));
        is_product
            && is_row
            && numbers.len() == outputs
            && self.out.add_bias(value, &self.reshape(bias, &fixed(&[outputs])))
    }
}
