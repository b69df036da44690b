//! Keeps products in the tiers where their sales put them.

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::workers::Pass;

/// Products of one pass: they are locked for a fraction of a second.
const BATCH: u64 = 1_000;

/// Moves some products.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let mut client = state.pool.get().await?;
    let transaction = client.transaction().await?;
    let moved = db::products::tiers::sort(&transaction, BATCH.cast_signed()).await?;
    db::fetch::commit(transaction).await?;
    // A few that others hold do not end it, and are left for the next time.
    Ok(if moved > BATCH / 2 { Pass::More } else { Pass::Idle })
}
