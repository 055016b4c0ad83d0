//! The nodes and constants of an ONNX graph, as they are put together.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::dims::{Dim, Dims, fixed};
use super::proto::{Attribute, BOOL, FLOAT, INT64, Node, Tensor};

/// Something that is computed, given or constant.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its name; of a constant that nothing has used yet, the one that is wanted.
    pub name: String,
    /// Its shape as it lies.
    pub shape: Dims,
    /// Its numbers, where these are known.
    pub numbers: Option<Rc<[f32]>>,
}

/// Nodes and the constants that they use.
#[derive(Default)]
pub struct Builder {
    parts: RefCell<Parts>,
}

#[derive(Default)]
struct Parts {
    nodes: Vec<Node>,
    initialisers: Vec<Tensor>,
    /// Names of constants that are written down, by their numbers and shapes.
    written: HashMap<(*const f32, Dims), String>,
    /// The numbers themselves, kept so that no others come to lie in their place.
    kept: Vec<Rc<[f32]>>,
    scalars: HashMap<u32, Value>,
    wholes: HashMap<Vec<i64>, String>,
    taken: HashSet<String>,
    /// The input whose first dimension says how many rows there are.
    counted: Option<String>,
    /// How many there are, `[1]`, once that has been asked for.
    rows: Option<String>,
}

impl Builder {
    /// One in which these names are taken, which are those of inputs and outputs.
    pub fn new(taken: impl IntoIterator<Item = String>) -> Builder {
        Builder { parts: RefCell::new(Parts { taken: taken.into_iter().collect(), ..Parts::default() }) }
    }

    /// All nodes, and all constants that they use.
    pub fn finish(self) -> (Vec<Node>, Vec<Tensor>) {
        let Parts { nodes, initialisers, .. } = self.parts.into_inner();
        (nodes, initialisers)
    }

    /// What is given under a name.
    pub fn given(&self, name: &str, shape: Dims) -> Value {
        Value { name: name.to_string(), shape, numbers: None }
    }

    /// Numbers.
    pub fn constant(&self, name: &str, sizes: &[usize], numbers: impl Into<Rc<[f32]>>) -> Value {
        Value { name: name.to_string(), shape: fixed(sizes), numbers: Some(numbers.into()) }
    }

    /// One number.
    pub fn scalar(&self, number: f32) -> Value {
        let known = self.parts.borrow().scalars.get(&number.to_bits()).cloned();
        known.unwrap_or_else(|| {
            let value = self.constant(&format!("{number}"), &[], [number]);
            self.parts.borrow_mut().scalars.insert(number.to_bits(), value.clone());
            value
        })
    }

    /// A node's result.
    pub fn op(&self, kind: &str, inputs: &[&Value], attributes: Vec<Attribute>, shape: Dims) -> Value {
        let inputs = inputs.iter().map(|value| self.used(value)).collect();
        Value { name: self.node(kind, inputs, attributes, None), shape, numbers: None }
    }

    /// A node of such inputs; the name of its output, which is chosen where none is given.
    pub fn node(&self, kind: &str, input: Vec<String>, attribute: Vec<Attribute>, output: Option<&str>) -> String {
        let mut parts = self.parts.borrow_mut();
        let name = output.map_or_else(|| parts.free(&kind.to_lowercase()), str::to_string);
        let (output, op_type) = (vec![name.clone()], kind.to_string());
        parts.nodes.push(Node { input, output, name: name.clone(), op_type, attribute });
        name
    }

    /// The name under which nodes read a value; a constant is written down with that.
    pub fn used(&self, value: &Value) -> String {
        let Some(numbers) = &value.numbers else { return value.name.clone() };
        let mut parts = self.parts.borrow_mut();
        let key = (numbers.as_ptr(), value.shape.clone());
        if let Some(name) = parts.written.get(&key) {
            return name.clone();
        }
        let name = parts.free(&value.name);
        let dims = value.shape.iter().map(|dim| if let Dim::Fixed(size) = dim { *size as i64 } else { -1 }).collect();
        let raw_data = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        parts.initialisers.push(Tensor { dims, data_type: FLOAT, name: name.clone(), raw_data });
        parts.written.insert(key, name.clone());
        parts.kept.push(numbers.clone());
        name
    }

    /// Whole numbers `[n]`.
    pub fn wholes(&self, numbers: &[i64]) -> String {
        let mut parts = self.parts.borrow_mut();
        if let Some(name) = parts.wholes.get(numbers) {
            return name.clone();
        }
        let name = parts.free("sizes");
        let raw_data = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        parts.initialisers.push(Tensor {
            dims: vec![numbers.len() as i64],
            data_type: INT64,
            name: name.clone(),
            raw_data,
        });
        parts.wholes.insert(numbers.to_vec(), name.clone());
        name
    }

    /// Reads how many rows there are off the first dimension of an input.
    pub fn rows_are_of(&self, input: &str) {
        self.parts.borrow_mut().counted = Some(input.to_string());
    }

    /// Sizes as whole numbers `[n]`, computed where they hang on the rows.
    pub fn sizes(&self, shape: &[Dim]) -> String {
        let whole = |dim: &Dim| if let Dim::Fixed(size) = dim { Some(*size as i64) } else { None };
        if let Some(sizes) = shape.iter().map(whole).collect::<Option<Vec<i64>>>() {
            return self.wholes(&sizes);
        }
        let part = |dim: &Dim| match dim {
            Dim::Fixed(size) => self.wholes(&[*size as i64]),
            Dim::Rows(times) => self.rows_times(*times),
        };
        let parts: Vec<String> = shape.iter().map(part).collect();
        if let [only] = &parts[..] { only.clone() } else { self.node("Concat", parts, vec![whole_of("axis", 0)], None) }
    }

    /// So many times the number of rows, a whole number `[1]`.
    pub fn rows_times(&self, times: usize) -> String {
        let known = self.parts.borrow().rows.clone();
        let rows = known.unwrap_or_else(|| {
            let input = self.parts.borrow().counted.clone().expect("a graph whose sizes hang on rows is given rows");
            let ends = vec![whole_of("start", 0), whole_of("end", 1)];
            self.node("Shape", vec![input], ends, None)
        });
        self.parts.borrow_mut().rows = Some(rows.clone());
        if times == 1 { rows } else { self.node("Mul", vec![rows, self.wholes(&[times as i64])], vec![], None) }
    }

    /// Elements converted to another type.
    pub fn cast(&self, value: &Value, to: i32) -> Value {
        self.op("Cast", &[value], vec![whole_of("to", i64::from(to))], value.shape.clone())
    }

    /// Gives a product or a convolution that has none a bias, one number for each of its outputs, where nothing else reads it; whether
    /// that could be done.
    pub fn add_bias(&self, to: &Value, bias: &Value) -> bool {
        let bias = self.used(bias);
        let mut parts = self.parts.borrow_mut();
        let node = parts.nodes.iter_mut().rev().find(|node| node.output[0] == to.name);
        let takes = |node: &&mut Node| {
            matches!(node.op_type.as_str(), "Gemm" | "Conv" | "ConvTranspose") && node.input.len() == 2
        };
        node.filter(takes).map(|node| node.input.push(bias)).is_some()
    }
}

impl Parts {
    /// A name that is not taken, and is from now on.
    fn free(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_string();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }
}

/// An attribute that is a whole number.
pub fn whole_of(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_string(), i: Some(i), kind: 2, ..Attribute::default() }
}

/// An attribute that is a number.
pub fn number_of(name: &str, f: f32) -> Attribute {
    Attribute { name: name.to_string(), f: Some(f), kind: 1, ..Attribute::default() }
}

/// An attribute that is a list of whole numbers.
pub fn wholes_of(name: &str, ints: impl IntoIterator<Item = usize>) -> Attribute {
    let ints = ints.into_iter().map(|number| number as i64).collect();
    Attribute { name: name.to_string(), ints, kind: 7, ..Attribute::default() }
}

/// Functions of one shape, or of shapes that stretch to one.
impl Builder {
    /// A function of one value.
    pub fn unary(&self, kind: &str, a: &Value) -> Value {
        self.op(kind, &[a], vec![], a.shape.clone())
    }

    /// A function of two values.
    pub fn binary(&self, kind: &str, a: &Value, b: &Value) -> Value {
        self.op(kind, &[a, b], vec![], stretched(&a.shape, &b.shape))
    }

    /// `yes` where something is not 0, `no` elsewhere.
    pub fn choose(&self, condition: &Value, yes: &Value, no: &Value) -> Value {
        let shape = stretched(&stretched(&condition.shape, &yes.shape), &no.shape);
        self.op("Where", &[&self.cast(condition, BOOL), yes, no], vec![], shape)
    }

    /// 1 where a is less than b, 0 elsewhere.
    pub fn less(&self, a: &Value, b: &Value) -> Value {
        self.cast(&self.binary("Less", a, b), FLOAT)
    }
}

/// The shape that two shapes stretch to.
fn stretched(a: &[Dim], b: &[Dim]) -> Dims {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut shape = long.to_vec();
    let offset = long.len() - short.len();
    for (dim, other) in shape[offset..].iter_mut().zip(short) {
        if *dim == Dim::Fixed(1) {
            *dim = *other;
        }
    }
    shape
}
