//! Sessions, of which Redis has copies; only hashes of tokens, never a token.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::db::logins;
use crate::domain::page::TimeKey;
use crate::domain::user::Role;
use crate::error::{Error, Result};
use crate::sessions::copies::BARRED;
use crate::sessions::{IDLE_LIFETIME, SEEN_INTERVAL, Session};

/// What the database knows of a token.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its session, unless that is over.
    pub session: Option<Session>,
    /// Whether Redis is still to be told of any session that was ended or changed.
    pub pending: bool,
}

/// A session whose copy in Redis must not be used any more.
#[derive(Clone, Debug)]
pub struct Revocation {
    id: i64,
    /// The hash of the session's token.
    pub token_hash: Vec<u8>,
}

/// Which sessions end.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The one of this token's hash.
    OfToken(&'a [u8]),
    /// All of an account.
    OfUser(Uuid),
    /// One of an account.
    One {
        /// The account.
        user_id: Uuid,
        /// The session.
        id: Uuid,
    },
}

/// A session that is to begin.
#[derive(Clone, Copy)]
pub struct NewSession<'a> {
    /// The hash of its token.
    pub token_hash: &'a [u8],
    /// The account.
    pub user_id: Uuid,
    /// The account's address.
    pub email: &'a str,
    /// The hash that the password was compared with.
    pub password_hash: &'a str,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The hash of the token that the browser came with, whose session ends.
    pub replaces: Option<&'a [u8]>,
}

/// Begins a session in the place of another, and forgets the failed logins of the account; gives what Redis is to be told
/// after the commit. None, and nothing happens, where the password is no longer the account's.
pub async fn begin(client: &impl GenericClient, new: NewSession<'_>) -> Result<Option<Vec<Revocation>>> {
    // The lock waits for a change of the account, and then looks at the password again.
    let sql = "with account as (select id from users where id = $2 and password_hash = $3 for key share), \
               begun as (insert into sessions (token_hash, user_id, expires_at) select $1, id, $4 from account \
                   returning id), \
               ended as (delete from sessions s using account where s.token_hash = $5 returning s.token_hash), \
               revoked as (insert into session_revocations (token_hash) select token_hash from ended \
                   returning id, token_hash), \
               cleared as (delete from login_attempts l using account where l.email_hash = $6) \
               select revoked.id, revoked.token_hash from begun left join revoked on true";
    let NewSession { token_hash, user_id, email, password_hash, expires_at, replaces } = new;
    let attempts = logins::key(email);
    let rows = client
        .fetch_all(sql, &[&token_hash, &user_id, &password_hash, &expires_at, &replaces, &attempts])
        .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let replaced = row.try_get::<_, Option<i64>>("id")?.is_some();
    Ok(Some(if replaced { revocations(&rows)? } else { Vec::new() }))
}

/// The session of a token's hash, unless it is over; notes now and then that it was seen.
pub async fn find(client: &impl GenericClient, token_hash: &[u8]) -> Result<Found> {
    let sql = "with found as ( \
                   select s.id, s.user_id, s.expires_at, u.role \
                   from sessions s join users u on u.id = s.user_id \
                   where s.token_hash = $1 and s.expires_at > now() \
                       and s.last_seen_at > now() - make_interval(secs => $2) \
               ), seen as ( \
                   update sessions s set last_seen_at = now() from found \
                   where s.token_hash = $1 and s.last_seen_at < now() - make_interval(secs => $3) \
               ) \
               select found.*, \
                   exists (select from session_revocations where at > now() - make_interval(secs => $4)) as pending \
               from (select 1) one left join found on true";
    let [idle, seen, barred] = [IDLE_LIFETIME, SEEN_INTERVAL, BARRED].map(|time| time.as_secs_f64());
    let row = client.fetch_one(sql, &[&token_hash, &idle, &seen, &barred]).await?;
    let session = match (row.try_get("id")?, row.try_get::<_, Option<&str>>("role")?) {
        (Some(id), Some(role)) => Some(Session {
            id,
            user_id: row.try_get("user_id")?,
            role: Role::parse(role).ok_or_else(|| Error::Internal(format!("unknown role {role}")))?,
            expires_at: row.try_get("expires_at")?,
        }),
        _ => None,
    };
    Ok(Found { session, pending: row.try_get("pending")? })
}

/// An open session, as its owner sees it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct OpenSession {
    /// Its id, which gives nobody access.
    pub id: Uuid,
    /// When it began (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used, give or take some minutes (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// When it ends at the latest; it ends earlier after three days without use (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The open sessions of the account that a session belongs to, newest first.
pub async fn list(
    client: &impl GenericClient,
    current: Session,
    after: Option<TimeKey>,
    limit: i64,
) -> Result<Vec<OpenSession>> {
    let sql = "select id, created_at, last_seen_at, expires_at, id = $2 as current from sessions \
               where user_id = $1 and expires_at > now() and last_seen_at > now() - make_interval(secs => $3) \
                   and ($4::timestamptz is null or (created_at, id) < ($4, $5)) \
               order by created_at desc, id desc limit $6";
    let (at, id) = after.map(|key| (key.at, key.id)).unzip();
    let idle = IDLE_LIFETIME.as_secs_f64();
    let rows = client.fetch_all(sql, &[&current.user_id, &current.id, &idle, &at, &id, &limit]).await?;
    let session = |row: &Row| {
        Ok(OpenSession {
            id: row.try_get("id")?,
            created_at: row.try_get("created_at")?,
            last_seen_at: row.try_get("last_seen_at")?,
            expires_at: row.try_get("expires_at")?,
            current: row.try_get("current")?,
        })
    };
    rows.iter().map(session).collect()
}

/// Ends sessions. Redis is to be told after the commit; see [`crate::sessions::announce`].
pub async fn end(client: &impl GenericClient, which: Which<'_>) -> Result<Vec<Revocation>> {
    let (condition, parameters): (_, &[&(dyn ToSql + Sync)]) = match &which {
        Which::OfToken(token_hash) => ("token_hash = $1", &[token_hash]),
        Which::OfUser(user_id) => ("user_id = $1", &[user_id]),
        Which::One { user_id, id } => ("user_id = $1 and id = $2", &[user_id, id]),
    };
    let sql = format!(
        "with ended as (delete from sessions where {condition} returning token_hash) \
         insert into session_revocations (token_hash) select token_hash from ended returning id, token_hash"
    );
    revocations(&client.fetch_all(&sql, parameters).await?)
}

/// Makes every copy of an account's sessions be read again. Redis is to be told after the commit.
pub async fn revoke_copies(client: &impl GenericClient, user_id: Uuid) -> Result<Vec<Revocation>> {
    let sql = "insert into session_revocations (token_hash) \
               select token_hash from sessions where user_id = $1 returning id, token_hash";
    revocations(&client.fetch_all(sql, &[&user_id]).await?)
}

fn revocations(rows: &[Row]) -> Result<Vec<Revocation>> {
    rows.iter()
        .map(|row| Ok(Revocation { id: row.try_get("id")?, token_hash: row.try_get("token_hash")? }))
        .collect()
}

/// Whether Redis is still to be told of anything.
pub async fn any_revocation(client: &impl GenericClient) -> Result<bool> {
    let sql = "select exists (select from session_revocations) as any";
    Ok(client.fetch_one(sql, &[]).await?.try_get("any")?)
}

/// Locks the oldest revocations that no other replica is at.
pub async fn claim_revocations(client: &impl GenericClient, limit: i64) -> Result<Vec<Revocation>> {
    let sql = "select id, token_hash from session_revocations order by id limit $1 for update skip locked";
    revocations(&client.fetch_all(sql, &[&limit]).await?)
}

/// Forgets revocations of which Redis has been told.
pub async fn delete_revocations(client: &impl GenericClient, revoked: &[Revocation]) -> Result<()> {
    let ids: Vec<i64> = revoked.iter().map(|revocation| revocation.id).collect();
    let sql = "delete from session_revocations where id = any ($1)";
    client.run(sql, &[&ids]).await?;
    Ok(())
}

/// Removes revocations of which no copy can be left, a bounded number at a time; returns how many went.
pub async fn delete_outdated_revocations(client: &impl GenericClient) -> Result<u64> {
    let sql = "delete from session_revocations where id in \
               (select id from session_revocations where at < now() - make_interval(secs => $1) limit 1000)";
    Ok(client.run(sql, &[&BARRED.as_secs_f64()]).await?)
}

/// Removes what is over, a bounded number at a time; returns how many went.
pub async fn delete_expired(client: &impl GenericClient) -> Result<u64> {
    let sql = "delete from sessions where token_hash in ( \
                   (select token_hash from sessions where expires_at <= now() limit 1000) union all \
                   (select token_hash from sessions where last_seen_at <= now() - make_interval(secs => $1) limit 1000))";
    Ok(client.run(sql, &[&IDLE_LIFETIME.as_secs_f64()]).await?)
}
