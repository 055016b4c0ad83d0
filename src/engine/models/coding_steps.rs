//! The orders in which the stochastic layers of a model are coded.

use super::{Coded, CodingStep, Variable};

/// Layer by layer from the top down, q(z | x) = Π q(z_i | z_{i+1}, …, z_L, x): all codes are drawn before anything is coded (Townsend, Bird &
/// Barber 2019; of several layers, Townsend et al. 2020). There is no other order, as the posterior of each layer is told by the row, which therefore
/// can only be coded when all codes are drawn.
pub fn bits_back_steps(layers: usize) -> Vec<CodingStep> {
    let above = |from: usize| (from..layers).map(Variable::Codes);
    let draw = |layer: usize| CodingStep {
        what: Coded::Draw(layer),
        given: std::iter::once(Variable::Row).chain(above(layer + 1)).collect(),
    };
    let row = CodingStep { what: Coded::Row, given: above(0).collect() };
    let code = |layer: usize| CodingStep { what: Coded::Codes(layer), given: vec![] };
    (0..layers).rev().map(draw).chain([row]).chain((0..layers).map(code)).collect()
}

/// Layer by layer from the bottom up, q(z | x) = q(z_1 | x) Π q(z_{i+1} | z_i): what is below a layer is coded before the next layer is drawn, so
/// that there need only be bits for one layer at a time (Bit-Swap: Kingma, Abbeel & Ho 2019, algorithm 1).
pub fn bit_swap_steps(layers: usize) -> Vec<CodingStep> {
    let below = |layer: usize| if layer == 0 { Variable::Row } else { Variable::Codes(layer - 1) };
    let coded = |layer: usize| if layer == 0 { Coded::Row } else { Coded::Codes(layer - 1) };
    let of_layer = |layer: usize| {
        [
            CodingStep { what: Coded::Draw(layer), given: vec![below(layer)] },
            CodingStep { what: coded(layer), given: vec![Variable::Codes(layer)] },
        ]
    };
    let top = CodingStep { what: coded(layers), given: vec![] };
    (0..layers).flat_map(of_layer).chain([top]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each step is given what is known then, forwards and backwards, and all is done once.
    fn is_sound(steps: &[CodingStep], layers: usize) -> bool {
        // When coding, the row is known, and codes once they are drawn; when decoding, what was coded further on.
        let is_known = |variable: &Variable, at: usize| match *variable {
            Variable::Row => steps[at + 1..].iter().any(|step| step.what == Coded::Row),
            Variable::Codes(layer) => {
                steps[..at].iter().any(|step| step.what == Coded::Draw(layer))
                    && steps[at + 1..].iter().any(|step| step.what == Coded::Codes(layer))
            }
        };
        let all = (0..layers).flat_map(|layer| [Coded::Draw(layer), Coded::Codes(layer)]).chain([Coded::Row]);
        steps.len() == 2 * layers + 1
            && all.into_iter().all(|what| steps.iter().any(|step| step.what == what))
            && steps.iter().enumerate().all(|(at, step)| step.given.iter().all(|variable| is_known(variable, at)))
    }

    #[test]
    fn every_step_is_given_what_is_known_both_ways() {
        for layers in 1..5 {
            assert!(is_sound(&bits_back_steps(layers), layers), "{layers}");
            assert!(is_sound(&bit_swap_steps(layers), layers), "{layers}");
        }
        assert_eq!(bits_back_steps(1), bit_swap_steps(1));
        // A ladder cannot be coded in the other's order: there, the row would be gone before the upper layer is drawn.
        let mut swapped = bit_swap_steps(2);
        assert_eq!(swapped[2], CodingStep { what: Coded::Draw(1), given: vec![Variable::Codes(0)] });
        swapped[2].given.push(Variable::Row);
        assert!(!is_sound(&swapped, 2));
    }
}
