//! Health answers: liveness, readiness and the state of each dependency.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use opentelemetry::KeyValue;
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::Json;
use crate::shutdown::Lifecycle;

/// How long a dependency may take to answer before it counts as down.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// The state of a service or of something it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Works.
    Ok,
    /// Works without something that it can do without for a while.
    Degraded,
    /// Does not work.
    Unavailable,
}

/// One dependency as it was seen just now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Dependency {
    /// Whether it answered.
    pub status: Status,
    /// How long the probe took, in milliseconds.
    pub latency_ms: f64,
    /// Without it the service cannot do its main work.
    pub required: bool,
    /// The connections to it, where there is a pool of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolUse>,
}

/// How a pool of connections is used.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct PoolUse {
    /// The most connections that there may be.
    pub max: usize,
    /// Connections that there are.
    pub open: usize,
    /// Of those, how many nobody uses.
    pub idle: usize,
    /// Requests that wait for one.
    pub waiting: usize,
}

impl Dependency {
    /// The same dependency with its pool.
    #[must_use]
    pub fn with_pool(self, pool: PoolUse) -> Self {
        Self { pool: Some(pool), ..self }
    }
}

/// The answer of `/health`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Health {
    /// The service as a whole.
    pub status: Status,
    /// The version of the program.
    pub version: &'static str,
    /// For how long the service has run, in seconds.
    pub uptime_seconds: u64,
    /// Each dependency.
    pub dependencies: BTreeMap<&'static str, Dependency>,
}

/// Probes a dependency with a deadline.
pub async fn probe(required: bool, check: impl Future<Output = bool>) -> Dependency {
    let start = Instant::now();
    let up = tokio::time::timeout(PROBE_TIMEOUT, check).await.unwrap_or(false);
    Dependency {
        status: if up { Status::Ok } else { Status::Unavailable },
        latency_ms: (start.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        required,
        pool: None,
    }
}

impl Health {
    /// Sums up: a required dependency that is down makes the service unavailable, another one makes it degraded.
    #[must_use]
    pub fn new(
        version: &'static str,
        lifecycle: &Lifecycle,
        dependencies: BTreeMap<&'static str, Dependency>,
    ) -> Self {
        let down = |d: &&Dependency| d.status == Status::Unavailable;
        let status = if dependencies.values().filter(down).any(|d| d.required) {
            Status::Unavailable
        } else if dependencies.values().any(|d| down(&d)) {
            Status::Degraded
        } else {
            Status::Ok
        };
        Self { status, version, uptime_seconds: lifecycle.uptime().as_secs(), dependencies }
    }
}

/// How often a service looks at its dependencies when nobody asks.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// Looks again and again, and shows each dependency as a metric: 1 where it answered.
pub async fn watch(look: impl AsyncFn() -> Health) {
    let up = crate::telemetry::meter()
        .i64_gauge("shop.dependency.up")
        .with_description("Whether the dependency answered when it was last looked at")
        .build();
    loop {
        for (name, dependency) in look().await.dependencies {
            let answered = i64::from(dependency.status == Status::Ok);
            up.record(answered, &[KeyValue::new("dependency", name)]);
        }
        tokio::time::sleep(WATCH_INTERVAL).await;
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let code = match self.status {
            Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Status::Ok | Status::Degraded => StatusCode::OK,
        };
        (code, Json(self)).into_response()
    }
}

/// `/health/live`: the process runs and its event loop turns. It asks no dependency, so that a lost database never
/// makes an orchestrator restart every replica.
pub async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

/// Asks `/health/live` of the service that listens there; what the `healthcheck` subcommand runs inside an image.
pub async fn check(mut listen: SocketAddr) -> Result<(), reqwest::Error> {
    match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    reqwest::Client::builder()
        .timeout(Duration::from_secs(2))
        .build()?
        .get(format!("http://{listen}/health/live"))
        .send()
        .await?
        .error_for_status()?;
    Ok(())
}
