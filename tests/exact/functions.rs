//! Every scalar function, over numbers of all signs and sizes, and what is drawn at random.

use elbo::engine::kernels::random::{fill_normals, fill_uniforms};
use elbo::engine::kernels::{Access, Args, Arithmetic, Expr, FUNCS, Func, Kernel, Load, Map, Reg, Step, Store, View};

use crate::{recorded, ways};

const COUNT: usize = 1 << 16;

/// Numbers from all over the bits of an f32; most of the moderate kind, where functions are curved.
fn numbers(seed: u32) -> Vec<f32> {
    let edges = [0.0, -0.0, 1.0, -1.0, 1e-40, -1e-40, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    let number = |i: usize| {
        let word = (i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(0x9e37_79b9));
        let word = (word ^ word >> 15).wrapping_mul(0x85eb_ca6b);
        match i % 8 {
            0 => f32::from_bits(word),
            1 => edges[(word >> 8) as usize % edges.len()],
            2 => (word as f32 / 4_294_967_296.0 - 0.5) * 180.0,
            3 => word as f32 / 4_294_967_296.0,
            _ => (word as f32 / 4_294_967_296.0 - 0.5) * 20.0,
        }
    };
    (0..COUNT).map(number).collect()
}

/// A function of three lists, as a map of the CPU computes it.
fn mapped(func: Func, arity: usize, inputs: &[Vec<f32>; 3]) -> Vec<f32> {
    let view = View { offset: 0, strides: vec![1] };
    let mut expr = Expr::default();
    let loads: Vec<Reg> = (0..arity).map(|binding| expr.load(Load { binding, view: view.clone() })).collect();
    let reg = expr.call(func, &loads);
    let map = Map {
        extents: vec![COUNT],
        reduced: 0,
        expr,
        stores: vec![Store { reg, binding: 3, view }],
        reductions: vec![],
        access: vec![Access::Read, Access::Read, Access::Read, Access::Write],
    };
    let (mut inputs, mut out) = (inputs.clone(), vec![0.0f32; COUNT]);
    let slices: Vec<_> =
        inputs.iter_mut().chain([&mut out]).map(|list| (list.as_mut_ptr().cast::<u32>(), COUNT)).collect();
    // SAFETY: the lists are apart, and live as long as the call.
    map.run(&unsafe { Args::new(&slices) }.computed(Arithmetic::Exact), &Step::default());
    out
}

#[test]
fn functions() {
    let inputs = [1, 2, 3].map(numbers);
    for &(func, name, arity, ..) in FUNCS {
        let words = ways::same(name, || mapped(func, arity, &inputs));
        recorded::check(&format!("function {name}"), &words);
        let finite = words.iter().filter(|&&word| f32::from_bits(word).is_normal()).count();
        assert!(finite > COUNT / 4, "{name}: {finite} of {COUNT} numbers say anything");
    }
}

#[test]
fn draws() {
    let step = Step { seed: [5, 7], step: 11, ..Step::default() };
    for (name, fill) in [("normals", fill_normals as fn(&mut [f32], usize, &Step, u32)), ("uniforms", fill_uniforms)] {
        let words = ways::same(name, || {
            let mut out = vec![0.0; COUNT];
            fill(&mut out, 3, &step, 2);
            out
        });
        recorded::check(&format!("draws {name}"), &words);
    }
}
