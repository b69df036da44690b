//! `/api/audit-log`: who did what.

use axum::extract::State;
use platform::extract::{Json, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::db::audit::{Entry, Filter};
use crate::domain::page;
use crate::error::Result;
use crate::sessions::Admin;

/// Which acts are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only acts of this account.
    actor: Option<Uuid>,
    /// Only acts of this kind, such as `role.changed`.
    #[param(min_length = 1, max_length = 60)]
    action: Option<String>,
    /// Only acts on this, such as an account's id.
    #[param(min_length = 1, max_length = 100)]
    subject: Option<String>,
    /// Acts a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of acts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<Entry>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// Events of accounts and acts of admins, newest first.
#[utoipa::path(get, operation_id = "list_audit_log", path = "/api/audit-log", params(AuditQuery), responses(
    (status = 200, body = AuditPage),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditPage>> {
    let limit = page::limit(query.limit)?;
    let filter = Filter {
        actor: query.actor,
        action: query.action.map(|action| page::text("action", &action, 60)).transpose()?,
        subject: query.subject.map(|subject| page::text("subject", &subject, 100)).transpose()?,
        before: query.cursor.as_deref().map(page::decode).transpose()?,
    };
    let found = db::audit::list(&state.pool.get().await?, &filter, limit + 1).await?;
    let (items, next_cursor) = page::cut(found, limit, |entry| entry.id);
    Ok(Json(AuditPage { items, next_cursor }))
}
