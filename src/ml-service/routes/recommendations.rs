//! What to show to whom.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use platform::extract::{Json, Path, Query};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::App;
use crate::cache::{Answer, Key};
use crate::cpu::Caller;
use crate::error::{Error, Result};
use crate::model::blend::Evidence;
use crate::model::{Strategy, Suggestion};
use crate::snapshot::Snapshot;

/// The most that can be asked for. So many are computed and cached whatever the limit, so that one entry
/// serves every limit.
const MOST: usize = 50;

/// How many to answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default = "default_limit", deserialize_with = "limit")]
    limit: usize,
}

fn default_limit() -> usize {
    12
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        limit @ 1..=MOST => Ok(limit),
        _ => Err(D::Error::custom(format_args!("must be from 1 to {MOST}"))),
    }
}

/// How many to answer, and of which category those are that sell, where nothing is known of the customer but
/// where they look.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopularPage {
    #[serde(default = "default_limit", deserialize_with = "limit")]
    limit: usize,
    #[serde(default, deserialize_with = "category")]
    category: Option<String>,
}

/// The longest name of a category, in bytes.
const LONGEST: usize = 400;

fn category<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    let category = String::deserialize(deserializer)?;
    if category.is_empty() || category.len() > LONGEST {
        return Err(D::Error::custom(format_args!("must be of 1 to {LONGEST} bytes")));
    }
    Ok(Some(category))
}

/// Products for a user, or for anybody.
#[derive(Debug, Serialize)]
pub struct Recommendations {
    user_id: Option<Uuid>,
    items: Vec<Suggestion>,
    strategy: Strategy,
    model_version: String,
}

/// Products like another.
#[derive(Debug, Serialize)]
pub struct Similar {
    product_id: Uuid,
    items: Vec<Suggestion>,
    strategy: Strategy,
    model_version: String,
}

/// What fits a user; what sells, where nothing is known of them.
pub async fn for_user(
    State(app): State<App>,
    Path(user_id): Path<Uuid>,
    Query(page): Query<PopularPage>,
) -> Result<Json<Recommendations>> {
    let snapshot = app.ready()?;
    let personal = personal_items(&app, &snapshot, user_id).await?;
    let (answer, strategy) = if personal.is_empty() {
        let bought = app.interactions().user(user_id).map(|(_, history)| history.bought).unwrap_or_default();
        (popular_items(&app, &snapshot, bought, page.category).await?, Strategy::Popular)
    } else {
        (personal, Strategy::Personal)
    };
    Ok(recommendations(&app, Some(user_id), &answer, strategy, &snapshot, page.limit))
}

/// What sells.
pub async fn popular(
    State(app): State<App>,
    Query(page): Query<PopularPage>,
) -> Result<Json<Recommendations>> {
    let snapshot = app.ready()?;
    let answer = popular_items(&app, &snapshot, HashSet::new(), page.category).await?;
    Ok(recommendations(&app, None, &answer, Strategy::Popular, &snapshot, page.limit))
}

/// What is like a product.
pub async fn similar(
    State(app): State<App>,
    Path(product_id): Path<Uuid>,
    Query(page): Query<Page>,
) -> Result<Json<Similar>> {
    let snapshot = app.ready()?;
    if !snapshot.model.knows(product_id) {
        return Err(Error::UnknownProduct(product_id));
    }
    let model = Arc::clone(&snapshot);
    let compute =
        async { Ok(app.pool.run(move || model.model.similar(product_id, MOST).unwrap_or_default()).await?) };
    let answer = app.cache.answer(snapshot.model.version(), Key::Similar(product_id), compute).await?;
    app.instruments.answered(Strategy::Similar);
    Ok(Json(Similar {
        product_id,
        items: first(&answer, page.limit),
        strategy: Strategy::Similar,
        model_version: snapshot.model.version().to_owned(),
    }))
}

async fn personal_items(app: &App, snapshot: &Arc<Snapshot>, user_id: Uuid) -> Result<Answer> {
    let Some(revision) = app.interactions().revision(user_id) else { return Ok(Answer::default()) };
    let compute = async {
        // By now it may be newer than the revision: then the entry is fresher than its key says, which
        // misleads nobody.
        let Some((_, history)) = app.interactions().user(user_id) else { return Ok(Vec::new()) };
        let (snapshot, settings) = (Arc::clone(snapshot), app.settings);
        let (together, ranking) = (app.together(), app.interactions().ranking());
        let compute = move |caller: &Caller<'_, _>| {
            let evidence = Evidence { together: &together, sales: &ranking.sales, most: ranking.most() };
            snapshot.model.personal_while(|| !caller.gone(), &history, evidence, &settings, MOST)
        };
        Ok(app.pool.run_for(compute).await?)
    };
    app.cache.answer(snapshot.model.version(), Key::User(user_id, revision), compute).await
}

async fn popular_items(
    app: &App,
    snapshot: &Arc<Snapshot>,
    excluded: HashSet<Uuid>,
    category: Option<String>,
) -> Result<Answer> {
    let ranking = app.interactions().ranking();
    let revision = Arc::clone(&ranking.revision);
    let everybody = excluded.is_empty() && category.is_none();
    let model = Arc::clone(snapshot);
    let compute = async {
        let popular = move || model.model.popular(&ranking.products, &excluded, category.as_deref(), MOST);
        Ok(app.pool.run(popular).await?)
    };
    // What one customer must not be shown is theirs alone, and anybody could name categories without end: such
    // answers are not worth an entry.
    if everybody {
        app.cache.answer(snapshot.model.version(), Key::Popular(revision), compute).await
    } else {
        Ok(compute.await?.into())
    }
}

fn first(answer: &Answer, limit: usize) -> Vec<Suggestion> {
    answer.iter().take(limit).cloned().collect()
}

fn recommendations(
    app: &App,
    user_id: Option<Uuid>,
    answer: &Answer,
    strategy: Strategy,
    snapshot: &Snapshot,
    limit: usize,
) -> Json<Recommendations> {
    app.instruments.answered(strategy);
    Json(Recommendations {
        user_id,
        items: first(answer, limit),
        strategy,
        model_version: snapshot.model.version().to_owned(),
    })
}
