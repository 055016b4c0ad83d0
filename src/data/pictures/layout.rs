//! What the folders that pictures lie in say of them: parts and classes.
//!
//! A folder that holds everything counts for nothing. If all lies in folders called train, val or test, of which there is a
//! train, those are the parts. If all pictures of the training part lie in folders, of which there are two or more, the first
//! folders are the classes; so it is with the other parts, each by itself, since test pictures often come without.

use std::collections::BTreeSet;

/// The three parts, in the order of the folders below.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["val", "valid", "validation"], &["test", "testing"]];

/// What folders say of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The rows of training, validation and test; `None` where they come as one.
    pub(super) parts: Option<[Vec<usize>; 3]>,
    /// The names of the classes, sorted.
    pub(super) classes: Vec<String>,
    /// The class of each row; `None` in parts without classes.
    pub(super) labels: Vec<Option<u32>>,
}

/// Reads the names of rows.
pub(super) fn read(names: &[String]) -> Layout {
    let mut inner: Vec<&str> = names.iter().map(String::as_str).collect();
    while let Some(common) = common_folder(&inner) {
        let length = common.len() + 1;
        inner.iter_mut().for_each(|name| *name = &name[length..]);
    }
    let parts = parts(&inner);
    if parts.is_some() {
        inner.iter_mut().for_each(|name| *name = name.split_once('/').map_or(*name, |(_, rest)| rest));
    }
    let all: Vec<usize> = (0..names.len()).collect();
    let groups: Vec<&[usize]> = match &parts {
        Some(parts) => parts.iter().map(Vec::as_slice).collect(),
        None => vec![&all],
    };
    let folder = |row: usize| inner[row].split_once('/').map(|(folder, _)| folder);
    let is_in_folders = |rows: &[usize]| rows.iter().all(|&row| folder(row).is_some());
    let folders = |rows: &[&[usize]]| -> BTreeSet<&str> {
        rows.iter().copied().flatten().filter_map(|&row| folder(row)).collect()
    };
    if !is_in_folders(groups[0]) || folders(&groups[..1]).len() < 2 {
        return Layout { parts, classes: vec![], labels: vec![None; names.len()] };
    }
    let labelled: Vec<&[usize]> = groups.into_iter().filter(|rows| is_in_folders(rows)).collect();
    let classes: Vec<&str> = folders(&labelled).into_iter().collect();
    let mut labels = vec![None; names.len()];
    for &row in labelled.into_iter().flatten() {
        labels[row] = folder(row).and_then(|folder| classes.binary_search(&folder).ok()).map(|class| class as u32);
    }
    Layout { parts, classes: classes.into_iter().map(String::from).collect(), labels }
}

/// The first folder of all names, if it is the same.
fn common_folder<'a>(names: &[&'a str]) -> Option<&'a str> {
    let first = names.first()?.split_once('/')?.0;
    let inside = |name: &&str| name.split_once('/').is_some_and(|(folder, _)| folder == first);
    names.iter().all(inside).then_some(first)
}

/// The rows of each part, if all lie in folders of parts and some are to train on.
fn parts(names: &[&str]) -> Option<[Vec<usize>; 3]> {
    let mut parts: [Vec<usize>; 3] = Default::default();
    for (row, name) in names.iter().enumerate() {
        let folder = name.split_once('/')?.0.to_lowercase();
        let part = PARTS.iter().position(|known| known.contains(&folder.as_str()))?;
        parts[part].push(row);
    }
    (!parts[0].is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(names: &str) -> Layout {
        read(&names.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    fn labels(names: &str) -> Vec<i32> {
        layout(names).labels.iter().map(|label| label.map_or(-1, |label| label as i32)).collect()
    }

    #[test]
    fn folders_are_classes_where_there_are_two_and_all_lies_in_them() {
        let found = layout("cat/1.png cat/x/2.png dog/1.png");
        assert_eq!((found.classes, found.parts), (vec!["cat".into(), "dog".into()], None));
        assert_eq!(labels("cat/1.png cat/x/2.png dog/1.png"), [0, 0, 1]);
        assert_eq!(labels("cat/1.png cat/2.png"), [-1, -1]);
        assert_eq!(labels("cat/1.png dog/2.png 3.png"), [-1, -1, -1]);
        assert_eq!(labels("1.png 2.png"), [-1, -1]);
    }

    #[test]
    fn a_folder_around_everything_counts_for_nothing() {
        assert_eq!(labels("all/of/it/cat/1.png all/of/it/dog/1.png"), [0, 1]);
        assert_eq!(layout("train/cat/1.png train/dog/1.png").parts, None);
        assert_eq!(labels("train/cat/1.png train/dog/1.png"), [0, 1]);
    }

    #[test]
    fn folders_of_parts_are_parts() {
        let found = layout("data/Test/cat/1.png data/train/cat/1.png data/train/dog/1.png data/val/dog/2.png");
        assert_eq!(found.parts, Some([vec![1, 2], vec![3], vec![0]]));
        assert_eq!(found.classes, ["cat", "dog"]);
        assert_eq!(found.labels, [Some(0), Some(0), Some(1), Some(1)]);
        // Without one to train on they are classes, and a picture beside them leaves them folders like any other.
        assert_eq!(layout("test/1.png val/2.png").parts, None);
        assert_eq!(layout("test/1.png val/2.png").classes, ["test", "val"]);
        assert_eq!(layout("train/1.png test/2.png 3.png").parts, None);
    }

    #[test]
    fn test_pictures_may_come_without_classes() {
        let found = layout("test/1.png train/cat/1.png train/dog/1.png");
        assert_eq!(found.parts, Some([vec![1, 2], vec![], vec![0]]));
        assert_eq!(found.labels, [None, Some(0), Some(1)]);
        // Classes of the test part alone are none.
        assert_eq!(layout("test/cat/1.png test/dog/1.png train/1.png train/2.png").classes, [""; 0]);
        // One that only the test part has is one too.
        assert_eq!(layout("test/ape/1.png train/cat/1.png train/dog/1.png").classes, ["ape", "cat", "dog"]);
    }
}
