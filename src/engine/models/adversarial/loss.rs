//! What a critic and who is to fool it minimise.

use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::graph::Tensor;

/// A pair of losses, of a critic and of who makes what it judges. s is the critic's score of a row; of the first two it is the logit of
/// D, the probability that a row is real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum AdversarialLoss {
    /// −ln D(x) − ln(1 − D(x̃)), and −ln D(x̃), whose gradient does not vanish where the critic is sure (Goodfellow et al. 2014, section 3).
    #[default]
    NonSaturating,
    /// −ln D(x) − ln(1 − D(x̃)), and ln(1 − D(x̃)): one game of two (Goodfellow et al. 2014, equation 1).
    Minimax,
    /// max(0, 1 − s(x)) + max(0, 1 + s(x̃)), and −s(x̃) (Lim & Ye 2017; Miyato et al. 2018, equations 16 and 17).
    Hinge,
    /// s(x̃) − s(x), and −s(x̃): the Wasserstein distance, where the critic is held to slopes of 1 by a penalty (Gulrajani et al. 2017).
    WganGp,
}

impl AdversarialLoss {
    /// What the critic minimises, of the scores of a real row and of a made one each. `[rows, 1]`
    pub fn of_critic<'g>(self, real: Tensor<'g>, made: Tensor<'g>) -> Tensor<'g> {
        self.of_real(real) + self.of_made(made)
    }

    /// The part of it that is about real rows.
    pub fn of_real(self, real: Tensor) -> Tensor {
        match self {
            AdversarialLoss::NonSaturating | AdversarialLoss::Minimax => (-real).softplus(),
            AdversarialLoss::Hinge => positive(1.0 - real),
            AdversarialLoss::WganGp => -real,
        }
    }

    /// The part of it that is about made rows.
    pub fn of_made(self, made: Tensor) -> Tensor {
        match self {
            AdversarialLoss::NonSaturating | AdversarialLoss::Minimax => made.softplus(),
            AdversarialLoss::Hinge => positive(1.0 + made),
            AdversarialLoss::WganGp => made,
        }
    }

    /// What the maker minimises, of the scores of what it made. `[rows, 1]`
    pub fn of_maker(self, made: Tensor) -> Tensor {
        match self {
            AdversarialLoss::NonSaturating => (-made).softplus(),
            AdversarialLoss::Minimax => -made.softplus(),
            AdversarialLoss::Hinge | AdversarialLoss::WganGp => -made,
        }
    }

    /// What a row costs by itself: how unlike a real one it is to the critic.
    pub fn of_row(self, score: Tensor) -> Tensor {
        match self {
            AdversarialLoss::NonSaturating | AdversarialLoss::Minimax => (-score).softplus(),
            AdversarialLoss::Hinge | AdversarialLoss::WganGp => -score,
        }
    }

    /// Whether a score of 0 parts real rows from made ones.
    pub fn parts_at_zero(self) -> bool {
        self != AdversarialLoss::WganGp
    }
}

/// max(0, a).
fn positive(a: Tensor) -> Tensor {
    a.maximum(a.graph().constant(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    /// At the scores 2 of a real row and −0.5 of a made one, by hand.
    #[test]
    fn losses_are_those_of_the_papers() {
        let graph = Graph::new();
        let (real, made) = (graph.full(2.0, &[1, 1]), graph.full(-0.5, &[1, 1]));
        // ln(1 + e⁻²) = 0.126928, ln(1 + e^−0.5) = 0.474077, ln(1 + e^0.5) = 0.974077.
        for (loss, expected) in [
            (AdversarialLoss::NonSaturating, [0.126_928 + 0.474_077, 0.974_077, 0.126_928]),
            (AdversarialLoss::Minimax, [0.126_928 + 0.474_077, -0.474_077, 0.126_928]),
            (AdversarialLoss::Hinge, [0.5, 0.5, -2.0]),
            (AdversarialLoss::WganGp, [-2.5, 0.5, -2.0]),
        ] {
            let all = [loss.of_critic(real, made), loss.of_maker(made), loss.of_row(real)];
            let found = evaluate(&Values::default(), &all);
            assert!(found.iter().zip(expected).all(|(f, e)| (f[0] - e).abs() < 1e-5), "{loss:?}: {found:?}");
        }
    }
}
