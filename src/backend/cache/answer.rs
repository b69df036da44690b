//! Answers, as the bytes that clients get.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use super::keys::Stored;
use super::near;
use crate::error::{Error, Result};

/// An answer as clients get it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// JSON.
    pub body: Bytes,
    /// Its tag, where it has one.
    pub etag: Option<HeaderValue>,
}

impl Answer {
    /// A value as JSON, without a tag.
    pub fn of<T: Serialize>(value: &T) -> Result<Self> {
        let body = platform::json::to_bytes(value).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { body, etag: None })
    }
}

/// The tag, the end of a line, and the body.
impl Stored for Answer {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        let tag = self.etag.as_ref().map_or(&[][..], HeaderValue::as_bytes);
        Ok([tag, b"\n", &self.body].concat())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let etag = if end == 0 { None } else { Some(HeaderValue::from_bytes(&bytes[..end]).ok()?) };
        Some(Self { body: Bytes::copy_from_slice(&bytes[end + 1..]), etag })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(tag) = self.etag {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

impl near::Weighed for Answer {
    fn bytes(&self) -> usize {
        self.body.len() + self.etag.as_ref().map_or(0, HeaderValue::len)
    }
}
