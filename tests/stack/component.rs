//! The parts of the stack, and the connections between them.

use clap::ValueEnum;

/// A part of the stack, in the order in which they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Component {
    /// Logs.
    Loki,
    /// Metrics, rules and alerts.
    Mimir,
    /// Traces.
    Tempo,
    /// Takes traces, and hands on those worth keeping.
    Alloy,
    /// The database.
    Postgres,
    /// Sessions and caches.
    Redis,
    /// The API.
    Backend,
    /// A second replica of the API, in stacks that ask for it.
    BackendReplica,
    /// Recommendations.
    MlService,
    /// The web server with the shop's pages.
    Nginx,
    /// Figures of the database.
    PostgresExporter,
    /// Figures of Redis.
    RedisExporter,
    /// Figures of the web server.
    NginxExporter,
    /// Asks everything for metrics.
    Prometheus,
    /// Shows it all.
    Grafana,
}

impl Component {
    /// All of them, in the order in which they start.
    pub const ALL: [Self; 15] = [
        Self::Loki,
        Self::Mimir,
        Self::Tempo,
        Self::Alloy,
        Self::Postgres,
        Self::Redis,
        Self::Backend,
        Self::BackendReplica,
        Self::MlService,
        Self::Nginx,
        Self::PostgresExporter,
        Self::RedisExporter,
        Self::NginxExporter,
        Self::Prometheus,
        Self::Grafana,
    ];

    /// Those that make a shop.
    pub const SHOP: [Self; 5] = [Self::Postgres, Self::Redis, Self::Backend, Self::MlService, Self::Nginx];

    /// Those that watch it.
    pub const OBSERVABILITY: [Self; 6] = [
        Self::Loki,
        Self::Mimir,
        Self::PostgresExporter,
        Self::RedisExporter,
        Self::NginxExporter,
        Self::Prometheus,
    ];

    /// Those that also watch it where their programs are, as in the Nix shell.
    pub const WHERE_THERE: [Self; 3] = [Self::Tempo, Self::Alloy, Self::Grafana];

    pub(crate) fn watches(self) -> bool {
        Self::OBSERVABILITY.contains(&self) || Self::WHERE_THERE.contains(&self)
    }

    /// Its name in messages and of its log file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loki => "loki",
            Self::Mimir => "mimir",
            Self::Tempo => "tempo",
            Self::Alloy => "alloy",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Backend => "backend",
            Self::BackendReplica => "backend-replica",
            Self::MlService => "ml-service",
            Self::Nginx => "nginx",
            Self::PostgresExporter => "postgres-exporter",
            Self::RedisExporter => "redis-exporter",
            Self::NginxExporter => "nginx-exporter",
            Self::Prometheus => "prometheus",
            Self::Grafana => "grafana",
        }
    }
}

/// A connection between two components, which a test may cut: who asks, and who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Edge {
    /// The backend's to PostgreSQL.
    BackendToPostgres,
    /// The backend's to Redis.
    BackendToRedis,
    /// The backend's to ml-service.
    BackendToMlService,
    /// ml-service's to Redis.
    MlServiceToRedis,
    /// ml-service's to the backend.
    MlServiceToBackend,
}

impl Edge {
    pub(crate) const ALL: [Self; 5] = [
        Self::BackendToPostgres,
        Self::BackendToRedis,
        Self::BackendToMlService,
        Self::MlServiceToRedis,
        Self::MlServiceToBackend,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BackendToPostgres => "backend-to-postgres",
            Self::BackendToRedis => "backend-to-redis",
            Self::BackendToMlService => "backend-to-ml-service",
            Self::MlServiceToRedis => "ml-service-to-redis",
            Self::MlServiceToBackend => "ml-service-to-backend",
        }
    }

    pub(crate) const fn target(self) -> Component {
        match self {
            Self::BackendToPostgres => Component::Postgres,
            Self::BackendToRedis | Self::MlServiceToRedis => Component::Redis,
            Self::BackendToMlService => Component::MlService,
            Self::MlServiceToBackend => Component::Backend,
        }
    }
}
