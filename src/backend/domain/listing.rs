//! What may be asked of the catalogue.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::page;
use crate::domain::question::Question;
use crate::error::Error;

/// The most tags that may be asked for at once.
const MAX_TAGS: usize = 5;

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

/// How `q` is matched: by words, or, where no product has them, by words like them, which forgives typing errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// The words as they were typed.
    Words,
    /// The words that may have been meant.
    Likeness,
}

/// The sort key of the last product of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortKey {
    /// The match's score.
    Score(f32),
    /// The moment of creation.
    At(#[serde(deserialize_with = "page::storable_time")] Timestamp),
    /// The price.
    Price(i64),
    /// The name.
    Name(String),
}

/// The cursor of a list of products.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// Which products are asked for: parsed, so that it can only be valid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Only what this finds.
    pub question: Option<Question>,
    /// Only this category.
    pub category: Option<String>,
    /// Only with all of these tags.
    pub tags: Vec<String>,
    /// Only this price or more.
    pub min_price_cents: Option<i64>,
    /// Only this price or less.
    pub max_price_cents: Option<i64>,
    /// Only what is in stock.
    pub in_stock: bool,
}

/// A page that is asked for: parsed, so that it can only be valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Which products.
    pub filters: Filters,
    /// The order.
    pub sort: Sort,
    /// Products a page.
    pub limit: i64,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
}

/// The query string of a list of products, as it came.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListingQuery {
    /// Search text, up to 200 characters: words, "phrases", -exclusions, `or`. The last word may be unfinished, and
    /// typing errors are forgiven. By relevance, the list has the 300 best sellers among the matches, by name
    /// the 1,000.
    #[param(max_length = 200, example = "white lant")]
    pub q: Option<String>,
    /// Only this category.
    #[param(max_length = 60, example = "Garden")]
    pub category: Option<String>,
    /// Only products with all of these tags, up to 5, between commas.
    #[param(example = "candle,white")]
    pub tag: Option<String>,
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

/// The query string of facets: that of a list without its order and its pages.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FacetsQuery {
    /// As in the list of products.
    pub q: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Only products with all of these tags, up to 5, between commas.
    pub tag: Option<String>,
    /// Only this price or more, in minor units.
    #[param(minimum = 0)]
    pub min_price_cents: Option<i64>,
    /// Only this price or less, in minor units.
    #[param(minimum = 0)]
    pub max_price_cents: Option<i64>,
    /// Only what is in stock.
    pub in_stock: Option<bool>,
}

fn refuse(field: &str, message: &str) -> Error {
    Error::BadRequest(format!("query parameter {field}: {message}"))
}

/// 400 where no category can have this name.
pub fn check_category(name: &str) -> Result<(), Error> {
    if name.chars().count() > 60 || name.contains('\0') {
        return Err(refuse("category", "must have at most 60 characters, and no NUL"));
    }
    Ok(())
}

fn tags(list: &str) -> Result<Vec<String>, Error> {
    let mut tags: Vec<String> = list.split(',').map(|tag| tag.trim().to_owned()).collect();
    tags.sort_unstable();
    tags.dedup();
    let good = |tag: &String| !tag.is_empty() && tag.chars().count() <= 60 && !tag.contains('\0');
    if tags.len() <= MAX_TAGS && tags.iter().all(good) {
        Ok(tags)
    } else {
        Err(refuse("tag", "must be up to 5 tags of 1 to 60 characters between commas"))
    }
}

impl TryFrom<FacetsQuery> for Filters {
    type Error = Error;

    fn try_from(query: FacetsQuery) -> Result<Self, Error> {
        let question = query.q.as_deref().map_or(Ok(None), Question::parse);
        let question = question.map_err(|message| refuse("q", message))?;
        query.category.as_deref().map_or(Ok(()), check_category)?;
        let tags = query.tag.as_deref().map(tags).transpose()?.unwrap_or_default();
        for (field, price) in
            [("min_price_cents", query.min_price_cents), ("max_price_cents", query.max_price_cents)]
        {
            if price.is_some_and(|price| price < 0) {
                return Err(refuse(field, "must not be negative"));
            }
        }
        if let (Some(min), Some(max)) = (query.min_price_cents, query.max_price_cents)
            && min > max
        {
            return Err(refuse("min_price_cents", "must not be above max_price_cents"));
        }
        Ok(Self {
            question,
            category: query.category,
            tags,
            min_price_cents: query.min_price_cents,
            max_price_cents: query.max_price_cents,
            in_stock: query.in_stock.unwrap_or(false),
        })
    }
}

impl TryFrom<ListingQuery> for Listing {
    type Error = Error;

    fn try_from(query: ListingQuery) -> Result<Self, Error> {
        let ListingQuery { q, category, tag, min_price_cents, max_price_cents, in_stock, .. } = query;
        let filters = FacetsQuery { q, category, tag, min_price_cents, max_price_cents, in_stock };
        let filters = Filters::try_from(filters)?;
        let searched = filters.question.is_some();
        let sort = query.sort.unwrap_or(if searched { Sort::Relevance } else { Sort::Newest });
        if sort == Sort::Relevance && !searched {
            return Err(refuse("sort", "relevance needs a search text in q"));
        }
        let cursor: Option<Cursor> = query.cursor.as_deref().map(page::decode).transpose()?;
        if cursor.as_ref().is_some_and(|cursor| cursor.sort != sort || !cursor.key.belongs_to(sort)) {
            return Err(refuse("cursor", "belongs to a list in another order"));
        }
        Ok(Self { filters, sort, limit: page::limit(query.limit)?, cursor })
    }
}

impl SortKey {
    fn belongs_to(&self, sort: Sort) -> bool {
        match self {
            Self::Score(score) => sort == Sort::Relevance && score.is_finite(),
            Self::At(_) => sort == Sort::Newest,
            Self::Price(_) => matches!(sort, Sort::PriceAscending | Sort::PriceDescending),
            // PostgreSQL takes no NUL in a text.
            Self::Name(name) => sort == Sort::Name && !name.contains('\0'),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn parse(query: ListingQuery) -> Result<Listing, Error> {
        query.try_into()
    }

    #[test]
    fn the_default_order_depends_on_the_search() {
        assert_eq!(parse(ListingQuery::default()).expect("valid").sort, Sort::Newest);
        let search = ListingQuery { q: Some(" mug ".into()), ..Default::default() };
        let listing = parse(search).expect("valid");
        let question = listing.filters.question.expect("a question");
        assert_eq!((listing.sort, question.text()), (Sort::Relevance, "mug"));
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

    /// What a client makes of a cursor is refused, or is one that the list could have given.
    #[test]
    fn odd_cursors_are_refused_or_harmless() {
        let odd = [
            "null",
            "true",
            "0",
            "-1",
            "1.5",
            "1e39",
            "-1e39",
            "1e400",
            "9223372036854775807",
            "9223372036854775808",
            "\"\"",
            "\"x\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"NaN\"",
            "\"-009999-01-02T01:59:59Z\"",
            "\"1969-12-31T23:59:59Z\"",
            "\"9999-12-30T22:00:00.999999999Z\"",
            "\"2026-02-30T00:00:00Z\"",
            "\"00000000-0000-0000-0000-000000000000\"",
            "[]",
            "[0]",
            "{}",
            "{\"at\":0}",
            "{\"score\":1e39}",
            "{\"score\":0.5}",
            "{\"score\":null}",
            "{\"price\":9223372036854775807}",
            "{\"price\":1.5}",
            "{\"name\":\"a\\u0000b\"}",
            "{\"name\":\"\"}",
            "{\"at\":\"-009999-01-02T01:59:59Z\"}",
            "{\"at\":\"2026-01-01T00:00:00Z\"}",
            "{\"at\":\"x\",\"at\":\"y\"}",
        ];
        let sorts = [
            (Sort::Relevance, "\"relevance\"", "{\"score\":0.5}"),
            (Sort::Newest, "\"newest\"", "{\"at\":\"2026-01-01T00:00:00Z\"}"),
            (Sort::PriceAscending, "\"price\"", "{\"price\":5}"),
            (Sort::PriceDescending, "\"-price\"", "{\"price\":5}"),
            (Sort::Name, "\"name\"", "{\"name\":\"mug\"}"),
        ];
        let mut accepted = 0;
        let id = "\"00000000-0000-0000-0000-000000000000\"";
        for (sort, name, key) in sorts {
            let mut texts = vec!["[".repeat(10_000), "{\"sort\":".repeat(10_000)];
            for odd in odd {
                texts.push(odd.to_owned());
                for [sort, matching, key, id] in [
                    [odd, "\"words\"", key, id],
                    [name, odd, key, id],
                    [name, "\"likeness\"", odd, id],
                    [name, "\"words\"", key, odd],
                ] {
                    let fields = format!("\"sort\":{sort},\"matching\":{matching},\"key\":{key},\"id\":{id}");
                    texts.push(format!("{{{fields}}}"));
                    texts.push(format!("{{{fields},\"more\":1}}"));
                    texts.push(format!("{{{fields}}} {{}}"));
                    texts.push(format!("{{{fields}"));
                }
            }
            for text in texts {
                let cursor = Some(URL_SAFE_NO_PAD.encode(&text));
                let query =
                    ListingQuery { q: Some("mug".into()), sort: Some(sort), cursor, ..Default::default() };
                match parse(query) {
                    Err(error) => assert!(matches!(error, Error::BadRequest(_)), "{text}"),
                    Ok(listing) => {
                        accepted += 1;
                        let storable = match listing.cursor.expect("a cursor").key {
                            SortKey::Score(score) => score.is_finite(),
                            SortKey::At(at) => at >= Timestamp::UNIX_EPOCH,
                            SortKey::Price(_) => true,
                            SortKey::Name(name) => !name.contains('\0'),
                        };
                        assert!(storable, "{text}");
                    }
                }
            }
        }
        assert!(accepted > 5, "good cursors are refused as well");
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
