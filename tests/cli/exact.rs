//! `--device cpu-exact`: its name, and the same bits with any number of threads.

use elbo::engine::training::checkpoint::Checkpoint;

use crate::program::{Place, small};

#[test]
fn an_exact_run_says_so_and_does_not_depend_on_threads() {
    let place = Place::new();
    let weights = |device: &str, threads: usize| {
        let name = format!("{device}-{threads}");
        let options = small(&format!("--device {device} --hidden 64,64 --batch 32"));
        let said = place.run(&format!("train --threads {threads} {options} --out {name}"));
        let exact = said.lines().next().is_some_and(|line| line.contains("exact"));
        assert_eq!(exact, device == "cpu-exact", "{said}");
        let checkpoint = Checkpoint::load(&place.path(&name).join("checkpoint.safetensors")).unwrap();
        checkpoint.tensors.into_iter().flat_map(|(_, _, values)| values).map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = weights("cpu-exact", 1);
    assert!(one == weights("cpu-exact", 2) && one == weights("cpu-exact", 5));
    // Vectors of the fast executor fuse where the processor can.
    assert!(one != weights("cpu", 1) || elbo::engine::kernels::simd::levels().len() == 1);
    // What the settings of the run say, the other commands do not take: they are asked.
    let said = place.run("evaluate cpu-exact-1 --device cpu-exact --quick");
    assert!(said.contains("exact"), "{said}");
    assert!(place.run("devices").contains("cpu-exact"));
    assert!(
        place.run(&format!("train {} --print-config", small("--device cpu-exact"))).contains("device = \"cpu-exact\"")
    );
}

#[test]
fn a_gpu_is_never_exact() {
    let place = Place::new();
    for device in ["gpu-exact", "exact", "GeForce-exact"] {
        place.refused(
            &format!("train {}", small(&format!("--device {device} --out run"))),
            &["only the processor", "cpu-exact"],
        );
    }
}
