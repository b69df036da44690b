//! How the catalogue is asked: conditions and full-text search, in statements that are put together for each question.
//!
//! Most of these statements are not prepared. There are too many of them to be kept, and the planner must see the values:
//! the index that serves a narrow range of prices is not the one that serves a wide one. Those that ask for words alone are
//! few, and have one plan for all words ([`super::tiers`]).

use deadpool_postgres::Client;
use tokio_postgres::types::Type;

use super::tiers::in_any;
use crate::db::fetch::Fetch;
use crate::db::statement::Statement;
use crate::domain::listing::Filters;
use crate::domain::question::{Corrected, Question};
use crate::error::Result;

/// How a question is put to the full-text index.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// As it was typed.
    Words(&'a Question),
    /// As it may have been meant.
    Corrected(&'a Corrected),
}

/// Two queries as SQL: whoever fits the narrow one fits the wide one and counts more.
pub(super) struct Queries {
    pub(super) narrow: String,
    pub(super) wide: String,
    /// A common table expression that they refer to, with a comma after it, or nothing.
    pub(super) made: String,
}

impl Queries {
    pub(super) fn bind(statement: &mut Statement, wanted: Wanted<'_>) -> Self {
        match wanted {
            Wanted::Words(question) => {
                let text = statement.bind(question.text().to_owned(), Type::TEXT);
                let unfinished = statement.bind(question.unfinished().map(str::to_owned), Type::TEXT);
                Self {
                    narrow: format!("websearch_to_tsquery('english', {text})"),
                    wide: format!("unfinished_tsquery({text}, {unfinished})"),
                    made: String::new(),
                }
            }
            Wanted::Corrected(corrected) => {
                let narrow = statement.bind(corrected.close.clone(), Type::TEXT);
                let wide = statement.bind(corrected.wide.clone(), Type::TEXT);
                Self {
                    narrow: format!("to_tsquery('english', {narrow})"),
                    wide: format!("to_tsquery('english', {wide})"),
                    made: String::new(),
                }
            }
        }
    }

    /// The same for a statement that is prepared: PostgreSQL makes them once, and not for every row.
    pub(super) fn made_once(self) -> Self {
        let Self { narrow, wide, .. } = self;
        Self {
            narrow: "(select a.narrow from asked a)".to_owned(),
            wide: "(select a.wide from asked a)".to_owned(),
            made: format!("asked as materialized (select {narrow} as narrow, {wide} as wide), "),
        }
    }

    /// The condition on `p`.
    pub(super) fn condition(&self) -> Condition {
        Condition { about: About::Question, sql: format!("p.search @@ {}", self.wide) }
    }

    /// The score of `p`: a whole word counts more than the beginning of one, and so does a closer one.
    pub(super) fn score(&self) -> String {
        format!("ts_rank(p.search, {}) + ts_rank(p.search, {})", self.narrow, self.wide)
    }
}

/// A condition on `p`, by what it is about.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) about: About,
    pub(super) sql: String,
}

impl Condition {
    /// The same so that it can be answered from indexes: of words, each tier has its own.
    pub(super) fn in_indexes(&self) -> Self {
        match self.about {
            About::Question => Self { sql: in_any(&self.sql), ..*self },
            _ => self.clone(),
        }
    }
}

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Sale,
    Category,
    Tags,
    Price,
    Stock,
    Question,
    /// Where a page begins.
    Position,
}

/// The conditions as one.
pub(super) fn all<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> String {
    conditions.into_iter().map(|condition| condition.sql.as_str()).collect::<Vec<_>>().join(" and ")
}

/// What the filters demand of `p`, apart from the question.
pub(super) fn conditions(statement: &mut Statement, filters: &Filters) -> Vec<Condition> {
    let mut conditions = vec![Condition { about: About::Sale, sql: "p.archived_at is null".to_owned() }];
    let mut add = |about, sql| conditions.push(Condition { about, sql });
    if let Some(category) = &filters.category {
        add(About::Category, format!("p.category = {}", statement.bind(category.clone(), Type::TEXT)));
    }
    if !filters.tags.is_empty() {
        add(About::Tags, format!("p.tags @> {}", statement.bind(filters.tags.clone(), Type::TEXT_ARRAY)));
    }
    if let Some(price) = filters.min_price_cents {
        add(About::Price, format!("p.price_cents >= {}", statement.bind(price, Type::INT8)));
    }
    if let Some(price) = filters.max_price_cents {
        add(About::Price, format!("p.price_cents <= {}", statement.bind(price, Type::INT8)));
    }
    if filters.in_stock {
        add(About::Stock, "p.stock > 0".to_owned());
    }
    conditions
}

/// A question with other spellings of words that the catalogue does not have; nothing where it has none near them.
pub async fn corrected(client: &Client, question: &Question) -> Result<Option<Corrected>> {
    Ok(question.corrected(&near_words(client, question).await?))
}

/// The words of the catalogue that are near the words of a question, or the same: pairs of a word of the question and one
/// of the catalogue.
pub async fn near_words(client: &Client, question: &Question) -> Result<Vec<(String, String)>> {
    let words = question.to_look_up();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let sql = include_str!("near_words.sql");
    let rows = client.fetch_all(sql, &[&words]).await?;
    let pairs = rows.iter().map(|row| Ok((row.try_get("word")?, row.try_get("near")?)));
    Ok(pairs.collect::<Result<_, tokio_postgres::Error>>()?)
}
