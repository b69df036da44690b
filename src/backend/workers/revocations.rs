//! Tells Redis of sessions that ended or changed while it was away.

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::workers::Pass;

/// Sessions of one pass.
const BATCH: i64 = 500;

/// Bars the copies of some sessions. Their revocations stay locked until Redis has taken the bars, and a crash before the
/// commit bars them again.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let mut client = state.pool.get().await?;
    if !db::sessions::any_revocation(&client).await? {
        return Ok(Pass::Idle);
    }
    let transaction = client.transaction().await?;
    let revoked = db::sessions::claim_revocations(&transaction, BATCH).await?;
    let hashes = revoked.iter().map(|revocation| revocation.token_hash.as_slice());
    if revoked.is_empty() || state.session_copies.bar(hashes).await.is_err() {
        return Ok(Pass::Idle);
    }
    db::sessions::delete_revocations(&transaction, &revoked).await?;
    db::fetch::commit(transaction).await?;
    Ok(Pass::More)
}
