//! Gradients against central differences in f64, and the programs lowered from them against the graph.
//!
//! Every operation stands in the middle of a graph: its arguments come from other operations, its result is scaled and
//! used twice, and the loss is scaled again. Each comparison is shown to fail on graphs that have the same value and a
//! wrong gradient: one that forgets a scale, and one that forgets a use.

mod common;
#[path = "gradients/models.rs"]
mod models;
#[path = "gradients/operations.rs"]
mod operations;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "gradients/trial.rs"]
mod trial;

use elbo::cpu::Cpu;
use elbo::gpu::Options;
use oracle::Device;
use trial::{Fault, Trial, apart};

/// A loss and the parameters it depends on, put together with or without a fault.
type Case<'a> = dyn Fn(&mut Trial) + 'a;

/// The gradients of a case by central differences.
fn checked(name: &str, limit: f64, case: &Case) -> Trial {
    let sound = Trial::of(Fault::Nothing, case);
    let exact = sound.differences();
    let found = apart(&sound.gradients_in_f64(), &exact);
    assert!(found < limit, "{name}: the gradient is {found:e} from central differences");
    for fault in [Fault::ScaleForgotten, Fault::UseForgotten] {
        let wrong = Trial::of(fault, case);
        let change = (wrong.value() / sound.value() - 1.0).abs();
        assert!(change < 1e-6, "{name}: {fault:?} changes the value by {change:e}");
        let found = apart(&wrong.gradients_in_f64(), &exact);
        assert!(found > 1e-3, "{name}: {fault:?} is not seen ({found:e})");
    }
    sound
}

/// The program of a case against the graph, and against a graph with a wrong gradient.
fn lowered(name: &str, device: &mut Device, case: &Case) {
    let found = Trial::of(Fault::Nothing, case).gradients_on(device);
    let right = apart(&found, &Trial::of(Fault::Nothing, case).gradients_in_f64());
    assert!(right < 1e-4, "{name}: the program's gradient is {right:e} from the graph's");
    let wrong = apart(&found, &Trial::of(Fault::ScaleForgotten, case).gradients_in_f64());
    assert!(wrong > 1e-3, "{name}: a wrong gradient is not seen ({wrong:e})");
}

/// Each case by itself in f64 and on the CPU.
fn each(cases: &[(String, f64, Box<Case>)]) {
    for (name, limit, case) in cases {
        checked(name, *limit, case);
        lowered(name, &mut Device::new(Box::new(Cpu::new())), case);
    }
}

/// All cases in one graph on the GPU: they take the same parameters, so that few kernels hold them all.
fn together(name: &str, cases: &[(String, f64, Box<Case>)]) {
    let Some(gpu) = common::open(Options::default()) else { return };
    lowered(name, &mut Device::new(Box::new(gpu)), &|trial| {
        trial.share();
        cases.iter().for_each(|(.., case)| case(trial));
    });
}

#[test]
fn every_scalar_function() {
    each(&operations::functions());
}

#[test]
fn every_scalar_function_on_the_gpu() {
    together("functions", &operations::functions());
}

#[test]
fn every_product_and_every_view() {
    each(&operations::structure());
}

#[test]
fn every_product_and_every_view_on_the_gpu() {
    together("structure", &operations::structure());
}

#[test]
fn what_has_no_gradient_gives_zeros() {
    operations::zeros();
}

#[test]
fn the_losses_of_all_models() {
    for (name, limit, case) in models::losses() {
        checked(&name, limit, &case);
        lowered(&name, &mut Device::new(Box::new(Cpu::new())), &case);
    }
}

#[test]
fn the_losses_of_all_models_on_the_gpu() {
    for (name, _, case) in models::losses() {
        let Some(gpu) = common::open(Options::default()) else { return };
        lowered(&name, &mut Device::new(Box::new(gpu)), &case);
    }
}

#[test]
fn rows_that_are_not_live_weigh_nothing() {
    models::masked();
}
