//! Who else may reach the data folder and the file in it. Whoever may write them can make an admin.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::error::DatabaseError;

/// Neither follows a symbolic link nor waits for the other end of a pipe.
const PLAIN_FILE: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// Makes the folder where it is missing, and checks it; its path without symbolic links.
pub(super) fn folder(dir: &Path) -> Result<PathBuf, DatabaseError> {
    let failed = |source| DatabaseError::Folder { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let link = fs::symlink_metadata(dir).map_err(failed)?;
    // systemd's `DynamicUser=` makes the folder such a link.
    if link.is_symlink() && !is_ours_or_root_s(link.uid()) {
        let command = format!("ls -l {}", dir.display());
        return Err(DatabaseError::Loose { path: dir.to_owned(), what: "is somebody else's link", command });
    }
    let real = fs::canonicalize(dir).map_err(failed)?;
    check_folder(&real)?;
    Ok(real)
}

/// Checks that the folder is ours and that nobody else may write it. Its path has no symbolic links.
pub(super) fn check_folder(real: &Path) -> Result<(), DatabaseError> {
    let failed = |source| DatabaseError::Folder { path: real.to_owned(), source };
    let found = File::open(real).and_then(|folder| folder.metadata()).map_err(failed)?;
    if !is_ours_or_root_s(found.uid()) && our_uid() != Some(0) {
        let command = format!("chown --recursive $(id -un) {}", real.display());
        return Err(DatabaseError::Loose { path: real.to_owned(), what: "belongs to somebody else", command });
    }
    if found.mode() & 0o022 != 0 {
        let command = format!("chmod 700 {}", real.display());
        return Err(DatabaseError::Loose { path: real.to_owned(), what: "can be written by others", command });
    }
    Ok(())
}

/// Makes the file where it is missing, and keeps others from it.
pub(super) fn file(path: &Path) -> Result<(), DatabaseError> {
    let failed = |source: io::Error| DatabaseError::Folder { path: path.to_owned(), source };
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        let command = format!("cp --remove-destination \"$(readlink -f {0})\" {0}", path.display());
        return Err(DatabaseError::Loose { path: path.to_owned(), what: "is a symbolic link", command });
    }
    // SQLite would make it readable to others.
    let made = OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(PLAIN_FILE).open(path);
    keep_private(&made.map_err(failed)?, path)?;
    for beside in beside(path) {
        if fs::symlink_metadata(&beside).is_ok() {
            close_to_others(&beside)?;
        }
    }
    Ok(())
}

/// What SQLite keeps beside the file while it is open, and needs as much: the write-ahead log and its index.
pub(super) fn beside(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

/// Keeps others from a file that is there.
pub(super) fn close_to_others(path: &Path) -> Result<(), DatabaseError> {
    let failed = |source| DatabaseError::Folder { path: path.to_owned(), source };
    let open = OpenOptions::new().append(true).custom_flags(PLAIN_FILE).open(path).map_err(failed)?;
    keep_private(&open, path)
}

/// Whether anybody but its owner may read or write what has these permissions.
pub(super) fn is_loose(mode: u32) -> bool {
    mode & 0o077 != 0
}

/// Takes a file's permissions away from others, where it is ours.
fn keep_private(file: &File, path: &Path) -> Result<(), DatabaseError> {
    let failed = |source| DatabaseError::Folder { path: path.to_owned(), source };
    let found = file.metadata().map_err(failed)?;
    if !is_loose(found.mode()) {
        return Ok(());
    }
    match file.set_permissions(Permissions::from_mode(0o600)) {
        Ok(()) => {
            tracing::warn!(path = %path.display(), "others could read or write the database, and can't any more");
            Ok(())
        }
        Err(_) => {
            let command = format!("chmod 600 {}", path.display());
            Err(DatabaseError::Loose { path: path.to_owned(), what: "can be read or written by others", command })
        }
    }
}

fn is_ours_or_root_s(uid: u32) -> bool {
    uid == 0 || our_uid() == Some(uid)
}

/// Who runs this program: a process's folder belongs to them.
fn our_uid() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|process| process.uid())
}
