//! Where the fit of a mixture of Gaussians starts: no component falls onto a single code.

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::PRIORS;
use elbo::engine::distributions::prior::Points;

#[test]
fn a_component_keeps_a_thousandth_of_the_variance_of_all_codes() {
    // Half of the codes lie in one place, the others around another; the first two, one of each, are where it starts.
    let code = |i: usize| match i % 2 {
        0 => [-2.0, 1.0],
        _ => [6.0 + 0.5 * (i as f32 * 0.7).sin(), 3.0 + (i as f32 * 1.3).cos()],
    };
    let codes: Vec<f32> = (0..400).flat_map(code).collect();
    let mean = |d: usize| codes.iter().skip(d).step_by(2).map(|&z| f64::from(z)).sum::<f64>() / 400.0;
    let variance =
        |d: usize| codes.iter().skip(d).step_by(2).map(|&z| (f64::from(z) - mean(d)).powi(2)).sum::<f64>() / 400.0;
    let prior = build(PRIORS, &Spec::new("mixture").with("components", 2.0)).unwrap();
    let near = prior.data_dependent_init(&Points { inputs: &[], codes: &codes, latent: 2 }).unwrap();
    let of = |name: &str| &near.iter().find(|part| part.0 == name).expect("the mixture has it").1;
    let (means, log_vars, logits) = (of("prior.mean"), of("prior.log_var"), of("prior.logits"));
    for d in 0..2 {
        assert!((f64::from(means[d]) - [-2.0, 1.0][d]).abs() < 1e-5, "{means:?}");
        let floor = (1e-3 * variance(d)).ln();
        assert!((f64::from(log_vars[d]) - floor).abs() < 1e-4, "{} is not {floor}", log_vars[d]);
        // The other has the variance of its own codes.
        let own: Vec<f64> = (0..400).filter(|i| i % 2 == 1).map(|i| f64::from(code(i)[d])).collect();
        let m = own.iter().sum::<f64>() / 200.0;
        let v = (own.iter().map(|z| (z - m).powi(2)).sum::<f64>() / 200.0).ln();
        assert!((f64::from(log_vars[2 + d]) - v).abs() < 1e-3 && v > floor + 0.5, "{} is not {v}", log_vars[2 + d]);
    }
    assert!((logits[0] - logits[1]).abs() < 1e-4 && (logits[0] - 0.5f32.ln()).abs() < 1e-4, "{logits:?}");
}
