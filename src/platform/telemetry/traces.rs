//! Spans to the receiver of traces, counted: the batch processor of the SDK forgets what it has no room for, and what
//! the receiver did not take, without a figure that could be watched.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};
use url::Url;

use super::{Losses, TelemetryError};

/// The most spans that wait or are on their way.
const WAITING: usize = 4096;
/// How long the receiver may take to answer.
const DEADLINE: Duration = Duration::from_secs(3);
/// How long spans are gathered.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives the SDK's batch processor no more spans than it has room for.
#[derive(Debug)]
pub(super) struct Bounded {
    inner: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    losses: Losses,
}

/// What sends spans to this OTLP/HTTP endpoint.
pub(super) fn processor(endpoint: &Url, losses: &Losses) -> Result<Bounded, TelemetryError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint.as_str())
        .with_timeout(DEADLINE)
        .build()
        .map_err(|error| TelemetryError(format!("traces: {error}")))?;
    let waiting = Arc::new(AtomicUsize::new(0));
    let exporter = Counted {
        inner: exporter,
        waiting: Arc::clone(&waiting),
        failing: AtomicBool::new(false),
        losses: losses.clone(),
    };
    let batches = BatchConfigBuilder::default().with_max_queue_size(WAITING).with_scheduled_delay(PAUSE);
    let inner = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build();
    Ok(Bounded { inner, waiting, losses: losses.clone() })
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let more = |waiting| (waiting < WAITING).then_some(waiting + 1);
        if self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok() {
            self.inner.on_end(span);
        } else {
            self.losses.dropped(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Counts what the receiver took and what it did not.
#[derive(Debug)]
struct Counted<E> {
    inner: E,
    waiting: Arc<AtomicUsize>,
    failing: AtomicBool,
    losses: Losses,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.inner.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::AcqRel);
        match &result {
            Ok(()) => self.losses.sent(spans as u64),
            Err(_) => self.losses.dropped(spans as u64),
        }
        // The SDK reports every failure, as an error; here the first of a row is told.
        let failed = self.failing.swap(result.is_err(), Ordering::AcqRel);
        match &result {
            Err(error) if !failed => tracing::warn!(%error, "the receiver of traces does not take spans"),
            Ok(()) if failed => tracing::info!("the receiver of traces takes spans again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
