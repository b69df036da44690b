//! Counts what was sold: products become more popular by it, and the recommender learns who bought them.

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::workers::Pass;

/// Sales of one pass. Their products are locked meanwhile, for some milliseconds.
const BATCH: u64 = 50;

/// Counts some of those that wait. Fewer than a batch are not followed by the next one at once: what sells best would be
/// written for each of its sales.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let mut client = state.pool.get().await?;
    let transaction = client.transaction().await?;
    let counted = db::sales::count(&transaction, BATCH.cast_signed()).await?;
    db::fetch::commit(transaction).await?;
    Ok(if counted == BATCH { Pass::More } else { Pass::Idle })
}
