//! The durable copy of sessions: only hashes of tokens, never a token.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::user::Role;
use crate::error::{Error, Result};
use crate::sessions::Session;

/// Keeps a session.
pub async fn insert(
    client: &impl GenericClient,
    token_hash: &[u8],
    user_id: Uuid,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "insert into sessions (token_hash, user_id, expires_at) values ($1, $2, $3)";
    client.execute(&client.prepare_cached(sql).await?, &[&token_hash, &user_id, &expires_at]).await?;
    Ok(())
}

/// The session of a token's hash, unless it has expired.
pub async fn find(client: &impl GenericClient, token_hash: &[u8]) -> Result<Option<Session>> {
    let sql = "select s.user_id, s.expires_at, u.role from sessions s join users u on u.id = s.user_id \
               where s.token_hash = $1 and s.expires_at > now()";
    let Some(row) = client.query_opt(&client.prepare_cached(sql).await?, &[&token_hash]).await? else {
        return Ok(None);
    };
    let role: &str = row.try_get("role")?;
    Ok(Some(Session {
        user_id: row.try_get("user_id")?,
        role: Role::parse(role).ok_or_else(|| Error::Internal(format!("unknown role {role}")))?,
        expires_at: row.try_get("expires_at")?,
    }))
}

/// Ends a session.
pub async fn delete(client: &impl GenericClient, token_hash: &[u8]) -> Result<()> {
    let sql = "delete from sessions where token_hash = $1";
    client.execute(&client.prepare_cached(sql).await?, &[&token_hash]).await?;
    Ok(())
}

/// Removes what has expired, a bounded number at a time; returns how many went.
pub async fn delete_expired(client: &impl GenericClient) -> Result<u64> {
    let sql = "delete from sessions where token_hash in \
               (select token_hash from sessions where expires_at <= now() limit 1000)";
    Ok(client.execute(&client.prepare_cached(sql).await?, &[]).await?)
}
