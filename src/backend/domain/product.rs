//! Products as the shop shows them.

pub mod edit;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The most units that an import or an adjustment leaves of a product: what orders give back still fits into the column.
pub const MAX_STOCK: i32 = 2_000_000_000;

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
    let mut text = [0; Hyphenated::LENGTH];
    ["/api/products/", id.hyphenated().encode_lower(&mut text), "/picture.svg"].concat()
}

/// Whether an address may be that of a picture: pages show it, so it is a path of this shop, or `https`.
pub fn is_picture(url: &str) -> bool {
    // Browsers take two slashes, or a slash and a backslash, for the beginning of another host.
    let path = url.starts_with('/') && !url.starts_with("//");
    let https = url.starts_with("https://")
        && Url::parse(url)
            .is_ok_and(|url| url.has_host() && url.username().is_empty() && url.password().is_none());
    let plain = !url.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
    plain && (path || https)
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
    /// Products in it, counted up to 10,000.
    pub count: i64,
}

/// A number that is counted only so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// The number.
    pub value: i64,
    /// False where there are more: the count ended.
    pub exact: bool,
}

/// Counts by value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts<T> {
    /// The values.
    pub items: Vec<T>,
    /// False where only the best sellers were counted.
    pub exact: bool,
}

/// A value and how many products have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValueCount {
    /// The value, which is also how to ask for it.
    pub value: String,
    /// Products that have it.
    pub count: i64,
}

/// A band of prices and how many products are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceCount {
    /// The lowest price in it: a `min_price_cents`.
    pub min_price_cents: i64,
    /// The highest price in it: a `max_price_cents`; null where there is none.
    pub max_price_cents: Option<i64>,
    /// Products in it.
    pub count: i64,
}

/// What can be chosen from beside a list, and how many products each choice would show. At most 10,000 products are
/// looked at for each facet, the best sellers among all; `exact` says whether there are more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "total": { "value": 42, "exact": true },
    "categories": { "items": [{ "value": "Garden", "count": 42 }, { "value": "Lighting", "count": 17 }], "exact": true },
    "prices": { "items": [{ "min_price_cents": 0, "max_price_cents": 499, "count": 3 }, { "min_price_cents": 10_000, "max_price_cents": null, "count": 1 }], "exact": true },
    "in_stock": { "value": 40, "exact": true },
    "tags": { "items": [{ "value": "candle", "count": 12 }], "exact": true },
}))]
pub struct Facets {
    /// Products in the list.
    pub total: Count,
    /// The 50 largest categories, whichever is asked for.
    pub categories: Counts<ValueCount>,
    /// Bands of prices, whichever price is asked for.
    pub prices: Counts<PriceCount>,
    /// Products in stock, whether or not the list is of those alone.
    pub in_stock: Count,
    /// The 20 most frequent tags beside those that are asked for: the count is that of a list with this tag too.
    pub tags: Counts<ValueCount>,
}

/// Something to search for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Suggestion {
    /// A category.
    Category {
        /// Its name.
        text: String,
    },
    /// A product.
    Product {
        /// Its name.
        text: String,
        /// Its id.
        product_id: Uuid,
    },
}
