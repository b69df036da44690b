//! The page with the figures.

use std::path::Path;

use anyhow::Result;

/// Writes it.
pub(crate) fn write(_: &Path) -> Result<()> {
    Ok(())
}
