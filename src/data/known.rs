//! Data sets that are known by a name: where they are published, and where `elbo fetch` keeps them.
//!
//! Addresses and checksums are those with which torchvision and the data sets' own pages name them.

use std::path::{Path, PathBuf};

use crate::user_cache::cache_folder;

/// A data set that is known by a name.
#[derive(Debug)]
pub struct Known {
    /// Its name, as it is typed.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Whose it is, and on which terms.
    pub terms: &'static str,
    /// How much is downloaded, in bytes, about.
    pub bytes: u64,
    /// Folders in which its files are published, the first that answers being used.
    pub at: &'static [&'static str],
    /// Its files.
    pub files: &'static [Remote],
    /// Whether the file is an archive, of whose folders the files are taken.
    pub is_archive: bool,
}

/// A file that is published.
#[derive(Debug)]
pub struct Remote {
    /// Its name.
    pub name: &'static str,
    /// Its MD5 checksum.
    pub md5: &'static str,
}

const fn file(name: &'static str, md5: &'static str) -> Remote {
    Remote { name, md5 }
}

/// All of them.
pub static KNOWN: &[Known] = &[
    Known {
        name: "mnist",
        about: "70,000 handwritten digits, 28x28, grey",
        terms: "Y. LeCun, C. Cortes and C. J. C. Burges; CC BY-SA 3.0",
        bytes: 11_594_722,
        at: &["https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"],
        files: &[
            file("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            file("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
            file("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
            file("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
        ],
        is_archive: false,
    },
    Known {
        name: "fashion-mnist",
        about: "70,000 pieces of clothing, 28x28, grey",
        terms: "Zalando SE; MIT",
        bytes: 30_900_000,
        at: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"],
        files: &[
            file("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            file("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            file("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            file("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        ],
        is_archive: false,
    },
    Known {
        name: "kmnist",
        about: "70,000 cursive Japanese letters, 28x28, grey",
        terms: "ROIS-DS Center for Open Data in the Humanities; CC BY-SA 4.0",
        bytes: 21_200_000,
        at: &["http://codh.rois.ac.jp/kmnist/dataset/kmnist"],
        files: &[
            file("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
            file("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
            file("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
            file("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
        ],
        is_archive: false,
    },
    Known {
        name: "cifar10",
        about: "60,000 photographs of animals and vehicles, 32x32, in colour",
        terms: "A. Krizhevsky, V. Nair and G. Hinton",
        bytes: 170_052_171,
        at: &["https://www.cs.toronto.edu/~kriz"],
        files: &[file("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530")],
        is_archive: true,
    },
    Known {
        name: "dsprites",
        about: "737,280 white shapes with known factors, 64x64, black and white",
        terms: "L. Matthey, I. Higgins, D. Hassabis and A. Lerchner; Apache-2.0",
        bytes: 26_700_000,
        at: &["https://github.com/google-deepmind/dsprites-dataset/raw/master"],
        files: &[file("dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz", "7da33b31b13a06f4b04a70402ce90c2e")],
        is_archive: false,
    },
];

impl Known {
    /// The data set of a name.
    pub fn find(name: &str) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.name == name)
    }

    /// The folder in which it is kept for the user; nothing if the user has none.
    pub fn folder(&self) -> Option<PathBuf> {
        Some(cache_folder()?.join("datasets").join(self.name))
    }

    /// What is given as data to have it, where it is kept in this folder: the folder, or its only file.
    pub fn opened_at(&self, folder: &Path) -> PathBuf {
        match self.files {
            [only] if !self.is_archive => folder.join(only.name),
            _ => folder.to_owned(),
        }
    }

    /// Where it lies if it has been fetched.
    pub fn fetched(&self) -> Option<PathBuf> {
        self.folder().map(|folder| self.opened_at(&folder)).filter(|path| path.exists())
    }
}

/// What the user should type to have data of this name, if it is one that can be fetched.
pub(super) fn how_to_fetch(name: &Path) -> Option<String> {
    let known = name.to_str().and_then(Known::find)?;
    Some(format!("there is no such file or folder here. {} can be downloaded: elbo fetch {}", known.about, known.name))
}
