//! IDX files and folders, whole and broken.

use std::fs;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use super::super::{Options, Shape, Source, Splits, open};
use super::*;

/// An IDX file of bytes with these sizes.
fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(bytes);
    file
}

/// `rows` images of `height`×`width` whose bytes count up.
fn images(rows: u32, height: u32, width: u32) -> Vec<u8> {
    let bytes: Vec<u8> = (0..rows * height * width).map(|i| i as u8).collect();
    idx(&[rows, height, width], &bytes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// The usual four files, of which the tests break one at a time.
fn four() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("train-images-idx3-ubyte", images(20, 2, 3)),
        ("train-labels-idx1-ubyte", idx(&[20], &[7; 20])),
        ("t10k-images-idx3-ubyte", images(4, 2, 3)),
        ("t10k-labels-idx1-ubyte", idx(&[4], &[0, 9, 1, 2])),
    ]
}

fn load(path: &Path) -> Result<Splits> {
    open(&Source::Path(path.to_owned()), &Options::default())
}

/// What is said about the four files with one of them replaced.
fn complaint(replaced: usize, bytes: Vec<u8>) -> String {
    let mut files = four();
    files[replaced].1 = bytes;
    load(folder(&files).path()).unwrap_err().to_string()
}

/// What is said about a single file.
fn complaint_about(bytes: &[u8]) -> String {
    let folder = folder(&[("file", bytes.to_vec())]);
    load(&folder.path().join("file")).unwrap_err().to_string()
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

#[test]
fn a_folder_gives_train_and_test() {
    let splits = load(folder(&four()).path()).unwrap();
    let (train, test) = (splits.train, splits.test.unwrap());
    assert_eq!((train.rows, test.rows, splits.validation), (20, 4, None));
    assert_eq!((train.shape().height, train.shape().width, train.shape().channels), (2, 3, 1));
    assert_eq!(train.row(1), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0].map(|byte: f32| byte / 255.0));
    // The classes are the values that occur: 0, 1, 2, 7 and 9.
    assert_eq!(train.labels.as_ref().unwrap().values, [3; 20]);
    assert_eq!(test.labels.as_ref().unwrap().values, [0, 4, 1, 2]);
    assert_eq!(train.labels.unwrap().classes, 5);
    assert_eq!(test.labels.unwrap().names, ["0", "1", "2", "7", "9"]);
    assert_eq!(splits.origin.format, "IDX files of unsigned bytes");
}

#[test]
fn names_with_dots_gzip_and_missing_labels_make_no_difference() {
    let plain = load(folder(&four()).path()).unwrap();
    for [dots, packed] in [[true, false], [false, true], [true, true]] {
        let files = tempfile::tempdir().unwrap();
        for (name, bytes) in four() {
            let name = if dots { name.replace("-idx", ".idx") } else { name.into() };
            // The bytes decide, not the name: one of the packed files does not say that it is.
            let name = if packed && !name.contains("labels") { name + ".gz" } else { name };
            let bytes = if packed { gzip(&bytes) } else { bytes };
            fs::write(files.path().join(name), bytes).unwrap();
        }
        let splits = load(files.path()).unwrap();
        assert_eq!((&splits.train.values, &splits.train.labels), (&plain.train.values, &plain.train.labels));
    }
    let unlabelled = load(folder(&[four().remove(0), four().remove(2)]).path()).unwrap();
    assert_eq!(unlabelled.train.labels, None);
    assert!(unlabelled.test.is_some());
}

#[test]
fn a_folder_without_test_files_is_split_like_a_single_file() {
    let splits = load(folder(&four()[..2]).path()).unwrap();
    let held_out = [splits.validation, splits.test].map(|part| part.unwrap().rows);
    assert_eq!((splits.train.rows, held_out), (16, [2, 2]));
    let labels = splits.train.labels.unwrap();
    assert_eq!((labels.values, labels.names), (vec![0; 16], vec!["7".to_owned()]));
}

#[test]
fn a_single_file_is_split() {
    let folder = folder(&[("digits.idx3.gz", gzip(&images(20, 2, 3)))]);
    let splits = load(&folder.path().join("digits.idx3.gz")).unwrap();
    assert_eq!(splits.train.name, "digits");
    let held_out = [splits.validation, splits.test].map(|part| part.unwrap().rows);
    assert_eq!((splits.train.rows, held_out), (16, [2, 2]));
}

#[test]
fn vectors_have_height_one() {
    let folder = folder(&[("v", idx(&[2, 5], &[9; 10]))]);
    let train = load(&folder.path().join("v")).unwrap().train;
    assert_eq!((train.rows, train.shape().height, train.shape().width), (2, 1, 5));
}

#[test]
fn two_levels_are_stored_as_bits_and_three_are_not() {
    for one in [1, 255] {
        let folder = folder(&[("bits", idx(&[3, 1, 3], &[0, one, 0, one, one, one, 0, 0, 0]))]);
        let train = load(&folder.path().join("bits")).unwrap().train;
        assert_eq!(train.values, Values::Bits(vec![0b010, 0b111, 0]));
    }
    for levels in [[0, 1, 255], [0, 1, 2], [0, 254, 0]] {
        let folder = folder(&[("bytes", idx(&[1, 1, 3], &levels))]);
        let train = load(&folder.path().join("bytes")).unwrap().train;
        assert_eq!(train.values, Values::Bytes(levels.to_vec()));
    }
}

#[test]
fn train_and_test_are_stored_alike() {
    let mut files = four();
    files[0].1 = idx(&[20, 2, 3], &[1; 120]);
    let Splits { train, test, .. } = load(folder(&files).path()).unwrap();
    for data in [train, test.unwrap()] {
        assert!(matches!(data.values, Values::Bytes(_)));
    }
}

#[test]
fn wrong_magic_says_what_the_file_seems_to_be() {
    assert_says(&complaint(0, b"\x89PNG\r\n\x1a\n".into()), &["PNG", "expected an IDX file of images"]);
    assert_says(&complaint(0, gzip(&gzip(&images(20, 2, 3)))), &["gzip inside gzip", "gunzip"]);
    assert_says(&complaint(1, b"PK\x03\x04rest".into()), &["zip archive", "expected an IDX file of labels"]);
    assert_says(&complaint(2, Vec::new()), &["empty file", "t10k-images"]);
    assert_says(&complaint(3, b"<!DOCTYPE html><html>".into()), &["web page", "expected an IDX file of labels"]);
    assert_says(&complaint_about(b"%PDF-1.4"), &["PDF document", "Known: IDX"]);
    assert_says(&complaint_about(&gzip(&gzip(b"x"))), &["gzip inside gzip"]);
}

#[test]
fn labels_floats_and_more_dimensions_are_not_images() {
    assert_says(&complaint(0, idx(&[20], &[0; 20])), &["how labels are kept", "magic 00000801", "expected"]);
    assert_says(&complaint(1, images(20, 2, 3)), &["how images are kept", "expected labels [rows]"]);
    assert_says(&complaint_about(&[0, 0, 0x0d, 3, 0, 0, 0, 1]), &["truncated in its header"]);
    assert_says(
        &complaint_about(&idx(&[1, 1, 1, 1, 1], &[0])),
        &["a 5-dimensional IDX", "expected images [rows, height"],
    );
}

#[test]
fn truncated_files_are_found() {
    let whole = images(20, 2, 3);
    assert_says(&complaint(0, whole[..whole.len() - 1].into()), &["promises 20×2×3 values, 120 bytes", "holds 119"]);
    assert_says(&complaint(0, whole[..9].into()), &["truncated in its header", "9 of 16"]);
    assert_says(&complaint(0, [whole.clone(), vec![0]].concat()), &["holds 121"]);
    let packed = gzip(&whole);
    assert_says(&complaint(0, packed[..packed.len() / 2].into()), &["gzip data is truncated", "gzip -t"]);
    assert_says(&complaint(0, packed[..3].into()), &["gzip data is truncated"]);
    assert_says(&complaint_about(&packed[..3]), &["gzip data is truncated"]);
}

#[test]
fn lying_headers_allocate_nothing() {
    let lie = idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 5]);
    let promised = (u128::from(u32::MAX)).pow(3).to_string();
    assert_says(&complaint_about(&lie), &["holds 5", &promised]);
    assert_says(&complaint_about(&gzip(&lie)), &["at most", &promised]);
    let small = gzip(&idx(&[1, 1, 1], &vec![0; 32 << 20]));
    assert_says(&complaint_about(&small), &["holds more"]);
}

#[test]
fn parts_that_disagree_are_named() {
    assert_says(
        &complaint(1, idx(&[19], &[7; 19])),
        &["19 labels", "20 images", "train-labels", "train-images", "one label per image"],
    );
    assert_says(&complaint(3, idx(&[5], &[7; 5])), &["5 labels", "4 images"]);
    assert_says(&complaint(2, images(4, 3, 3)), &["3×3", "2×3", "same data set"]);
}

#[test]
fn nothing_to_learn_from_is_refused() {
    assert_says(&complaint(0, images(0, 2, 3)), &["0 images of 2×3"]);
    assert_says(&complaint(2, images(4, 0, 3)), &["4 images of 0×3"]);
    assert_says(&complaint_about(&images(5, 2, 0)), &["5 images of 2×0"]);
}

#[test]
fn images_and_labels_alone_are_missed() {
    let tests_only = load(folder(&four()[2..]).path()).unwrap_err().to_string();
    assert_says(&tests_only, &["no training images", "train-images-idx3-ubyte"]);
    let labels_only = load(folder(&four()[1..2]).path()).unwrap_err().to_string();
    assert_says(&labels_only, &["labels have no images", "train-images-idx3-ubyte"]);
}

/// A file with this type and these sizes.
fn typed(kind: u8, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = idx(sizes, bytes);
    file[2] = kind;
    file
}

#[test]
fn numbers_of_every_type_stand_for_themselves() {
    let floats = |kind: u8, bytes: &[u8]| {
        let folder = folder(&[("x", typed(kind, &[1, 3], bytes))]);
        let splits = load(&folder.path().join("x")).unwrap();
        assert!(matches!(splits.train.values, Values::Floats(_)));
        (splits.train.row(0), splits.origin.format)
    };
    let (row, format) = floats(0x09, &[255, 1, 128]);
    assert_eq!((row, format.as_str()), (vec![-1.0, 1.0, -128.0], "an IDX file of signed bytes"));
    assert_eq!(floats(0x0b, &[-2i16, 300, 7].map(i16::to_be_bytes).concat()).0, [-2.0, 300.0, 7.0]);
    assert_eq!(floats(0x0c, &[-70_000i32, 1, 0].map(i32::to_be_bytes).concat()).0, [-70_000.0, 1.0, 0.0]);
    assert_eq!(floats(0x0d, &[0.25f32, -1.5, 3e30].map(f32::to_be_bytes).concat()).0, [0.25, -1.5, 3e30]);
    assert_eq!(floats(0x0e, &[0.1f64, -1.5, 0.0].map(f64::to_be_bytes).concat()).0, [0.1, -1.5, 0.0]);
    assert_says(&complaint_about(&typed(0x0d, &[1, 1], &f32::NAN.to_be_bytes())), &["NaN", "finite"]);
    assert_says(&complaint_about(&typed(0x0e, &[1, 3], &[0; 23])), &["promises 1×3 values, 24 bytes", "holds 23"]);
    let most = [255; 255];
    let endless = typed(0x0e, &[u32::MAX; 4], &most);
    assert_says(&complaint_about(&endless), &["holds 255"]);
}

#[test]
fn a_fourth_axis_is_channels() {
    let folder = folder(&[("x", idx(&[2, 1, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))]);
    let train = load(&folder.path().join("x")).unwrap().train;
    assert_eq!((train.rows, train.shape()), (2, Shape { height: 1, width: 2, channels: 3 }));
    assert_eq!(train.row(1)[0], 7.0 / 255.0);
}

#[test]
fn classes_are_the_values_that_occur() {
    let labels = |values: &[u8]| idx(&[values.len() as u32], values);
    let files = [
        ("train-images-idx3-ubyte", images(4, 2, 3)),
        ("train-labels-idx1-ubyte", labels(&[5, 0, 2, 5])),
        ("t10k-images-idx3-ubyte", images(1, 2, 3)),
        ("t10k-labels-idx1-ubyte", labels(&[2])),
    ];
    let splits = load(folder(&files).path()).unwrap();
    let (train, test) = (splits.train.labels.unwrap(), splits.test.unwrap().labels.unwrap());
    assert_eq!((train.values, test.values), (vec![2, 0, 1, 2], vec![1]));
    assert_eq!((train.names.join(" "), train.classes, test.names), ("0 2 5".into(), 3, train.names));
    // Signed ones may be below zero, and floats must be whole.
    let of = |bytes: Vec<u8>| load(folder(&[files[0].clone(), ("train-labels-idx1-ubyte", bytes)]).path());
    let labels = of(typed(0x09, &[4], &[255, 3, 3, 3])).unwrap().train.labels.unwrap();
    assert_eq!((labels.values, labels.names.join(" ")), (vec![0, 1, 1, 1], "-1 3".into()));
    let halves = typed(0x0d, &[4], &[1.0f32, 2.0, 2.5, 1.0].map(f32::to_be_bytes).concat());
    assert_says(&of(halves).unwrap_err().to_string(), &["no whole numbers"]);
}

#[test]
fn missing_labels_of_one_part_are_said() {
    let mut files = four();
    files.pop();
    let splits = load(folder(&files).path()).unwrap();
    assert_eq!(splits.test.unwrap().labels, None);
    assert_says(&splits.origin.warnings.join(""), &["the test images have no labels"]);
}

#[test]
fn files_may_lie_in_folders_of_their_names() {
    let plain = load(folder(&four()).path()).unwrap();
    let nested = tempfile::tempdir().unwrap();
    for (i, (name, bytes)) in four().into_iter().enumerate() {
        fs::create_dir(nested.path().join(name)).unwrap();
        let (inner, bytes) = if i % 2 == 0 { (name.to_owned(), bytes) } else { (format!("{name}.gz"), gzip(&bytes)) };
        fs::write(nested.path().join(name).join(inner), bytes).unwrap();
    }
    let found = load(nested.path()).unwrap();
    assert_eq!((found.train.values, found.train.labels), (plain.train.values, plain.train.labels));
    assert_eq!(found.test.unwrap().labels, plain.test.unwrap().labels);
}

#[test]
fn emnist_is_turned_upright_and_one_of_its_sets_is_named() {
    let letters = idx(&[1, 2, 3], &[1, 2, 3, 4, 5, 6]);
    let files = [
        ("emnist-letters-train-images-idx3-ubyte", letters.clone()),
        ("emnist-letters-train-labels-idx1-ubyte", idx(&[1], &[26])),
        ("emnist-digits-train-images-idx3-ubyte.gz", gzip(&images(5, 2, 2))),
    ];
    let place = folder(&files);
    let message = load(place.path()).unwrap_err().to_string();
    assert_says(&message, &["several data sets: emnist-digits, emnist-letters", "name one of them, as"]);
    let splits = load(&place.path().join("emnist-letters")).unwrap();
    assert_eq!(
        (splits.train.name.as_str(), splits.train.labels.as_ref().unwrap().names.clone()),
        ("emnist-letters", vec!["26".to_owned()])
    );
    assert_says(&splits.origin.guesses.join("\n"), &["turned upright"]);
    assert_eq!((splits.train.shape().height, splits.train.shape().width), (3, 2));
    let row: Vec<f32> = [1, 4, 2, 5, 3, 6].map(|byte| byte as f32 / 255.0).into();
    assert_eq!(splits.train.values, Values::Bytes(vec![1, 4, 2, 5, 3, 6]));
    // A file by itself is told by its name as well, and under another name it is left as it is.
    assert_eq!(load(&place.path().join(files[0].0)).unwrap().train.row(0), row);
    let other = folder(&[("train-images-idx3-ubyte", letters)]);
    assert_eq!(load(other.path()).unwrap().train.values, Values::Bytes(vec![1, 2, 3, 4, 5, 6]));
    assert_says(&load(&place.path().join("emnist-none")).unwrap_err().to_string(), &["no such file or folder"]);
}

#[test]
fn labels_of_several_numbers_start_with_the_class() {
    let wide: Vec<u8> = (0..2).flat_map(|row| (0..8).map(move |i| 10 * row + i)).flat_map(i32::to_be_bytes).collect();
    let files = [
        ("qmnist-train-images-idx3-ubyte", images(2, 2, 3)),
        ("qmnist-train-labels-idx2-int", typed(0x0c, &[2, 8], &wide)),
        ("qmnist-test-images-idx3-ubyte", images(2, 2, 3)),
        ("qmnist-test-labels-idx2-int", typed(0x0c, &[2, 8], &wide)),
    ];
    let splits = load(folder(&files).path()).unwrap();
    let labels = splits.train.labels.unwrap();
    assert_eq!((labels.values, labels.names.join(" ")), (vec![0, 1], "0 10".into()));
    assert_eq!(splits.origin.guesses.iter().filter(|guess| guess.contains("rows of 8 numbers")).count(), 1);
    assert_eq!(splits.test.unwrap().rows, 2);
}
