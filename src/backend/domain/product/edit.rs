//! What people may write of a product, and the precondition under which they may.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::input::Check;
use crate::error::Error;

/// The largest change of a stock at once.
const MAX_DELTA: i32 = 1_000_000;

/// All that people edit of a product. Every field but `image_url` is required: what is left out by mistake must not
/// empty a field.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "sku": "GAR-0101", "name": "White metal lantern", "description": "Pierced by hand, for one candle.",
    "category": "Garden", "tags": ["candle", "white"], "price_cents": 1450, "image_url": null,
}))]
pub struct ProductBody {
    /// Stock-keeping unit; no two products share one, archived ones included.
    #[schema(min_length = 1, max_length = 64)]
    pub sku: String,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Description, plain text; may have line breaks.
    #[schema(max_length = 4000)]
    pub description: String,
    /// The one category it is in.
    #[schema(min_length = 1, max_length = 60)]
    pub category: String,
    /// Words by which it is found as well: 1 to 60 characters each, without commas.
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
    /// Price in minor units of the shop's currency.
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub price_cents: i64,
    /// A picture: a path of this shop such as `/pictures/1.jpg`, or an `https` address. Without one, or with the address
    /// of the drawn picture, the shop draws it.
    #[schema(max_length = 500)]
    pub image_url: Option<String>,
}

/// A new product.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "sku": "GAR-0101", "name": "White metal lantern", "description": "Pierced by hand, for one candle.",
    "category": "Garden", "tags": ["candle", "white"], "price_cents": 1450, "image_url": null, "stock": 12,
}))]
pub struct NewProductBody {
    /// Stock-keeping unit; no two products share one, archived ones included.
    #[schema(min_length = 1, max_length = 64)]
    pub sku: String,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Description, plain text; may have line breaks.
    #[schema(max_length = 4000)]
    pub description: String,
    /// The one category it is in.
    #[schema(min_length = 1, max_length = 60)]
    pub category: String,
    /// Words by which it is found as well: 1 to 60 characters each, without commas.
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
    /// Price in minor units of the shop's currency.
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub price_cents: i64,
    /// As when a product is edited.
    #[schema(max_length = 500)]
    pub image_url: Option<String>,
    /// Units that there are; the first movement in the stock ledger.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub stock: i32,
}

/// Valid content of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Stock-keeping unit.
    pub sku: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Category.
    pub category: String,
    /// Tags, each once.
    pub tags: Vec<String>,
    /// Price in minor units.
    pub price_cents: i64,
    /// A picture of its own.
    pub image_url: Option<String>,
}

impl Content {
    /// Checks all fields of an edit of this product.
    pub fn of_edit(id: Uuid, body: ProductBody) -> Result<Self, Error> {
        let mut check = Check::new();
        let content = Self::checked(&mut check, id, body);
        check.finish(content)
    }

    /// Checks all fields of a new product, which has this id; returns its opening stock as well.
    pub fn of_new(id: Uuid, body: NewProductBody) -> Result<(Self, i32), Error> {
        let NewProductBody { sku, name, description, category, tags, price_cents, image_url, stock } = body;
        let body = ProductBody { sku, name, description, category, tags, price_cents, image_url };
        let mut check = Check::new();
        let content = Self::checked(&mut check, id, body);
        check.that((0..=MAX_DELTA).contains(&stock), "stock", format!("must be from 0 to {MAX_DELTA}"));
        check.finish((content, stock))
    }

    fn checked(check: &mut Check, id: Uuid, body: ProductBody) -> Self {
        let price_cents = body.price_cents;
        check.that((0..=100_000_000).contains(&price_cents), "price_cents", "must be from 0 to 100000000");
        let mut tags: Vec<String> = Vec::new();
        check.that(body.tags.len() <= 20, "tags", "must have at most 20 tags");
        for (n, tag) in body.tags.iter().enumerate().take(20) {
            let field = format!("tags[{n}]");
            let tag = check.text(&field, tag, 1, 60);
            check.that(!tag.contains(','), &field, "must not contain commas");
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        let description = body.description.trim().replace("\r\n", "\n");
        check.that(description.chars().count() <= 4000, "description", "must have at most 4000 characters");
        let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
        check.that(description.chars().all(plain), "description", "must not contain control characters");
        Self {
            sku: check.text("sku", &body.sku, 1, 64),
            name: check.text("name", &body.name, 1, 200),
            description,
            category: check.text("category", &body.category, 1, 60),
            tags,
            price_cents,
            image_url: image_url(check, id, body.image_url),
        }
    }
}

/// The address goes into pages: a path of this shop, or `https`. A drawn picture is none of the product's own.
fn image_url(check: &mut Check, id: Uuid, url: Option<String>) -> Option<String> {
    let url = url.map(|url| url.trim().to_owned()).filter(|url| !url.is_empty())?;
    if url == super::drawn_picture(id) {
        return None;
    }
    check.that(url.chars().count() <= 500, "image_url", "must have at most 500 characters");
    check.that(super::is_picture(&url), "image_url", "must be a path of this shop or an https address");
    Some(url)
}

/// A change of a product's stock.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "delta": -2, "note": "broken in the store" }))]
pub struct StockBody {
    /// Units that came or, negative, went; not 0.
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    pub delta: i32,
    /// Why, for those who read the ledger.
    #[schema(max_length = 200)]
    pub note: String,
}

/// A valid change of a stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Units that came or went.
    pub delta: i32,
    /// Why.
    pub note: String,
}

impl TryFrom<StockBody> for Adjustment {
    type Error = Error;

    fn try_from(body: StockBody) -> Result<Self, Error> {
        let mut check = Check::new();
        let delta = body.delta;
        let fits = delta != 0 && (-MAX_DELTA..=MAX_DELTA).contains(&delta);
        check.that(fits, "delta", format!("must be from -{MAX_DELTA} to {MAX_DELTA}, and not 0"));
        let note = check.text("note", &body.note, 0, 200);
        check.finish(Self { delta, note })
    }
}

/// Which versions of a product an `If-Match` allows to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there: `*`.
    Any,
    /// One of these.
    Versions(Vec<i32>),
}

impl Expected {
    /// Reads an `If-Match`: tags of a product's `ETag`, or its bare version in quotes. Only the version is compared, not
    /// the rest of the tag, which changes with every sale; nor does it matter whether a proxy that compressed the answer
    /// made the tag weak.
    pub fn parse(header: &str) -> Result<Self, Error> {
        if header.trim() == "*" {
            return Ok(Self::Any);
        }
        versions(header).map(Self::Versions).ok_or_else(|| {
            Error::BadRequest("header If-Match: must be the product's ETag, or its version in quotes".into())
        })
    }

    /// True where this version may be replaced.
    pub fn allows(&self, version: i32) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

/// The versions of a list of entity tags (RFC 9110, section 8.8.3), whose texts may have commas; none where it is no such list.
fn versions(header: &str) -> Option<Vec<i32>> {
    let mut found = Vec::new();
    let mut rest = header.trim();
    loop {
        let (tag, after) = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        // A tag of something else is a tag that does not match.
        found.push(tag.split('.').next().and_then(|version| version.parse().ok()).unwrap_or(0));
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(found);
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> ProductBody {
        ProductBody {
            sku: " A-1 ".into(),
            name: "Mug".into(),
            description: "Holds\r\ntea.".into(),
            category: "Cups".into(),
            tags: vec!["tea".into(), " tea".into()],
            price_cents: 0,
            image_url: None,
        }
    }

    fn picture(url: &str) -> Result<Option<String>, Error> {
        let body = ProductBody { image_url: Some(url.into()), ..body() };
        Content::of_edit(Uuid::nil(), body).map(|content| content.image_url)
    }

    #[test]
    fn content_is_tidied() {
        let content = Content::of_edit(Uuid::nil(), body()).expect("valid");
        assert_eq!((content.sku.as_str(), content.description.as_str()), ("A-1", "Holds\ntea."));
        assert_eq!(content.tags, ["tea"]);
    }

    #[test]
    fn a_picture_is_of_this_shop_or_secure() {
        for good in ["/pictures/1.jpg", "https://example.com/a.jpg"] {
            assert_eq!(picture(good).expect("valid").as_deref(), Some(good));
        }
        for none in ["", "  ", &super::super::drawn_picture(Uuid::nil())] {
            assert_eq!(picture(none).expect("valid"), None);
        }
        for bad in [
            "//evil.example/a.jpg",
            "/\\evil.example/a.jpg",
            "http://example.com/a.jpg",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            "pictures/1.jpg",
            "https://",
            "https://user:word@example.com/a.jpg",
            "https://example.com/a b.jpg",
            "/a\n.jpg",
        ] {
            assert!(matches!(picture(bad), Err(Error::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn preconditions_compare_versions() {
        for (header, version, allowed) in [
            ("\"3\"", 3, true),
            ("\"3\"", 4, false),
            ("\"3.abc_-\"", 3, true),
            ("W/\"3.abc\"", 3, true),
            ("\"1\", \"3\"", 3, true),
            ("W/\"a,b\", \"3\"", 3, true),
            ("*", 3, true),
            ("\"abc\"", 3, false),
            ("\"\"", 3, false),
        ] {
            assert_eq!(Expected::parse(header).expect("valid").allows(version), allowed, "{header}");
        }
        for bad in ["3", "", "\"3", "\"1\", 3", "W/3"] {
            assert!(matches!(Expected::parse(bad), Err(Error::BadRequest(_))), "{bad}");
        }
    }
}
