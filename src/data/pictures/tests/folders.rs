//! What is found in folders, and how it is put together.

use super::*;

#[test]
fn rows_are_sorted_by_path_and_folders_are_classes() {
    let folder = folder(&[
        ("dog/b.png", png((4, 4), [2, 0, 0])),
        ("dog/a.JPG", png((4, 4), [1, 0, 0])),
        ("Cat/z/y.png", png((4, 4), [3, 0, 0])),
        ("ant/no ending", png((4, 4), [4, 0, 0])),
        ("ant.eater/x.png", png((4, 4), [5, 0, 0])),
    ]);
    let data = rows(folder.path(), None);
    let red: Vec<u8> = (0..data.rows).map(|row| bytes(&data, row)[0]).collect();
    // Capitals come first, and `.` before `/`.
    assert_eq!(red, [3, 5, 4, 1, 2]);
    let labels = data.labels.as_ref().unwrap();
    assert_eq!(labels.names, ["Cat", "ant", "ant.eater", "dog"]);
    assert_eq!(labels.values, [0, 2, 1, 3, 3]);
    assert_eq!((data.shape(), &data.values.byte_len()), (Shape { height: 4, width: 4, channels: 3 }, &(5 * 48)));
    assert_eq!(data.name, folder.path().file_name().unwrap().to_str().unwrap());
}

#[test]
fn parts_are_parts_and_validation_is_not_held_out_twice() {
    let picture = |value: u8| png((4, 4), [value; 3]);
    let folder = folder(&[
        ("set/train/a/1.png", picture(1)),
        ("set/train/b/2.png", picture(2)),
        ("set/valid/b/3.png", picture(3)),
        ("set/test/4.png", picture(4)),
    ]);
    let splits = load(folder.path()).unwrap();
    let (validation, test) = (splits.validation.unwrap(), splits.test.unwrap());
    assert_eq!((splits.train.rows, bytes(&validation, 0)[0], bytes(&test, 0)[0]), (2, 3, 4));
    assert_eq!(validation.labels.unwrap().values, [1]);
    assert_eq!(test.labels, None);
    assert_says(&splits.origin.warnings.join("\n"), &["test part lie in no folders of classes"]);
    assert_says(&splits.origin.guesses.join("\n"), &["train, val and test are the parts", "2 folders"]);
    let asked = Options { validation: 1, ..options(None, None) };
    let message = open(&Source::Path(folder.path().into()), &asked).unwrap_err().to_string();
    assert_says(&message, &["1 rows are to be held out", "1 of its own"]);
}

#[test]
fn a_folder_without_parts_is_split_like_a_single_file() {
    let files = many(20);
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let splits = load(folder(&files).path()).unwrap();
    let held_out = [&splits.validation, &splits.test].map(|part| part.as_ref().unwrap().rows);
    assert_eq!((splits.train.rows, held_out), (16, [2, 2]));
    assert_says(&splits.origin.guesses.join("\n"), &["no parts of its own", "--seed", "--validation"]);
}

#[test]
fn the_size_is_the_one_that_all_have_or_64_or_the_one_that_is_asked_for() {
    let at = |sizes: &[(u32, u32)], asked: Option<&str>| {
        let files: Vec<(String, Vec<u8>)> =
            sizes.iter().enumerate().map(|(i, &size)| (format!("{i}.png"), png(size, RED))).collect();
        let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        let folder = folder(&files);
        let splits = open(&Source::Path(folder.path().into()), &options(asked, None)).unwrap();
        let shape = splits.train.shape();
        ((shape.height, shape.width), splits.origin.guesses.join("\n"))
    };
    let (size, said) = at(&[(20, 28), (20, 28)], None);
    assert_eq!(size, (28, 20));
    assert_says(&said, &["28x20", "the size of all of them", "--size"]);
    let (size, said) = at(&[(20, 28), (28, 20)], None);
    assert_eq!(size, (64, 64));
    assert_says(&said, &["scaled to 64", "--size 48x64"]);
    assert_eq!(at(&[(64, 64); 2], None).0, (64, 64));
    assert_eq!(at(&[(65, 1); 2], None).0, (64, 64));
    let (size, said) = at(&[(20, 28), (28, 20)], Some("5x9"));
    assert_eq!((size, said.as_str()), ((5, 9), ""));
}

#[test]
fn grey_stays_grey_and_one_colour_makes_all_of_them_colours() {
    let grey = ("a.png", png((4, 4), [9; 3]));
    let data = rows(folder(std::slice::from_ref(&grey)).path(), None);
    assert_eq!((data.shape().channels, bytes(&data, 0)), (1, vec![9; 16]));
    let data = rows(folder(&[grey, ("b.png", png((4, 4), [9, 9, 8]))]).path(), None);
    assert_eq!((data.shape().channels, bytes(&data, 0)), (3, vec![9; 48]));
}

#[test]
fn rows_for_a_trained_model_have_its_shape() {
    let of = |colour: [u8; 3], channels: usize| {
        let folder = folder(&[("a.png", png((9, 9), colour))]);
        let schema = Some(Shape { height: 2, width: 3, channels }.into());
        let options = Options { schema, ..Options::default() };
        let splits = open(&Source::Path(folder.path().into()), &options).unwrap();
        (splits.train.shape(), bytes(&splits.train, 0), splits.origin.warnings.join("\n"))
    };
    let shape = |channels| Shape { height: 2, width: 3, channels };
    assert_eq!(of([9; 3], 3).0, shape(3));
    assert_eq!(of([9; 3], 3).1, [9; 18]);
    let (found, row, said) = of([255, 0, 0], 1);
    assert_eq!((found, row), (shape(1), vec![54; 6]));
    assert_says(&said, &["in colour", "read as grey"]);
}

#[test]
fn what_is_no_picture_is_named_and_what_is_hidden_is_not() {
    let mut files: Vec<(&str, Vec<u8>)> = vec![("a.png", png((4, 4), RED))];
    for name in ["notes.txt", "labels.csv", "README", ".hidden.png", ".git/x.png", "Thumbs.db", "__MACOSX/._a.png"] {
        files.push((name, b"words".to_vec()));
    }
    let splits = load(folder(&files).path()).unwrap();
    assert_eq!(splits.train.rows, 1);
    let said: Vec<String> = splits.origin.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["files that are no pictures (3): README, labels.csv, notes.txt"]);
    assert_says(&splits.origin.format, &["pictures in a folder (1 PNG)"]);
    assert_says(&splits.origin.warnings.join("\n"), &["only one picture"]);
}

/// Files that are no pictures, and what is said of each.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let jpeg = plain(ImageFormat::Jpeg, (40, 40), RED);
    vec![
        ("empty.png", vec![], "empty.png is an empty file"),
        ("cut.jpg", jpeg[..jpeg.len() * 3 / 4].to_vec(), "cut.jpg is truncated"),
        ("huge.png", claiming(60_000, 60_000), "huge.png is too large"),
        ("page.jpg", b"<!DOCTYPE html>".to_vec(), "page.jpg is a web page"),
        ("raw.bmp", b"BM but nothing else".to_vec(), "raw.bmp is"),
    ]
}

#[test]
fn one_broken_picture_in_twenty_is_left_out() {
    for (name, bytes, said) in broken() {
        let good = many(19);
        let mut files: Vec<(&str, Vec<u8>)> = good.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        files.push((name, bytes));
        let place = folder(&files);
        let splits = load(place.path()).unwrap();
        let held_out = [&splits.validation, &splits.test].map(|part| part.as_ref().map_or(0, |part| part.rows));
        assert_eq!(splits.train.rows + held_out[0] + held_out[1], 19);
        assert_says(&splits.origin.skipped[0].to_string(), &["broken pictures (1)", said]);
        // One of nineteen is too many.
        fs::remove_file(place.path().join("p000.png")).unwrap();
        assert_says(&complaint(place.path()), &["1 of 19 pictures are broken", "at most one of 20", said]);
    }
}

#[test]
fn rows_are_the_same_whatever_was_left_out_between_them() {
    let good = many(40);
    let mut files: Vec<(&str, Vec<u8>)> = good.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let whole = load(folder(&files).path()).unwrap().train;
    files.push(("p0005.png", vec![]));
    files.push(("p0205.png", b"no picture".to_vec()));
    let with = load(folder(&files).path()).unwrap().train;
    assert_eq!((with.values, with.rows), (whole.values, whole.rows));
}

#[test]
fn many_broken_pictures_are_counted_and_the_first_named() {
    let files: Vec<(String, Vec<u8>)> = (0..9).map(|i| (format!("{i}.png"), vec![])).collect();
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    assert_says(&complaint(folder(&files).path()), &["9 of 9", "0.png is an empty file", "4.png", "and 4 more"]);
}

#[test]
fn a_folder_without_pictures_says_what_is_looked_for() {
    let nothing = complaint(folder(&[]).path());
    assert_says(&nothing, &["holds nothing", "pictures (PNG, JPEG"]);
    assert_says(&complaint(folder(&[("a.txt", b"x".to_vec())]).path()), &["holds a.txt", "pictures"]);
    // What is hidden is no reason to take a folder for one of pictures.
    assert_says(&complaint(folder(&[(".a.png", png((4, 4), RED))]).path()), &["no known data set"]);
}

#[test]
fn one_picture_by_itself_is_refused_with_advice() {
    let folder = folder(&[("a.jpg", plain(ImageFormat::Jpeg, (4, 4), RED))]);
    assert_says(&complaint(&folder.path().join("a.jpg")), &["is a JPEG picture", "give the folder"]);
}

#[test]
fn a_folder_may_be_named_like_a_file() {
    let folder = folder(&[("a.png/b.png", png((4, 4), RED)), ("x.zip/c.png", png((4, 4), BLUE))]);
    assert_eq!(rows(folder.path(), None).labels.unwrap().names, ["a.png", "x.zip"]);
    assert_eq!(rows(&folder.path().join("x.zip"), None).rows, 1);
}

#[test]
fn a_size_is_for_pictures_only() {
    let folder = folder(&[("train-images-idx3-ubyte", vec![0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7])]);
    let message = open(&Source::Path(folder.path().into()), &options(Some("8"), None)).unwrap_err().to_string();
    assert_says(&message, &["`size` is 8", "only folders of pictures", "IDX"]);
}

#[cfg(unix)]
#[test]
fn links_pipes_and_names_that_are_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let folder = folder(&[("a/one.png", png((4, 4), [1, 0, 0]))]);
    let path = folder.path();
    let strange = path.join(OsStr::from_bytes(b"b\xff\n"));
    fs::create_dir(&strange).unwrap();
    fs::write(strange.join(OsStr::from_bytes(b"\xfe.png")), png((4, 4), [2, 0, 0])).unwrap();
    symlink(path, path.join("a/back")).unwrap();
    symlink("itself", path.join("itself")).unwrap();
    symlink("nowhere.png", path.join("a/gone.png")).unwrap();
    symlink(path.join("a/one.png"), path.join("a/two.png")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path.join("pipe.png")).status().unwrap().success());
    let splits = load(path).unwrap();
    let data = &splits.train;
    assert_eq!((0..data.rows).map(|row| bytes(data, row)[0]).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(data.labels.as_ref().unwrap().names, ["a", "b\\xff\\n"]);
    let said: Vec<String> = splits.origin.skipped.iter().map(ToString::to_string).collect();
    assert_says(&said[0], &["links that lead back to a folder above them (1)", "a/back"]);
    assert_says(&said[1], &["files or folders that could not be opened (2)", "a/gone.png (", "itself ("]);
    assert_says(&said[2], &["pipes or devices (1): pipe.png"]);
}

#[test]
fn what_was_decoded_is_kept_until_something_changes() {
    let cache = tempfile::tempdir().unwrap();
    let folder = folder(&[("a.bmp", plain(ImageFormat::Bmp, (4, 4), [1, 0, 0])), ("b.txt", vec![])]);
    let picture = folder.path().join("a.bmp");
    let read = |size| {
        let options = options(size, Some(cache.path().into()));
        let splits = open(&Source::Path(folder.path().into()), &options).unwrap();
        (bytes(&splits.train, 0)[0], splits)
    };
    let kept = || fs::read_dir(cache.path().join("pictures")).map_or(0, Iterator::count);
    assert_eq!(kept(), 0);
    let (value, first) = read(None);
    assert_eq!((value, kept()), (1, 1));
    // As long, and of the same time: only the kept rows can hold the old value.
    let time = fs::metadata(&picture).unwrap().modified().unwrap();
    let replace = |value: u8, time| {
        fs::write(&picture, plain(ImageFormat::Bmp, (4, 4), [value, 0, 0])).unwrap();
        fs::File::options().append(true).open(&picture).unwrap().set_modified(time).unwrap();
    };
    replace(2, time);
    let (value, again) = read(None);
    assert_eq!((value, &again), (1, &first));
    // Another size is another set of rows.
    assert_eq!((read(Some("2")).0, kept()), (2, 2));
    replace(3, time + std::time::Duration::from_nanos(1_000));
    assert_eq!((read(None).0, kept()), (3, 3));
    // What is damaged is made again.
    for file in fs::read_dir(cache.path().join("pictures")).unwrap() {
        fs::write(file.unwrap().path(), b"elbo pictures 1\n and something else").unwrap();
    }
    replace(4, time);
    assert_eq!(read(None).0, 4);
    assert_eq!(read(None).0, 4);
}

#[test]
fn pictures_that_are_too_large_for_memory_stay_on_disk() {
    let picture = |grey: bool, i: usize| png((6, 4), if grey { [i as u8; 3] } else { [i as u8, 0, 255] });
    for grey in [true, false] {
        // One of 41 is broken, and leaves a gap.
        let mut files: Vec<(String, Vec<u8>)> =
            (0..40).map(|i| (format!("{}/{i:03}.png", ["cat", "dog"][i % 3 / 2]), picture(grey, i))).collect();
        files.push(("cat/0009.png".into(), b"\x89PNG\r\n\x1a\nbroken".to_vec()));
        let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        let (folder, cache) = (folder(&files), tempfile::tempdir().unwrap());
        let opened = |memory: Option<u64>, cache: &Path| {
            let options = Options { memory, ..options(Some("4x3"), Some(cache.into())) };
            super::super::super::open_whole(&Source::Path(folder.path().into()), &options)
        };
        let other = tempfile::tempdir().unwrap();
        let held = opened(None, other.path()).unwrap();
        let nowhere = Options { memory: Some(1000), ..options(Some("4x3"), None) };
        let said = open(&Source::Path(folder.path().into()), &nowhere).unwrap_err().to_string();
        assert_says(&said, &["ELBO_CACHE_DIR", "--memory allows"]);
        // The second time, the files themselves are not looked into.
        for time in 0..2 {
            let stored = opened(Some(1000), cache.path()).unwrap();
            assert!(stored.is_stored() && !held.is_stored());
            assert_eq!((stored.rows, stored.shape(), &stored.labels), (40, held.shape(), &held.labels));
            let rows = |data: &Dataset| (0..data.rows).map(|row| bytes(data, row)).collect::<Vec<_>>();
            assert_eq!(rows(&stored), rows(&held), "the {time}. time");
            for (name, bytes) in files.iter().filter(|_| time == 0) {
                let path = folder.path().join(name);
                let written = fs::metadata(&path).unwrap().modified().unwrap();
                fs::write(&path, vec![0; bytes.len()]).unwrap();
                fs::File::options().append(true).open(&path).unwrap().set_modified(written).unwrap();
            }
        }
        // Where there is more memory later, they are still where they are.
        assert_eq!(opened(Some(1 << 30), cache.path()).unwrap().rows, 40);
    }
}
