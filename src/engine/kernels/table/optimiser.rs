//! Cases of the optimisers' kernels: the gradient norm and the pass of each.

use super::{Case, Fill, Input, Scale};
use crate::catalogue::{Spec, build};
use crate::kernels::{Descent, Norm, OPTIMISERS};

/// Lengths around the edges of a chunk of 64 and of 1024 chunks, and the classic VAE's 652,824 parameters.
const LENGTHS: [usize; 7] = [1, 63, 64, 65, 4099, 65_537, 652_824];

pub(super) fn norms() -> Vec<Case> {
    let mut all = Vec::new();
    for len in LENGTHS {
        all.push(norm(len, Descent::chunk(len), true, Fill::Normal(0.0, 1.0)));
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

pub(super) fn descents() -> Vec<Case> {
    // Flat parameter buffers are padded to whole chunks of 64; quads are what the kernel asks for.
    let adam = |len, clip| descent("adam", len, clip);
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

    // The norm is 0.632.
    for (clip, skip) in [(None, 0.6), (None, 0.66), (Some(1.0 / 64.0), 0.6), (Some(1.0 / 64.0), 0.66)] {
        let mut case = descent_within("adam", 1000, clip, Some(skip));
        // How far it is above the bound or below it does not matter, but for the clipping.
        case.inputs[5].inert = clip.is_none() || skip < 0.632;
        all.push(case);
    }

    for piece in &OPTIMISERS[1..] {
        all.extend([(68, None), (4100, Some(1.0 / 64.0))].map(|(len, clip)| descent(piece.about.id, len, clip)));
    }
    all
}

fn descent(id: &str, len: usize, clip: Option<f32>) -> Case {
    descent_within(id, len, clip, None)
}

/// A pass that moves nothing where the norm of the gradient, 0.02 √len, is above a bound.
fn descent_within(id: &str, len: usize, clip: Option<f32>, skip: Option<f32>) -> Case {
    let optimiser = build(OPTIMISERS, &Spec::new(id)).expect("it is of the list");
    // Apart, as those of two sets in one program are.
    let slots: Vec<usize> = [0, 6, 3].into_iter().take(optimiser.scalars().len()).collect();
    // The third step of a run.
    let values = optimiser.values(1e-3, 3);
    let mut inputs = vec![Input::new(len, Fill::Normal(0.0, 0.05))];
    inputs.extend(optimiser.state().iter().map(|name| match *name {
        "first" | "velocity" => Input::new(len, Fill::Normal(0.0, 0.01)),
        // Squares and magnitudes, of which the root and the quotient want none below 0.
        _ => Input::new(len, Fill::Uniform(0.0, 0.001)),
    }));
    inputs.extend([Input::new(len, Fill::Normal(0.0, 0.02)), Input::output(Descent::partials(len))]);
    let mut label = format!("{id}, {len}");
    if clip.or(skip).is_some() {
        inputs.push(Input::new(1, Fill::Constant(0.02 * 0.02 * len as f32)));
    }
    if let Some(clip) = clip {
        label += &format!(", clipped to a norm of {clip}");
    }
    if let Some(skip) = skip {
        label += &format!(", skipped above a norm of {skip}");
    }
    let given = slots.clone();
    // Blocked sums of squares and a handful of operations.
    let case = Case::new(label, Descent { optimiser, len, slots, clip, skip }, inputs).roundings(64);
    let case = case.scale(Scale::Largest(0.0)).step(|step| {
        given.iter().zip(values).for_each(|(&slot, value)| step.scalars[slot] = value as f32);
    });
    if len == 652_824 { case.realistic() } else { case }
}
