//! A receiver of traces: what services send to Alloy, in the real encoding.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tokio::net::TcpListener;

/// The kind of a span around a request that was answered: `SPAN_KIND_SERVER` of the protocol.
pub const SERVER: i32 = SpanKind::Server as i32;
/// The kind of a span around a request that was asked of another: `SPAN_KIND_CLIENT`.
pub const CLIENT: i32 = SpanKind::Client as i32;
/// How many spans are kept: the newest, of a shop that is asked for hours.
const KEPT: usize = 50_000;

/// A span as it was received.
#[derive(Clone, Debug)]
pub struct Span {
    /// `service.name` of the resource.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The trace, in hexadecimal digits.
    pub trace_id: String,
    /// Itself, in hexadecimal digits.
    pub span_id: String,
    /// Its parent, in hexadecimal digits; empty where it has none.
    pub parent_id: String,
    /// [`SERVER`], [`CLIENT`] or another, as the protocol numbers them.
    pub kind: i32,
    /// 2 where it failed.
    pub status: i32,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
}

/// Receives spans, and keeps the newest.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    spans: Arc<Mutex<VecDeque<Span>>>,
}

impl Receiver {
    /// A running one, and its port.
    pub async fn start() -> io::Result<(Self, u16)> {
        let receiver = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let router = Router::new().route("/v1/traces", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((receiver, port))
    }

    /// Where services send their traces to, whose receiver has this port.
    pub fn endpoint(port: u16) -> String {
        format!("http://127.0.0.1:{port}/v1/traces")
    }

    /// What has come of a trace so far.
    pub fn of_trace(&self, trace_id: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.iter().filter(|span| span.trace_id == trace_id).cloned().collect()
    }
}

async fn take(State(receiver): State<Receiver>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut spans = receiver.spans.lock().unwrap_or_else(PoisonError::into_inner);
    for part in request.resource_spans {
        let resource = part.resource.map(|resource| attributes(resource.attributes)).unwrap_or_default();
        let service = resource.get("service.name").cloned().unwrap_or_default();
        for span in part.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            if spans.len() == KEPT {
                spans.pop_front();
            }
            spans.push_back(Span {
                service: service.clone(),
                name: span.name,
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                parent_id: hex(&span.parent_span_id),
                kind: span.kind,
                status: span.status.map_or(0, |status| status.code),
                attributes: attributes(span.attributes),
            });
        }
    }
    StatusCode::OK
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        _ => String::new(),
    };
    pairs.into_iter().map(|pair| (pair.key, text(pair.value.and_then(|value| value.value)))).collect()
}
