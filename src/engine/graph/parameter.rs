//! Parameters: declared where they are used, named by the scopes around them.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::{Graph, NodeId, Op, Tensor};
use crate::kernels::Step;
use crate::kernels::random::{normal4, uniform4};

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same number everywhere.
    Constant(f32),
    /// Uniform in ±bound.
    Uniform(f32),
    /// Normal, so that what would otherwise be alike starts apart.
    Normal {
        /// The mean.
        mean: f32,
        /// The standard deviation.
        deviation: f32,
    },
}

/// A parameter that a graph has declared.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name with those of the scopes around it, unique in the model.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How it starts.
    pub init: Init,
    /// What becomes of it in training.
    pub role: Role,
}

/// What becomes of a parameter in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is moved along its gradient.
    Trained,
    /// It is only read, see [`Graph::freeze`].
    Frozen,
    /// It becomes what it is assigned, see [`Graph::state`].
    Assigned,
}

/// Whether the parameter of a full name is only read.
type IsFrozen = Rc<dyn Fn(&str) -> bool>;

/// Makes something else of a parameter where it is used: of its full name and the tensor that holds it.
type Transform = Rc<dyn for<'g> Fn(&str, Tensor<'g>) -> Tensor<'g>>;

/// A transform, and what it has made of parameters so far, by name: used twice, a parameter becomes the same.
#[derive(Clone)]
struct Transformed {
    transform: Transform,
    made: Rc<RefCell<HashMap<String, NodeId>>>,
}

impl Transformed {
    fn of<'g>(&self, name: &str, tensor: Tensor<'g>) -> Tensor<'g> {
        if let Some(&id) = self.made.borrow().get(name) {
            return tensor.graph().tensor(id);
        }
        let made = (self.transform)(name, tensor);
        self.made.borrow_mut().insert(name.to_string(), made.id());
        made
    }
}

/// What a graph has declared, and what holds for declarations at the moment.
#[derive(Default)]
pub(super) struct Declared {
    parameters: Vec<ParameterSpec>,
    places: HashMap<String, usize>,
    scope: String,
    frozen: Vec<IsFrozen>,
    transforms: Vec<Transformed>,
    /// How many transforms of parameters are under way, within each other.
    transforming: usize,
    assigns: Vec<(String, NodeId)>,
    /// Draws of weights that rows are to have of their own: how each lies around its mean, by the draw.
    around: HashMap<NodeId, Around<NodeId>>,
    /// The draws of which a layer has asked for that.
    asked: HashSet<NodeId>,
    /// Values that states follow, by the name of the state.
    followed: Vec<(String, NodeId)>,
    /// Whether states follow nothing here, see [`Graph::unfollowed`].
    is_unfollowed: bool,
}

impl Graph {
    /// A parameter of the model: what stands here is trained, and starts as `init` says. Its name is preceded by those of
    /// the scopes around it, see [`Graph::scope`]. Declared again, it is the same parameter.
    ///
    /// # Panics
    /// If it was declared with another shape or start.
    #[track_caller]
    pub fn param(&self, name: &str, shape: &[usize], init: Init) -> Tensor<'_> {
        let raw = self.declare(name, shape, init, Role::Trained);
        self.transformed(&self.in_scope(name), raw)
    }

    /// Something that a model keeps from step to step and that no optimiser moves: running means, a codebook. It starts as
    /// `init` says, is named as [`Graph::param`] names, and changes by [`Graph::assign`] alone.
    ///
    /// # Panics
    /// If it was declared with another shape or start.
    #[track_caller]
    pub fn state(&self, name: &str, shape: &[usize], init: Init) -> Tensor<'_> {
        self.declare(name, shape, init, Role::Assigned)
    }

    /// Whether a layer behaves as in training here, given the name of something that it declares: in a graph of training
    /// ([`Graph::of_training`]), unless that name is frozen. A layer that behaves otherwise later on, as batch normalisation and
    /// dropout do, asks this.
    pub fn is_trained(&self, name: &str) -> bool {
        let name = self.in_scope(name);
        self.training && !self.declared.borrow().frozen.iter().any(|is_frozen| is_frozen(&name))
    }

    /// Whether a state may be assigned here: in a graph of training, unless it is frozen.
    pub fn is_assigned(&self, state: Tensor) -> bool {
        let declared = self.declared.borrow();
        let Op::Param(name) = &state.node().op else { return false };
        let spec = declared.places.get(name).map(|&place| &declared.parameters[place]);
        self.training && spec.is_some_and(|spec| spec.role == Role::Assigned)
    }

    /// Lets a state become `value` at the end of every step of training; all else in the step sees what it was before. No gradient
    /// flows through it.
    ///
    /// # Panics
    /// If it is none that may be assigned here, is assigned twice, or has another shape.
    #[track_caller]
    pub fn assign<'g>(&'g self, state: Tensor<'g>, value: Tensor<'g>) {
        let name = self.assignable(state, value);
        let assigns = &mut self.declared.borrow_mut().assigns;
        assert!(assigns.iter().all(|(known, _)| known != name), "the state {name} is assigned twice");
        assigns.push((name.clone(), value.id()));
    }

    /// Lets a state follow what a step sees: s ← s + share·(value − s) at the end of every step of training. Several values of one
    /// step are taken in one after the other, and the same one once. No gradient flows through it.
    ///
    /// # Panics
    /// If it is none that may be assigned here, or has another shape.
    #[track_caller]
    pub fn follow<'g>(&'g self, state: Tensor<'g>, value: Tensor<'g>, share: f32) {
        let name = self.assignable(state, value);
        if self.declared.borrow().is_unfollowed {
            return;
        }
        let followed = (name.clone(), value.id());
        let known = {
            let declared = self.declared.borrow();
            if declared.followed.contains(&followed) {
                return;
            }
            declared.assigns.iter().position(|(known, _)| known == name)
        };
        let before = known.map_or(state, |place| self.tensor(self.declared.borrow().assigns[place].1));
        let after = before + (value.detach() - before) * share;
        let mut declared = self.declared.borrow_mut();
        declared.followed.push(followed);
        match known {
            Some(place) => declared.assigns[place].1 = after.id(),
            None => declared.assigns.push((name.clone(), after.id())),
        }
    }

    /// Does `work`, in which states that follow what a step sees, see [`Graph::follow`], are left as they are: for what is computed
    /// beside a step and is no part of what it trains by.
    pub fn unfollowed<T>(&self, work: impl FnOnce() -> T) -> T {
        let outer = std::mem::replace(&mut self.declared.borrow_mut().is_unfollowed, true);
        let out = work();
        self.declared.borrow_mut().is_unfollowed = outer;
        out
    }

    /// The name of a state that may become `value` here.
    #[track_caller]
    fn assignable<'g>(&'g self, state: Tensor<'g>, value: Tensor<'g>) -> &'g String {
        assert!(self.is_assigned(state), "{state:?} is no state that may be assigned here");
        assert_eq!(state.shape(), value.shape(), "what is assigned to {state:?}");
        let Op::Param(name) = &state.node().op else { unreachable!("a state is a parameter") };
        name
    }

    /// The states that are assigned, by name, and what they become.
    pub fn assigns(&self) -> Vec<(String, Tensor<'_>)> {
        let assigns = &self.declared.borrow().assigns;
        assigns.iter().map(|(name, id)| (name.clone(), self.tensor(*id))).collect()
    }

    /// Notes a parameter once; gives what holds it.
    #[track_caller]
    fn declare(&self, name: &str, shape: &[usize], init: Init, role: Role) -> Tensor<'_> {
        let name = self.in_scope(name);
        let mut declared = self.declared.borrow_mut();
        let is_frozen = declared.frozen.iter().any(|is_frozen| is_frozen(&name));
        let role = if is_frozen { Role::Frozen } else { role };
        let spec = ParameterSpec { name: name.clone(), shape: shape.to_vec(), init, role };
        match declared.places.get(&name) {
            Some(&place) => {
                let known = &declared.parameters[place];
                assert_eq!(*known, spec, "the parameter {name} is declared twice, and differently");
            }
            None => {
                let place = declared.parameters.len();
                declared.places.insert(name.clone(), place);
                declared.parameters.push(spec);
            }
        }
        self.push(Op::Param(name), vec![], shape.to_vec())
    }

    /// Whether a transform is making something of a parameter just now.
    pub(super) fn is_transforming(&self) -> bool {
        self.declared.borrow().transforming > 0
    }

    /// What the transforms under way make of a parameter, the innermost first. Of parameters that a transform declares itself,
    /// those around it make something as well.
    fn transformed<'g>(&'g self, name: &str, raw: Tensor<'g>) -> Tensor<'g> {
        let (transforms, scope) = {
            let mut declared = self.declared.borrow_mut();
            (std::mem::take(&mut declared.transforms), std::mem::take(&mut declared.scope))
        };
        self.declared.borrow_mut().transforming += 1;
        let made = transforms.iter().enumerate().rev().fold(raw, |tensor, (place, transform)| {
            self.declared.borrow_mut().transforms = transforms[..place].to_vec();
            transform.of(name, tensor)
        });
        let mut declared = self.declared.borrow_mut();
        declared.transforming -= 1;
        (declared.transforms, declared.scope) = (transforms, scope);
        made
    }

    /// The parameters that were declared, in the order in which they first were.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        self.declared.borrow().parameters.clone()
    }

    /// The tensor of a parameter by its full name, as it lies in memory.
    ///
    /// # Panics
    /// If the graph has not declared it.
    #[track_caller]
    pub fn parameter(&self, name: &str) -> Tensor<'_> {
        let shape = {
            let declared = self.declared.borrow();
            let place = declared.places.get(name);
            let place = *place.unwrap_or_else(|| panic!("the graph declares no parameter {name}"));
            declared.parameters[place].shape.clone()
        };
        self.push(Op::Param(name.to_string()), vec![], shape)
    }

    /// Does `work` with `scope.` before the names of all parameters and scalars that it asks for, so that a model can be a
    /// part of another without their names meeting. Scopes nest.
    pub fn scope<T>(&self, scope: &str, work: impl FnOnce() -> T) -> T {
        let outer = self.declared.borrow().scope.clone();
        self.declared.borrow_mut().scope = format!("{outer}{scope}.");
        let out = work();
        self.declared.borrow_mut().scope = outer;
        out
    }

    /// Does `work`, in which parameters whose full name `is_frozen` holds for are read and never trained.
    pub fn freeze<T>(&self, is_frozen: impl Fn(&str) -> bool + 'static, work: impl FnOnce() -> T) -> T {
        self.declared.borrow_mut().frozen.push(Rc::new(is_frozen));
        let out = work();
        self.declared.borrow_mut().frozen.pop();
        out
    }

    /// Does `work`, in which every parameter is what `transform` makes of its full name and of the tensor that holds it: a
    /// draw from a distribution over weights, a normalised weight. What lies in memory and is trained stays the same. A transform
    /// may declare parameters of its own, by full names; used twice, a parameter is transformed once.
    pub fn transform_parameters<T>(
        &self,
        transform: impl for<'g> Fn(&str, Tensor<'g>) -> Tensor<'g> + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        let transformed = Transformed { transform: Rc::new(transform), made: Rc::default() };
        self.declared.borrow_mut().transforms.push(transformed);
        let out = work();
        self.declared.borrow_mut().transforms.pop();
        out
    }

    /// Notes of a draw of weights how it lies around its mean: a layer that knows how gives every row a draw of its own.
    pub(crate) fn is_around<'g>(&'g self, draw: Tensor<'g>, around: Around<Tensor<'g>>) {
        self.declared.borrow_mut().around.insert(draw.id(), around.map(|t| t.id()));
    }

    /// How a draw lies around its mean, where [`Graph::is_around`] has noted that.
    pub(crate) fn around<'g>(&'g self, draw: Tensor<'g>) -> Option<Around<Tensor<'g>>> {
        let mut declared = self.declared.borrow_mut();
        let found = declared.around.get(&draw.id()).copied()?;
        declared.asked.insert(draw.id());
        Some(found.map(|id| self.tensor(id)))
    }

    /// Whether rows have draws of their own wherever [`Graph::is_around`] has noted of a draw that they may.
    pub(crate) fn all_draws_are_of_rows(&self) -> bool {
        let declared = self.declared.borrow();
        declared.around.keys().all(|draw| declared.asked.contains(draw))
    }

    /// A name as the scopes around it make it.
    pub(super) fn in_scope(&self, name: &str) -> String {
        format!("{}{name}", self.declared.borrow().scope)
    }
}

/// How a draw of weights lies around its mean.
#[derive(Clone, Copy, Debug)]
pub struct Around<T> {
    /// The mean.
    pub mean: T,
    /// What lies around it.
    pub by: T,
    /// What `by` is.
    pub noise: AroundNoise,
}

/// What tells how a draw of weights lies around its mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AroundNoise {
    /// How far it is from it, the sign of each number being as likely one way as the other.
    Signs,
    /// The standard deviation of each number, all being independent Gaussians.
    Gaussian,
}

impl<T> Around<T> {
    fn map<U>(self, of: impl Fn(T) -> U) -> Around<U> {
        Around { mean: of(self.mean), by: of(self.by), noise: self.noise }
    }
}

impl ParameterSpec {
    /// The starting values, a function of the seed and of the parameter's place among the model's.
    pub fn start(&self, seed: u64, place: usize) -> Vec<f32> {
        let count: usize = self.shape.iter().product();
        // Streams of initial values stand far above those of graphs, which count from 1.
        let (step, stream) = (Step { seed: Step::seed_words(seed), ..Step::default() }, 0x8000_0000 + place as u32);
        match self.init {
            Init::Constant(c) => vec![c; count],
            Init::Uniform(bound) => {
                (0..count).map(|e| bound * (2.0 * uniform4(&step, stream, e as u32 / 4)[e % 4] - 1.0)).collect()
            }
            Init::Normal { mean, deviation } => {
                (0..count).map(|e| mean + deviation * normal4(&step, stream, e as u32 / 4)[e % 4]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn names_are_scoped_and_declared_once() {
        let (graph, init) = (Graph::new(), Init::Constant(1.0));
        let one = graph.scope("a", || graph.scope("b", || graph.param("w", &[2], init)));
        let other = graph.param("w", &[2], init);
        assert!(one != other && graph.param("a.b.w", &[2], init) == one && graph.parameter("w") == other);
        graph.freeze(|name| name.starts_with("a."), || graph.scope("a", || graph.param("v", &[1], init)));
        let found: Vec<(String, Role)> = graph.parameters().into_iter().map(|spec| (spec.name, spec.role)).collect();
        let expected = [("a.b.w", Role::Trained), ("w", Role::Trained), ("a.v", Role::Frozen)]
            .map(|(name, role)| (name.to_string(), role));
        assert_eq!(found, expected);
    }

    #[test]
    #[should_panic(expected = "the parameter w is declared twice, and differently")]
    fn a_parameter_has_one_start() {
        let graph = Graph::new();
        graph.param("w", &[2], Init::Constant(1.0));
        graph.param("w", &[2], Init::Constant(2.0));
    }

    #[test]
    fn states_are_assigned_in_training_unless_they_are_frozen() {
        let init = Init::Constant(1.0);
        for (graph, is_training) in [(Graph::new(), false), (Graph::of_training(), true)] {
            let [weight, free] = [graph.param("w", &[2], init), graph.state("s", &[2], init)];
            let frozen = graph.freeze(|_| true, || graph.state("f", &[2], init));
            assert_eq!([weight, free, frozen].map(|t| graph.is_assigned(t)), [false, is_training, false]);
            let roles: Vec<Role> = graph.parameters().iter().map(|spec| spec.role).collect();
            assert_eq!(roles, [Role::Trained, Role::Assigned, Role::Frozen]);
            if is_training {
                graph.assign(free, free * 2.0);
                assert_eq!(graph.assigns(), [("s".to_string(), free * 2.0)]);
            }
        }
    }

    #[test]
    fn layers_are_trained_in_training_unless_their_names_are_frozen() {
        let asked = |graph: &Graph| {
            let is_trained = || graph.scope("layer", || graph.is_trained("mean"));
            [
                is_trained(),
                graph.freeze(|name| name == "layer.mean", is_trained),
                graph.freeze(|name| name == "mean", is_trained),
            ]
        };
        assert_eq!(asked(&Graph::new()), [false; 3]);
        assert_eq!(asked(&Graph::of_training()), [true, false, true]);
    }

    #[test]
    fn states_follow_one_value_after_the_other() {
        let (graph, mut values) = (Graph::of_training(), Values::default());
        let state = graph.state("s", &[1], Init::Constant(0.0));
        let [a, b] = ["a", "b"].map(|name| graph.input(name, &[1]));
        for value in [a, b, a] {
            graph.follow(state, value, 0.25);
        }
        for (name, value) in [("s", 8.0), ("a", 4.0), ("b", 11.0)] {
            values.tensors.insert(name.into(), vec![value]);
        }
        let [(name, after)] = <[_; 1]>::try_from(graph.assigns()).unwrap();
        // 8 + (4 − 8)/4 is 7, and 7 + (11 − 7)/4 is 8; the first value is not taken in again.
        assert_eq!((name.as_str(), &evaluate(&values, &[after])[0]), ("s", &vec![8.0]));
        let gradient = after.gradients(&[a])[0];
        assert_eq!(evaluate(&values, &[gradient])[0], [0.0]);
        // What is beside the step is not taken in, and what comes after it is.
        graph.unfollowed(|| graph.follow(state, b * 2.0, 0.25));
        assert_eq!(graph.assigns(), [("s".to_string(), after)]);
        graph.follow(state, b * 2.0, 0.25);
        assert_ne!(graph.assigns(), [("s".to_string(), after)]);
    }

    #[test]
    #[should_panic(expected = "is no state that may be assigned here")]
    fn a_weight_is_not_assigned() {
        let graph = Graph::of_training();
        let weight = graph.param("w", &[2], Init::Constant(1.0));
        graph.assign(weight, weight * 2.0);
    }

    /// A weight with a length of its own, g w/‖w‖ (Salimans and Kingma 2016), by a transform that declares g.
    #[test]
    fn a_transform_makes_something_else_of_a_parameter() {
        let graph = Graph::new();
        let weight = || graph.scope("layer", || graph.param("weight", &[1, 2], Init::Constant(1.0)));
        fn normalise<'g>(name: &str, w: Tensor<'g>) -> Tensor<'g> {
            let g = w.graph().param(&format!("{name}.length"), &[1], Init::Constant(1.0));
            g * w / w.square().sum(&[0, 1]).sqrt()
        }
        let [first, second] = graph.transform_parameters(normalise, || [weight(), weight()]);
        assert!(first == second, "used twice, it is transformed once");
        assert!(weight() == graph.parameter("layer.weight") && weight() != first, "beyond the transform it is itself");
        let names: Vec<String> = graph.parameters().into_iter().map(|spec| spec.name).collect();
        assert_eq!(names, ["layer.weight", "layer.weight.length"]);
        let mut values = Values::default();
        values.tensors.insert("layer.weight".into(), vec![3.0, 4.0]);
        values.tensors.insert("layer.weight.length".into(), vec![10.0]);
        let slope = first.slice(1, 0, 1).gradients(&[graph.parameter("layer.weight")])[0];
        let found = evaluate(&values, &[first, slope]);
        assert_eq!(found[0], [6.0, 8.0]);
        // ∂(g w₀/‖w‖)/∂w = g (1/‖w‖ − w₀²/‖w‖³, −w₀ w₁/‖w‖³).
        let expected = [10.0 * (0.2 - 9.0 / 125.0), -10.0 * 12.0 / 125.0];
        assert!(found[1].iter().zip(expected).all(|(found, e)| (found - e).abs() < 1e-12), "{:?}", found[1]);
    }

    /// Of two transforms the inner is applied first.
    #[test]
    fn transforms_nest() {
        let graph = Graph::new();
        let param = || graph.param("w", &[1], Init::Constant(1.0));
        let made = graph.transform_parameters(|_, w| w * 2.0, || graph.transform_parameters(|_, w| w + 1.0, param));
        let mut values = Values::default();
        values.tensors.insert("w".into(), vec![5.0]);
        assert_eq!(evaluate(&values, &[made])[0], [12.0]);
    }

    #[test]
    fn normal_values_have_the_mean_and_the_deviation_that_are_asked_for() {
        let init = Init::Normal { mean: -1.0, deviation: 0.5 };
        let spec = ParameterSpec { name: "a".into(), shape: vec![100, 100], init, role: Role::Trained };
        let values = spec.start(1, 2);
        let mean = values.iter().sum::<f32>() / 1e4;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 1e4;
        assert!((mean + 1.0).abs() < 0.025 && (variance.sqrt() - 0.5).abs() < 0.02, "{mean}, {variance}");
        assert!(values != spec.start(1, 3) && values != spec.start(2, 2) && values == spec.start(1, 2));
    }
}
