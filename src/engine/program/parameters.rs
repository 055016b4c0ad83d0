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

/// Parameters that one optimiser updates, with one flat buffer for the values, one for gradients and one for each number that the
/// optimiser keeps; or that none does, with the values alone, and a buffer for what they become where they are assigned.
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

    /// The buffer of gradients gathered over several batches.
    pub fn accumulated(&self) -> String {
        format!("{}.accumulated", self.name)
    }

    /// The buffer of something that an optimiser keeps of every parameter.
    pub fn state(&self, name: &str) -> String {
        format!("{}.state.{name}", self.name)
    }

    /// The set in which the running means of the values lie, laid out likewise.
    pub fn averages(&self) -> ParameterSet {
        ParameterSet { name: format!("{}.average", self.name), parameters: self.parameters.clone() }
    }

    /// The buffer of what assigned values become at the end of the step.
    pub fn next(&self) -> String {
        format!("{}.next", self.name)
    }

    /// A scalar of the set's own, such as its optimiser's.
    pub fn scalar(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }
}
