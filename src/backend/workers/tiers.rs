//! Keeps products in the tiers where their sales put them.

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::workers::Pass;

/// Products of one pass: they are locked for a fraction of a second.
const BATCH: i64 = 2_000;

/// Moves some products.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let moved = db::products::tiers::sort(&state.pool.get().await?, BATCH).await?;
    // Those that others hold are left for the next time, or a pass would follow the other without a pause.
    Ok(if moved.cast_signed() == BATCH { Pass::More } else { Pass::Idle })
}
