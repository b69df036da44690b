//! Logs, metrics and traces: set up once by [`init`], sent in full by [`Guard::flush`] at the end.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::metrics::Meter;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::{Encoder, Registry, TextEncoder};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How long the last spans and log lines may take to be sent at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

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
    loki: Option<(tracing_loki::BackgroundTaskController, tokio::task::JoinHandle<()>)>,
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

/// The trace id of the current request, as 32 hexadecimal digits.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

fn metrics_provider(resource: Resource) -> Result<(SdkMeterProvider, Metrics), TelemetryError> {
    let registry = Registry::new();
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
    let mut tracers = SdkTracerProvider::builder().with_resource(resource);
    if let Some(endpoint) = &config.otlp_traces {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_timeout(Duration::from_secs(3))
            .build()
            .map_err(|error| failed(&error))?;
        tracers = tracers.with_batch_exporter(exporter);
    }
    let tracers = tracers.build();
    let trace_layer = tracing_opentelemetry::layer()
        .with_tracer(tracers.tracer("shopmicro"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);

    let (loki_layer, loki) = match &config.loki {
        None => (None, None),
        Some(url) => {
            let (layer, controller, task) = tracing_loki::builder()
                .label("service", config.service.clone())
                .and_then(|builder| builder.label("env", config.environment.clone()))
                .and_then(|builder| builder.build_controller_url(url.clone()))
                .map_err(|error| failed(&error))?;
            (Some(layer), Some((controller, tokio::spawn(task))))
        }
    };

    let stdout = tracing_subscriber::fmt::layer().with_ansi(std::io::stdout().is_terminal());
    let stdout = if config.json {
        stdout.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        stdout.compact().boxed()
    };
    tracing_subscriber::registry()
        .with(config.log_filter().map_err(|error| failed(&error))?)
        .with(trace_layer)
        .with(stdout)
        .with(loki_layer)
        .try_init()
        .map_err(|error| failed(&error))?;
    Ok(Guard { metrics, meters, tracers, loki })
}

impl Guard {
    /// What `/metrics` shows.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what is still buffered, within two seconds for each receiver.
    pub async fn flush(self) {
        let Self { meters, tracers, loki, .. } = self;
        if let Some((controller, task)) = loki {
            controller.shutdown().await;
            if tokio::time::timeout(FLUSH_TIMEOUT, task).await.is_err() {
                tracing::warn!("the last log lines did not reach Loki in time");
            }
        }
        // The providers block while they flush.
        let providers = tokio::task::spawn_blocking(move || {
            let _ = tracers.shutdown_with_timeout(FLUSH_TIMEOUT);
            let _ = meters.shutdown();
        });
        let _ = tokio::time::timeout(FLUSH_TIMEOUT * 2, providers).await;
    }
}
