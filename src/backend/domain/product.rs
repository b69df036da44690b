//! Products and what may be asked of the catalogue.

pub mod edit;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::page;
use crate::error::Error;

/// A product as the shop shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "0193a1f2-7c3e-7a10-9d5b-2f6f0c1b8e44", "sku": "GAR-0101", "name": "White metal lantern",
    "description": "Pierced by hand, for one candle.", "category": "Garden", "tags": ["candle", "white"],
    "price_cents": 1450, "currency": "GBP", "stock": 12,
    "image_url": "/api/products/0193a1f2-7c3e-7a10-9d5b-2f6f0c1b8e44/picture.svg", "version": 3,
    "created_at": "2026-11-02T09:30:00Z", "updated_at": "2026-11-20T16:05:00Z",
}))]
pub struct Product {
    /// The product's id.
    pub id: Uuid,
    /// Stock-keeping unit: the shop's own number for it.
    pub sku: String,
    /// Name.
    pub name: String,
    /// Description, plain text.
    pub description: String,
    /// The one category it is in.
    pub category: String,
    /// Words by which it is found as well.
    pub tags: Vec<String>,
    /// Price in minor units of the currency.
    pub price_cents: i64,
    /// ISO 4217.
    pub currency: String,
    /// Units in stock.
    pub stock: i32,
    /// A picture; one that the shop draws itself where the product has none of its own.
    pub image_url: String,
    /// Counts the edits of this product; sales do not change it.
    pub version: i32,
    /// When the shop took it in (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Where the picture is that the shop draws of a product.
pub fn drawn_picture(id: Uuid) -> String {
    format!("/api/products/{id}/picture.svg")
}

/// A product that is no longer for sale.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ArchivedProduct {
    /// The product as it was.
    #[serde(flatten)]
    pub product: Product,
    /// Since when it is no longer for sale (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub archived_at: Timestamp,
}

/// A change of a product's stock.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Movement {
    /// Units that came or, negative, went.
    pub delta: i32,
    /// `opening`, `import`, `adjustment`, `order` or `return`.
    pub reason: String,
    /// The order that took or returned the units.
    pub order_id: Option<Uuid>,
    /// What the admin who adjusted it had to say.
    pub note: String,
    /// When (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// A page of products.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProductPage {
    /// The products, in the order that was asked for.
    pub items: Vec<Product>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// A category and how many products it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Category {
    /// Its name, which is also how to ask for it.
    pub name: String,
    /// Products in it.
    pub count: i64,
}

/// The order of a list of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Sort {
    /// Best match first; only with `q`.
    #[serde(rename = "relevance")]
    Relevance,
    /// Newest first.
    #[serde(rename = "newest")]
    Newest,
    /// Cheapest first.
    #[serde(rename = "price")]
    PriceAscending,
    /// Dearest first.
    #[serde(rename = "-price")]
    PriceDescending,
    /// By name.
    #[serde(rename = "name")]
    Name,
}

/// How `q` is matched: by words, or, where no product has them, by likeness, which forgives typing errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// Full-text search.
    Words,
    /// Trigram similarity with the name.
    Likeness,
}

/// The sort key of the last product of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortKey {
    /// The match's score.
    Score(f32),
    /// The moment of creation.
    At(Timestamp),
    /// The price.
    Price(i64),
    /// The name.
    Name(String),
}

/// The cursor of a list of products.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order that the list is in.
    pub sort: Sort,
    /// How the first page matched `q`: later pages must match in the same way.
    pub matching: Matching,
    /// The last item's key.
    pub key: SortKey,
    /// The last item's id.
    pub id: Uuid,
}

/// What is asked of the catalogue: parsed, so that it can only be valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Search text.
    pub q: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Only this price or more.
    pub min_price_cents: Option<i64>,
    /// Only this price or less.
    pub max_price_cents: Option<i64>,
    /// Only what is in stock.
    pub in_stock: bool,
    /// The order.
    pub sort: Sort,
    /// Products a page.
    pub limit: i64,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
}

/// The query string of a list of products, as it came.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListingQuery {
    /// Search text, up to 200 characters: words, "phrases", -exclusions; typing errors are forgiven.
    pub q: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Only this price or more, in minor units.
    #[param(minimum = 0)]
    pub min_price_cents: Option<i64>,
    /// Only this price or less, in minor units.
    #[param(minimum = 0)]
    pub max_price_cents: Option<i64>,
    /// Only what is in stock.
    pub in_stock: Option<bool>,
    /// The order; the default is relevance with `q`, else newest.
    pub sort: Option<Sort>,
    /// Products a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl TryFrom<ListingQuery> for Listing {
    type Error = Error;

    fn try_from(query: ListingQuery) -> Result<Self, Error> {
        let refuse = |field: &str, message: &str| {
            Err(Error::BadRequest(format!("query parameter {field}: {message}")))
        };
        let q = query.q.map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
        if q.as_ref().is_some_and(|q| q.chars().count() > 200 || q.contains('\0')) {
            return refuse("q", "must have at most 200 characters, and no NUL");
        }
        if query.category.as_ref().is_some_and(|c| c.chars().count() > 60 || c.contains('\0')) {
            return refuse("category", "must have at most 60 characters, and no NUL");
        }
        for (field, price) in
            [("min_price_cents", query.min_price_cents), ("max_price_cents", query.max_price_cents)]
        {
            if price.is_some_and(|price| price < 0) {
                return refuse(field, "must not be negative");
            }
        }
        if let (Some(min), Some(max)) = (query.min_price_cents, query.max_price_cents)
            && min > max
        {
            return refuse("min_price_cents", "must not be above max_price_cents");
        }
        let sort = query.sort.unwrap_or(if q.is_some() { Sort::Relevance } else { Sort::Newest });
        if sort == Sort::Relevance && q.is_none() {
            return refuse("sort", "relevance needs a search text in q");
        }
        let cursor: Option<Cursor> = query.cursor.as_deref().map(page::decode).transpose()?;
        if cursor.as_ref().is_some_and(|cursor| cursor.sort != sort || !cursor.key.belongs_to(sort)) {
            return refuse("cursor", "belongs to a list in another order");
        }
        Ok(Self {
            q,
            category: query.category,
            min_price_cents: query.min_price_cents,
            max_price_cents: query.max_price_cents,
            in_stock: query.in_stock.unwrap_or(false),
            sort,
            limit: page::limit(query.limit)?,
            cursor,
        })
    }
}

impl Listing {
    /// True where `q` may be matched by likeness too: not with a phrase or an exclusion, which likeness would answer
    /// with the very products that were ruled out.
    pub fn is_forgiving(&self) -> bool {
        let precise = |q: &String| q.contains('"') || q.split_whitespace().any(|word| word.starts_with('-'));
        self.q.as_ref().is_some_and(|q| !precise(q))
    }
}

impl SortKey {
    fn belongs_to(&self, sort: Sort) -> bool {
        match self {
            Self::Score(score) => sort == Sort::Relevance && score.is_finite(),
            Self::At(_) => sort == Sort::Newest,
            Self::Price(_) => matches!(sort, Sort::PriceAscending | Sort::PriceDescending),
            Self::Name(_) => sort == Sort::Name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: ListingQuery) -> Result<Listing, Error> {
        query.try_into()
    }

    #[test]
    fn the_default_order_depends_on_the_search() {
        assert_eq!(parse(ListingQuery::default()).expect("valid").sort, Sort::Newest);
        let search = ListingQuery { q: Some(" mug ".into()), ..Default::default() };
        let listing = parse(search).expect("valid");
        assert_eq!((listing.sort, listing.q.as_deref()), (Sort::Relevance, Some("mug")));
    }

    #[test]
    fn senseless_questions_are_refused() {
        let bad = [
            ListingQuery { sort: Some(Sort::Relevance), ..Default::default() },
            ListingQuery { min_price_cents: Some(-1), ..Default::default() },
            ListingQuery { min_price_cents: Some(2), max_price_cents: Some(1), ..Default::default() },
            ListingQuery { limit: Some(101), ..Default::default() },
            ListingQuery { q: Some("x".repeat(201)), ..Default::default() },
            ListingQuery { cursor: Some("x".into()), ..Default::default() },
        ];
        for query in bad {
            assert!(matches!(parse(query.clone()), Err(Error::BadRequest(_))), "{query:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let cursor = Cursor {
            sort: Sort::Newest,
            matching: Matching::Words,
            key: SortKey::At(Timestamp::UNIX_EPOCH),
            id: Uuid::nil(),
        };
        let query = |sort| ListingQuery {
            sort: Some(sort),
            cursor: Some(page::encode(&cursor)),
            ..Default::default()
        };
        assert!(parse(query(Sort::Newest)).is_ok());
        assert!(parse(query(Sort::Name)).is_err());
    }
}
