//! Where programs are: in PATH, so that a Nix shell can supply them, else where Debian keeps them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Debian's directories of servers, which are not in everybody's PATH.
const DEBIAN: [&str; 2] = ["/usr/lib/postgresql/15/bin", "/usr/sbin"];

/// A server or client of somebody else's.
pub fn find(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(DEBIAN.map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("the program {name} is neither in PATH nor in {}", DEBIAN.join(", ")))
}

/// A program of ours: in the directory that was asked for, else beside this one, where cargo puts them, else in PATH.
pub(crate) fn find_ours(name: &str, directory: Option<&Path>) -> Result<PathBuf> {
    if let Some(directory) = directory {
        let program = directory.join(name);
        return program
            .is_file()
            .then_some(program)
            .with_context(|| format!("{name} is not in {}", directory.display()));
    }
    let this = std::env::current_exe()?;
    // Tests lie one directory deeper than the programs.
    let beside = this.ancestors().skip(1).take(2).map(|directory| directory.join(name)).find(|p| p.is_file());
    match beside {
        Some(program) => Ok(program),
        None => find(name).with_context(|| format!("build {name} first")),
    }
}
