//! Gradients against central differences in f64, and the programs lowered from them against the graph.
//!
//! Every operation stands in the middle of a graph: its arguments come from other operations, its result is scaled and
//! used twice, and the loss is scaled again. Each comparison is shown to fail on graphs that have the same value and a
//! wrong gradient: one that forgets a scale, and one that forgets a use.

mod layers;
mod models;
mod objectives;
mod operations;
mod trial;

use crate::common;
use crate::common::oracle;

use elbo::engine::cpu::Cpu;
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
    let Some(gpu) = common::gpu() else { return };
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
        let Some(gpu) = common::gpu() else { return };
        lowered(&name, &mut Device::new(Box::new(gpu)), &case);
    }
}

#[test]
fn every_objective() {
    for (name, limit, case) in objectives::all() {
        checked(&name, limit, &case);
        lowered(&name, &mut Device::new(Box::new(Cpu::new())), &case);
    }
}

#[test]
fn every_objective_on_the_gpu() {
    for (name, _, case) in objectives::all() {
        let Some(gpu) = common::gpu() else { return };
        lowered(&name, &mut Device::new(Box::new(gpu)), &case);
    }
}

#[test]
fn several_layers() {
    each(&layers::all());
}

#[test]
fn several_layers_on_the_gpu() {
    for (name, _, case) in layers::all() {
        let Some(gpu) = common::gpu() else { return };
        lowered(&name, &mut Device::new(Box::new(gpu)), &case);
    }
}

/// The doubly reparameterised gradient has the mean of the plain one, and less variance (Tucker et al. 2019).
#[test]
fn a_reweighed_gradient_has_the_same_mean_and_less_variance() {
    const DRAWS: u32 = 400;
    let [plain, reweighed] = ["iwae", "dreg"].map(|id| {
        let spec = elbo::catalogue::Spec::new(id).with("samples", 8.0);
        (0..DRAWS).map(|d| objectives::draw(&spec, d)).collect::<Vec<_>>()
    });
    let n = f64::from(DRAWS);
    let len = plain[0].0.len();
    let mean = |draws: &[(Vec<f64>, f64)], i: usize| draws.iter().map(|d| d.0[i]).sum::<f64>() / n;
    let variance = |draws: &[(Vec<f64>, f64)], i: usize| {
        let m = mean(draws, i);
        draws.iter().map(|d| (d.0[i] - m).powi(2)).sum::<f64>() / (n - 1.0)
    };
    let (mut encoder, mut totals) = (0, [0.0; 2]);
    for i in 0..len {
        let (a, b) = (mean(&plain, i), mean(&reweighed, i));
        // Both are of the same draws, so the difference is known better than either.
        let differences: Vec<f64> = plain.iter().zip(&reweighed).map(|(p, r)| p.0[i] - r.0[i]).collect();
        let m = differences.iter().sum::<f64>() / n;
        let error = (differences.iter().map(|d| (d - m).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
        assert!((a - b).abs() <= 5.0 * error + 1e-12, "gradient {i}: {a} and {b}, {error} apart by chance");
        if error > 1e-12 {
            encoder += 1;
            totals[0] += variance(&plain, i);
            totals[1] += variance(&reweighed, i);
        }
    }
    eprintln!("variance of {encoder} gradients: {:e} (plain), {:e} (doubly reparameterised)", totals[0], totals[1]);
    assert!(encoder > 0 && totals[1] < 0.9 * totals[0], "{totals:?}");
    // The values are the same bound, and a wrong gradient would have been seen.
    assert!(plain.iter().zip(&reweighed).all(|(p, r)| (p.1 - r.1).abs() < 1e-5));
}

/// What is the same by definition is the same to the last bits, from the same noise.
#[test]
fn objectives_that_are_equal() {
    use elbo::catalogue::Spec;
    let value = |spec: Spec| objectives::draw(&spec, 3).1;
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * a.abs(), "{a} is not {b}");
    close(value(Spec::new("elbo")), value(Spec::new("beta-vae").with("beta", 1.0)));
    close(value(Spec::new("elbo")), value(Spec::new("free-bits").with("lambda", 0.0)));
    close(value(Spec::new("elbo")), value(Spec::new("info-vae").with("alpha", 0.0).with("lambda", 1.0)));
    let dip = Spec::new("dip-vae-ii").with("diagonal", 0.0).with("off-diagonal", 0.0);
    close(value(Spec::new("elbo")), value(dip));
    // Mutual information, total correlation and dimension-wise KL are together the KL, estimated from one sample.
    let one = Spec::new("iwae").with("samples", 1.0);
    for stratified in [0.0, 1.0] {
        let whole = Spec::new("beta-tcvae").with("beta", 1.0).with("stratified", stratified);
        close(value(one.clone()), value(whole));
    }
    assert!((value(one) - value(Spec::new("beta-tcvae"))).abs() > 1e-3);
    assert!((value(Spec::new("elbo")) - value(Spec::new("beta-vae"))).abs() > 1e-3);
}

#[test]
fn rows_that_are_not_live_weigh_nothing() {
    models::masked();
}
