//! Reads the real MNIST, which is not part of the project, and checks facts that are known about it.
//!
//! `ELBO_DATA` names the folder that holds `mnist`; `tests/run.sh` runs these tests where it is set.

use crate::common;

use elbo::data::{Dataset, Options, Shape, Source, Splits, Values, open};

fn mean(data: &Dataset) -> f64 {
    let Values::Bytes(bytes) = &data.values else {
        panic!("MNIST is grey, so it is stored as bytes");
    };
    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    sum as f64 / 255.0 / bytes.len() as f64
}

#[test]
#[ignore = "needs MNIST: set ELBO_DATA to the folder that holds `mnist`"]
fn mnist_is_what_it_is_known_to_be() {
    let folder = common::data("mnist");
    let Splits { train, validation, test, .. } = open(&Source::Path(folder), &Options::default()).unwrap();
    let test = test.unwrap();
    assert_eq!((train.rows, validation, test.rows), (60_000, None, 10_000));
    let shape = Shape { height: 28, width: 28, channels: 1 };
    assert_eq!((train.shape(), test.shape()), (shape, shape));
    let (train_labels, test_labels) = (train.labels.as_ref().unwrap(), test.labels.as_ref().unwrap());
    assert_eq!((train_labels.classes, train_labels.values[0]), (10, 5));
    assert_eq!((test_labels.classes, test_labels.values[0]), (10, 7));
    assert!((mean(&train) - 0.1307).abs() < 5e-5, "{}", mean(&train));
    assert_eq!(train.describe(), "mnist: 60000 rows of 28×28, 10 classes, one byte a value, 47.0 MB");
}

#[test]
#[ignore = "needs MNIST: set ELBO_DATA to the folder that holds `mnist`"]
fn validation_is_held_out_of_the_training_rows() {
    let folder = common::data("mnist");
    let options = Options { validation: 5000, ..Options::default() };
    let splits = open(&Source::Path(folder), &options).unwrap();
    assert_eq!((splits.train.rows, splits.validation.unwrap().rows), (55_000, 5000));
    assert_eq!(splits.test.unwrap().rows, 10_000);
}

#[test]
#[ignore = "needs CIFAR-10: set ELBO_DATA to the folder that holds `cifar-10-batches-bin`"]
fn cifar_is_what_it_is_known_to_be() {
    let splits = open(&Source::Path(common::data("cifar-10-batches-bin")), &Options::default()).unwrap();
    let (train, test) = (splits.train, splits.test.unwrap());
    assert_eq!(splits.origin.format, "CIFAR-10, binary version");
    assert_eq!(train.shape(), Shape { height: 32, width: 32, channels: 3 });
    assert!(train.rows % 10_000 == 0 && test.rows > 0);
    let labels = train.labels.as_ref().unwrap();
    assert_eq!(labels.names[..3], ["airplane", "automobile", "bird"]);
    // The first training picture is a frog, its first pixel (59, 62, 63); the first test picture is a cat.
    let pixel: Vec<f32> = train.row(0)[..3].iter().map(|value| (value * 255.0).round()).collect();
    assert_eq!((labels.names[labels.values[0] as usize].as_str(), &pixel[..]), ("frog", &[59.0, 62.0, 63.0][..]));
    let labels = test.labels.unwrap();
    assert_eq!(labels.names[labels.values[0] as usize], "cat");
}
