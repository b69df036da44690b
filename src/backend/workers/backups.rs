//! Tells when the database was dumped.

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::workers::Pass;

/// Shows as a metric when the newest dump was begun. Where none was ever made there is none to show.
pub async fn pass(state: &AppState) -> Result<Pass> {
    if let Some(at) = db::backups::newest(&state.pool.get().await?).await? {
        state.shop_metrics.backup(at);
    }
    Ok(Pass::Idle)
}
