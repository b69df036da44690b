//! `/internal`: streams for the recommendation service. nginx passes `/api/` alone, so the world does not reach these.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use platform::extract::Query;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Row, RowStream};

use crate::AppState;
use crate::db;
use crate::db::export::{CatalogueLine, InteractionLine, Position};
use crate::error::Result;

/// Where the stream of interactions goes on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InteractionsQuery {
    after: Option<String>,
}

/// Newline-delimited JSON, row by row as the database sends it: memory does not grow with the catalogue. The
/// connection goes back to the pool when the stream ends.
fn ndjson<L>(client: deadpool_postgres::Client, rows: RowStream) -> Response
where
    L: Serialize + TryFrom<Row, Error = tokio_postgres::Error> + Send + 'static,
{
    let lines = Box::pin(rows).map(move |row| -> Result<Bytes, axum::BoxError> {
        // Owned by the closure, so that the connection lives as long as the stream.
        let _client = &client;
        let mut line = serde_json::to_vec(&L::try_from(row?)?)?;
        line.push(b'\n');
        Ok(line.into())
    });
    // Larger chunks: a chunk per row would cost more than the row.
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(chunks(lines))).into_response()
}

fn chunks(
    lines: impl Stream<Item = Result<Bytes, axum::BoxError>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, axum::BoxError>> + Send + 'static {
    lines.ready_chunks(256).map(|lines| {
        let mut chunk = Vec::with_capacity(32 * 1024);
        for line in lines {
            chunk.extend_from_slice(&line?);
        }
        Ok(chunk.into())
    })
}

/// `GET /internal/catalogue`: every product that is for sale.
pub async fn catalogue(State(state): State<AppState>) -> Result<Response> {
    let client = state.pool.get().await?;
    let rows = db::export::catalogue(&client).await?;
    Ok(ndjson::<CatalogueLine>(client, rows))
}

/// `GET /internal/interactions?after=`: what customers did since.
pub async fn interactions(
    State(state): State<AppState>,
    Query(query): Query<InteractionsQuery>,
) -> Result<Response> {
    let after = query.after.as_deref().map(Position::parse).transpose()?.unwrap_or_default();
    let client = state.pool.get().await?;
    db::export::check_position(&client, after).await?;
    let rows = db::export::interactions(&client, after).await?;
    Ok(ndjson::<InteractionLine>(client, rows))
}
