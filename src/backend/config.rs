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
    /// How long an order may wait for its payment before it is called off.
    pub order_expiry: Duration,
    /// Bring the schema up to date before serving.
    pub migrate_on_start: bool,
    /// Other sites whose pages may use the API; none unless they are named.
    pub cors_origins: Origins,
    /// How many requests of each class a client may send.
    pub rate_limits: Quotas,
    /// The proxies that tell who the client is.
    pub trusted_proxies: TrustedProxies,
    /// How long the server still accepts requests after it was told to stop: what a load balancer needs to notice.
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
        match postgres_url.reveal().parse::<tokio_postgres::Config>() {
            Ok(postgres) => env.refuse_known_password("POSTGRES_URL", postgres.get_password(), &service),
            Err(error) => env.mistake(format!("POSTGRES_URL: {error}")),
        }
        let redis_url = platform::redis::url(env, &service);
        let config = Self {
            service,
            postgres_url,
            postgres_pool_size: env.parse_within("POSTGRES_POOL_SIZE", 1..=10_000, 16),
            redis_url,
            redis_prefix: env.get("REDIS_PREFIX").unwrap_or_else(|| "shop:".to_owned()),
            ml_service_url: env.base_url_or("ML_SERVICE_URL", "http://ml-service:3002"),
            internal_token: env.secret("INTERNAL_TOKEN"),
            order_expiry: Duration::from_mins(env.parse_within("ORDER_EXPIRY_MINUTES", 1..=525_600, 30)),
            cors_origins: env.parse("CORS_ORIGINS", Origins::default()),
            rate_limits: Quotas {
                read: env.parse("RATE_LIMIT_READ", Quota::new(12_000, 6_000)),
                write: env.parse("RATE_LIMIT_WRITE", Quota::new(600, 300)),
                auth: env.parse("RATE_LIMIT_AUTH", Quota::new(10, 20)),
                report: env.parse("RATE_LIMIT_REPORT", Quota::new(120, 60)),
            },
            trusted_proxies: env.parse("TRUSTED_PROXIES", TrustedProxies::default()),
            migrate_on_start: env.parse("MIGRATE_ON_START", false),
            shutdown_delay: Duration::from_secs(env.parse_within("SHUTDOWN_DELAY_SECONDS", 0..=3_600, 0)),
        };
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
    fn a_base_url_keeps_its_path() {
        for (given, joined) in
            [("http://gw/ml", "http://gw/ml/api/model"), ("http://gw", "http://gw/api/model")]
        {
            let config = Config::read(&mut Env::from_pairs([("ML_SERVICE_URL", given)])).expect("valid");
            assert_eq!(config.ml_service_url.join("api/model").expect("a URL").as_str(), joined);
        }
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
        for written in [
            "host=db user=shopmicro password=shopmicro",
            "postgresql://u@db/shop?password=postgres",
            "postgresql://u:%70ostgres@db",
        ] {
            let text = in_production(written, "redis://redis").expect_err(written).to_string();
            assert!(text.contains("POSTGRES_URL"), "{text}");
        }
        let text = in_production(&own, "redis://:%72edis@redis").expect_err("known, too").to_string();
        assert!(text.contains("REDIS_URL"), "{text}");
        assert!(in_production(&own, "redis://:y@redis").is_ok());
        assert!(read(&[("POSTGRES_URL", known.as_str())]).is_ok(), "development has it");
    }

    #[test]
    fn mistakes_name_their_variables() {
        let mut env = Env::from_pairs([
            ("POSTGRES_URL", "mysql://x"),
            ("REDIS_URL", "nonsense"),
            ("POSTGRES_POOL_SIZE", "0"),
            ("ORDER_EXPIRY_MINUTES", "18446744073709551615"),
            ("MAX_REQUESTS_IN_FLIGHT", "18446744073709551615"),
            ("CORS_ORIGINS", "*"),
            ("TRUSTED_PROXIES", "everyone"),
            ("RATE_LIMIT_AUTH", "many"),
        ]);
        let text = Config::read(&mut env).expect_err("mistakes").to_string();
        for name in [
            "POSTGRES_URL",
            "REDIS_URL",
            "POSTGRES_POOL_SIZE",
            "ORDER_EXPIRY_MINUTES",
            "MAX_REQUESTS_IN_FLIGHT",
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
