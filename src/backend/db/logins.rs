//! Attempts to log in: how often in a row they failed, and until when no more are taken.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use sha2::{Digest, Sha256};

use crate::db::fetch::Fetch;
use crate::db::users::user;
use crate::domain::login;
use crate::domain::user::User;
use crate::error::{Error, Result};

/// An attempt that was counted, and the account that it is for.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Failures in a row, with this one unless it succeeds.
    pub failures: i32,
    /// The account of the address, with its password's hash where it has one.
    pub account: Option<(User, Option<String>)>,
}

/// What an address is counted by.
pub(super) fn key(email: &str) -> Vec<u8> {
    Sha256::digest(email.as_bytes()).to_vec()
}

/// Counts an attempt as failed and finds the account, in one statement and before the password is looked at: attempts
/// made at the same moment see each other. [`Error::TooManyAttempts`] while the address is blocked.
pub async fn reserve(client: &impl GenericClient, email: &str) -> Result<Attempt> {
    let sql = "with attempt as ( \
                   insert into login_attempts as a (email_hash, failures) values ($1, 1) \
                   on conflict (email_hash) do update set (failures, blocked_until, updated_at) = ( \
                       select f, case when wait > 0 then now() + make_interval(secs => wait) end, now() \
                       from (select case when a.updated_at < now() - make_interval(secs => $3) then 1 \
                             else a.failures + 1 end as f) counted \
                       cross join lateral (select ($4::float8[])[least(f, cardinality($4::float8[]))] as wait) delay) \
                   where a.blocked_until is null or a.blocked_until <= now() \
                   returning failures) \
               select attempt.failures, u.id, u.email, u.name, u.role, u.created_at, u.password_hash, \
                   ceil(extract(epoch from b.blocked_until - now()))::float8 as blocked_for \
               from (select 1) one \
               left join attempt on true \
               left join login_attempts b on b.email_hash = $1 \
               left join users u on u.email = $2";
    let delays = login::DELAYS.map(|delay| delay.as_secs_f64()).to_vec();
    let forget = login::FORGOTTEN_AFTER.as_secs_f64();
    let row = client.fetch_one(sql, &[&key(email), &email, &forget, &delays]).await?;
    let Some(failures) = row.try_get("failures")? else {
        // Nothing where another attempt blocked the address at this very moment.
        let seconds: Option<f64> = row.try_get("blocked_for")?;
        return Err(Error::TooManyAttempts(Duration::from_secs_f64(seconds.unwrap_or(1.0).max(1.0))));
    };
    let known = row.try_get::<_, Option<uuid::Uuid>>("id")?.is_some();
    let account = if known { Some((user(&row)?, row.try_get("password_hash")?)) } else { None };
    Ok(Attempt { failures, account })
}

/// Forgets the failures of an address, after an attempt that succeeded.
pub async fn clear(client: &impl GenericClient, email: &str) -> Result<()> {
    let sql = "delete from login_attempts where email_hash = $1";
    client.run(sql, &[&key(email)]).await?;
    Ok(())
}

/// Removes what no longer counts, a bounded number at a time; returns how many went.
pub async fn delete_forgotten(client: &impl GenericClient) -> Result<u64> {
    let sql = "delete from login_attempts where email_hash in \
               (select email_hash from login_attempts where updated_at < now() - make_interval(secs => $1) limit 1000)";
    let forget = login::FORGOTTEN_AFTER.as_secs_f64();
    Ok(client.run(sql, &[&forget]).await?)
}
