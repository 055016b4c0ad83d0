//! The folder of a run that is about to be made.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files::create_folder;

/// A folder for a run that has yet to start, and what was made for it, which goes again if the run does not start.
pub(super) struct Claimed {
    /// The folder.
    pub folder: PathBuf,
    made: Vec<PathBuf>,
}

impl Claimed {
    /// The folder that was asked for.
    pub fn given(folder: &Path) -> Claimed {
        Claimed { folder: native(folder), made: vec![] }
    }

    /// The first of NAME, NAME-2, … that nothing has yet, as a new folder: of processes that start together, each gets another.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn next_free(name: &Path) -> Result<Claimed> {
        let name = native(name);
        let above = name.ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty() && !above.exists());
        let mut made: Vec<PathBuf> = above.map(Path::to_owned).collect();
        made.reverse();
        if let Some(above) = made.last() {
            create_folder(above)?;
        }
        let mut n = 1;
        loop {
            let mut folder = OsString::from(&name);
            if n > 1 {
                folder.push(format!("-{n}"));
            }
            let folder = PathBuf::from(folder);
            match std::fs::create_dir(&folder) {
                Ok(()) => {
                    made.push(folder.clone());
                    return Ok(Claimed { folder, made });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => n += 1,
                Err(error) => return Err(Error::io("create the folder", &folder)(error)),
            }
        }
    }

    /// It has started.
    pub fn keep(mut self) -> PathBuf {
        self.made.clear();
        std::mem::take(&mut self.folder)
    }
}

/// A path with the separators of the system alone: on Windows, people type `runs/x` as well.
fn native(path: &Path) -> PathBuf {
    path.components().collect()
}

impl Drop for Claimed {
    fn drop(&mut self) {
        for folder in self.made.iter().rev() {
            // Does nothing to a folder that holds something by now.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_one_kind_of_separator() {
        let shown = native(Path::new("runs//dx/")).join("samples.png").display().to_string();
        assert_eq!(shown, ["runs", "dx", "samples.png"].join(std::path::MAIN_SEPARATOR_STR));
        assert_eq!(native(Path::new("./run")), Path::new("./run"));
    }
}
