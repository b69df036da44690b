//! Writes what customers looked at.

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::workers::Pass;

/// Writes all that waits; where that fails it goes on waiting, for the next pass.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let waiting = state.views.waiting();
    if waiting.is_empty() {
        return Ok(Pass::Idle);
    }
    db::views::insert(&state.pool.get().await?, &waiting).await?;
    state.views.written(&waiting);
    Ok(Pass::Idle)
}
