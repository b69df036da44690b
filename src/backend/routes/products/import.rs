//! `/api/products/import`: many new products at once.

use axum::extract::State;
use platform::extract::Json;
use platform::problem::{FieldError, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::AppState;
use crate::cache::Scope;
use crate::db;
use crate::db::products::import::Candidate;
use crate::domain::input::Check;
use crate::domain::product::edit::{Content, NewProductBody};
use crate::error::{Error, Result};
use crate::sessions::Admin;

/// The most products at once: with short texts, about as much as a body may hold.
const MAX_ITEMS: usize = 100;

/// New products, as one part of a longer list.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "items": [{
    "sku": "GAR-0101", "name": "White metal lantern", "description": "Pierced by hand, for one candle.",
    "category": "Garden", "tags": ["candle", "white"], "price_cents": 1450, "image_url": null, "stock": 12,
}] }))]
pub struct ImportBody {
    /// Each has an outcome of its own.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<NewProductBody>,
}

/// What became of the products.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Imported {
    /// How many are new in the shop.
    created: usize,
    /// How many were there already, the same but for their stock: repeating an import whose answer was lost is safe.
    unchanged: usize,
    /// Those that were not taken, in the order in which they were sent.
    refused: Vec<RefusedItem>,
}

/// A product that was not taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusedItem {
    /// Where it stood among the items, from 0.
    index: usize,
    /// Everything that is wrong with it.
    errors: Vec<FieldError>,
}

/// Puts new products into the shop, as far as they are valid and their SKU is free; the others are told one by one.
#[utoipa::path(post, operation_id = "import_products", path = "/api/products/import", request_body = ImportBody, responses(
    (status = 200, body = Imported),
    (status = 400, description = "The JSON is malformed", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "There are no items, or too many", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn import(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Json(body): Json<ImportBody>,
) -> Result<Json<Imported>> {
    let mut check = Check::new();
    check.that(
        (1..=MAX_ITEMS).contains(&body.items.len()),
        "items",
        format!("must have 1 to {MAX_ITEMS} items"),
    );
    let items = check.finish(body.items)?;

    let mut candidates = Vec::with_capacity(items.len());
    let mut refused = Vec::new();
    for (place, item) in (0..).zip(items) {
        let id = Uuid::now_v7();
        match Content::of_new(id, item) {
            Ok((content, stock)) => candidates.push(Candidate { place, id, content, stock }),
            Err(Error::Invalid(errors)) => refused.push((place, errors)),
            Err(error) => return Err(error),
        }
    }

    let mut client = state.pool.get().await?;
    let shop = state.clone();
    let (candidates, outcome) = state
        .finish(async move {
            let transaction = client.transaction().await?;
            let outcome = db::products::import::insert(&transaction, &candidates, admin.user_id).await?;
            db::fetch::commit(transaction).await?;
            if !outcome.created.is_empty() {
                shop.cache.forget(&[Scope::Catalogue]).await;
            }
            Ok((candidates, outcome))
        })
        .await?;

    let known = |place: &i32| outcome.created.contains(place) || outcome.unchanged.contains(place);
    let taken = candidates.iter().map(|candidate| candidate.place).filter(|place| !known(place));
    refused.extend(
        taken.map(|place| (place, vec![FieldError::new("sku", "belongs to another product already")])),
    );
    refused.sort_unstable_by_key(|(place, _)| *place);
    let refused = refused
        .into_iter()
        .map(|(place, errors)| RefusedItem { index: usize::try_from(place).unwrap_or_default(), errors });
    Ok(Json(Imported {
        created: outcome.created.len(),
        unchanged: outcome.unchanged.len(),
        refused: refused.collect(),
    }))
}
