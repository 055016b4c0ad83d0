//! All other kernels, in the cases of the table.

use elbo::engine::cpu::Cpu;
use elbo::engine::kernels::table::{Case, POISON, TABLE};
use elbo::engine::program::{Buffer, Call, Executor, Program, Slice};

use crate::ways;

/// What a case's kernel leaves in all its bindings.
fn written(case: &Case) -> Vec<f32> {
    let mut cpu = Cpu::exact();
    let lens = || case.inputs.iter().map(|input| input.len).enumerate();
    let program = Program {
        name: case.label.clone(),
        buffers: lens().map(|(b, words)| Buffer { name: format!("case.{b}"), words }).collect(),
        calls: vec![Call {
            kernel: case.kernel.clone(),
            bindings: lens().map(|(buffer, words)| Slice { buffer, offset: 0, words }).collect(),
            label: case.label.clone(),
        }],
        scalars: vec![],
        statistics: vec![],
        ring: None,
        outputs: vec![],
    };
    let id = cpu.load(program).expect("the case fits");
    for (b, _) in lens() {
        cpu.write(&format!("case.{b}"), &case.words(b, 1)).expect("the case fits");
    }
    cpu.run(id, &case.steps).expect("the CPU runs");
    let words = lens().flat_map(|(b, _)| cpu.read(&format!("case.{b}")).expect("the buffer is there"));
    words.filter(|&word| word != POISON).map(f32::from_bits).collect()
}

#[test]
fn every_kernel_gives_the_same_bits() {
    for row in TABLE {
        let started = std::time::Instant::now();
        let mut count = 0;
        // Larger ones compute nothing that smaller ones do not.
        for case in (row.cases)().iter().filter(|case| case.kernel.cost().flops < 2e7 || case.realistic) {
            count += ways::same(&format!("{} {}", row.name, case.label), || written(case)).len();
        }
        assert!(count > 0, "{} writes nothing", row.name);
        eprintln!("{}: {count} words, {:.1} s", row.name, started.elapsed().as_secs_f64());
    }
}
