//! What somebody who is typing may be looking for.

use deadpool_postgres::Client;
use tokio_postgres::types::Type;

use super::search::{Queries, Wanted, near_words};
use super::tiers::best_sellers;
use crate::db::fetch::Fetch;
use crate::db::statement::Statement;
use crate::domain::product::Suggestion;
use crate::domain::question::Question;
use crate::error::Result;

/// How many of the best sellers that match are looked at for names.
const LOOKED_AT: i64 = 200;
/// The most categories among the suggestions.
const CATEGORIES: i64 = 3;

/// The statement that finds categories, then names of products, best sellers first.
pub fn statement(wanted: Wanted<'_>, limit: i64) -> Statement {
    let mut statement = Statement { prepared: true, ..Statement::default() };
    let queries = Queries::bind(&mut statement, wanted).made_once();
    // What is only near to what was typed would crowd out what is closest to it.
    let query = match wanted {
        Wanted::Words(_) => &queries.wide,
        Wanted::Corrected(_) => &queries.narrow,
    };
    let limit = statement.bind(limit, Type::INT8);
    statement.sql = format!(
        "with recursive categories (category) as ( \
             (select p.category from products p where p.archived_at is null order by p.category limit 1) \
             union all \
             select (select p.category from products p where p.archived_at is null and p.category > c.category \
                     order by p.category limit 1) \
             from categories c where c.category is not null), \
         {made}{matched}, \
         named as ( \
             select distinct on (m.name) m.id, m.name, m.popularity from matched m \
             where to_tsvector('english', m.name) @@ {query} order by m.name, m.popularity desc, m.id desc) \
         (select null::uuid as id, c.category as text from categories c \
          where to_tsvector('english', c.category) @@ {query} order by c.category limit least({limit}, {CATEGORIES})) \
         union all \
         (select n.id, n.name from named n order by n.popularity desc, n.id desc limit {limit})",
        made = queries.made,
        matched = best_sellers(
            "matched",
            "p.name",
            &format!("p.archived_at is null and p.search @@ {query}"),
            LOOKED_AT,
        ),
    );
    statement
}

/// Up to `limit` suggestions. One round trip where something has the words as typed; else what may have been meant takes
/// two more.
pub async fn suggestions(client: &Client, question: &Question, limit: i64) -> Result<Vec<Suggestion>> {
    let found = ask(client, Wanted::Words(question), limit).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    let (near, begun) = tokio::try_join!(near_words(client, question), begun_words(client, question))?;
    match question.corrected_while_typed(&near, &begun) {
        Some(corrected) => ask(client, Wanted::Corrected(&corrected), limit).await,
        None => Ok(found),
    }
}

async fn ask(client: &Client, wanted: Wanted<'_>, limit: i64) -> Result<Vec<Suggestion>> {
    let rows = statement(wanted, limit).query(client).await?;
    let suggestions = rows.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|row| {
        let text = row.try_get("text")?;
        Ok(match row.try_get("id")? {
            None => Suggestion::Category { text },
            Some(product_id) => Suggestion::Product { text, product_id },
        })
    });
    Ok(suggestions.collect::<Result<_, tokio_postgres::Error>>()?)
}

/// Words of the catalogue that the unfinished word of a question may be the beginning of, but for an error: those that
/// begin with the same two letters, and those that have much of it.
async fn begun_words(client: &Client, question: &Question) -> Result<Vec<String>> {
    let Some(word) = question.begun() else { return Ok(Vec::new()) };
    let from: String = word.chars().take(2).collect();
    // The last of all that begin so, in the order of bytes.
    let to = format!("{from}{}", char::MAX);
    let sql = "select s.word from search_words s \
               where s.word between $2 and $3 or s.word % $1 or $1 <% s.word \
               order by word_similarity($1, s.word) desc, s.word limit 200";
    let rows = client.fetch_all(sql, &[&word, &from, &to]).await?;
    let words = rows.iter().map(|row| row.try_get("word"));
    Ok(words.collect::<Result<_, tokio_postgres::Error>>()?)
}
