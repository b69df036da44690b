//! What can be chosen from beside a list, counted over a bounded number of products.

use deadpool_postgres::Client;
use tokio_postgres::types::Type;

use super::search::{Queries, Wanted, all, conditions, corrected};
use crate::db::statement::Statement;
use crate::domain::listing::Filters;
use crate::domain::product::{Count, Counts, Facets, PriceCount, ValueCount};
use crate::error::{Error, Result};

/// How many products are looked at for a facet.
const BOUND: i64 = 10_000;

/// Where bands of prices begin, apart from the first.
const BANDS: [i64; 6] = [500, 1000, 2000, 5000, 10_000, 20_000];

/// Facets of what the filters let through, matched as a list of it would be, in as many round trips.
pub async fn facets(client: &Client, filters: &Filters) -> Result<Facets> {
    let Some(question) = &filters.question else { return count(client, filters, None).await };
    let found = count(client, filters, Some(Wanted::Words(question))).await?;
    if found.total.value > 0 {
        return Ok(found);
    }
    match corrected(client, question).await? {
        Some(corrected) => count(client, filters, Some(Wanted::Corrected(&corrected))).await,
        None => Ok(found),
    }
}

/// The statement that counts. A facet is counted over the products that all filters but its own let through; only tags
/// keep theirs, since all that are asked for must match.
pub fn statement(filters: &Filters, wanted: Option<Wanted<'_>>) -> Statement {
    let mut statement = Statement::default();
    let question = wanted.map(|wanted| Queries::bind(&mut statement, wanted).condition().in_indexes());
    let mut sets = Vec::new();
    let mut set = |name: &'static str, filters: &Filters| {
        let mut conditions = conditions(&mut statement, filters);
        conditions.extend(question.clone());
        sets.push(format!(
            "{name} as materialized (select p.category, p.price_cents, p.stock, p.tags from products p where {} \
             order by p.popularity desc, p.id desc limit {})",
            all(&conditions),
            BOUND + 1
        ));
        name
    };
    let matched = set("matched", filters);
    let of_category = match filters.category {
        None => matched,
        Some(_) => set("any_category", &Filters { category: None, ..filters.clone() }),
    };
    let of_price = match (filters.min_price_cents, filters.max_price_cents) {
        (None, None) => matched,
        _ => set("any_price", &Filters { min_price_cents: None, max_price_cents: None, ..filters.clone() }),
    };
    let of_stock = if filters.in_stock {
        set("any_stock", &Filters { in_stock: false, ..filters.clone() })
    } else {
        matched
    };
    let bands = statement.bind(BANDS.to_vec(), Type::INT8_ARRAY);
    let tags = statement.bind(filters.tags.clone(), Type::TEXT_ARRAY);
    statement.sql = format!(
        "with {sets} \
         select 'total' as facet, null as value, count(*) as count from {matched} \
         union all select 'categories', null, count(*) from {of_category} \
         union all (select 'category', category, count(*) from {of_category} \
             group by category order by count(*) desc, category limit 50) \
         union all select 'prices', null, count(*) from {of_price} \
         union all select 'price', width_bucket(price_cents, {bands})::text, count(*) from {of_price} group by 2 \
         union all select 'stock', null, count(*) from {of_stock} \
         union all select 'in_stock', null, count(*) filter (where stock > 0) from {of_stock} \
         union all (select 'tag', tag, count(*) from {matched}, unnest(tags) tag where tag <> all ({tags}) \
             group by tag order by count(*) desc, tag limit 20)",
        sets = sets.join(", "),
    );
    statement
}

async fn count(client: &Client, filters: &Filters, wanted: Option<Wanted<'_>>) -> Result<Facets> {
    let nothing = Count { value: 0, exact: true };
    let mut facets = Facets {
        total: nothing,
        categories: Counts { items: Vec::new(), exact: true },
        prices: Counts { items: Vec::new(), exact: true },
        in_stock: nothing,
        tags: Counts { items: Vec::new(), exact: true },
    };
    let mut bands = [0; BANDS.len() + 1];
    for row in statement(filters, wanted).query(client).await? {
        let (facet, value, count) = (
            row.try_get("facet")?,
            row.try_get::<_, Option<String>>("value")?,
            row.try_get::<_, i64>("count")?,
        );
        let exact = count <= BOUND;
        match (facet, value) {
            ("total", _) => {
                facets.total = Count { value: count.min(BOUND), exact };
                facets.tags.exact = exact;
            }
            ("categories", _) => facets.categories.exact = exact,
            ("prices", _) => facets.prices.exact = exact,
            ("stock", _) => facets.in_stock.exact = exact,
            ("in_stock", _) => facets.in_stock.value = count.min(BOUND),
            ("category", Some(value)) => facets.categories.items.push(ValueCount { value, count }),
            ("tag", Some(value)) => facets.tags.items.push(ValueCount { value, count }),
            ("price", Some(band)) => {
                let band = band.parse().ok().and_then(|band: usize| bands.get_mut(band));
                *band.ok_or_else(|| Error::Internal("a price is in no band".to_owned()))? = count;
            }
            (facet, _) => return Err(Error::Internal(format!("{facet} is no facet"))),
        }
    }
    facets.prices.items = (0..bands.len())
        .map(|n| PriceCount {
            min_price_cents: n.checked_sub(1).map_or(0, |n| BANDS[n]),
            max_price_cents: BANDS.get(n).map(|next| next - 1),
            count: bands[n],
        })
        .collect();
    Ok(facets)
}
