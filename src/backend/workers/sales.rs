//! Counts what was sold: products become more popular by it, and the recommender learns who bought them.

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::workers::Pass;

/// Sales of one pass. Their products are locked meanwhile, for some milliseconds.
const BATCH: i64 = 50;

/// Counts some of those that wait.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let any = db::sales::count(&state.pool.get().await?, BATCH).await?;
    Ok(if any { Pass::More } else { Pass::Idle })
}
