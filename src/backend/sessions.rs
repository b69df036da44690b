//! Sessions: opaque 256-bit tokens in a cookie. Only hashes are kept: in Redis to serve from, in PostgreSQL to last.

use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::domain::user::Role;
use crate::error::{Error, Result};

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "shopmicro_session";
/// The cookie of a guest's cart.
pub const CART_COOKIE: &str = "shopmicro_cart";

/// How long a session lasts from login.
const LIFETIME: Duration = Duration::from_hours(14 * 24);
/// How long Redis answers for a session before PostgreSQL is asked again: the longest that a session could outlive its
/// logout where Redis could not be told of it.
const CACHED: Duration = Duration::from_mins(5);

/// Who is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The account.
    pub user_id: Uuid,
    /// What it may do.
    pub role: Role,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// A new token: 256 random bits.
pub fn new_token() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a token.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn key(token_hash: &[u8]) -> String {
    format!("session:{}", URL_SAFE_NO_PAD.encode(token_hash))
}

/// A cookie that no script can read and no other site can send with a form.
pub fn cookie(name: &'static str, value: String, secure: bool) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, value);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    cookie.set_secure(secure);
    cookie.set_max_age(time::Duration::try_from(LIFETIME).ok());
    cookie
}

/// Begins a session with a new token, which is returned.
pub async fn begin(client: &impl GenericClient, user_id: Uuid) -> Result<String> {
    let token = new_token();
    let expires_at = Timestamp::now() + LIFETIME;
    db::sessions::insert(client, &hash(&token), user_id, expires_at).await?;
    Ok(token)
}

/// Ends the session of a token, everywhere.
pub async fn end(state: &AppState, token: &str) -> Result<()> {
    let hash = hash(token);
    // PostgreSQL first: once it has forgotten the session, Redis cannot be filled with it again.
    db::sessions::delete(&state.pool.get().await?, &hash).await?;
    let _ = state.redis.delete(&[key(&hash)]).await;
    Ok(())
}

async fn find(state: &AppState, token: &str) -> Result<Option<Session>> {
    let hash = hash(token);
    let key = key(&hash);
    if let Some(session) = state.redis.get::<Session>(&key).await {
        return Ok((session.expires_at > Timestamp::now()).then_some(session));
    }
    let Some(session) = db::sessions::find(&state.pool.get().await?, &hash).await? else {
        return Ok(None);
    };
    state.redis.set(&key, &session, CACHED).await;
    Ok(Some(session))
}

/// Whose request this was found to be: the rate limit asks first, the handler again.
#[derive(Clone, Copy)]
struct Found(Option<Session>);

impl OptionalFromRequestParts<AppState> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Option<Self>> {
        if let Some(Found(session)) = parts.extensions.get() {
            return Ok(*session);
        }
        let jar = CookieJar::from_headers(&parts.headers);
        let session = match jar.get(SESSION_COOKIE) {
            Some(cookie) => find(state, cookie.value()).await?,
            None => None,
        };
        parts.extensions.insert(Found(session));
        Ok(session)
    }
}

impl FromRequestParts<AppState> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        <Self as OptionalFromRequestParts<AppState>>::from_request_parts(parts, state)
            .await?
            .ok_or(Error::Unauthenticated)
    }
}

/// A session of an admin. The one place where roles are checked: a handler that takes it is for admins alone.
#[derive(Clone, Copy, Debug)]
pub struct Admin(pub Session);

impl FromRequestParts<AppState> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        let session = <Session as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        match session.role {
            Role::Admin => Ok(Self(session)),
            Role::Customer => Err(Error::Forbidden),
        }
    }
}
