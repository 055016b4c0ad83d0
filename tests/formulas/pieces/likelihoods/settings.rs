//! What a likelihood cannot be given is refused, in words.

use elbo::catalogue::{Bounds, Spec, build};
use elbo::engine::distributions::LIKELIHOODS;

/// Numbers that bounds do not allow.
fn outside(bounds: Bounds) -> Vec<f64> {
    let mut all = vec![f64::NAN, f64::INFINITY];
    all.extend(match bounds {
        Bounds::Any => vec![],
        Bounds::Positive => vec![0.0, -1.0, 1e-60],
        Bounds::NotNegative => vec![-1e-3],
        Bounds::Below(end) => vec![-1e-3, end, end * (1.0 - 1e-10)],
        Bounds::Within(low, high) => vec![low - 0.1, high + 0.1, 0.0_f64.min(low - 1.0)],
        Bounds::Whole(low, high) => vec![low as f64 - 1.0, high as f64 + 1.0, low as f64 + 0.5],
        Bounds::PositiveTo(_) | Bounds::PositiveBelow(_) | Bounds::UpTo(..) | Bounds::OneOf(_) => {
            panic!("say here what is not {bounds}")
        }
    });
    all
}

#[test]
fn settings_have_bounds() {
    for piece in LIKELIHOODS {
        let about = &piece.about;
        for setting in about.settings {
            for value in outside(setting.bounds) {
                let spec = Spec::new(about.id).with(setting.name, value);
                let error = build(LIKELIHOODS, &spec).expect_err("it is out of bounds").to_string();
                for part in [about.id, setting.name, &setting.bounds.to_string(), &setting.default.to_string()] {
                    assert!(error.contains(part), "{spec}: {error}");
                }
            }
            assert!(setting.bounds.allow(setting.default), "the default of {} of {}", setting.name, about.id);
        }
        let error =
            build(LIKELIHOODS, &Spec::new(about.id).with("tail", 1.0)).expect_err("no such setting").to_string();
        assert!(error.contains("has no setting `tail`") && error.contains(about.id), "{error}");
    }
}

#[test]
fn what_a_person_may_write_is_refused_with_what_to_do() {
    for (written, expected) in [
        ("categorical:levels=1", "`levels` of the likelihood `categorical` is 1: give a whole number from 2 to 1024"),
        ("discretized-logistic:levels=25.5", "is 25.5: give a whole number"),
        ("beta-binomial:levels=0", "is 0: give a whole number from 2"),
        (
            "discretized-logistic-mixture:components=0",
            "`components` of the likelihood `discretized-logistic-mixture` is 0",
        ),
        ("student-t:nu=0", "`nu` of the likelihood `student-t` is 0: give a number from 1 to 1000"),
        ("laplace:scale=0", "is 0: give a positive number"),
        ("laplace:sigma=1", "the likelihood `laplace` has no setting `sigma`: it takes scale"),
        ("cauchy", "there is no likelihood `cauchy`"),
    ] {
        let error = build(LIKELIHOODS, &written.parse().expect("it can be read")).expect_err(written).to_string();
        assert!(error.contains(expected), "{written}: {error}");
    }
}

#[test]
fn each_is_described() {
    let mut names = std::collections::BTreeSet::new();
    for piece in LIKELIHOODS {
        let about = &piece.about;
        for text in [about.name, about.formula, about.source, about.example] {
            assert!(!text.is_empty(), "{}", about.id);
        }
        assert!(about.example.contains(about.id), "the example of {}: {}", about.id, about.example);
        for name in about.aliases.iter().chain([&about.id]) {
            assert!(names.insert(*name), "two likelihoods answer to {name}");
        }
    }
}
