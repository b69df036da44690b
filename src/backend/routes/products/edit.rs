//! `/api/products`: what admins write.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::extract::{Json, Path, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::cache::Scope;
use crate::db;
use crate::domain::page::{self, TimeKey};
use crate::domain::product::edit::{Content, Expected, NewProductBody, ProductBody};
use crate::domain::product::{ArchivedProduct, Product};
use crate::error::{Error, Result};
use crate::sessions::Admin;

/// Which archived products are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArchivedQuery {
    /// Products a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of archived products.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ArchivedPage {
    /// Those archived last first.
    pub items: Vec<ArchivedProduct>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// The version that the client changes, where it tells.
fn expected(headers: &HeaderMap) -> Result<Option<Expected>> {
    let mut tags = Vec::new();
    for value in headers.get_all(header::IF_MATCH) {
        tags.push(value.to_str().map_err(|_| Error::BadRequest("header If-Match: must be ASCII".into()))?);
    }
    if tags.is_empty() { Ok(None) } else { Expected::parse(&tags.join(",")).map(Some) }
}

/// Makes lists, the product's own page and search see the change on every replica.
async fn forget(state: &AppState, id: Uuid) {
    state.cache.forget(&[Scope::Product(id), Scope::Catalogue]).await;
}

/// The product with its tag, which the next edit needs.
fn answer(status: StatusCode, product: &Product) -> Result<Response> {
    let answer = super::tagged(product)?;
    Ok((status, answer).into_response())
}

/// Puts a new product into the shop; it is found at once.
#[utoipa::path(post, operation_id = "create_product", path = "/api/products", request_body = NewProductBody, responses(
    (status = 201, body = Product, headers(("location" = String), ("etag" = String))),
    (status = 400, description = "The JSON is malformed", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "`sku-taken`: another product, perhaps an archived one, has the SKU", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn create(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Json(body): Json<NewProductBody>,
) -> Result<Response> {
    let id = Uuid::now_v7();
    let (content, stock) = Content::of_new(id, body)?;
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    let product = state
        .finish(async move {
            let transaction = client.transaction().await?;
            let product = db::products::edit::insert(&transaction, id, &content, stock).await?;
            let detail = json!({ "sku": product.sku, "price_cents": product.price_cents, "stock": stock });
            db::audit::insert(&transaction, Some(admin.user_id), "product.created", id, detail).await?;
            db::fetch::commit(transaction).await?;
            forget(&shop, id).await;
            Ok(product)
        })
        .await?;
    let mut response = answer(StatusCode::CREATED, &product)?;
    let location = format!("/api/products/{id}").parse();
    let location = location.map_err(|_| Error::Internal("an id is no header".to_owned()))?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Replaces what people edit of a product; its stock is adjusted elsewhere. Two who edit at once do not overwrite each
/// other unseen: `If-Match` must name the version that was edited. Sales meanwhile do not matter.
#[utoipa::path(put, operation_id = "replace_product", path = "/api/products/{id}", request_body = ProductBody,
    params(
        ("id" = Uuid, Path),
        ("If-Match" = String, Header, description = "The product's `ETag`, or its `version` in quotes; `*` overwrites whatever is there", example = "\"3\""),
    ),
    responses(
        (status = 200, body = Product, headers(("etag" = String))),
        (status = 400, description = "The JSON or If-Match is malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such product, or it is archived", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`sku-taken`: another product, perhaps an archived one, has the SKU", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`version-conflict`: somebody else edited it meanwhile; `version` is what it has now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields are not valid", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "`precondition-required`: If-Match is missing", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn replace(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(body): Json<ProductBody>,
) -> Result<Response> {
    let expected = expected(&headers)?.ok_or(Error::PreconditionRequired)?;
    let content = Content::of_edit(id, body)?;
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    let product = state
        .finish(async move {
            let transaction = client.transaction().await?;
            let product = db::products::edit::replace(&transaction, id, &content, &expected).await?;
            let detail =
                json!({ "sku": product.sku, "price_cents": product.price_cents, "version": product.version });
            db::audit::insert(&transaction, Some(admin.user_id), "product.edited", id, detail).await?;
            db::fetch::commit(transaction).await?;
            forget(&shop, id).await;
            Ok(product)
        })
        .await?;
    answer(StatusCode::OK, &product)
}

/// Takes a product out of the shop. Orders keep it, and it can be restored; done twice, it is done.
#[utoipa::path(delete, operation_id = "archive_product", path = "/api/products/{id}", params(
    ("id" = Uuid, Path),
    ("If-Match" = Option<String>, Header, description = "Where it is sent, the version that it names is the one that is changed: the product's `ETag`, or its `version` in quotes", example = "\"3\""),
), responses(
    (status = 204, description = "It is archived"),
    (status = 400, description = "If-Match is malformed", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There never was such a product", body = Problem, content_type = "application/problem+json"),
    (status = 412, description = "`version-conflict`: somebody edited it meanwhile; `version` is what it has now", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn archive(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    offer(&state, admin.user_id, id, expected(&headers)?, false).await
}

/// Puts an archived product back into the shop; done twice, it is done.
#[utoipa::path(post, operation_id = "restore_product", path = "/api/products/{id}/restore", params(
    ("id" = Uuid, Path),
    ("If-Match" = Option<String>, Header, description = "Where it is sent, the version that it names is the one that is changed: the product's `ETag`, or its `version` in quotes", example = "\"3\""),
), responses(
    (status = 204, description = "It is for sale"),
    (status = 400, description = "If-Match is malformed", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There never was such a product", body = Problem, content_type = "application/problem+json"),
    (status = 412, description = "`version-conflict`: somebody edited it meanwhile; `version` is what it has now", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn restore(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    offer(&state, admin.user_id, id, expected(&headers)?, true).await
}

/// Puts a product into the shop, or takes it out, where it is at the expected version.
async fn offer(
    state: &AppState,
    admin: Uuid,
    id: Uuid,
    expected: Option<Expected>,
    for_sale: bool,
) -> Result<StatusCode> {
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            if let Some(expected) = &expected {
                db::products::edit::check(&transaction, id, expected).await?;
            }
            let (changed, action) = if for_sale {
                (db::products::edit::restore(&transaction, id).await?, "product.restored")
            } else {
                (db::products::edit::archive(&transaction, id).await?, "product.archived")
            };
            if changed {
                db::audit::insert(&transaction, Some(admin), action, id, json!({})).await?;
                db::fetch::commit(transaction).await?;
            }
            forget(&shop, id).await;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}

/// Archived products, those archived last first.
#[utoipa::path(get, operation_id = "list_archived_products", path = "/api/products/archived", params(ArchivedQuery), responses(
    (status = 200, body = ArchivedPage),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn archived(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<ArchivedQuery>,
) -> Result<Json<ArchivedPage>> {
    let limit = page::limit(query.limit)?;
    let after: Option<TimeKey> = query.cursor.as_deref().map(page::decode).transpose()?;
    let found = db::products::edit::archived(&state.pool.get().await?, after, limit + 1).await?;
    let (items, next_cursor) =
        page::cut(found, limit, |item| TimeKey { at: item.archived_at, id: item.product.id });
    Ok(Json(ArchivedPage { items, next_cursor }))
}
