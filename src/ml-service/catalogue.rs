//! The backend's internal streams: the catalogue and what customers did, as NDJSON.
//!
//! Lines are taken one at a time, so that a stream is never in memory as a whole. A stream that breaks or
//! holds a line that is not understood is an error: a model is never trained on half a catalogue.

use std::time::Duration;

use platform::spans::send;
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use crate::interactions::Interaction;
use crate::model::Product;

/// The longest that the backend may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest pause within a stream.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a whole stream may take.
const STREAM_TIMEOUT: Duration = Duration::from_mins(2);
/// The longest line, in bytes; the backend's longest product is well below.
const LINE_LIMIT: usize = 1024 * 1024;
/// How many interactions are handed on at once.
const BATCH: usize = 1_000;

/// A stream could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The backend could not be reached, or the stream broke.
    #[error("the backend's stream failed")]
    Http(#[from] reqwest::Error),
    /// The backend refused.
    #[error("the backend answered {0}")]
    Status(StatusCode),
    /// A line is not what was agreed.
    #[error("line {number} of the backend's stream is not understood")]
    Line {
        /// Counted from one.
        number: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line does not end.
    #[error("line {0} of the backend's stream is longer than {LINE_LIMIT} bytes")]
    LongLine(usize),
    /// More products than may be taken into memory.
    #[error("the backend's catalogue has more than {0} products")]
    TooManyProducts(usize),
}

/// A client of the backend.
#[derive(Clone, Debug)]
pub struct Backend {
    http: reqwest::Client,
    base: Url,
    max_products: usize,
}

impl Backend {
    /// A client of the backend at a base URL, which takes so many products into memory.
    pub fn new(base: Url, max_products: usize) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(STREAM_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, base, max_products })
    }

    /// The whole catalogue.
    pub async fn catalogue(&self) -> Result<Vec<Product>, StreamError> {
        let mut lines = self.stream("internal/catalogue", None).await?;
        let mut products = Vec::new();
        while let Some(product) = lines.next().await? {
            if products.len() == self.max_products {
                return Err(StreamError::TooManyProducts(self.max_products));
            }
            products.push(product);
        }
        Ok(products)
    }

    /// The interactions after a cursor.
    pub async fn interactions(&self, after: Option<&str>) -> Result<Batches, StreamError> {
        Ok(Batches { lines: self.stream("internal/interactions", after).await?, broken: None })
    }

    /// True when the backend's process answers. Its own health asks this service's, so only its liveness may
    /// be asked here.
    pub async fn alive(&self) -> bool {
        let Ok(url) = self.base.join("health/live") else { return false };
        let answer = self.http.get(url).timeout(CONNECT_TIMEOUT).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    async fn stream(&self, path: &'static str, after: Option<&str>) -> Result<Lines, StreamError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        if let Some(cursor) = after {
            url.query_pairs_mut().append_pair("after", cursor);
        }
        let response = send(self.http.get(url), path).await?;
        match response.status() {
            StatusCode::OK => Ok(Lines { response, buffer: Vec::new(), start: 0, number: 0 }),
            status => Err(StreamError::Status(status)),
        }
    }
}

/// Interactions as they come.
pub struct Batches {
    lines: Lines,
    broken: Option<StreamError>,
}

impl Batches {
    /// The next ones; none at the end. Where the stream breaks, what came before is given first and counts, since
    /// the stream can be taken up again after any line.
    pub async fn next(&mut self) -> Result<Vec<Interaction>, StreamError> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            match self.lines.next().await {
                Ok(Some(interaction)) => batch.push(interaction),
                Ok(None) => break,
                Err(error) if batch.is_empty() => return Err(error),
                Err(error) => {
                    self.broken = Some(error);
                    break;
                }
            }
        }
        Ok(batch)
    }
}

struct Lines {
    response: Response,
    buffer: Vec<u8>,
    /// Where in the buffer the next line begins.
    start: usize,
    number: usize,
}

impl Lines {
    async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StreamError> {
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(length) = rest.iter().position(|&byte| byte == b'\n') {
                let line = rest[..length].trim_ascii();
                self.start += length + 1;
                self.number += 1;
                if !line.is_empty() {
                    return parse(line, self.number).map(Some);
                }
                continue;
            }
            if rest.len() > LINE_LIMIT {
                return Err(StreamError::LongLine(self.number + 1));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            let Some(chunk) = self.response.chunk().await? else { break };
            self.buffer.extend_from_slice(&chunk);
        }
        // The last line may lack its end.
        let last = std::mem::take(&mut self.buffer);
        match last.trim_ascii() {
            [] => Ok(None),
            line => parse(line, self.number + 1).map(Some),
        }
    }
}

fn parse<T: DeserializeOwned>(line: &[u8], number: usize) -> Result<T, StreamError> {
    serde_json::from_slice(line).map_err(|source| StreamError::Line { number, source })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::response::Redirect;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// Who answers for the backend could otherwise send the service anywhere inside.
    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new()
            .route("/elsewhere", get(async || ""))
            .fallback(async || Redirect::temporary("/elsewhere"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let backend = Backend::new(base.parse().expect("a URL"), 1).expect("a client");
        let refused = backend.catalogue().await.expect_err("no catalogue");
        assert!(matches!(refused, StreamError::Status(StatusCode::TEMPORARY_REDIRECT)), "{refused}");
    }
}
