//! What labels are for: rows of a label, and labels of rows.

use std::sync::Arc;

use elbo::data::{Conditions, Dataset, Shape, Split, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::Bernoulli;
use elbo::engine::models::{M2, Model, Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::training::{Given, Session};

use super::devices::{data, losses, models, trainer};

/// Each class has a pattern of its own, which its rows show.
fn pattern(feature: usize, class: usize) -> bool {
    feature % 3 == class
}

#[test]
fn rows_of_a_label_look_like_it() {
    for (name, model, labels) in models().into_iter().take(2) {
        let mut trainer = trainer(model, labels, Box::new(Cpu::new()));
        losses(&mut trainer);
        for class in 0..3 {
            let y: Vec<f32> = (0..3).map(|c| f32::from(u8::from(c == class))).collect();
            let rows = trainer.session.sample(40, &y.repeat(40), 1).unwrap();
            let of = |wanted: bool| {
                let values = rows.iter().enumerate().filter(|(i, _)| pattern(i % 9, class) == wanted);
                let all: Vec<f32> = values.map(|(_, v)| *v).collect();
                all.iter().sum::<f32>() / all.len() as f32
            };
            assert!(of(true) - of(false) > 0.4, "{name}, class {class}: {} and {}", of(true), of(false));
        }
        // What is missing is said, as is what is too much.
        let said = trainer.session.sample(4, &[], 1).unwrap_err().to_string();
        assert!(said.contains("3 values of condition") && said.contains("give 12"), "{said}");
    }
}

#[test]
fn labels_of_rows_are_found_out() {
    let data = data();
    let (x, y) = data.gather(0..data.rows);
    for (name, model, labels) in models().into_iter().skip(1) {
        let mut trainer = trainer(model, labels, Box::new(Cpu::new()));
        let right = |found: &[f32]| {
            let largest = |row: &[f32]| (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            found.chunks(3).zip(y.chunks(3)).filter(|(q, y)| y[largest(q)] == 1.0).count()
        };
        let before = trainer.session.classify(&x).unwrap();
        losses(&mut trainer);
        let after = trainer.session.classify(&x).unwrap();
        assert!(after.chunks(3).all(|q| (q.iter().sum::<f32>() - 1.0).abs() < 1e-5), "{name}");
        assert!(right(&after) > 85 && right(&before) < 70, "{name}: {} and {}", right(&before), right(&after));
        // What the model infers need not be given; it is left aside where it is.
        let given = trainer.session.encode(Given::new(&x, &y)).unwrap();
        assert_eq!(given, trainer.session.encode(&x).unwrap());
    }
    let (_, cvae, _) = models().remove(0);
    let mut told = trainer(cvae, false, Box::new(Cpu::new()));
    assert!(told.session.classify(&x).unwrap_err().to_string().contains("cannot tell labels"));
    assert!(told.session.encode(&x).unwrap_err().to_string().contains("3 values of condition"));
    assert!(told.session.encode(Given::new(&x, &y)).is_ok());
}

#[test]
fn a_classifier_makes_no_rows() {
    let (_, model, labels) = models().remove(2);
    let mut trainer = trainer(model, labels, Box::new(Cpu::new()));
    for (said, words) in [
        (trainer.session.decode(&[0.0; 7][..]).unwrap_err(), "cannot make rows of codes"),
        (trainer.session.reconstruct(&[0.0; 9][..]).unwrap_err(), "cannot rebuild rows"),
        (trainer.session.sample(1, &[], 0).unwrap_err(), "cannot draw new rows"),
    ] {
        assert!(said.to_string().contains(words), "{said}");
    }
}

fn started(model: impl Model + 'static) -> Session {
    let mut session = Session::new(Box::new(model), Box::new(Cpu::new()), 3);
    session.start().unwrap();
    session
}

#[test]
fn rows_that_come_without_what_must_be_known_are_refused() {
    let parts = || Parts::new(Arc::new(Bernoulli));
    let rows = Dataset::new("rows", Values::Floats(vec![0.25; 20]), Shape::vector(4)).unwrap();
    let with = |width: usize| {
        let known = Conditions { values: Values::Floats(vec![0.5; 5 * width]), width, classes: vec![] };
        Dataset { conditions: Some(known), ..rows.clone() }
    };
    let evaluated = |session: &mut Session, data: &Dataset| session.evaluate(Split::Test, data, (2, 1.0)).map(|_| ());
    let mut told = started(Vae::conditional((4, 2, 3), (&[5], &[5]), Activation::Tanh, parts()));
    for (data, found) in [(rows.clone(), 0), (with(2), 2)] {
        let said = evaluated(&mut told, &data).unwrap_err().to_string();
        assert!(said.contains("given 3 values of condition") && said.contains(&format!("has {found}:")), "{said}");
    }
    evaluated(&mut told, &with(3)).unwrap();
    // A model that finds labels out does without them, and does not take others.
    let mut finds = started(M2::new((4, 2, 3), (&[5], &[5]), Activation::Tanh, parts(), 1.0));
    evaluated(&mut finds, &rows).unwrap();
    evaluated(&mut finds, &with(2)).unwrap_err();
}

#[test]
fn a_single_number_is_told_as_well() {
    let model = Vae::conditional((4, 2, 1), (&[5], &[5]), Activation::Tanh, Parts::new(Arc::new(Bernoulli)));
    let mut session = started(model);
    let mut rows = |y: f32| session.sample(3, &[y; 3], 1).unwrap();
    assert_ne!(rows(0.0), rows(5.0));
}

/// ln p(x) is of the labels' prior and the decoder alone: another encoder draws other codes, and finds the same.
#[test]
fn the_likelihood_of_rows_does_not_hang_on_the_encoder() {
    let rows = Dataset::new("rows", Values::Bits(vec![0b0101, 0b0010, 0b1111]), Shape::vector(4)).unwrap();
    let estimate = |part: &str, factor: f32| {
        let parts = Parts::new(Arc::new(Bernoulli));
        let mut session = started(M2::new((4, 2, 3), (&[5], &[5]), Activation::Tanh, parts, 1.0));
        let name = session.layout.groups[0].values();
        let mut values = session.executor.read_f32(&name).unwrap();
        for p in session.layout.groups[0].parameters.iter().filter(|p| p.name.starts_with(part)) {
            values[p.offset..][..p.len()].iter_mut().for_each(|v| *v *= factor);
        }
        session.executor.write_f32(&name, &values).unwrap();
        session.importance(&rows, 5000).unwrap()
    };
    let [first, second, other] = [("encoder", 1.0), ("encoder", 0.25), ("decoder", 6.0)].map(|(p, f)| estimate(p, f));
    let error = first.monte_carlo_error.unwrap() + second.monte_carlo_error.unwrap();
    assert!((first.nll - second.nll).abs() < 5.0 * error, "{} and {}", first.nll, second.nll);
    assert!((first.nll - other.nll).abs() > 10.0 * error, "another decoder is told apart");
    // The codes were others.
    assert!((first.effective_samples / second.effective_samples - 1.0).abs() > 0.02, "{first:?} {second:?}");
}
