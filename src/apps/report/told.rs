//! What a model is told with every code: a choice for classes, a slider for numbers.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::subject::Subject;
use crate::data::schema::{Field, FieldKind, Role};

/// The most numbers that have a slider.
const MOST: usize = 24;

/// A thing that is told.
struct Control {
    name: String,
    /// Its first number in what is told.
    at: usize,
    kind: Kind,
}

enum Kind {
    /// One of these, as a one among zeros.
    Choice(Vec<String>),
    /// A number between two, as the model is given it, and how it is written.
    Number([f32; 2], Value),
}

/// All that is told.
pub struct Told {
    controls: Vec<Control>,
    /// The values that it begins with.
    known: Vec<f32>,
}

impl Told {
    /// What a model is told, beginning with `known`.
    pub fn of(subject: &Subject, known: &[f32]) -> Told {
        let form = subject.form;
        let known = known.to_vec();
        if form.condition == 0 {
            return Told { controls: vec![], known };
        }
        if !form.classes.is_empty() {
            let control = Control { name: "Class".to_string(), at: 0, kind: Kind::Choice(form.classes.clone()) };
            return Told { controls: vec![control], known };
        }
        let range = |at: usize| {
            let [low, high] = form.ranges.get(at).copied().unwrap_or([0.0, 1.0]);
            if high > low { [low, high] } else { [low - 1.0, low + 1.0] }
        };
        let fields: Vec<&Field> = form.schema.of_role(Role::Condition).collect();
        let width: usize = fields.iter().map(|field| field.kind.width()).sum();
        if width == form.condition {
            let mut at = 0;
            let control = |one: &&Field| {
                let kind = match &one.kind {
                    FieldKind::Category(classes) => Kind::Choice(classes.clone()),
                    _ => Kind::Number(range(at), field(one, 0)),
                };
                let control = Control { name: one.name.clone(), at, kind };
                at += one.kind.width();
                control
            };
            return Told { controls: fields.iter().map(control).collect(), known };
        }
        let named = subject.told().into_iter().enumerate().take(MOST);
        let controls =
            named.map(|(at, name)| Control { name, at, kind: Kind::Number(range(at), Value::Null) }).collect();
        Told { controls, known }
    }

    /// What the script is given.
    pub fn data(&self) -> Value {
        let one = |control: &Control| match &control.kind {
            Kind::Choice(names) => json!({ "at": control.at, "choices": names.len(), "names": names }),
            Kind::Number(_, field) => json!({ "at": control.at, "field": field }),
        };
        self.controls.iter().map(one).collect()
    }

    /// What is turned.
    pub fn controls(&self) -> Markup {
        html! {
            @for (number, control) in self.controls.iter().enumerate() {
                @let id = format!("told{number}");
                div class="slider told" {
                    label for=(id) { (control.name) }
                    @match &control.kind {
                        Kind::Choice(names) => select id=(id) data-told=(number) {
                            @for (at, name) in names.iter().enumerate() {
                                option value=(at) selected[self.known.get(control.at + at).is_some_and(|value| *value > 0.5)] { (name) }
                            }
                        },
                        Kind::Number([low, high], _) => {
                            input type="range" id=(id) data-told=(number) min=(low) max=(high) step=((high - low) / 200.0)
                                value=(self.known.get(control.at).copied().unwrap_or(*low).clamp(*low, *high));
                            output for=(id) {}
                        },
                    }
                }
            }
        }
    }
}

/// How the numbers of a field, from `at` on, become a cell.
pub fn field(one: &Field, at: usize) -> Value {
    let scaled = |scaling: &crate::data::schema::Scaling| json!([scaling.shift, scaling.scale]);
    let more = match &one.kind {
        FieldKind::Real(scaling)
        | FieldKind::Positive(scaling)
        | FieldKind::Count(scaling)
        | FieldKind::Date(scaling, _) => scaled(scaling),
        FieldKind::Ordinal(levels) => json!(levels),
        FieldKind::Category(classes) => json!(classes),
        _ => Value::Null,
    };
    json!({ "name": one.name, "kind": one.kind.name(), "at": at, "more": more, "whole": one.whole })
}
