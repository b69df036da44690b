//! `/api/users`: how accounts begin and log in, and what admins do with them.

use axum::extract::State;
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use deadpool_postgres::Transaction;
use platform::extract::{Json, Path, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::cache::Scope;
use crate::db;
use crate::db::carts::Owner;
use crate::db::sessions::{Revocation, Which};
use crate::db::users::Account;
use crate::domain::input::Check;
use crate::domain::page::{self, TimeKey};
use crate::domain::password;
use crate::domain::user::{NewUser, RegisterBody, Role, User, normalise_email};
use crate::error::{Error, Result};
use crate::logins::{self, Verified};
use crate::sessions::{self, Admin, CART_COOKIE, SESSION_COOKIE, SentCart, SentSession};

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

/// Which accounts are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// Only accounts whose address or name begins so, in any case; up to 100 characters.
    #[param(min_length = 1, max_length = 100)]
    q: Option<String>,
    /// Only accounts with this role.
    role: Option<Role>,
    /// Accounts a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of accounts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserPage {
    /// Newest first.
    pub items: Vec<User>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// What an account may do from now on.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleBody {
    /// Its role.
    role: Role,
}

/// Logs a browser in: adds its guest's cart to the account's, and begins a session. Gives the cookies for both, and what
/// Redis is to be told after the commit.
async fn log_in(
    state: &AppState,
    transaction: &Transaction<'_>,
    account: &Verified,
    guest: &SentCart,
    before: SentSession,
    mut jar: CookieJar,
) -> Result<(CookieJar, Vec<Revocation>)> {
    // The cart before the account, which the new session locks: checkout and the account's deletion do so too.
    if let Some(guest) = guest.hash() {
        db::carts::merge(transaction, &Owner::Guest(guest), account.user.id).await?;
        jar = jar.remove(sessions::cookie(CART_COOKIE, String::new(), state.production));
    }
    sessions::begin(state, transaction, account, before, jar).await
}

/// Makes an account and logs it in; the guest's cart becomes its cart.
#[utoipa::path(post, operation_id = "register", path = "/api/users", request_body = RegisterBody, responses(
    (status = 201, body = User),
    (status = 409, description = "The address is taken", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
))]
pub async fn register(
    State(state): State<AppState>,
    guest: SentCart,
    before: SentSession,
    jar: CookieJar,
    Json(body): Json<RegisterBody>,
) -> Result<(StatusCode, CookieJar, Json<User>)> {
    let new = NewUser::try_from(body)?;
    let password_hash = state.passwords.hash(new.password).await?;
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let user = db::users::insert(&transaction, &new.email, &new.name, &password_hash, Role::Customer)
                .await?;
            db::audit::insert(&transaction, Some(user.id), "account.registered", user.id, json!({})).await?;
            let account = Verified { user, password_hash };
            let (jar, revoked) = log_in(&shop, &transaction, &account, &guest, before, jar).await?;
            db::fetch::commit(transaction).await?;
            sessions::announce(&shop, &revoked).await;
            Ok((StatusCode::CREATED, jar, Json(account.user)))
        })
        .await
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
    guest: SentCart,
    before: SentSession,
    jar: CookieJar,
    Json(body): Json<LoginBody>,
) -> Result<(CookieJar, Json<User>)> {
    let mut check = Check::new();
    check.that(body.email.chars().count() <= 254, "email", "must have at most 254 characters");
    password::check_given(&mut check, "password", &body.password);
    check.that(!body.email.contains('\0'), "email", "must not contain control characters");
    let body = check.finish(body)?;

    let account = logins::attempt(&state, &normalise_email(&body.email), body.password).await?;
    let shop = state.clone();
    state
        .finish(async move {
            let email = account.user.email.clone();
            let begun = let_in(&shop, account, &guest, before, jar).await;
            // But where the password is no longer that of the account.
            if begun.as_ref().is_err_and(|error| !matches!(error, Error::WrongCredentials)) {
                logins::forgive(&shop, &email).await;
            }
            begun
        })
        .await
}

/// Logs a browser in whose password was verified.
async fn let_in(
    state: &AppState,
    account: Verified,
    guest: &SentCart,
    before: SentSession,
    jar: CookieJar,
) -> Result<(CookieJar, Json<User>)> {
    let mut client = state.pool.get_patiently().await?;
    let (jar, revoked) = if guest.0.is_some() {
        let transaction = client.transaction().await?;
        let begun = log_in(state, &transaction, &account, guest, before, jar).await?;
        db::fetch::commit(transaction).await?;
        begun
    } else {
        // One statement, which needs no transaction around it.
        sessions::begin(state, &client, &account, before, jar).await?
    };
    sessions::announce(state, &revoked).await;
    Ok((jar, Json(account.user)))
}

/// Ends the session; without one nothing happens.
#[utoipa::path(post, operation_id = "logout", path = "/api/users/logout", responses((status = 204, description = "Logged out")))]
pub async fn logout(
    State(state): State<AppState>,
    SentSession(sent): SentSession,
    jar: CookieJar,
) -> Result<(StatusCode, CookieJar)> {
    if let Some(token_hash) = sent {
        let shop = state.clone();
        let work = async move {
            let revoked = db::sessions::end(&shop.pool.get().await?, Which::OfToken(&token_hash)).await?;
            sessions::announce(&shop, &revoked).await;
            Ok(())
        };
        state.finish(work).await?;
    }
    let jar = jar.remove(sessions::cookie(SESSION_COOKIE, String::new(), state.production));
    Ok((StatusCode::NO_CONTENT, jar))
}

/// Everybody's accounts, newest first.
#[utoipa::path(get, operation_id = "list_users", path = "/api/users", params(UsersQuery), responses(
    (status = 200, body = UserPage),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<UsersQuery>,
) -> Result<Json<UserPage>> {
    let limit = page::limit(query.limit)?;
    let prefix = query.q.map(|q| page::text("q", &q, 100)).transpose()?;
    let after = query.cursor.as_deref().map(page::decode).transpose()?;
    let filter = db::users::Filter { prefix, role: query.role, after };
    let found = db::users::list(&state.pool.get().await?, &filter, limit + 1).await?;
    let (items, next_cursor) = page::cut(found, limit, |user| TimeKey { at: user.created_at, id: user.id });
    Ok(Json(UserPage { items, next_cursor }))
}

/// Anybody's account.
#[utoipa::path(get, operation_id = "get_user", path = "/api/users/{id}", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Account),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(State(state): State<AppState>, _: Admin, Path(id): Path<Uuid>) -> Result<Json<Account>> {
    let account = db::users::find_account(&state.pool.get().await?, id).await?;
    account.map(Json).ok_or(Error::NotFound("account"))
}

/// Makes an account an admin or a customer; its open sessions are what it is from then on.
#[utoipa::path(patch, operation_id = "change_role", path = "/api/users/{id}", params(("id" = Uuid, Path)), request_body = RoleBody, responses(
    (status = 200, body = User),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The shop would be left without an admin", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
))]
pub async fn change_role(
    State(state): State<AppState>,
    Admin(session): Admin,
    Path(id): Path<Uuid>,
    Json(body): Json<RoleBody>,
) -> Result<Json<User>> {
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let others = db::users::other_admins(&transaction, id).await?;
            let before = db::users::lock(&transaction, id).await?.ok_or(Error::NotFound("account"))?;
            if before.role == body.role {
                return Ok(Json(before));
            }
            if !others && before.role == Role::Admin {
                return Err(Error::LastAdmin);
            }
            let user = db::users::update_role(&transaction, id, body.role).await?;
            let revoked = db::sessions::revoke_copies(&transaction, id).await?;
            let detail = json!({ "from": before.role, "to": body.role });
            db::audit::insert(&transaction, Some(session.user_id), "role.changed", id, detail).await?;
            db::fetch::commit(transaction).await?;
            sessions::announce(&shop, &revoked).await;
            shop.cache.forget(&[Scope::User(id)]).await;
            Ok(Json(user))
        })
        .await
}

/// Logs an account out everywhere.
#[utoipa::path(post, operation_id = "log_out_user", path = "/api/users/{id}/logout", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "Logged out everywhere"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
))]
pub async fn log_out(
    State(state): State<AppState>,
    Admin(session): Admin,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            db::users::lock(&transaction, id).await?.ok_or(Error::NotFound("account"))?;
            let revoked = db::sessions::end(&transaction, Which::OfUser(id)).await?;
            let detail = json!({ "count": revoked.len() });
            db::audit::insert(&transaction, Some(session.user_id), "sessions.ended", id, detail).await?;
            db::fetch::commit(transaction).await?;
            sessions::announce(&shop, &revoked).await;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}
