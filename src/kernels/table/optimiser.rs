//! Cases of the optimiser's kernels: the gradient norm and Adam.

use super::{Case, Fill, Input, Scale};
use crate::kernels::{Adam, Norm};

/// Lengths around the edges of a chunk of 64 and of 1024 chunks, and the classic VAE's 652,824 parameters.
const LENGTHS: [usize; 7] = [1, 63, 64, 65, 4099, 65_537, 652_824];

pub(super) fn norms() -> Vec<Case> {
    let mut all = Vec::new();
    for len in LENGTHS {
        all.push(norm(len, Adam::chunk(len), true, Fill::Normal(0.0, 1.0)));
    }
    for partials in [1, 64, 65, 1021] {
        all.push(norm(partials, partials, false, Fill::Uniform(0.5, 1.5)));
    }
    let mut infinite = norm(1000, 100, true, Fill::Normal(0.0, 1.0));
    // Any bits behind an exponent of all ones are no number.
    let other_nan = f32::from_bits(0x7fc0_0001);
    infinite.inputs[0] =
        infinite.inputs[0].clone().with(250, f32::NAN).with(620, other_nan).with(999, f32::NEG_INFINITY);
    infinite.label += ", three of them not finite";
    // The sums of the chunks with such words are all that is visible at this scale; the other cases see the rest.
    all.push(infinite.scale(Scale::Own(1.0)).roundings(100));
    all
}

fn norm(len: usize, chunk: usize, square: bool, fill: Fill) -> Case {
    let kernel = Norm { len, chunk, square };
    let inputs = vec![Input::new(len, fill), Input::output(len.div_ceil(chunk))];
    let what = if square { "squares" } else { "numbers" };
    let case = Case::new(format!("{len} {what} in chunks of {chunk}"), kernel, inputs);
    let case = case.roundings(chunk).scale(Scale::Largest(1.0));
    if len == 652_824 { case.realistic() } else { case }
}

pub(super) fn adams() -> Vec<Case> {
    // Flat parameter buffers are padded to whole chunks of 64; quads are what the kernel asks for.
    let mut all: Vec<Case> = [4, 60, 64, 68, 4100, 65_600, 652_824].map(|len| adam(len, None)).into();
    all.push(adam(1000, Some(1.0 / 64.0)));
    let mut free = adam(1000, Some(1e6));
    free.inputs[5].inert = true;
    all.push(free);

    let mut infinite = adam(1000, None);
    infinite.inputs[3] =
        infinite.inputs[3].clone().with(17, f32::INFINITY).with(999, f32::NAN).with(500, f32::from_bits(0xff80_0001));
    infinite.label += ", three gradients not finite";
    all.push(infinite);

    let mut skipped = adam(1000, Some(1.0));
    skipped.inputs[3] = skipped.inputs[3].clone().with(17, f32::INFINITY).inert();
    skipped.inputs[5] = Input::new(1, Fill::Constant(3e38)).inert();
    skipped.label += ", and so the update is skipped";
    all.push(skipped);
    all
}

fn adam(len: usize, clip: Option<f32>) -> Case {
    let kernel = Adam { len, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step_size: 0, correction: 6, clip };
    let mut inputs = vec![
        Input::new(len, Fill::Normal(0.0, 0.05)),
        Input::new(len, Fill::Normal(0.0, 0.01)),
        Input::new(len, Fill::Uniform(0.0, 0.001)),
        Input::new(len, Fill::Normal(0.0, 0.02)),
        Input::output(Adam::partials(len)),
    ];
    let mut label = len.to_string();
    if let Some(clip) = clip {
        inputs.push(Input::new(1, Fill::Constant(0.02 * 0.02 * len as f32)));
        label += &format!(", clipped to a norm of {clip}");
    }
    // Blocked sums of squares and a handful of operations.
    let case = Case::new(label, kernel, inputs).roundings(64).scale(Scale::Largest(0.0));
    // The third step of a run with a learning rate of 1e-3.
    let case = case.step(|step| {
        step.scalars[0] = 1e-3 / (1.0 - 0.9_f32.powi(3));
        step.scalars[6] = 1.0 / (1.0 - 0.999_f32.powi(3)).sqrt();
    });
    if len == 652_824 { case.realistic() } else { case }
}
