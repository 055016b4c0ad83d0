//! Two products that do not need each other in one launch: each of them alone would leave most of a GPU idle, and on the CPU
//! each takes a thread of its own.
//!
//! A workgroup makes a tile of one of them. The sizes of the first travel in the first two quads of the immediates, those
//! of the second in the next two.

use super::choose::Config;
use super::{Matmul, text};
use crate::kernels::args::Args;
use crate::kernels::expr_wgsl::prelude;
use crate::kernels::sharing::least;
use crate::kernels::step::{DIMS, Step};
use crate::kernels::wgsl::{Shader, rename};
use crate::kernels::{Access, Cost, Kernel, Module, Traits};

const MAIN: &str = include_str!("../../../../shaders/matmul_pair.wgsl");

/// The most multiplications, and the most elements of a result, of a product that shares a launch: a larger one fills a GPU
/// by itself, and its tiles would be more than one dimension of a launch takes.
const SMALL: [usize; 2] = [1 << 25, 1 << 20];

/// Two products that are run together. Bindings: those of the first, then those that only the second has.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    products: [Matmul; 2],
    /// The binding here of each product's binding.
    bindings: [Vec<usize>; 2],
    access: Vec<Access>,
}

impl Pair {
    /// Whether a product is small enough to share a launch.
    pub fn takes(product: &Matmul) -> bool {
        let results = product.m.next_multiple_of(64) * product.n.next_multiple_of(64);
        product.work() <= SMALL[0] && results <= SMALL[1]
    }

    /// Joins two products; `same(i, j)` says whether binding i of the first and binding j of the second are the same memory.
    /// `None` if that would take more than eight bindings or if [`Pair::takes`] refuses one.
    pub fn new(first: Matmul, second: Matmul, same: impl Fn(usize, usize) -> bool) -> Option<Pair> {
        let mut access = first.access.clone();
        let kinds = [element_kinds(&first), element_kinds(&second)];
        let own: Vec<usize> = (0..access.len()).collect();
        let mut others = Vec::new();
        for (j, &wanted) in second.access.iter().enumerate() {
            let shared = |&i: &usize| {
                wanted == Access::Read && first.access[i] == wanted && kinds[0][i] == kinds[1][j] && same(i, j)
            };
            others.push(own.iter().copied().find(shared).unwrap_or_else(|| {
                access.push(wanted);
                access.len() - 1
            }));
        }
        let fits = access.len() <= 8 && Pair::takes(&first) && Pair::takes(&second);
        fits.then_some(Pair { products: [first, second], bindings: [own, others], access })
    }

    /// Which bindings of the second product come, in this order, behind those of the first.
    pub fn own_to_second(&self) -> impl Iterator<Item = usize> {
        let behind = self.bindings[0].len();
        self.bindings[1].iter().enumerate().filter(move |(_, binding)| **binding >= behind).map(|(own, _)| own)
    }

    /// The configuration of either. Where tiles lie in workgroup memory, both use the same one: that of the larger.
    fn configs(&self, traits: &Traits) -> [Config; 2] {
        let [first, second] = &self.products;
        let configs = [first.config(traits), second.config(traits)];
        match configs[0] {
            Config::Tiled { .. } => [configs[usize::from(second.work() > first.work())]; 2],
            _ => configs,
        }
    }

    /// The declarations of all bindings.
    fn declarations(&self) -> String {
        let mut wide = vec![false; self.access.len()];
        for (product, bindings) in self.products.iter().zip(&self.bindings) {
            for (kind, &binding) in element_kinds(product).into_iter().zip(bindings) {
                wide[binding] |= kind;
            }
        }
        let each = wide.iter().zip(&self.access).enumerate();
        each.map(|(i, (&wide, &access))| text::binding(i, wide, access)).collect()
    }

    /// The functions of a product, over this kernel's bindings.
    fn functions(&self, p: usize, config: Config, traits: &Traits) -> String {
        let (mut product, bindings) = (self.products[p].clone(), &self.bindings[p]);
        let loads = product.expr.loads.iter_mut().map(|load| &mut load.binding);
        let stores = product.stores.iter_mut().chain(&mut product.row_sums).map(|store| &mut store.binding);
        for binding in loads.chain(stores) {
            *binding = bindings[*binding];
        }
        let functions = text::functions(
            config,
            product.layout(),
            product.hooks(),
            product.blocks(config, traits),
            [bindings[0], bindings[1]],
        );
        product.epilogue() + "\n" + &functions
    }
}

/// Whether each binding of a product is read four words at a time.
fn element_kinds(product: &Matmul) -> Vec<bool> {
    let layout = product.layout();
    let mut wide = vec![false; product.access.len()];
    (wide[0], wide[1]) = (layout.wide_a, layout.wide_b);
    wide
}

/// The functions of the second product beside those of the first: under names of their own, with the next two quads of
/// sizes, and in the same workgroup memory, of which a workgroup needs only one product's.
fn second(functions: &str) -> String {
    let declared: Vec<&str> = functions
        .lines()
        .filter_map(|line| line.strip_prefix("fn ").or_else(|| line.strip_prefix("const ")))
        .filter_map(|rest| rest.split([' ', ':', '(']).next())
        .collect();
    let kept = functions.lines().filter(|line| !line.starts_with("var<workgroup>")).flat_map(|line| [line, "\n"]);
    rename(&kept.collect::<String>(), |word| match word {
        "d0" => Some("d2".into()),
        "d1" => Some("d3".into()),
        _ => declared.contains(&word).then(|| format!("{word}_second")),
    })
}

impl Kernel for Pair {
    fn name(&self) -> &'static str {
        "pair"
    }

    fn bindings(&self) -> Vec<Access> {
        self.access.clone()
    }

    fn module(&self, traits: &Traits, _: usize) -> Module {
        let configs = self.configs(traits);
        let [first, both] = {
            let tiles = |p: usize| configs[p].tiles(self.products[p].m, self.products[p].n);
            [tiles(0), tiles(0) + tiles(1)]
        };
        let functions = |p: usize| self.functions(p, configs[p], traits);
        let products = functions(0) + "\n" + &second(&functions(1));
        let main = Shader::new(MAIN).set("FIRST", first).set("TILES", both).put("product", products);
        let text = prelude(self.products.iter().map(|product| &product.expr))
            + &self.declarations()
            + &text::entry(configs[0], main);
        Module { text, workgroups: [both as u32, 1, 1] }
    }

    fn dims(&self) -> [u32; DIMS] {
        let [mut dims, second] = [self.products[0].dims(), self.products[1].dims()];
        dims[8..].copy_from_slice(&second[..8]);
        dims
    }

    fn cost(&self) -> Cost {
        self.products[0].cost() + self.products[1].cost()
    }

    fn run(&self, args: &Args, step: &Step) {
        let [first, second] = &self.products;
        let run = |p: usize, threads: usize| {
            let mut room = [(std::ptr::null_mut(), 0); 8];
            self.products[p].run_on(threads, &args.select(&self.bindings[p], &mut room), step);
        };
        let threads = rayon::current_num_threads();
        let (less, more) = (first.work().min(second.work()), first.work().max(second.work()));
        if threads == 1 || less + more < least(1 << 20) {
            run(0, 1);
            run(1, 1);
        } else if 3 * more > 4 * less {
            // Too unlike to take half of the threads each.
            run(0, threads);
            run(1, threads);
        } else {
            rayon::join(|| run(0, threads / 2), || run(1, threads / 2));
        }
    }
}
