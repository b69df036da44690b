//! The one way in which a password is looked at: as an attempt to log in, which is counted before and slowed down.

use serde_json::json;

use crate::AppState;
use crate::db;
use crate::domain::login;
use crate::domain::user::User;
use crate::error::{Error, Result};

/// An account whose password was given.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The account.
    pub user: User,
    /// The hash that the password was compared with.
    pub password_hash: String,
}

/// Verifies the password of an address, in its stored form. Known and unknown addresses take the same statements and
/// the same work. Whoever calls it clears the failures together with what the password was asked for, or where that fails, by
/// [`forgive`].
pub async fn attempt(state: &AppState, email: &str, password: String) -> Result<Verified> {
    // Before the attempt is counted: where there is too much to do nothing is looked at, and nothing has failed.
    let turn = state.passwords.turn().await?;
    let attempt = match db::logins::reserve(&state.pool.get().await?, email).await {
        Err(error @ Error::TooManyAttempts(_)) => {
            state.shop_metrics.login("blocked");
            tracing::info!("a password was not looked at: its address is blocked");
            return Err(error);
        }
        attempt => attempt?,
    };
    let (user, hash) = attempt.account.unzip();
    let hash = hash.flatten();
    // No connection is held while the password is verified, which takes long on purpose.
    let verified = state.passwords.verify(turn, password, hash.clone()).await?;
    if let (true, Some(user), Some(password_hash)) = (verified, &user, hash) {
        state.shop_metrics.login("right");
        tracing::info!(user.id = %user.id, "a password was right");
        return Ok(Verified { user: user.clone(), password_hash });
    }
    state.shop_metrics.login("wrong");
    let whose = user.map_or_else(|| "unknown account".to_owned(), |user| user.id.to_string());
    tracing::info!(user.id = whose, failures = attempt.failures, "a password was wrong");
    if login::locks_out(attempt.failures) {
        let detail = json!({ "failures": attempt.failures });
        db::audit::insert(&state.pool.get().await?, None, "login.locked", whose, detail).await?;
    }
    Err(Error::WrongCredentials)
}

/// Clears the failures of an address whose password was right, though nothing came of what it was asked for: as far as the
/// database can be asked.
pub async fn forgive(state: &AppState, email: &str) {
    let cleared = async { db::logins::clear(&state.pool.get_patiently().await?, email).await };
    if let Err(error) = cleared.await {
        tracing::warn!(%error, "an attempt with the right password stays counted");
    }
}

/// Verifies the password of who is logged in; `field` is where it was given. Failures are cleared at once: a right
/// password is none of them, whatever becomes of what it was asked for.
pub async fn confirm(
    state: &AppState,
    user: &User,
    password: String,
    field: &'static str,
) -> Result<Verified> {
    match attempt(state, &user.email, password).await {
        Err(Error::WrongCredentials) => Err(Error::WrongPassword(field)),
        // The address has changed hands since it was read.
        Ok(verified) if verified.user.id != user.id => Err(Error::WrongPassword(field)),
        Ok(verified) => {
            forgive(state, &user.email).await;
            Ok(verified)
        }
        refused => refused,
    }
}
