//! How codes of several layers are inferred.

/// How codes of several layers are inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// Each layer from the codes of the one below (Rezende, Mohamed and Wierstra 2014; Burda, Grosse and Salakhutdinov 2016).
    BottomUp,
    /// Each layer from the data and the codes of the one above (Sønderby et al. 2016).
    Ladder,
}

impl Recognition {
    /// Whether KL(q ‖ p) of a layer below the top has a closed form, given the layers that are drawn before it: bottom up,
    /// p(z_i | z_{i+1}) hangs on what is drawn after z_i.
    pub fn tells_kl(self) -> bool {
        self == Recognition::Ladder
    }
}
