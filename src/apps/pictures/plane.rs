//! The plane that codes are looked at in: the two dimensions there are, or the two principal axes of more.

use super::axes::{Axis, padded};
use crate::error::Result;
use crate::evaluation::{Projection, principal_axes};

/// Of so many values the most extreme on either side, in a thousand, do not decide what is shown.
const EXTREME: f64 = 0.001;

/// A plane through the latent space.
pub struct Plane {
    names: [String; 2],
    projection: Option<Projection>,
}

impl Plane {
    /// The plane of rows of `latent` finite values, two at least: of two the plane itself, of more the one in which the
    /// rows spread most, and its axes' names say which share of the variance each explains.
    pub fn of(rows: &[&[f32]], latent: usize) -> Result<Plane> {
        if latent == 2 {
            return Ok(Plane::named(["latent dimension 1", "latent dimension 2"].map(str::to_owned)));
        }
        let found = principal_axes(rows, latent, 2)?;
        let percent = |share: f64| {
            if share < 0.0995 { format!("{:.1}", share * 100.0) } else { format!("{:.0}", share * 100.0) }
        };
        let name = |index: usize| {
            format!("principal axis {} of {latent}, {} % of the variance", index + 1, percent(found.shares[index]))
        };
        Ok(Plane { names: [name(0), name(1)], projection: Some(found) })
    }

    /// The plane of rows of two values, its axes being called so.
    pub fn named(names: [String; 2]) -> Plane {
        Plane { names, projection: None }
    }

    /// Where a row is in the plane.
    pub fn place(&self, row: &[f32]) -> [f64; 2] {
        match &self.projection {
            None => [f64::from(row[0]), f64::from(row[1])],
            Some(projection) => {
                let place = projection.place(row);
                [place[0], place[1]]
            }
        }
    }

    /// Its axes, on one scale, that show what is asked for.
    pub fn axes(&self, spans: [Span; 2]) -> [Axis; 2] {
        on_one_scale(self.names.clone(), spans)
    }
}

/// Axes on one scale, so that distances can be compared.
pub fn on_one_scale(names: [String; 2], spans: [Span; 2]) -> [Axis; 2] {
    let half = spans.map(|span| (span.range.1 - span.range.0) / 2.0);
    // A dimension without any spread keeps the scale of the other.
    let half = match spans.map(|span| span.varies) {
        [true, false] => half[0],
        [false, true] => half[1],
        _ => half[0].max(half[1]),
    };
    [0, 1].map(|i| {
        let middle = (spans[i].range.0 + spans[i].range.1) / 2.0;
        Axis::new(names[i].as_str(), (middle - half, middle + half), 8)
    })
}

/// How far values reach along an axis.
#[derive(Clone, Copy)]
pub struct Span {
    /// A range that shows them with a little room.
    pub range: (f64, f64),
    varies: bool,
}

impl Span {
    /// Of all values.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Span {
        let first = values.clone().next();
        Span { range: padded(values.clone()), varies: values.into_iter().any(|value| Some(value) != first) }
    }

    /// Of all but the few most extreme, which would leave the others no room.
    pub fn of_most(values: impl Iterator<Item = f64>) -> Span {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let few = (values.len() as f64 * EXTREME) as usize;
        Span::of(values[few..values.len() - few].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_far_values_leave_the_others_their_room() {
        let values = |far: f64| (0..2000).map(move |i| if i == 7 { far } else { i as f64 / 2000.0 });
        let all = Span::of(values(1e6)).range;
        let most = Span::of_most(values(1e6)).range;
        assert!(all.1 > 1e6 && most.1 < 1.1 && most.0 > -0.1, "{all:?} {most:?}");
        let none = Span::of_most(std::iter::empty());
        assert!(none.range == (0.0, 1.0) && !none.varies);
    }
}
