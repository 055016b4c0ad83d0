//! What labels are for: rows of a label, and labels of rows.

use elbo::cpu::Cpu;
use elbo::training::Given;

use crate::devices::{data, losses, models, trainer};

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
        let given = trainer.session.encode(Given { x: &x, y: &y }).unwrap();
        assert_eq!(given, trainer.session.encode(&x).unwrap());
    }
    let (_, cvae, _) = models().remove(0);
    let mut told = trainer(cvae, false, Box::new(Cpu::new()));
    assert!(told.session.classify(&x).unwrap_err().to_string().contains("infers no labels"));
    assert!(told.session.encode(&x).unwrap_err().to_string().contains("3 values of condition"));
    assert!(told.session.encode(Given { x: &x, y: &y }).is_ok());
}

#[test]
fn a_classifier_makes_no_rows() {
    let (_, model, labels) = models().remove(2);
    let mut trainer = trainer(model, labels, Box::new(Cpu::new()));
    for said in [
        trainer.session.decode(&[0.0; 7][..]).unwrap_err(),
        trainer.session.reconstruct(&[0.0; 9][..]).unwrap_err(),
        trainer.session.sample(1, &[], 0).unwrap_err(),
    ] {
        assert!(said.to_string().contains("train a vae"), "{said}");
    }
}
