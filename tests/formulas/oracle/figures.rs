//! All that a run leaves behind, as named lists of numbers, and how far two runs are apart.

/// The name of the list of posterior means.
pub const CODES: &str = "codes";

/// What a list is about, and so how closely it must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Parameters before the first step.
    Start,
    /// What a step or an epoch of training tells.
    Training,
    /// Parameters after the last step.
    End,
    /// Adam's moments after the last step.
    Moments,
    /// What the evaluation of other rows tells.
    HeldOut,
}

impl Kind {
    /// How far a list may be from the oracle's, relative to its largest number.
    pub fn limit(self) -> f64 {
        match self {
            Kind::Start => 2e-7,
            Kind::Training | Kind::HeldOut => 1e-5,
            Kind::End => 5e-6,
            Kind::Moments => 2e-5,
        }
    }
}

/// A named list.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is about.
    pub kind: Kind,
    /// What it is.
    pub name: String,
    /// The numbers.
    pub values: Vec<f64>,
}

/// All lists of a run.
#[derive(Clone, Debug, Default)]
pub struct Figures(pub Vec<Figure>);

impl Figures {
    /// Adds a list.
    pub fn add(&mut self, kind: Kind, name: impl Into<String>, values: Vec<f64>) {
        self.0.push(Figure { kind, name: name.into(), values });
    }

    /// The numbers of a list.
    pub fn get(&self, name: &str) -> &[f64] {
        &self.0.iter().find(|figure| figure.name == name).expect("a figure of that name").values
    }

    /// All lists but one.
    pub fn without(mut self, name: &str) -> Figures {
        self.0.retain(|figure| figure.name != name);
        self
    }

    /// The largest difference from the oracle's lists in units of what is allowed, and where it is.
    pub fn worst(&self, oracle: &Figures, of: impl Fn(Kind) -> bool) -> (f64, String) {
        let names = |figures: &Figures| figures.0.iter().map(|figure| figure.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(self), names(oracle));
        let pairs = self.0.iter().zip(&oracle.0).filter(|(figure, _)| of(figure.kind));
        let differences = pairs.map(|(a, b)| (apart(&a.values, &b.values) / a.kind.limit(), a.name.clone()));
        differences.fold((0.0, String::new()), |a, b| if b.0 > a.0 { b } else { a })
    }
}

/// The largest difference of two lists, relative to the largest number of the second; infinite where one is not finite.
fn apart(found: &[f64], exact: &[f64]) -> f64 {
    assert_eq!(found.len(), exact.len());
    let scale = exact.iter().fold(1e-12, |scale: f64, x| scale.max(x.abs()));
    let far = found.iter().zip(exact).map(|(f, e)| (f - e).abs() / scale);
    far.fold(0.0, |a, b| if b.is_finite() { a.max(b) } else { f64::INFINITY })
}
