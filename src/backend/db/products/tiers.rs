//! Tiers: products by how well they sell, each tier a few times as large as those before and with a full-text index of its
//! own. The best sellers among what matches a question are looked for tier by tier, so that a search looks at about as many
//! products in a catalogue of millions as in one of thousands.

use std::fmt::Write;

use deadpool_postgres::Transaction;

use crate::db::fetch::Fetch;
use crate::error::Result;

/// The last tier, which has whatever is in none of those before: `tiers.sql` says where these end.
const LAST: usize = 5;

/// The key of the advisory lock under which products are sorted into tiers.
const LOCK: i64 = 0x0073_686f_7074_6965;

/// Moves up to `most` products to the tiers where they belong, and returns how many. Those that are being sold are passed
/// over. In a transaction, since the whole order of sales is looked at, which may take longer than any request.
pub async fn sort(transaction: &Transaction<'_>, most: i64) -> Result<u64> {
    transaction.batch_execute("set local statement_timeout = 9000").await?;
    Ok(transaction.run(include_str!("tiers.sql"), &[&most, &LOCK]).await?)
}

/// Common table expressions of which the last has this name: these columns of the `most` best sellers among all products
/// `p` that the conditions, a question among them, let through. A tier is looked at where those before it had too few.
pub(super) fn best_sellers(name: &str, columns: &str, conditions: &str, most: i64) -> String {
    let mut expressions = String::new();
    for tier in 0..=LAST {
        let mut few = String::new();
        let mut found = format!("count(*) as found from {name}_{tier}");
        if let Some(before) = tier.checked_sub(1) {
            let before = format!("(select f.found from {name}_{before}_found f)");
            few = format!(" and {before} < {most}");
            found = format!("{before} + {found}");
        }
        // By words, all of a tier: the planner would at times rather go through the order of sales, which it takes for
        // short where words are seldom together. Only of the last tier, which has all of a large catalogue before it has
        // been sorted, all may match.
        let sales = if tier < LAST { "p.popularity + 0" } else { "p.popularity" };
        let _ = write!(
            expressions,
            "{name}_{tier} as materialized (select {columns}, p.popularity, p.id from products p \
             where p.tier = {tier} and {conditions}{few} order by {sales} desc, p.id desc limit {most}), "
        );
        if tier < LAST {
            let _ = write!(expressions, "{name}_{tier}_found as materialized (select {found}), ");
        }
    }
    let all =
        (0..=LAST).map(|tier| format!("select * from {name}_{tier}")).collect::<Vec<_>>().join(" union all ");
    let _ = write!(
        expressions,
        "{name} as materialized (select * from ({all}) p order by p.popularity desc, p.id desc limit {most})"
    );
    expressions
}

/// A condition on words so that the indexes of all tiers together answer it.
pub(super) fn in_any(condition: &str) -> String {
    let tiers: Vec<String> = (0..=LAST).map(|tier| format!("p.tier = {tier} and {condition}")).collect();
    format!("({})", tiers.join(" or "))
}
