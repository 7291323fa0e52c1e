//! A lab's folder: where it is, and that nothing of it stays behind.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

/// Bytes of the folder's path. A Unix socket's path may have 107, and HAProxy adds its pid and `.tmp` to the name.
const LONGEST: usize = 80;

/// A folder that is removed when this is dropped, if it was made for the lab; else only the lab's files in it are.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    made: bool,
    files: Vec<PathBuf>,
    dirs: Vec<PathBuf>,
}

impl Folder {
    /// Takes the folder `wanted`, and makes it if it isn't there; without a wish, makes a fresh one.
    pub(crate) fn new(wanted: Option<&Path>) -> anyhow::Result<Self> {
        let path = match wanted {
            Some(path) => std::path::absolute(path)?,
            None => std::env::temp_dir().join(format!("sluice-lab-{:08x}", fastrand::u32(..))),
        };
        let text = path.to_str().unwrap_or_default();
        if text.is_empty() || text.contains(['\'', '"', '\\', '\n']) {
            bail!(
                "the lab's folder {} has a quote, a backslash or no text in its name; please choose another with --dir",
                path.display()
            );
        }
        if text.len() > LONGEST {
            bail!(
                "the lab's folder {text} is too long for a Unix socket; please choose one of at most {LONGEST} bytes with --dir"
            );
        }
        let made = match private_dir(&path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && wanted.is_some() => false,
            Err(error) => {
                return Err(error).with_context(|| format!("the lab's folder {text} can't be made"));
            }
        };
        Ok(Self { path, made, files: Vec::new(), dirs: Vec::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder goes with the lab.
    pub(crate) fn is_ours(&self) -> bool {
        self.made
    }

    /// The path of one of the lab's files; whoever writes it, it is removed at the end.
    pub(crate) fn file(&mut self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        self.files.push(path.clone());
        path
    }

    /// The path of one of the lab's folders; whoever makes it, it is removed at the end with all that is in it.
    pub(crate) fn dir(&mut self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        self.dirs.push(path.clone());
        path
    }

    pub(crate) fn write(&mut self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.file(name);
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing more can be done about a file that won't go, and most were never written or are gone.
        for file in &self.files {
            let _gone = fs::remove_file(file);
        }
        for dir in self.dirs.iter().chain(self.made.then_some(&self.path)) {
            let _gone = fs::remove_dir_all(dir);
        }
    }
}

/// Whoever may write into the folder could take HAProxy's admin socket over, so it is the user's alone.
fn private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path)
}
