//! The backend's configuration.

use std::time::Duration;

use platform::client::TrustedProxies;
use platform::config::{ConfigError, Env, Secret, ServiceConfig};
use platform::http::Origins;
use platform::limits::Quota;
use url::Url;

use crate::limits::Quotas;

/// Everything that the backend is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen, in which mode, how to report.
    pub service: ServiceConfig,
    /// The database's URL, with its password.
    pub postgres_url: Secret,
    /// The largest number of connections to the database.
    pub postgres_pool_size: usize,
    /// Redis' URL, perhaps with a password.
    pub redis_url: Secret,
    /// What goes before every key in Redis.
    pub redis_prefix: String,
    /// The recommendation service's base URL.
    pub ml_service_url: Url,
    /// What the recommendation service wants to see before it trains.
    pub internal_token: Option<Secret>,
    /// How long an order may wait for its payment, in minutes, before it is called off.
    pub order_expiry: Duration,
    /// Bring the schema up to date before serving.
    pub migrate_on_start: bool,
    /// Other sites whose pages may use the API; none unless they are named.
    pub cors_origins: Origins,
    /// How many requests of each class a client may send.
    pub rate_limits: Quotas,
    /// The proxies that tell who the client is.
    pub trusted_proxies: TrustedProxies,
    /// How long the server still accepts requests after it was told to stop, in seconds: what a load balancer needs
    /// to notice.
    pub shutdown_delay: Duration,
}

impl Config {
    /// Reads the environment.
    pub fn read(env: &mut Env) -> Result<Self, ConfigError> {
        let service = ServiceConfig::read(env, "shopmicro-backend", "NODE_ENV", 3001);
        let postgres_url = env.secret("POSTGRES_URL").unwrap_or_else(|| {
            if service.production {
                env.mistake("POSTGRES_URL: must be set in production: the default has a password that everybody knows");
            }
            Secret::new("postgresql://postgres:postgres@postgres:5432/shopmicro")
        });
        if let Err(error) = postgres_url.reveal().parse::<tokio_postgres::Config>() {
            env.mistake(format!("POSTGRES_URL: {error}"));
        }
        let redis_url = env.secret("REDIS_URL").unwrap_or_else(|| Secret::new("redis://redis:6379"));
        if let Err(error) = redis::Client::open(redis_url.reveal()) {
            env.mistake(format!("REDIS_URL: {error}"));
        }
        env.refuse_known_password("POSTGRES_URL", &postgres_url, &service);
        env.refuse_known_password("REDIS_URL", &redis_url, &service);
        let config = Self {
            service,
            postgres_url,
            postgres_pool_size: env.parse("POSTGRES_POOL_SIZE", 16),
            redis_url,
            redis_prefix: env.get("REDIS_PREFIX").unwrap_or_else(|| "shop:".to_owned()),
            ml_service_url: env.url_or("ML_SERVICE_URL", &["http"], "http://ml-service:3002"),
            internal_token: env.secret("INTERNAL_TOKEN"),
            order_expiry: Duration::from_mins(env.parse("ORDER_EXPIRY_MINUTES", 30)),
            cors_origins: env.parse("CORS_ORIGINS", Origins::default()),
            rate_limits: Quotas {
                read: env.parse("RATE_LIMIT_READ", Quota::new(12_000, 6_000)),
                write: env.parse("RATE_LIMIT_WRITE", Quota::new(600, 300)),
                auth: env.parse("RATE_LIMIT_AUTH", Quota::new(10, 20)),
                report: env.parse("RATE_LIMIT_REPORT", Quota::new(120, 60)),
            },
            trusted_proxies: env.parse("TRUSTED_PROXIES", TrustedProxies::default()),
            migrate_on_start: env.parse("MIGRATE_ON_START", false),
            shutdown_delay: Duration::from_secs(env.parse("SHUTDOWN_DELAY_SECONDS", 0)),
        };
        if config.postgres_pool_size == 0 {
            env.mistake("POSTGRES_POOL_SIZE: must be at least 1");
        }
        if config.order_expiry.is_zero() {
            env.mistake("ORDER_EXPIRY_MINUTES: must be at least 1");
        }
        env.finish()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::config::documented;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = Config::read(&mut Env::from_pairs::<&str, &str>([])).expect("defaults are valid");
        assert_eq!(config.service.listen.port(), 3001);
        assert_eq!(config.ml_service_url.as_str(), "http://ml-service:3002/");
        assert!(!config.service.production);
    }

    #[test]
    fn production_starts_with_no_default_password() {
        let read = |pairs: &[(&str, &str)]| Config::read(&mut Env::from_pairs(pairs.iter().copied()));
        let text = read(&[("NODE_ENV", "production")]).expect_err("no database is named").to_string();
        assert!(text.contains("POSTGRES_URL"), "{text}");
        let [known, own] =
            ["shopmicro", "x"].map(|password| format!("postgresql://shopmicro:{password}@db/shop"));
        let in_production = |url: &str, redis: &str| {
            read(&[("NODE_ENV", "production"), ("POSTGRES_URL", url), ("REDIS_URL", redis)])
        };
        let text = in_production(&known, "redis://:redis@redis").expect_err("known passwords").to_string();
        assert!(text.contains("POSTGRES_URL") && text.contains("REDIS_URL"), "{text}");
        assert!(!text.contains(&known), "{text}");
        assert!(in_production(&own, "redis://:y@redis").is_ok());
        assert!(read(&[("POSTGRES_URL", known.as_str())]).is_ok(), "development has it");
    }

    #[test]
    fn mistakes_name_their_variables() {
        let mut env = Env::from_pairs([
            ("POSTGRES_URL", "mysql://x"),
            ("REDIS_URL", "nonsense"),
            ("POSTGRES_POOL_SIZE", "0"),
            ("CORS_ORIGINS", "*"),
            ("TRUSTED_PROXIES", "everyone"),
            ("RATE_LIMIT_AUTH", "many"),
        ]);
        let text = Config::read(&mut env).expect_err("three mistakes").to_string();
        for name in [
            "POSTGRES_URL",
            "REDIS_URL",
            "POSTGRES_POOL_SIZE",
            "CORS_ORIGINS",
            "TRUSTED_PROXIES",
            "RATE_LIMIT_AUTH",
        ] {
            assert!(text.contains(name), "{name} is missing in: {text}");
        }
    }

    #[test]
    fn the_documentation_lists_every_variable() {
        let mut env = Env::from_pairs::<&str, &str>([]);
        Config::read(&mut env).expect("defaults are valid");
        let documented = documented(include_str!("../../docs/configuration.md"), "backend");
        assert_eq!(env.asked(), documented.into_iter().collect::<Vec<_>>());
    }
}
