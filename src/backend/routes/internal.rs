//! `/internal`: streams for the recommendation service. nginx passes `/api/` alone, so the world does not reach these.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use deadpool_postgres::Client;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use platform::extract::Query;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::db::export::{CatalogueLine, InteractionLine, Position};
use crate::error::{Error, Result};

/// Where the stream of interactions goes on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InteractionsQuery {
    after: Option<String>,
}

/// Newline-delimited JSON, as the database gives the lines: memory does not grow with them. Who reads is told by the
/// connection's end that a stream broke, and the log why.
fn ndjson<L: Serialize>(
    stream: &'static str,
    lines: impl Stream<Item = Result<L>> + Send + 'static,
) -> Response {
    let lines = lines.map(|line| -> Result<Bytes> {
        let mut line = serde_json::to_vec(&line?).map_err(|error| Error::Internal(error.to_string()))?;
        line.push(b'\n');
        Ok(line.into())
    });
    // Larger chunks: a chunk per line would cost more than the line.
    let chunks = lines.ready_chunks(256).map(move |lines| {
        let mut chunk = Vec::with_capacity(32 * 1024);
        for line in lines {
            let line =
                line.inspect_err(|error| tracing::warn!(stream, %error, "an internal stream broke"))?;
            chunk.extend_from_slice(&line);
        }
        Result::<_, Error>::Ok(Bytes::from(chunk))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(chunks)).into_response()
}

/// A page of the catalogue, and where the next one begins.
async fn page(client: Client, after: Uuid) -> Result<(Vec<CatalogueLine>, Option<Uuid>)> {
    let products = db::export::catalogue(&client, after).await?;
    let last = products.last().map(|product| product.id);
    Ok((products, last))
}

/// `GET /internal/catalogue`: every product that is for sale, once. What is edited meanwhile is in it as it was or as it
/// is: who reads it reads it again and again. No connection is held while the reader takes its time.
pub async fn catalogue(State(state): State<AppState>) -> Result<Response> {
    // Before the answer begins: without the database it is an error like any other.
    let (first, last) = page(state.pool.get().await?, Uuid::nil()).await?;
    let rest = stream::try_unfold(last, move |last| {
        let state = state.clone();
        async move {
            let Some(last) = last else { return Ok(None) };
            // Not refused among many requests, for all that was read would have to be read again.
            page(state.pool.get_patiently().await?, last).await.map(Some)
        }
    });
    let pages = stream::once(std::future::ready(Ok(first))).chain(rest);
    let lines = pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten();
    Ok(ndjson("catalogue", lines))
}

/// `GET /internal/interactions?after=`: what customers did since.
pub async fn interactions(
    State(state): State<AppState>,
    Query(query): Query<InteractionsQuery>,
) -> Result<Response> {
    let after = query.after.as_deref().map(Position::parse).transpose()?.unwrap_or_default();
    let client = state.pool.get().await?;
    let horizon = db::export::horizon(&client, after).await?;
    let rows = db::export::interactions(&client, after, horizon).await?;
    let lines = Box::pin(rows).map(move |row| {
        // Owned by the closure, so that the connection lives as long as the stream.
        let _client = &client;
        Ok(InteractionLine::try_from(row?)?)
    });
    Ok(ndjson("interactions", lines))
}
