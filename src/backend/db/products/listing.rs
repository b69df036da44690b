//! Pages of the catalogue.

use deadpool_postgres::Client;
use tokio_postgres::types::Type;

use super::search::{About, Condition, Queries, Wanted, all, conditions, corrected};
use super::tiers::best_sellers;
use super::{COLUMNS, product};
use crate::db::statement::Statement;
use crate::domain::listing::{Cursor, Listing, Matching, Sort, SortKey};
use crate::domain::page;
use crate::domain::product::Product;
use crate::error::Result;

/// How many matches are ranked by relevance: the best sellers among them all.
const RELEVANT: i64 = 300;
/// How many are put in order by name: best sellers as well. The words that are asked for are in the names, so that the
/// planner, which takes them for spread evenly, would look for them from A to Z.
const BY_NAME: i64 = 1000;

/// How many products in the order of the list are looked at before those that match are looked for.
const WINDOW: i64 = 2000;

/// A page of the catalogue: up to `limit + 1` products, each with its cursor, so that the caller sees whether there is
/// more. Where no product has the words of a first page's `q`, products with words like them are found, unless `q` is
/// precise on purpose. One round trip where something has the words as typed; else what may have been meant takes two more.
pub async fn list(client: &Client, listing: &Listing) -> Result<Vec<(Product, Cursor)>> {
    let Some(question) = &listing.filters.question else {
        return page(client, listing, None).await;
    };
    let matching = listing.cursor.as_ref().map(|cursor| cursor.matching);
    if matching != Some(Matching::Likeness) {
        let found = page(client, listing, Some(Wanted::Words(question))).await?;
        if !found.is_empty() || matching.is_some() {
            return Ok(found);
        }
    }
    match corrected(client, question).await? {
        Some(corrected) => page(client, listing, Some(Wanted::Corrected(&corrected))).await,
        None => Ok(Vec::new()),
    }
}

/// An order as SQL: the column that is its key, the direction, and how to go on from a key.
struct Order {
    key: &'static str,
    direction: &'static str,
    beyond: &'static str,
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        let (key, direction, beyond) = match sort {
            Sort::Relevance => ("score", "desc", "<"),
            Sort::Newest => ("created_at", "desc", "<"),
            Sort::PriceAscending => ("price_cents", "asc", ">"),
            Sort::PriceDescending => ("price_cents", "desc", "<"),
            Sort::Name => ("name", "asc", ">"),
        };
        Self { key, direction, beyond }
    }
}

impl Order {
    fn by(&self, relation: &str) -> String {
        let Self { key, direction, .. } = self;
        format!("{relation}.{key} {direction}, {relation}.id {direction}")
    }
}

/// The statement for a page.
pub fn statement(listing: &Listing, wanted: Option<Wanted<'_>>) -> Statement {
    let Listing { filters, sort, limit, cursor } = listing;
    let mut statement = Statement::default();
    let mut conditions = conditions(&mut statement, filters);
    let ranking = match sort {
        Sort::Relevance => Some(RELEVANT),
        Sort::Name => Some(BY_NAME),
        Sort::Newest | Sort::PriceAscending | Sort::PriceDescending => None,
    };
    let words_alone =
        conditions.iter().all(|condition| matches!(condition.about, About::Sale | About::Category));
    statement.prepared = wanted.is_some() && ranking.is_some() && words_alone;
    let queries = wanted.map(|wanted| {
        let queries = Queries::bind(&mut statement, wanted);
        if statement.prepared { queries.made_once() } else { queries }
    });
    conditions.extend(queries.as_ref().map(Queries::condition));
    let order = Order::from(*sort);
    let beyond = cursor.as_ref().map(|cursor| {
        let last = match &cursor.key {
            SortKey::Score(score) => statement.bind(*score, Type::FLOAT4),
            SortKey::At(at) => statement.bind(*at, Type::TIMESTAMPTZ),
            SortKey::Price(price) => statement.bind(*price, Type::INT8),
            SortKey::Name(name) => statement.bind(name.clone(), Type::TEXT),
        };
        let id = statement.bind(cursor.id, Type::UUID);
        let sql = format!("(p.{}, p.id) {} ({last}, {id})", order.key, order.beyond);
        Condition { about: About::Position, sql }
    });
    let limit = statement.bind(limit + 1, Type::INT8);
    statement.sql = if let (Some(queries), Some(most)) = (&queries, ranking) {
        ranked(&order, &conditions, queries, most, beyond.as_slice(), &limit)
    } else {
        conditions.extend(beyond);
        // What an index in this order, within a category too, begins and ends with.
        let by_price = matches!(sort, Sort::PriceAscending | Sort::PriceDescending);
        let (ranges, filters): (Vec<&Condition>, Vec<&Condition>) =
            conditions.iter().partition(|condition| match condition.about {
                About::Sale | About::Category | About::Position => true,
                About::Price => by_price,
                About::Tags | About::Stock | About::Question => false,
            });
        let indexed = filters.iter().any(|filter| filter.about != About::Stock);
        if indexed {
            windowed(&order, &ranges, &filters, &limit)
        } else {
            let (conditions, by) = (all(&conditions), order.by("p"));
            format!("select {COLUMNS} from products p where {conditions} order by {by} limit {limit}")
        }
    };
    statement
}

/// From the best sellers among all matches. No more of a row is sorted than is needed for it, and only what is on the page
/// is read as a whole. The plan for any values is chosen only where it is no dearer than one for these values, and what it
/// takes a limit for that it does not know is dear: so much is sorted as the longest page would be.
fn ranked(
    order: &Order,
    conditions: &[Condition],
    queries: &Queries,
    most: i64,
    beyond: &[Condition],
    limit: &str,
) -> String {
    format!(
        "with {made}{matched} \
         select {COLUMNS}, found.score from ( \
             select p.* from (select p.id, p.name, {score} as score from matched p) p \
             where {beyond} order by {by} limit {longest} \
         ) found join products p on p.id = found.id order by {found_by} limit {limit}",
        made = queries.made,
        matched = best_sellers("matched", "p.name, p.search", &all(conditions), most),
        score = queries.score(),
        beyond = if beyond.is_empty() { "true".to_owned() } else { all(beyond) },
        by = order.by("p"),
        longest = page::MAX_LIMIT + 1,
        found_by = order.by("found"),
    )
}

/// Looks at the next products in the order of the list. Where not enough of them match, all that match are found by an
/// index and sorted. The planner would choose the one or the other, and does not know that what is tagged so may all be
/// dear: it would look for the cheapest of it through the whole catalogue.
fn windowed(order: &Order, ranges: &[&Condition], filters: &[&Condition], limit: &str) -> String {
    let found = filters.iter().map(|filter| filter.in_indexes()).collect::<Vec<_>>();
    let found = all(&found);
    let (ranges, filters) = (all(ranges.iter().copied()), all(filters.iter().copied()));
    format!(
        "with near as materialized ( \
             select p.id from (select p.* from products p where {ranges} order by {by} limit {WINDOW}) p \
             where {filters} order by {by} limit {limit}), \
         rest as materialized ( \
             select p.id, p.{key} as key from products p \
             where {ranges} and {found} and (select count(*) from near) < {limit}) \
         select {COLUMNS} from ( \
             select id from near where (select count(*) from near) >= {limit} \
             union all (select id from rest order by key {direction}, id {direction} limit {limit}) \
         ) found join products p on p.id = found.id order by {by}",
        by = order.by("p"),
        key = order.key,
        direction = order.direction,
    )
}

async fn page(
    client: &Client,
    listing: &Listing,
    wanted: Option<Wanted<'_>>,
) -> Result<Vec<(Product, Cursor)>> {
    let rows = statement(listing, wanted).query(client).await?;
    let matching = match wanted {
        Some(Wanted::Corrected(_)) => Matching::Likeness,
        _ => Matching::Words,
    };
    let found = rows.iter().map(|row| {
        let product = product(row)?;
        let key = match listing.sort {
            Sort::Relevance => SortKey::Score(row.try_get("score")?),
            Sort::Newest => SortKey::At(product.created_at),
            Sort::PriceAscending | Sort::PriceDescending => SortKey::Price(product.price_cents),
            Sort::Name => SortKey::Name(product.name.clone()),
        };
        let cursor = Cursor { sort: listing.sort, matching, key, id: product.id };
        Ok((product, cursor))
    });
    Ok(found.collect::<Result<_, tokio_postgres::Error>>()?)
}
