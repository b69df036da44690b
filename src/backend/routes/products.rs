//! `/api/products` and `/api/categories`: what everybody reads.

pub mod edit;
pub mod import;
pub mod search;
pub mod stock;
pub mod views;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::extract::{Json, Path, Query};
use platform::problem::Problem;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::AppState;
use crate::cache::{Answer, PageKey};
use crate::db;
use crate::domain::listing::{Filters, Listing, ListingQuery};
use crate::domain::page;
use crate::domain::picture;
use crate::domain::product::{Category, Product, ProductPage};
use crate::error::{Error, Result};
use crate::routes::recommendations::{LimitQuery, RecommendationList, rank};

/// All categories.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CategoryList {
    /// By name.
    pub items: Vec<Category>,
}

/// A page of the catalogue, filtered, searched and sorted. First pages of everything, of a category or of a search are up to
/// five seconds behind on stock.
#[utoipa::path(get, operation_id = "list_products", path = "/api/products", params(ListingQuery), responses(
    (status = 200, body = ProductPage),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(state): State<AppState>, uri: Uri) -> axum::response::Result<Answer> {
    let text = uri.query().unwrap_or_default();
    if let Some(answer) = state.cache.page(text) {
        return Ok(answer);
    }
    let Query(query) = Query::<ListingQuery>::parse(text)?;
    let listing = Listing::try_from(query)?;
    let load = async || {
        let found = db::products::listing::list(&state.pool.get().await?, &listing).await?;
        if listing.filters.question.is_some() && listing.cursor.is_none() {
            state.shop_metrics.searched(found.first().map(|(_, cursor)| cursor.matching));
        }
        let (found, next_cursor) = page::cut(found, listing.limit, |(_, cursor)| cursor.clone());
        Ok(ProductPage { items: found.into_iter().map(|(product, _)| product).collect(), next_cursor })
    };
    // Only first pages, of everything, of a category, or of what is found there: most visitors ask for nothing else.
    let Listing { filters, cursor, .. } = &listing;
    let Filters { question, category, .. } = filters.clone();
    let usual = Filters { question, category, ..Filters::default() };
    if *filters != usual || cursor.is_some() {
        return Ok(Answer::of(&Box::pin(load()).await?)?);
    }
    if filters.question.is_some() {
        return Ok(state.cache.search(text, load).await?);
    }
    // Of lists there are few.
    let key = PageKey(hash(format!("{listing:?}").as_bytes()));
    Ok(state.cache.list(text, &key, load).await?)
}

/// The answer about a product that is for sale.
async fn cached(state: &AppState, id: Uuid) -> Result<Answer> {
    let load =
        async || db::products::find(&state.pool.get().await?, id).await?.ok_or(Error::NotFound("product"));
    state.cache.product(id, load, tagged).await
}

/// One product. `ETag` and `If-None-Match` save the body of an unchanged one; an edit takes the same `ETag` as its
/// `If-Match`. The tag is the product's version, a dot and a hash of the body: a sale changes the hash alone.
#[utoipa::path(get, operation_id = "get_product", path = "/api/products/{id}", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Product, headers(("etag" = String))),
    (status = 304, description = "Unchanged"),
    (status = 404, description = "No such product", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response> {
    let answer = cached(&state, id).await?;
    Ok(with_etag(&headers, answer, "application/json", "no-cache"))
}

/// The picture that the shop draws for a product that has none of its own.
#[utoipa::path(get, operation_id = "get_product_picture", path = "/api/products/{id}/picture.svg", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "An SVG picture", content_type = "image/svg+xml"),
    (status = 304, description = "Unchanged"),
    (status = 404, description = "No such product", body = Problem, content_type = "application/problem+json"),
))]
pub async fn picture(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response> {
    let answer = cached(&state, id).await?;
    let product: Product =
        serde_json::from_slice(&answer.body).map_err(|error| Error::Internal(error.to_string()))?;
    let svg = picture::svg(&product.sku, &product.category, &product.name);
    let etag = HeaderValue::try_from(format!("\"{}\"", hash(svg.as_bytes()))).ok();
    let answer = Answer { body: svg.into(), etag };
    Ok(with_etag(&headers, answer, "image/svg+xml", "public, max-age=86400"))
}

fn hash(body: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(body)[..12])
}

/// A product's JSON and its `ETag`.
fn tagged(product: &Product) -> Result<Answer> {
    let Answer { body, .. } = Answer::of(product)?;
    let etag = HeaderValue::try_from(format!("\"{}.{}\"", product.version, hash(&body))).ok();
    Ok(Answer { body, etag })
}

/// 304 where the client has this body already (RFC 9110, 13.1.2), else the body with its tag.
fn with_etag(
    request: &HeaderMap,
    answer: Answer,
    content_type: &'static str,
    cache_control: &'static str,
) -> Response {
    let tag = answer.etag.as_ref().and_then(|tag| tag.to_str().ok());
    let known =
        request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|tags| {
            let tags = tags.split(',').map(str::trim);
            tags.map(|known| known.trim_start_matches("W/")).any(|known| known == "*" || Some(known) == tag)
        });
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], answer.body).into_response()
    };
    if let Some(tag) = answer.etag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    response
}

/// Products like this one; best sellers of its category while the recommender is away.
#[utoipa::path(get, operation_id = "list_similar_products", path = "/api/products/{id}/similar", params(("id" = Uuid, Path), LimitQuery), responses(
    (status = 200, body = RecommendationList),
    (status = 404, description = "No such product", body = Problem, content_type = "application/problem+json"),
))]
pub async fn similar(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    Query(query): Query<LimitQuery>,
) -> Result<Json<RecommendationList>> {
    let limit = query.limit()?;
    cached(&state, id).await?;
    let found = state.recommender.similar(id, limit).await;
    let client = state.pool.get().await?;
    if let Some(found) = found {
        return Ok(Json(rank(&state, &client, found).await?));
    }
    let beside = db::products::popular_beside(&client, id, limit).await?;
    Ok(Json(RecommendationList::fallback(&state, beside, "Popular in the same category")))
}

/// Every category with its number of products.
#[utoipa::path(get, operation_id = "list_categories", path = "/api/categories", responses((status = 200, body = CategoryList)))]
pub async fn categories(State(state): State<AppState>) -> Result<Answer> {
    let load = async || db::products::categories(&state.pool.get().await?).await;
    state.cache.categories(load, |items| Answer::of(&CategoryList { items: items.clone() })).await
}
