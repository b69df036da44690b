//! `/api/recommendations`.

use std::collections::HashMap;

use axum::extract::State;
use deadpool_postgres::GenericClient;
use platform::extract::{Json, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::domain::listing::check_category;
use crate::domain::page;
use crate::domain::product::Product;
use crate::error::Result;
use crate::recommender::Recommendations;
use crate::sessions::Session;

/// How many are asked for.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LimitQuery {
    /// Products, 12 by default.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

impl LimitQuery {
    pub(super) fn limit(self) -> Result<i64> {
        page::limit_within(self.limit, 12, 50)
    }
}

/// What everybody is recommended, whoever asks.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wish {
    /// What is popular.
    Popular,
}

/// What is asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecommendationsQuery {
    /// Products, 12 by default.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
    /// `popular`: not for the session's user, but what is popular.
    #[param(inline)]
    strategy: Option<Wish>,
    /// Where somebody looks of whom nothing else is known: what is popular is then of this category.
    #[param(max_length = 60, example = "Garden")]
    category: Option<String>,
}

/// A recommended product.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Recommendation {
    /// The product as it is now.
    pub product: Product,
    /// Larger is better; comparable within one list.
    pub score: f64,
    /// Why, for a person.
    pub reason: String,
}

/// Where a list of recommendations comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The recommendation service.
    Model,
    /// Best sellers, since the recommendation service did not answer in time.
    Fallback,
}

/// Recommended products, best first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecommendationList {
    /// The products.
    pub items: Vec<Recommendation>,
    /// How they were found: `personal`, `similar` or `popular`.
    pub strategy: &'static str,
    /// The model that found them; `none` for best sellers.
    pub model_version: String,
    /// Where they come from.
    pub source: Source,
}

impl RecommendationList {
    /// A list of best sellers.
    pub(super) fn fallback(state: &AppState, products: Vec<Product>, reason: &str) -> Self {
        state.shop_metrics.recommended("fallback", "popular");
        let items = products.into_iter().enumerate();
        Self {
            // Nothing is known but the order, so the score tells only that.
            items: items
                .map(|(rank, product)| Recommendation {
                    product,
                    score: 1.0 / (f64::from(u32::try_from(rank).unwrap_or(u32::MAX)) + 1.0),
                    reason: reason.to_owned(),
                })
                .collect(),
            strategy: "popular",
            model_version: "none".to_owned(),
            source: Source::Fallback,
        }
    }
}

/// Joins what the recommender found with the products as they are now; those no longer for sale or sold out are left
/// out.
pub(super) async fn rank(
    state: &AppState,
    client: &impl GenericClient,
    found: Recommendations,
) -> Result<RecommendationList> {
    let ids: Vec<Uuid> = found.items.iter().map(|item| item.product_id).collect();
    let products = db::products::find_many(client, &ids).await?;
    let mut products: HashMap<Uuid, Product> = products.into_iter().map(|p| (p.id, p)).collect();
    let items = found.items.into_iter().filter_map(|item| {
        let product = products.remove(&item.product_id).filter(|product| product.stock > 0)?;
        Some(Recommendation { product, score: item.score, reason: item.reason })
    });
    let items = items.collect();
    // A constant for each strategy keeps the metric's labels bounded, whatever the other service says.
    let strategy = match found.strategy.as_str() {
        "personal" => "personal",
        "similar" => "similar",
        _ => "popular",
    };
    state.shop_metrics.recommended("model", strategy);
    Ok(RecommendationList { items, strategy, model_version: found.model_version, source: Source::Model })
}

/// For the session's user, else what is popular, as it is where that is wished for. While the recommender is away: best sellers.
#[utoipa::path(get, operation_id = "list_recommendations", path = "/api/recommendations", params(RecommendationsQuery), responses(
    (status = 200, body = RecommendationList),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    session: Option<Session>,
    Query(query): Query<RecommendationsQuery>,
) -> Result<Json<RecommendationList>> {
    let limit = LimitQuery { limit: query.limit }.limit()?;
    let user = match query.strategy {
        Some(Wish::Popular) => None,
        None => session.map(|session| session.user_id),
    };
    let category = query.category.as_deref().filter(|name| !name.is_empty());
    category.map_or(Ok(()), check_category)?;
    let found = state.recommender.for_user(user, category, limit).await;
    let client = state.pool.get().await?;
    if let Some(found) = found {
        return Ok(Json(rank(&state, &client, found).await?));
    }
    let popular = db::products::popular(&client, category, limit).await?;
    Ok(Json(RecommendationList::fallback(&state, popular, "Popular now")))
}
