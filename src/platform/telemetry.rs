//! Logs, metrics and traces: set up once by [`init`], sent in full by [`Guard::flush`] at the end.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::metrics::{BoundCounter, Counter, Meter};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Encoder, Registry, TextEncoder};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

mod lines;
mod loki;
mod output;
mod traces;

use lines::Lines;
use output::Output;

pub use crate::trace::current_id as current_trace_id;

/// How long the last spans and log lines may take to be sent at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Where telemetry goes.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// `service.name` of metrics and traces, label `service` of logs.
    pub service: String,
    /// `deployment.environment.name`, label `env` of logs.
    pub environment: String,
    /// Logs on stdout as JSON lines rather than for a person.
    pub json: bool,
    /// A level, or directives such as `info,shopmicro_backend=debug`.
    pub log_level: String,
    /// Loki's base URL.
    pub loki: Option<url::Url>,
    /// The OTLP/HTTP endpoint for traces, with its path.
    pub otlp_traces: Option<url::Url>,
}

impl TelemetryConfig {
    /// The filter that `log_level` describes.
    pub fn log_filter(&self) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
        EnvFilter::try_new(&self.log_level)
    }
}

/// Telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("telemetry: {0}")]
pub struct TelemetryError(String);

/// Keeps telemetry running until [`Guard::flush`].
#[expect(missing_debug_implementations, reason = "tracing-loki's controller has none")]
pub struct Guard {
    metrics: Metrics,
    meters: SdkMeterProvider,
    tracers: SdkTracerProvider,
    loki: Option<loki::Shipper>,
    /// Writes what is left when it is dropped.
    _output: Option<Output>,
}

/// Counts what of a signal reached its receiver, and what was lost on the way. Clones share it.
#[derive(Clone, Debug)]
struct Losses {
    signal: &'static str,
    sent: Counter<u64>,
    dropped: Counter<u64>,
}

impl Losses {
    fn of(signal: &'static str) -> Self {
        let meter = meter();
        let counter = |name, description| meter.u64_counter(name).with_description(description).build();
        let losses = Self {
            signal,
            sent: counter("telemetry.sent", "Log lines and spans that their receiver took"),
            dropped: counter("telemetry.dropped", "Log lines and spans that were lost on the way"),
        };
        // From the beginning, so that the first loss is seen as an increase.
        losses.sent(0);
        losses.dropped(0);
        losses
    }

    fn sent(&self, count: u64) {
        self.sent.add(count, &[KeyValue::new("signal", self.signal)]);
    }

    fn dropped(&self, count: u64) {
        self.dropped.add(count, &[KeyValue::new("signal", self.signal)]);
    }
}

/// Counts the lines of the log by level.
struct Counted([BoundCounter<u64>; 5]);

impl Counted {
    fn new() -> Self {
        let counter = meter().u64_counter("log.records").with_description("Lines on standard output").build();
        Self(LEVELS.map(|level| counter.bind(&[KeyValue::new("level", label(level))])))
    }
}

/// Spans of ours have this level.
const SPANS: LevelFilter = LevelFilter::INFO;

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

impl<S: Subscriber> Layer<S> for Counted {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let place = LEVELS.iter().position(|level| level == event.metadata().level());
        if let Some(counter) = place.and_then(|place| self.0.get(place)) {
            counter.add(1);
        }
    }
}

const fn label(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// What belongs in the log: not what the SDK says of itself, since what it loses is counted and told in `traces`.
fn is_line(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && !metadata.target().starts_with("opentelemetry")
}

/// A span of ours: those of libraries would make traces long and costly.
fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("shopmicro")
}

/// A span that goes into traces: not that of a request whose trace nobody records.
fn is_recorded(metadata: &Metadata<'_>) -> bool {
    is_own_span(metadata) && metadata.target() != crate::http::UNRECORDED
}

/// The span of a request, which gives lines their trace and request whatever their level. What is below it belongs in
/// traces alone: each line would repeat it.
fn is_request(metadata: &Metadata<'_>) -> bool {
    is_own_span(metadata) && metadata.name() == crate::http::REQUEST_SPAN
}

/// What `/metrics` answers from. Clones share it.
#[derive(Clone, Debug)]
pub struct Metrics(Registry);

impl Metrics {
    /// The Prometheus text format (version 0.0.4).
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.0.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be encoded");
        }
        text
    }
}

/// The meter of our own instruments.
#[must_use]
pub fn meter() -> Meter {
    global::meter("shopmicro")
}

fn metrics_provider(resource: Resource) -> Result<(SdkMeterProvider, Metrics), TelemetryError> {
    let registry = Registry::new();
    let failed = |error: prometheus::Error| TelemetryError(error.to_string());
    registry.register(Box::new(ProcessCollector::for_self())).map_err(failed)?;
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .scope_info_enabled(false)
        .build()
        .map_err(|error| TelemetryError(error.to_string()))?;
    let provider = SdkMeterProvider::builder().with_reader(exporter).with_resource(resource).build();
    Ok((provider, Metrics(registry)))
}

/// Metrics alone, for tests and for commands that do not serve.
pub fn metrics_only() -> Result<Metrics, TelemetryError> {
    let (provider, metrics) = metrics_provider(Resource::builder().build())?;
    global::set_meter_provider(provider);
    Ok(metrics)
}

/// Sets up logs, metrics and traces for the process. Must run inside the tokio runtime; call it once.
pub fn init(config: &TelemetryConfig, version: &'static str) -> Result<Guard, TelemetryError> {
    let failed = |error: &dyn std::fmt::Display| TelemetryError(error.to_string());
    let resource = Resource::builder()
        .with_service_name(config.service.clone())
        .with_attributes([
            KeyValue::new("deployment.environment.name", config.environment.clone()),
            KeyValue::new("service.version", version),
        ])
        .build();

    let (meters, metrics) = metrics_provider(resource.clone())?;
    global::set_meter_provider(meters.clone());

    global::set_text_map_propagator(TraceContextPropagator::new());
    // Sampled by parent, which is the SDK's default.
    let mut tracers = SdkTracerProvider::builder().with_resource(resource);
    if let Some(endpoint) = &config.otlp_traces {
        tracers = tracers.with_span_processor(traces::processor(endpoint, &Losses::of("traces"))?);
    }
    let tracers = tracers.build();
    let trace_layer = tracing_opentelemetry::layer()
        .with_tracer(tracers.tracer("shopmicro"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_recorded).with_max_level_hint(SPANS));

    let (loki_layer, loki) = match &config.loki {
        None => (None, None),
        Some(url) => {
            let (layer, shipper) = loki::start(url, config, &Losses::of("logs"))?;
            (Some(layer), Some(shipper))
        }
    };

    let mut output = None;
    let stdout = if config.json {
        let out =
            output.insert(Output::start(std::io::stdout(), &Losses::of("lines")).map_err(|e| failed(&e))?);
        Lines::new(&config.service, out.writer()).boxed()
    } else {
        let ansi = std::io::stdout().is_terminal();
        tracing_subscriber::fmt::layer().with_ansi(ansi).compact().boxed()
    };
    let lines = stdout.and_then(loki_layer).and_then(Counted::new());
    let events = config.log_filter().map_err(|error| failed(&error))?;
    // The hints spare libraries, of which some tell every statement, the question whether anybody listens.
    let most = events.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let filter = events
        .and(filter_fn(is_line).with_max_level_hint(most))
        .or(filter_fn(is_request).with_max_level_hint(SPANS));
    tracing_subscriber::registry()
        .with(trace_layer)
        .with(lines.with_filter(filter))
        .try_init()
        .map_err(|error| failed(&error))?;
    Ok(Guard { metrics, meters, tracers, loki, _output: output })
}

impl Guard {
    /// What `/metrics` shows.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what is still buffered, within a second.
    pub async fn flush(self) {
        let Self { meters, tracers, loki, .. } = self;
        let lines = async {
            if let Some(loki) = loki {
                loki.flush(FLUSH_TIMEOUT).await;
            }
        };
        // The providers block while they flush.
        let spans = tokio::task::spawn_blocking(move || {
            let _ = tracers.shutdown_with_timeout(FLUSH_TIMEOUT);
            let _ = meters.shutdown();
        });
        let ((), _) = tokio::join!(lines, spans);
    }
}
