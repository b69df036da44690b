//! The one way in which a password is looked at: as an attempt to log in, which is counted before and slowed down.

use serde_json::json;

use crate::AppState;
use crate::db;
use crate::domain::login;
use crate::domain::user::User;
use crate::error::{Error, Result};

/// Verifies the password of an address, in its stored form. Known and unknown addresses take the same statements and
/// the same work. Whoever calls it clears the failures together with what the password was asked for.
pub async fn attempt(state: &AppState, email: &str, password: String) -> Result<User> {
    let attempt = db::logins::reserve(&state.pool.get().await?, email).await?;
    let (user, hash) = attempt.account.unzip();
    // No connection is held while the password is verified, which takes long on purpose.
    if state.passwords.verify(password, hash.flatten()).await?
        && let Some(user) = user
    {
        return Ok(user);
    }
    if login::locks_out(attempt.failures) {
        let subject = user.map_or_else(|| "unknown account".to_owned(), |user| user.id.to_string());
        let detail = json!({ "failures": attempt.failures });
        db::audit::insert(&state.pool.get().await?, None, "login.locked", subject, detail).await?;
    }
    Err(Error::WrongCredentials)
}
