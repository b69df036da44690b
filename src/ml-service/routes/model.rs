//! The model itself.

use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use platform::extract::{Json, Query};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::error::{Error, Result};
use crate::model::quality::Quality;
use crate::snapshot::Training;

/// No parameters: any is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// What the model was made of, and what its training is at.
#[derive(Debug, Serialize)]
pub struct Description {
    /// Null before there is a first model, as is when it was trained.
    model_version: Option<String>,
    trained_at: Option<Timestamp>,
    products: usize,
    terms: usize,
    interactions: u64,
    users: usize,
    /// Null until it was measured, some time after something was sold.
    quality: Option<Quality>,
    training: Training,
}

/// What became of a request to train.
#[derive(Debug, Serialize)]
pub struct Retraining {
    status: Progress,
    /// The model that answers for now; none before the first was trained.
    model_version: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Progress {
    /// It has begun, or will as soon as the reading of the catalogue that is under way has ended.
    Started,
    /// One that was asked for before has not ended.
    AlreadyRunning,
}

/// Tells about the current model, and about the training of the first one before there is any.
pub async fn show(State(app): State<App>, Query(NoParameters {}): Query<NoParameters>) -> Json<Description> {
    let snapshot = app.snapshots.current();
    let interactions = app.interactions();
    Json(Description {
        model_version: snapshot.as_ref().map(|snapshot| snapshot.model.version().to_owned()),
        trained_at: snapshot.as_ref().map(|snapshot| snapshot.trained_at),
        products: snapshot.as_ref().map_or(0, |snapshot| snapshot.model.products()),
        terms: snapshot.as_ref().map_or(0, |snapshot| snapshot.model.terms()),
        interactions: interactions.count(),
        users: interactions.users(),
        quality: app.quality(),
        training: app.snapshots.training(),
    })
}

/// Reads the catalogue and trains on it in the background, for who has the internal token.
pub async fn retrain(
    State(app): State<App>,
    headers: HeaderMap,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<(StatusCode, Json<Retraining>)> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !app.trusts(shown.and_then(|value| value.strip_prefix("Bearer "))) {
        return Err(Error::Unauthorized);
    }
    let model_version = app.snapshots.current().map(|snapshot| snapshot.model.version().to_owned());
    let status = match app.snapshots.wish() {
        None => Progress::AlreadyRunning,
        Some(wish) => {
            let background = app.clone();
            app.lifecycle.spawn(async move {
                if let Err(error) = background.snapshots.retrain(wish, &background.backend).await {
                    background.instruments.stream_failed("catalogue");
                    let error = format!("{:#}", anyhow::Error::from(error));
                    tracing::error!(error, "retraining failed; the model before stays");
                }
            });
            Progress::Started
        }
    };
    Ok((StatusCode::ACCEPTED, Json(Retraining { status, model_version })))
}
