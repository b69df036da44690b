//! Pages of the catalogue.

use deadpool_postgres::Client;
use tokio_postgres::types::Type;

use super::search::{Queries, Statement, Wanted, conditions, near_words};
use super::{COLUMNS, product};
use crate::domain::listing::{Cursor, Listing, Matching, Sort, SortKey};
use crate::domain::product::Product;
use crate::error::Result;

/// How many matches are ranked by relevance: the best sellers among them all. By name as well: the words that are asked
/// for are in the names, so that the planner, which takes them for spread evenly, would look for them from A to Z.
const RANKED: i64 = 1000;

/// A page of the catalogue: up to `limit + 1` products, each with its cursor, so that the caller sees whether there is
/// more. Where no product has the words of a first page's `q`, products with words like them are found, unless `q` is
/// precise on purpose. Two round trips at most.
pub async fn list(client: &Client, listing: &Listing) -> Result<Vec<(Product, Cursor)>> {
    let Some(question) = &listing.filters.question else {
        return page(client, listing, None).await;
    };
    let words = page(client, listing, Some(Wanted::Words(question)));
    let (found, near) = match listing.cursor.as_ref().map(|cursor| cursor.matching) {
        Some(Matching::Words) => return words.await,
        Some(Matching::Likeness) => (Vec::new(), near_words(client, question).await?),
        // Both on their way at once.
        None => tokio::try_join!(words, near_words(client, question))?,
    };
    match question.corrected(&near) {
        Some(corrected) if found.is_empty() => {
            page(client, listing, Some(Wanted::Corrected(&corrected))).await
        }
        _ => Ok(found),
    }
}

/// The statement for a page.
pub fn statement(listing: &Listing, wanted: Option<Wanted<'_>>) -> Statement {
    let mut statement = Statement::default();
    let mut conditions = conditions(&mut statement, &listing.filters);
    let queries = wanted.map(|wanted| Queries::bind(&mut statement, wanted));
    conditions.extend(queries.as_ref().map(Queries::condition));
    let (key, direction, beyond) = match listing.sort {
        Sort::Relevance => ("p.score", "desc", "<"),
        Sort::Newest => ("p.created_at", "desc", "<"),
        Sort::PriceAscending => ("p.price_cents", "asc", ">"),
        Sort::PriceDescending => ("p.price_cents", "desc", "<"),
        Sort::Name => ("p.name", "asc", ">"),
    };
    let mut from = "products p".to_owned();
    if let (Sort::Relevance | Sort::Name, Some(queries)) = (listing.sort, &queries) {
        from = format!(
            "(select p.*, {} as score from products p where {} order by p.popularity desc, p.id desc limit {RANKED}) p",
            queries.score(),
            conditions.join(" and "),
        );
        conditions = vec!["true".to_owned()];
    }
    if let Some(cursor) = &listing.cursor {
        let last = match &cursor.key {
            SortKey::Score(score) => statement.bind(*score, Type::FLOAT4),
            SortKey::At(at) => statement.bind(*at, Type::TIMESTAMPTZ),
            SortKey::Price(price) => statement.bind(*price, Type::INT8),
            SortKey::Name(name) => statement.bind(name.clone(), Type::TEXT),
        };
        let id = statement.bind(cursor.id, Type::UUID);
        conditions.push(format!("({key}, p.id) {beyond} ({last}, {id})"));
    }
    let limit = statement.bind(listing.limit + 1, Type::INT8);
    let score = if listing.sort == Sort::Relevance { ", p.score" } else { "" };
    statement.sql = format!(
        "select {COLUMNS}{score} from {from} where {} order by {key} {direction}, p.id {direction} limit {limit}",
        conditions.join(" and "),
    );
    statement
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
