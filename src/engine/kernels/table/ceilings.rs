//! Cases of the kernels that measure what a device can do at most.

use super::{Case, Fill, Input, Scale};
use crate::kernels::{Peak, Stream};

pub(super) fn peaks() -> Vec<Case> {
    let case = |invocations, turns, divides| {
        let what = if divides { " divided" } else { "" };
        let case = Case::new(
            format!("{invocations} times {turns}{what}"),
            Peak { invocations, turns, divides },
            vec![Input::output(invocations)],
        );
        // Twelve numbers up to the number of invocations, turned by 3/4 and added up.
        case.roundings(12 + turns)
            .scale(Scale::Largest(1.0))
            .step(|step| (step.scalars[0], step.scalars[1]) = (0.75, 0.5))
    };
    let mut all: Vec<Case> = [(1, 1), (63, 7), (1025, 3), (3000, 40)].map(|(i, turns)| case(i, turns, false)).into();
    all.extend([(1, 1), (63, 7), (1025, 40)].map(|(i, turns)| case(i, turns, true)));
    all.push(case(65_536, 64, false).realistic());
    all
}

pub(super) fn streams() -> Vec<Case> {
    let turned = |words| {
        let input = Input::new(words, Fill::Normal(0.0, 1.0));
        Case::new(format!("{words} words turned"), Stream { words, is_read: false }, vec![input]).scale(Scale::Exact)
    };
    let read = |words| {
        let stream = Stream { words, is_read: true };
        let inputs = vec![Input::new(words, Fill::Normal(0.0, 1.0)), Input::output(stream.sums())];
        Case::new(format!("{words} words read"), stream, inputs).scale(Scale::Exact)
    };
    let sizes = [4, 60, 256, 4100, 65_600];
    let large = [turned(1 << 20), read(1 << 20)].map(Case::realistic);
    sizes.map(turned).into_iter().chain(sizes.map(read)).chain(large).collect()
}
