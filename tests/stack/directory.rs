//! Where a stack's files lie: a directory of its own, held by a lock for as long as the stack lives.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use crate::process;

/// What the names of temporary directories begin with.
const PREFIX: &str = "shopmicro-";

/// A directory, and the lock on it.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    temporary: Option<TempDir>,
    #[expect(dead_code, reason = "held for its lock")]
    lock: File,
}

impl Directory {
    /// A directory that stays. What an earlier run left running in it is ended.
    pub(crate) fn keep(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("make {}", path.display()))?;
        let path = path.canonicalize()?;
        let lock = File::create(path.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).ok().with_context(|| {
            format!("{} is in use by another run; choose another directory", path.display())
        })?;
        process::end_leftovers(&path.join("pids"))?;
        Ok(Self { path, temporary: None, lock })
    }

    /// A directory that is removed with the stack. Those of stacks that were killed are removed now.
    pub(crate) fn make_temporary() -> Result<Self> {
        remove_abandoned();
        // PostgreSQL's user must be able to pass through it, though not to list it.
        let permissions = Permissions::from_mode(0o711);
        let temporary = tempfile::Builder::new().prefix(PREFIX).permissions(permissions).tempdir()?;
        let path = temporary.path().to_owned();
        // It gets its name only when it is locked, so that nobody takes the directory for abandoned.
        let lock = File::create(path.join("lock.new"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        fs::rename(path.join("lock.new"), path.join("lock"))?;
        Ok(Self { path, temporary: Some(temporary), lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it outlives the stack.
    pub(crate) fn stays(&self) -> bool {
        self.temporary.is_none()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.temporary.is_some() {
            remove_linked(&self.path);
        }
    }
}

/// PostgreSQL's files may lie elsewhere, with a link to them.
fn remove_linked(directory: &Path) {
    if let Ok(elsewhere) = fs::read_link(directory.join("postgres")) {
        let _ = fs::remove_dir_all(elsewhere);
    }
}

/// Ends and removes what stacks left that were killed themselves, such as by an interrupted test. Others may do the same
/// at the same time, so a failure means nothing.
fn remove_abandoned() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|metadata| {
                metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw()
            });
        if ours
            && let Ok(lock) = File::open(path.join("lock"))
            && flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
            && process::end_leftovers(&path.join("pids")).is_ok()
        {
            remove_linked(&path);
            let _ = fs::remove_dir_all(&path);
        }
    }
}
