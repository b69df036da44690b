//! Sessions: opaque 256-bit tokens in a cookie. Only hashes are kept: in PostgreSQL, which knows, and in Redis, which has
//! copies to serve from.

pub mod copies;

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
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
use crate::db::sessions::{NewSession, Revocation};
use crate::domain::user::Role;
use crate::error::{Error, Result};
use crate::logins::Verified;

/// The cookie of a session; in production it has [`HOST_PREFIX`].
pub const SESSION_COOKIE: &str = "shopmicro_session";
/// The cookie of a guest's cart; in production it has [`HOST_PREFIX`].
pub const CART_COOKIE: &str = "shopmicro_cart";
/// Browsers take a cookie that is named so from this host over TLS alone, so that no neighbour in the domain, and nobody
/// on the way, can put another session in its place. Without `Secure` they would not take it at all.
pub const HOST_PREFIX: &str = "__Host-";

/// How long a session lasts from login, however busy it is.
pub const LIFETIME: Duration = Duration::from_hours(14 * 24);
/// How long a session lasts from when it was last seen.
pub const IDLE_LIFETIME: Duration = Duration::from_hours(3 * 24);
/// How long a guest's cart lasts after something was put into it: its row, and with it its cookie.
pub const CART_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// How often it is noted at most that a session was seen, so that not every request is a write.
pub const SEEN_INTERVAL: Duration = Duration::from_mins(5);

/// Who is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What its owner knows it by; not the token.
    pub id: Uuid,
    /// The account.
    pub user_id: Uuid,
    /// What it may do.
    pub role: Role,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// A new token: 256 random bits.
pub fn new_token() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a token.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn prefix(secure: bool) -> &'static str {
    if secure { HOST_PREFIX } else { "" }
}

fn full_name(name: &'static str, secure: bool) -> String {
    format!("{}{name}", prefix(secure))
}

/// The value of a cookie in the headers of a request. Nearly every request asks, so nothing else is read of them; our
/// values are never encoded.
fn in_headers<'a>(headers: &'a HeaderMap, name: &'static str, secure: bool) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let value = |cookie: &'a str| {
        cookie.trim_ascii().strip_prefix(prefix(secure))?.strip_prefix(name)?.strip_prefix('=')
    };
    cookies.flat_map(|cookies| cookies.split(';')).filter_map(value).next_back()
}

/// The hash of the session's token that the browser sent, whether or not it is any good.
#[derive(Clone, Copy, Debug)]
pub struct SentSession(pub Option<[u8; 32]>);

impl FromRequestParts<AppState> for SentSession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(in_headers(&parts.headers, SESSION_COOKIE, state.production).map(hash)))
    }
}

/// The token of a guest's cart that the browser sent, whether or not it is any good.
pub struct SentCart(pub Option<String>);

impl SentCart {
    /// What is kept of it.
    pub fn hash(&self) -> Option<[u8; 32]> {
        self.0.as_deref().map(hash)
    }
}

impl FromRequestParts<AppState> for SentCart {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(in_headers(&parts.headers, CART_COOKIE, state.production).map(str::to_owned)))
    }
}

/// A cookie that no script can read and no other site can send with a form, as it is taken back.
pub fn cookie(name: &'static str, value: String, secure: bool) -> Cookie<'static> {
    let mut cookie = Cookie::new(full_name(name, secure), value);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    cookie.set_secure(secure);
    cookie
}

/// [`cookie`] as it is given, for so long.
pub fn lasting_cookie(
    name: &'static str,
    value: String,
    lifetime: Duration,
    secure: bool,
) -> Cookie<'static> {
    let mut cookie = cookie(name, value, secure);
    cookie.set_max_age(time::Duration::try_from(lifetime).ok());
    cookie
}

/// Begins a session of an account whose password was verified, in the place of the one that was sent, and gives its
/// cookie and what Redis is to be told after the commit. [`Error::WrongCredentials`] where the password was changed, or the
/// account deleted, since it was verified.
pub async fn begin(
    state: &AppState,
    client: &impl GenericClient,
    account: &Verified,
    SentSession(sent): SentSession,
    jar: CookieJar,
) -> Result<(CookieJar, Vec<Revocation>)> {
    let token = new_token();
    let new = NewSession {
        token_hash: &hash(&token),
        user_id: account.user.id,
        email: &account.user.email,
        password_hash: &account.password_hash,
        expires_at: Timestamp::now() + LIFETIME,
        replaces: sent.as_ref().map(<[u8; 32]>::as_slice),
    };
    let revoked = db::sessions::begin(client, new).await?.ok_or(Error::WrongCredentials)?;
    Ok((jar.add(lasting_cookie(SESSION_COOKIE, token, LIFETIME, state.production)), revoked))
}

/// Tells Redis, after the commit, of sessions that were ended or changed. Where that fails, the revocations stay for the
/// worker, and no copy is trusted until it has done its work.
pub async fn announce(state: &AppState, revoked: &[Revocation]) {
    let hashes = revoked.iter().map(|revocation| revocation.token_hash.as_slice());
    if revoked.is_empty() || state.session_copies.bar(hashes).await.is_err() {
        return;
    }
    let told = async { db::sessions::delete_revocations(&state.pool.get().await?, revoked).await };
    if let Err(error) = told.await {
        tracing::warn!(%error, "revocations that were told stay for the worker");
    }
}

async fn find(state: &AppState, token: &str) -> Result<Option<Session>> {
    let hash = hash(token);
    match state.session_copies.near(&hash) {
        Some(session) => Ok(Some(session)),
        // Boxed, since nearly all requests find it before.
        None => Box::pin(find_farther(state, &hash)).await,
    }
}

async fn find_farther(state: &AppState, hash: &[u8; 32]) -> Result<Option<Session>> {
    if let Some(session) = state.session_copies.get(hash).await {
        return Ok(Some(session));
    }
    let reading = state.session_copies.reading();
    let found = db::sessions::find(&state.pool.get().await?, hash).await?;
    if let Some(session) = &found.session {
        state.session_copies.keep(reading, hash, session, found.pending).await;
    }
    Ok(found.session)
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
        let session = match in_headers(&parts.headers, SESSION_COOKIE, state.production) {
            Some(token) => find(state, token).await?,
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
            Role::Customer => {
                tracing::info!(user.id = %session.user_id, "refused: this is for admins");
                Err(Error::Forbidden)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let find = |cookies: &[&'static str], secure| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(header::COOKIE, (*cookie).parse().expect("a header"));
            }
            in_headers(&headers, SESSION_COOKIE, secure).map(str::to_owned)
        };
        assert_eq!(find(&["a=1; shopmicro_session=abc-_; b=2"], false).as_deref(), Some("abc-_"));
        assert_eq!(find(&["a=1", "shopmicro_session=abc"], false).as_deref(), Some("abc"));
        assert_eq!(find(&["__Host-shopmicro_session=abc;shopmicro_session=x"], true).as_deref(), Some("abc"));
        // The last counts, as everywhere else.
        assert_eq!(find(&["shopmicro_session=a; shopmicro_session=b"], false).as_deref(), Some("b"));
        for other in [
            "shopmicro_session",
            "shopmicro_sessions=a",
            "x=shopmicro_session=a",
            "__Host-shopmicro_session=a",
            "",
        ] {
            assert_eq!(find(&[other], false), None, "{other}");
        }
        assert_eq!(find(&["shopmicro_session=a"], true), None);
    }
}
