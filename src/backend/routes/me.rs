//! `/api/users/me`: the account that is logged in, and its sessions.

use axum::extract::State;
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use platform::extract::{Json, Path, Query};
use platform::problem::{FieldError, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::cache::{Answer, Scope};
use crate::db;
use crate::db::sessions::{OpenSession, Which};
use crate::domain::input::Check;
use crate::domain::page::{self, TimeKey};
use crate::domain::password;
use crate::domain::user::{ConfirmBody, PasswordBody, ProfileBody, ProfileChange, Role, User};
use crate::error::{Error, Result};
use crate::logins::{self, Verified};
use crate::sessions::{self, SESSION_COOKIE, SentSession, Session};

/// Which sessions are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SessionsQuery {
    /// Sessions a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of sessions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionPage {
    /// Newest first.
    pub items: Vec<OpenSession>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// The account of a session; none where it was deleted a moment ago.
async fn account(state: &AppState, session: Session) -> Result<User> {
    let user = db::users::find(&state.pool.get().await?, session.user_id).await?;
    user.ok_or(Error::Unauthenticated)
}

/// Takes the session's cookie back.
fn without_session(state: &AppState, jar: CookieJar) -> CookieJar {
    jar.remove(sessions::cookie(SESSION_COOKIE, String::new(), state.production))
}

/// The account that is logged in.
#[utoipa::path(get, operation_id = "get_me", path = "/api/users/me", responses(
    (status = 200, body = User),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(State(state): State<AppState>, session: Session) -> Result<Answer> {
    let load = async || Answer::of(&account(&state, session).await?);
    state.cache.user(session.user_id, load).await
}

/// Changes the name, or with the password the address.
#[utoipa::path(patch, operation_id = "change_me", path = "/api/users/me", request_body = ProfileBody, responses(
    (status = 200, body = User),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The password is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The address is taken", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong passwords: Retry-After says when to come again", body = Problem, content_type = "application/problem+json"),
))]
pub async fn change(
    State(state): State<AppState>,
    session: Session,
    Json(body): Json<ProfileBody>,
) -> Result<Json<User>> {
    let change = ProfileChange::try_from(body)?;
    let before = account(&state, session).await?;
    let email = change.email.filter(|email| *email != before.email);
    let name = change.name.filter(|name| *name != before.name);
    let verified = match (&email, change.current_password) {
        (None, _) => None,
        (Some(_), Some(password)) => {
            Some(logins::confirm(&state, &before, password, "current_password").await?)
        }
        (Some(_), None) => {
            let message = "is needed to change the address";
            return Err(Error::Invalid(vec![FieldError::new("current_password", message)]));
        }
    };
    let fields: Vec<&str> = [("name", name.is_some()), ("email", email.is_some())]
        .iter()
        .filter(|(_, set)| *set)
        .map(|(n, _)| *n)
        .collect();
    if fields.is_empty() {
        return Ok(Json(before));
    }
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let hash = verified.as_ref().map(|verified| verified.password_hash.as_str());
            let (name, email) = (name.as_deref(), email.as_deref());
            let user = db::users::update_profile(&transaction, before.id, name, email, hash).await?;
            // None where the account was deleted, or its password changed, a moment ago.
            let user = user.ok_or(Error::Unauthenticated)?;
            let detail = json!({ "fields": fields });
            db::audit::insert(&transaction, Some(user.id), "account.changed", user.id, detail).await?;
            db::fetch::commit(transaction).await?;
            shop.cache.forget(&[Scope::User(user.id)]).await;
            Ok(Json(user))
        })
        .await
}

/// Changes the password. Every session of the account ends, and this browser gets a new one.
#[utoipa::path(put, operation_id = "change_password", path = "/api/users/me/password", request_body = PasswordBody, responses(
    (status = 204, description = "Changed"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The current password is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong passwords: Retry-After says when to come again", body = Problem, content_type = "application/problem+json"),
))]
pub async fn change_password(
    State(state): State<AppState>,
    session: Session,
    sent: SentSession,
    jar: CookieJar,
    Json(body): Json<PasswordBody>,
) -> Result<(StatusCode, CookieJar)> {
    let user = account(&state, session).await?;
    let mut check = Check::new();
    password::check_given(&mut check, "current_password", &body.current_password);
    password::check_new(&mut check, "new_password", &body.new_password, &user.email);
    let body = check.finish(body)?;
    let verified = logins::confirm(&state, &user, body.current_password, "current_password").await?;
    let password_hash = state.passwords.hash(body.new_password).await?;

    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let old_hash = &verified.password_hash;
            if !db::users::update_password(&transaction, user.id, old_hash, &password_hash).await? {
                return Err(Error::WrongPassword("current_password"));
            }
            let revoked = db::sessions::end(&transaction, Which::OfUser(user.id)).await?;
            let account = Verified { password_hash, ..verified };
            // The browser's session has ended with the others: there is no other to replace.
            let (jar, _) = sessions::begin(&shop, &transaction, &account, sent, jar).await?;
            db::audit::insert(&transaction, Some(user.id), "password.changed", user.id, json!({})).await?;
            db::fetch::commit(transaction).await?;
            sessions::announce(&shop, &revoked).await;
            Ok((StatusCode::NO_CONTENT, jar))
        })
        .await
}

/// Deletes the account: what is personal goes, the orders stay without it. An order on its way keeps its address until
/// it has arrived.
#[utoipa::path(delete, operation_id = "delete_me", path = "/api/users/me", request_body = ConfirmBody, responses(
    (status = 204, description = "Deleted"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The password is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The shop would be left without an admin", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong passwords: Retry-After says when to come again", body = Problem, content_type = "application/problem+json"),
))]
pub async fn delete(
    State(state): State<AppState>,
    session: Session,
    jar: CookieJar,
    Json(body): Json<ConfirmBody>,
) -> Result<(StatusCode, CookieJar)> {
    let mut check = Check::new();
    password::check_given(&mut check, "password", &body.password);
    let body = check.finish(body)?;
    let user = account(&state, session).await?;
    let verified = logins::confirm(&state, &user, body.password, "password").await?;

    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let role = verified.user.role;
            if role == Role::Admin && !db::users::other_admins(&transaction, user.id).await? {
                return Err(Error::LastAdmin);
            }
            let deleted = db::users::delete(&transaction, user.id, &verified.password_hash, role).await?;
            let revoked = deleted.ok_or(Error::Unauthenticated)?;
            db::audit::insert(&transaction, Some(user.id), "account.deleted", user.id, json!({})).await?;
            db::fetch::commit(transaction).await?;
            sessions::announce(&shop, &revoked).await;
            shop.cache.forget(&[Scope::User(user.id)]).await;
            Ok(())
        })
        .await?;
    Ok((StatusCode::NO_CONTENT, without_session(&state, jar)))
}

/// The account's open sessions, newest first.
#[utoipa::path(get, operation_id = "list_sessions", path = "/api/users/me/sessions", params(SessionsQuery), responses(
    (status = 200, body = SessionPage),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
))]
pub async fn sessions(
    State(state): State<AppState>,
    session: Session,
    Query(query): Query<SessionsQuery>,
) -> Result<Json<SessionPage>> {
    let limit = page::limit(query.limit)?;
    let after: Option<TimeKey> = query.cursor.as_deref().map(page::decode).transpose()?;
    let found = db::sessions::list(&state.pool.get().await?, session, after, limit + 1).await?;
    let (items, next_cursor) = page::cut(found, limit, |open| TimeKey { at: open.created_at, id: open.id });
    Ok(Json(SessionPage { items, next_cursor }))
}

/// Ends sessions of the account, and notes it.
async fn end(state: &AppState, session: Session, which: Which<'static>) -> Result<usize> {
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let revoked = db::sessions::end(&transaction, which).await?;
            if !revoked.is_empty() {
                let detail = json!({ "count": revoked.len() });
                let user_id = session.user_id;
                db::audit::insert(&transaction, Some(user_id), "sessions.ended", user_id, detail).await?;
            }
            db::fetch::commit(transaction).await?;
            sessions::announce(&shop, &revoked).await;
            Ok(revoked.len())
        })
        .await
}

/// Ends one of the account's sessions, perhaps this one.
#[utoipa::path(delete, operation_id = "end_session", path = "/api/users/me/sessions/{id}", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "Ended"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such session of this account", body = Problem, content_type = "application/problem+json"),
))]
pub async fn end_session(
    State(state): State<AppState>,
    session: Session,
    jar: CookieJar,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, CookieJar)> {
    if end(&state, session, Which::One { user_id: session.user_id, id }).await? == 0 {
        return Err(Error::NotFound("session"));
    }
    let jar = if id == session.id { without_session(&state, jar) } else { jar };
    Ok((StatusCode::NO_CONTENT, jar))
}

/// Logs the account out everywhere, here too.
#[utoipa::path(delete, operation_id = "end_sessions", path = "/api/users/me/sessions", responses(
    (status = 204, description = "Logged out everywhere"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
))]
pub async fn end_sessions(
    State(state): State<AppState>,
    session: Session,
    jar: CookieJar,
) -> Result<(StatusCode, CookieJar)> {
    end(&state, session, Which::OfUser(session.user_id)).await?;
    Ok((StatusCode::NO_CONTENT, without_session(&state, jar)))
}
