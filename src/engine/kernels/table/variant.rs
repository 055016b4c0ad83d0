//! One of the texts a kernel may be run with, as a kernel of its own: so that every text can be tried on any adapter.

use std::sync::Arc;

use crate::kernels::{Access, Args, Cost, DIMS, Kernel, Module, Step, Traits};

/// A kernel pinned to one module.
#[derive(Clone, Debug)]
pub struct Variant {
    kernel: Arc<dyn Kernel>,
    module: Module,
}

/// The distinct texts of a kernel that an adapter of these traits can run: those it would choose from, and those of
/// adapters that differ in being hardware or software, or offer no subgroups. The adapter's own choice comes first.
pub fn variants(kernel: &Arc<dyn Kernel>, traits: &Traits) -> Vec<Variant> {
    let others = [
        *traits,
        Traits { software: !traits.software, ..*traits },
        Traits { software: true, subgroup_size: None },
        Traits { software: false, subgroup_size: None },
    ];
    let modules = others.iter().flat_map(|traits| all_modules(&**kernel, traits));
    let mut distinct: Vec<Variant> = Vec::new();
    for module in modules {
        if distinct.iter().all(|v| v.module != module) {
            distinct.push(Variant { kernel: kernel.clone(), module });
        }
    }
    distinct
}

/// All texts that a kernel may be run with on an adapter, the rule's choice first.
pub fn all_modules(kernel: &dyn Kernel, traits: &Traits) -> Vec<Module> {
    let choices = kernel.choices(traits).map_or(1, |choices| choices.names.len());
    (0..choices).map(|choice| kernel.module(traits, choice)).collect()
}

impl Variant {
    /// The module it is pinned to.
    pub fn module(&self) -> &Module {
        &self.module
    }
}

impl Kernel for Variant {
    fn name(&self) -> &'static str {
        self.kernel.name()
    }

    fn bindings(&self) -> Vec<Access> {
        self.kernel.bindings()
    }

    fn module(&self, _: &Traits, _: usize) -> Module {
        self.module.clone()
    }

    fn dims(&self) -> [u32; DIMS] {
        self.kernel.dims()
    }

    fn cost(&self) -> Cost {
        self.kernel.cost()
    }

    fn run(&self, args: &Args, step: &Step) {
        self.kernel.run(args, step);
    }
}
