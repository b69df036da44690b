//! Extractors like axum's, which refuse bad input in the API's error shape and name the field.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http::BODY_LIMIT;
use crate::problem::{FieldError, Problem};

/// How long a body may take to arrive; less than the whole request may take. A proxy that collects bodies first, as
/// nginx does, never comes near it.
const BODY_DEADLINE: Duration = Duration::from_secs(4);

/// A JSON body in, or out.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// The query string; unknown parameters are refused where the type denies unknown fields, as all of ours do.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// Parameters of the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match crate::json::to_bytes(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                Problem::internal().into_response()
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body must be JSON",
            )
            .detail("send Content-Type: application/json"));
        }
        let too_large = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large");
        // Where the length is told, none of it is waited for.
        let told =
            request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if told.is_some_and(|length: usize| length > BODY_LIMIT) {
            return Err(too_large());
        }
        let bytes = axum::body::Bytes::from_request(request, state);
        let bytes = tokio::time::timeout(BODY_DEADLINE, bytes).await.map_err(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", "The body did not arrive in time")
        })?;
        let bytes = bytes.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                too_large()
            } else {
                Problem::bad_request("the body could not be read")
            }
        })?;
        // Derived types also take an array of their fields in order, which nobody means to send.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(Problem::invalid(vec![FieldError::new("body", "must be an object")]));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| body_problem(&error))?;
        json.end().map_err(|error| Problem::bad_request(format!("malformed JSON: {error}")))?;
        Ok(Self(value))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn body_problem(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if inner.is_data() {
        // serde_json appends the position, which says nothing to somebody who sees the field's name.
        let text = inner.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        Problem::invalid(vec![field_error(&error.path().to_string(), message)])
    } else {
        Problem::bad_request(format!("malformed JSON: {inner}"))
    }
}

/// Names the field: an unknown or missing one is in the message between backticks, any other is the path itself.
fn field_error(path: &str, message: &str) -> FieldError {
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix)?.split('`').next());
    let parent = if path == "." { "" } else { path };
    match named {
        Some(name) if parent.is_empty() || parent == name || parent.ends_with(&format!(".{name}")) => {
            FieldError::new(if parent.is_empty() { name } else { parent }, message)
        }
        Some(name) => FieldError::new(format!("{parent}.{name}"), message),
        None if parent.is_empty() => FieldError::new("body", message),
        None => FieldError::new(parent, message),
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// Reads a query string: for handlers that look first whether they must.
    #[expect(
        clippy::result_large_err,
        reason = "a problem is an answer, made once where a request is refused"
    )]
    pub fn parse(query: &str) -> Result<Self, Problem> {
        if query.len() > 2048 {
            return Err(Problem::bad_request("the query string is longer than 2048 bytes"));
        }
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let deserializer = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let field = field_error(&error.path().to_string(), &error.inner().to_string());
            Problem::bad_request(format!("query parameter {}: {}", field.field, field.message))
                .errors(vec![field])
        })
    }
}

#[expect(clippy::disallowed_types, reason = "this is the wrapper that everyone else uses")]
impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::bad_request(rejection.body_text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only refusals are looked at")]
    struct Address {
        city: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only refusals are looked at")]
    struct Order {
        address: Address,
        quantity: u8,
    }

    async fn refuse(content_type: &str, body: &str) -> Problem {
        let request = Request::builder()
            .header("content-type", content_type)
            .body(Body::from(body.to_owned()))
            .expect("request");
        Json::<Order>::from_request(request, &()).await.expect_err("refused")
    }

    #[tokio::test]
    async fn the_field_is_named() {
        for (body, field) in [
            (r#"{"address":{"city":"x","zip":1},"quantity":1}"#, "address.zip"),
            (r#"{"address":{"city":5},"quantity":1}"#, "address.city"),
            (r#"{"address":{},"quantity":1}"#, "address.city"),
            (r#"{"address":{"city":"x"},"quantity":-1}"#, "quantity"),
            (r#"{"address":{"city":"x"}}"#, "quantity"),
            (r#"{"address":{"city":"x"},"quantity":1,"x":1}"#, "x"),
        ] {
            let problem = refuse("application/json; charset=utf-8", body).await;
            assert_eq!(problem.status, 422, "{body}");
            assert_eq!(problem.errors[0].field, field, "{body}: {}", problem.errors[0].message);
        }
    }

    #[tokio::test]
    async fn malformed_json_and_other_types_are_refused() {
        assert_eq!(refuse("application/json", "{").await.status, 400);
        let trailing = r#"{"address":{"city":"x"},"quantity":1} x"#;
        assert_eq!(refuse("application/json", trailing).await.status, 400);
        assert_eq!(refuse("application/json", r#"[["x"],1]"#).await.status, 422);
        assert_eq!(refuse("text/plain", "{}").await.status, 415);
    }

    #[tokio::test]
    async fn a_query_parameter_is_named() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Page {
            #[expect(dead_code, reason = "only its refusal is looked at")]
            limit: u8,
        }
        for (query, field) in
            [("limit=x", "limit"), ("limit=1&colour=red", "colour"), ("limit=1&limit=2", "limit")]
        {
            let request = Request::builder().uri(format!("/?{query}")).body(Body::empty()).expect("request");
            let (mut parts, _) = request.into_parts();
            let result = Query::<Page>::from_request_parts(&mut parts, &()).await;
            let problem = result.expect_err("refused");
            assert_eq!((problem.status, problem.errors[0].field.as_str()), (400, field));
        }
    }
}
