//! How the parameters of a set lie in one flat buffer.

/// One tensor of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, unique over all sets.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its first word in the set's buffers; a multiple of 64, so that it can be bound.
    pub offset: usize,
}

impl Parameter {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Parameters that one optimiser updates, with one flat buffer for the values, one for gradients and two for moments; or that
/// none does, with the values alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSet {
    /// The set's name, which names its buffers.
    pub name: String,
    /// The parameters, in the order of their offsets.
    pub parameters: Vec<Parameter>,
}

impl ParameterSet {
    /// Lays out parameters one behind the other.
    pub fn new(name: &str, parameters: impl IntoIterator<Item = (String, Vec<usize>)>) -> ParameterSet {
        let mut offset = 0;
        let parameters = parameters
            .into_iter()
            .map(|(name, shape)| {
                let parameter = Parameter { name, shape, offset };
                offset += parameter.len().next_multiple_of(64);
                parameter
            })
            .collect();
        ParameterSet { name: name.to_string(), parameters }
    }

    /// Words of each flat buffer, padding included.
    pub fn words(&self) -> usize {
        self.parameters.last().map_or(0, |p| p.offset + p.len().next_multiple_of(64))
    }

    /// How many numbers are trained.
    pub fn count(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// A parameter by name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// The buffer of the values.
    pub fn values(&self) -> String {
        format!("{}.values", self.name)
    }

    /// The buffer of the gradients.
    pub fn gradients(&self) -> String {
        format!("{}.gradients", self.name)
    }

    /// The buffers of Adam's first and second moments.
    pub fn moments(&self) -> [String; 2] {
        [format!("{}.first_moments", self.name), format!("{}.second_moments", self.name)]
    }
}
