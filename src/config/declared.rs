//! Every setting is declared whole: with an option, a help, a key and bounds.

use super::tests::other;
use super::*;
use crate::data::PictureSize;

/// What a table's declaration lacks: the help, the option or the key of a setting, or the bounds of a number. `settings` is the table
/// with every setting given.
fn lacks<T: clap::Args>(settings: &impl serde::Serialize, bounded: &[&str], short: &[&str]) -> Vec<String> {
    let table = toml::Table::try_from(settings).unwrap();
    let command = T::augment_args(clap::Command::new("lacks"));
    let mut found = Vec::new();
    for arg in command.get_arguments() {
        let field = arg.get_id().as_str();
        let value = table.get(&field.replace('_', "-"));
        if arg.get_help().is_none_or(|help| help.to_string().trim().is_empty()) {
            found.push(format!("{field} has no help"));
        }
        if arg.get_long().is_none_or(str::is_empty) {
            found.push(format!("{field} has no option"));
        }
        if value.is_none() && !short.contains(&field) {
            found.push(format!("{field} has no key"));
        }
        let is_number = |v: &toml::Value| v.is_integer() || v.is_float();
        let holds_numbers =
            value.is_some_and(|v| is_number(v) || v.as_array().is_some_and(|a| a.iter().all(is_number)));
        if holds_numbers && !bounded.contains(&field) {
            found.push(format!("{field} has no bounds"));
        }
    }
    found
}

#[test]
fn every_setting_is_declared_whole() {
    let mut all = other();
    (all.data.labels, all.model.upper) = (Some(3), Some(vec![2]));
    all.data.size = Some(PictureSize { height: 2, width: 3 });
    (all.data.validation_data, all.data.test_data) = (Some("v.npy".into()), Some("t.npy".into()));
    all.data.weight = Some("counts".into());
    all.training.corrupt = Some("mask".into());
    (all.data.rows, all.data.condition_on) = (Some("0..5".parse().unwrap()), vec!["age".into()]);
    let none = [""; 0];
    assert_eq!(lacks::<DataOptions>(&all.data, DataOptions::BOUNDED, DataOptions::SHORT), none);
    assert_eq!(lacks::<ModelOptions>(&all.model, ModelOptions::BOUNDED, ModelOptions::SHORT), none);
    assert_eq!(lacks::<TrainingOptions>(&all.training, TrainingOptions::BOUNDED, TrainingOptions::SHORT), none);
    assert_eq!(lacks::<DeviceOptions>(&all.device, DeviceOptions::BOUNDED, DeviceOptions::SHORT), none);
    assert!(ModelOptions::BOUNDED.contains(&"latent") && TrainingOptions::SHORT.contains(&"beta1"));
    // Each thing that may be forgotten is missed.
    let of = &all.training;
    let bounded: Vec<_> = TrainingOptions::BOUNDED.iter().copied().filter(|field| *field != "clip_norm").collect();
    assert_eq!(lacks::<TrainingOptions>(of, &bounded, TrainingOptions::SHORT), ["clip_norm has no bounds"]);
    assert_eq!(lacks::<TrainingOptions>(of, TrainingOptions::BOUNDED, &["beta1", "beta2"]), ["epsilon has no key"]);
    let mut settings = careless::Settings::default();
    careless::Options { count: Some(2) }.lay_over(&mut settings).unwrap();
    assert_eq!((settings.count, settings.out_of_bounds()), (2, vec![]));
    assert_eq!(careless::Options::KEYS, [Some("count")]);
    let [count] = careless::Options::DECLARED else { panic!("one setting is declared") };
    assert_eq!((count.field, count.option, count.of, count.help), ("count", Some("count"), "usize", &[][..]));
    let found = lacks::<careless::Options>(&settings, careless::Options::BOUNDED, careless::Options::SHORT);
    assert_eq!(found, ["count has no help", "count has no bounds"]);
}

/// A declaration that forgets what it can.
mod careless {
    use crate::settings::settings;

    settings! {
        /// Of the test alone.
        Settings, options Options, heading "Careless";

        own {
            #[arg(value_name = "N")]
            count: usize = 1;
        }
    }
}
