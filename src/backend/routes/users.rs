//! `/api/users`: accounts and sessions.

use axum::extract::State;
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use deadpool_postgres::Transaction;
use platform::extract::Json;
use platform::problem::Problem;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::AppState;
use crate::db;
use crate::db::carts::Owner;
use crate::db::sessions::Revocation;
use crate::domain::input::Check;
use crate::domain::password;
use crate::domain::user::{NewUser, RegisterBody, User, normalise_email};
use crate::error::{Error, Result};
use crate::logins::{self, Verified};
use crate::sessions::{self, CART_COOKIE, SESSION_COOKIE};

/// The body of a login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    /// The account's address.
    #[schema(max_length = 254)]
    email: String,
    /// Its password.
    #[schema(max_length = 128)]
    password: String,
}

impl std::fmt::Debug for LoginBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginBody { .. }")
    }
}

/// Begins a session in the transaction, in the place of the one that the browser came with, and adds the guest's cart to
/// the user's; gives the cookies for both, and what Redis is to be told after the commit.
async fn log_in(
    state: &AppState,
    transaction: &Transaction<'_>,
    account: &Verified,
    mut jar: CookieJar,
) -> Result<(CookieJar, Vec<Revocation>)> {
    // The cart before the account, which the new session locks: checkout and the account's deletion do so too.
    if let Some(guest) = jar.get(CART_COOKIE) {
        let guest = Owner::Guest(sessions::hash(guest.value()));
        db::carts::merge(transaction, &guest, account.user.id).await?;
        jar = jar.remove(sessions::cookie(CART_COOKIE, String::new(), state.production));
    }
    let (token, revoked, ()) = tokio::try_join!(
        sessions::begin(transaction, account.user.id, &account.password_hash),
        sessions::end(transaction, &jar),
        db::logins::clear(transaction, &account.user.email),
    )?;
    // None where the password was changed, or the account deleted, since it was verified.
    let token = token.ok_or(Error::WrongCredentials)?;
    Ok((jar.add(sessions::cookie(SESSION_COOKIE, token, state.production)), revoked))
}

/// Makes an account and logs it in; the guest's cart becomes its cart.
#[utoipa::path(post, operation_id = "register", path = "/api/users", request_body = RegisterBody, responses(
    (status = 201, body = User),
    (status = 409, description = "The address is taken", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
))]
pub async fn register(
    State(state): State<AppState>,
    jar: CookieJar,
    Json(body): Json<RegisterBody>,
) -> Result<(StatusCode, CookieJar, Json<User>)> {
    let new = NewUser::try_from(body)?;
    let password_hash = state.passwords.hash(new.password).await?;
    let mut client = state.pool.get().await?;
    let transaction = client.transaction().await?;
    let user = db::users::insert(&transaction, &new.email, &new.name, &password_hash).await?;
    db::audit::insert(&transaction, Some(user.id), "account.registered", user.id, json!({})).await?;
    let account = Verified { user, password_hash };
    let (jar, revoked) = log_in(&state, &transaction, &account, jar).await?;
    transaction.commit().await?;
    sessions::announce(&state, &revoked).await;
    Ok((StatusCode::CREATED, jar, Json(account.user)))
}

/// Logs in with a new session; the guest's cart is added to the user's.
#[utoipa::path(post, operation_id = "login", path = "/api/users/login", request_body = LoginBody, responses(
    (status = 200, body = User),
    (status = 401, description = "Wrong e-mail or password", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many failed attempts for this address: Retry-After says when to come again", body = Problem, content_type = "application/problem+json"),
))]
pub async fn login(
    State(state): State<AppState>,
    jar: CookieJar,
    Json(body): Json<LoginBody>,
) -> Result<(CookieJar, Json<User>)> {
    let mut check = Check::new();
    check.that(body.email.chars().count() <= 254, "email", "must have at most 254 characters");
    password::check_given(&mut check, "password", &body.password);
    check.that(!body.email.contains('\0'), "email", "must not contain control characters");
    let body = check.finish(body)?;

    let account = logins::attempt(&state, &normalise_email(&body.email), body.password).await?;
    let mut client = state.pool.get().await?;
    let transaction = client.transaction().await?;
    let (jar, revoked) = log_in(&state, &transaction, &account, jar).await?;
    transaction.commit().await?;
    sessions::announce(&state, &revoked).await;
    Ok((jar, Json(account.user)))
}

/// Ends the session; without one nothing happens.
#[utoipa::path(post, operation_id = "logout", path = "/api/users/logout", responses((status = 204, description = "Logged out")))]
pub async fn logout(State(state): State<AppState>, jar: CookieJar) -> Result<(StatusCode, CookieJar)> {
    if jar.get(SESSION_COOKIE).is_some() {
        let revoked = sessions::end(&state.pool.get().await?, &jar).await?;
        sessions::announce(&state, &revoked).await;
    }
    let jar = jar.remove(sessions::cookie(SESSION_COOKIE, String::new(), state.production));
    Ok((StatusCode::NO_CONTENT, jar))
}
