//! Pictures whose channels are scaled: each to mean 0 and standard deviation 1 over the pixels of the training rows.
//!
//! The numbers of rows stay what they are. The scales are part of the schema ([`FieldKind::Channels`]), and so the run's own: the model
//! scales what it is given by them, and gives back what it makes in the numbers that rows have.

use super::dataset::Dataset;
use super::schema::{Field, FieldKind, Scaling, Schema};
use crate::error::{Error, Result};

/// Sums over the values of a channel, about the first.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    first: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, value: f64) {
        if self.count == 0.0 {
            self.first = value;
        }
        let off = value - self.first;
        self.count += 1.0;
        self.sum += off;
        self.squares += off * off;
    }

    fn scaling(self) -> Scaling {
        let mean = self.sum / self.count.max(1.0);
        let variance = self.squares / self.count.max(1.0) - mean * mean;
        Scaling::by(self.first + mean, variance.max(0.0).sqrt())
    }
}

impl Schema {
    /// How the channels of a picture are scaled, if they are.
    pub fn channels(&self) -> Option<&[Scaling]> {
        match &self.fields[..] {
            [Field { kind: FieldKind::Channels { scales, .. }, .. }] => Some(scales),
            _ => None,
        }
    }

    /// The same of rows as they are, channels not scaled.
    pub(crate) fn plain(&self) -> Schema {
        let plain = |field: &Field| match &field.kind {
            FieldKind::Channels { of, .. } => Field { kind: (**of).clone(), ..field.clone() },
            _ => field.clone(),
        };
        Schema { fields: self.fields.iter().map(plain).collect() }
    }
}

impl Dataset {
    /// The same pictures, of which a model is to see each channel with mean 0 and standard deviation 1 over all pixels of these rows that
    /// were observed; a channel that does not vary is only shifted.
    ///
    /// # Errors
    /// If rows are no pictures.
    pub fn normalised(self) -> Result<Dataset> {
        let (shape, schema) = (self.shape(), self.schema.plain());
        let [Field { kind, .. }] = &schema.fields[..] else { return Err(no_pictures(&self)) };
        if kind.shape().is_none() || !shape.is_picture() {
            return Err(no_pictures(&self));
        }
        let mut sums = vec![Sums::default(); shape.channels];
        let mut row = vec![0.0; shape.features()];
        for i in 0..self.rows {
            self.copy_row(i, &mut row);
            for pixel in row.chunks_exact(shape.channels) {
                let known = sums.iter_mut().zip(pixel).filter(|(_, value)| !value.is_nan());
                known.for_each(|(sums, &value)| sums.add(f64::from(value)));
            }
        }
        let scales = sums.into_iter().map(Sums::scaling).collect();
        let field =
            Field { kind: FieldKind::Channels { of: Box::new(kind.clone()), scales }, ..schema.fields[0].clone() };
        Ok(Dataset { schema: Schema { fields: vec![field] }, ..self })
    }

    /// The same rows with the scales of a schema, where it has any and is of such rows.
    pub(crate) fn normalised_by(self, schema: &Schema) -> Dataset {
        match schema.channels().is_some() && schema.plain() == self.schema {
            true => Dataset { schema: schema.clone(), ..self },
            false => self,
        }
    }
}

fn no_pictures(data: &Dataset) -> Error {
    Error::invalid(format!("channels of pictures are to be scaled, and the rows of {} are none", data.name))
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, Values};
    use super::*;

    const SHAPE: Shape = Shape { height: 1, width: 2, channels: 2 };

    #[test]
    fn channels_are_scaled_over_all_pixels() {
        // The first channel holds 1, 3, 5 and 7: mean 4, deviation √5. The second does not vary.
        let values = vec![1.0, 9.0, 3.0, 9.0, 5.0, 9.0, 7.0, 9.0];
        let data = Dataset::new("a", Values::Floats(values), SHAPE).unwrap().normalised().unwrap();
        let scales = data.schema.channels().unwrap();
        assert!((scales[0].shift - 4.0).abs() < 1e-12 && (scales[0].scale - 5f64.sqrt()).abs() < 1e-12, "{scales:?}");
        assert_eq!(scales[1], Scaling { shift: 9.0, scale: 1.0 });
        assert_eq!((data.shape(), data.schema.is_table(), data.row(0)), (SHAPE, false, vec![1.0, 9.0, 3.0, 9.0]));
        data.schema.check().unwrap();
        // A gap counts for nothing.
        let gaps = Dataset::with_gaps("a", vec![1.0, 9.0, f32::NAN, 9.0, 5.0, 9.0, f32::NAN, 9.0], SHAPE).unwrap();
        assert_eq!(gaps.normalised().unwrap().schema.channels().unwrap()[0], Scaling { shift: 3.0, scale: 2.0 });
        // Later rows are scaled as these were, and rows of another kind are not.
        let later = Dataset::new("b", Values::Floats(vec![0.0; 4]), SHAPE).unwrap().normalised_by(&data.schema);
        assert_eq!(later.schema, data.schema);
        let other =
            Dataset::new("c", Values::Floats(vec![0.0; 4]), Shape::vector(4)).unwrap().normalised_by(&data.schema);
        assert_eq!(other.schema.channels(), None);
        assert_eq!(data.schema.plain(), SHAPE.into());
        let written: Schema = serde_json::from_str(&serde_json::to_string(&data.schema).unwrap()).unwrap();
        assert_eq!(written, data.schema);
    }

    #[test]
    fn vectors_have_no_channels() {
        let data = Dataset::new("a", Values::Floats(vec![0.0; 4]), Shape::vector(4)).unwrap();
        assert!(data.normalised().unwrap_err().to_string().contains("the rows of a are none"));
    }
}
