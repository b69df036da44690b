//! `/api/products/facets` and `/api/products/suggestions`: what helps to search.

use axum::extract::State;
use platform::extract::{Json, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hash;
use crate::AppState;
use crate::cache::{FacetsKey, SuggestionsKey};
use crate::db;
use crate::domain::listing::{FacetsQuery, Filters};
use crate::domain::page;
use crate::domain::product::{Facets, Suggestion};
use crate::domain::question::Question;
use crate::error::{Error, Result};

/// What is being typed.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuggestionsQuery {
    /// The text so far, up to 200 characters; its last word may be unfinished.
    #[param(example = "white lant")]
    q: String,
    /// Suggestions, 8 by default.
    #[param(minimum = 1, maximum = 20)]
    limit: Option<u32>,
}

/// What may be meant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "items": [
    { "kind": "category", "text": "Lanterns" },
    { "kind": "product", "text": "White metal lantern", "product_id": "0193a1f2-7c3e-7a10-9d5b-2f6f0c1b8e44" },
] }))]
pub struct SuggestionList {
    /// Categories, then products, best sellers first.
    pub items: Vec<Suggestion>,
}

/// What can be chosen from beside a list with the same filters, with counts. A facet is counted without its own filter,
/// so that the other choices show; tags, of which all must match, are counted with it. Half a minute old at most.
#[utoipa::path(get, operation_id = "get_facets", path = "/api/products/facets", params(FacetsQuery), responses(
    (status = 200, body = Facets),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn facets(State(state): State<AppState>, Query(query): Query<FacetsQuery>) -> Result<Json<Facets>> {
    let filters = Filters::try_from(query)?;
    let key = FacetsKey(hash(format!("{filters:?}").as_bytes()));
    let load = async { db::products::facets::facets(&state.pool.get().await?, &filters).await };
    state.cache.read_through(&key, load).await.map(Json)
}

/// Categories and products for a text that is being typed; nothing for a blank one.
#[utoipa::path(get, operation_id = "list_suggestions", path = "/api/products/suggestions", params(SuggestionsQuery), responses(
    (status = 200, body = SuggestionList),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn suggestions(
    State(state): State<AppState>,
    Query(query): Query<SuggestionsQuery>,
) -> Result<Json<SuggestionList>> {
    let limit = page::limit_within(query.limit, 8, 20)?;
    let question = Question::parse(&query.q.to_lowercase());
    let question = question.map_err(|message| Error::BadRequest(format!("query parameter q: {message}")))?;
    let Some(question) = question else { return Ok(Json(SuggestionList { items: Vec::new() })) };
    let key = SuggestionsKey(hash(format!("{limit} {}", question.text()).as_bytes()));
    let load =
        async { db::products::suggestions::suggestions(&state.pool.get().await?, &question, limit).await };
    let items = state.cache.read_through(&key, load).await?;
    Ok(Json(SuggestionList { items }))
}
