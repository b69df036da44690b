//! The recommender's configuration.

use std::path::PathBuf;
use std::time::Duration;

use platform::config::{ConfigError, Env, Secret, ServiceConfig};
use url::Url;

use crate::model::blend::{DAY, Settings};

/// Everything that the recommender is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen, in which mode, how to report.
    pub service: ServiceConfig,
    /// Redis' URL, perhaps with a password.
    pub redis_url: Secret,
    /// What goes before every key in Redis.
    pub redis_prefix: String,
    /// The backend's base URL.
    pub backend_url: Url,
    /// How often the catalogue is looked at for changes.
    pub catalogue_poll: Duration,
    /// How often new interactions are asked for.
    pub interactions_poll: Duration,
    /// The largest catalogue that is taken into memory; `docs/recommender.md` tells what a product takes.
    pub max_products: usize,
    /// Of how many users interactions are remembered; `docs/recommender.md` tells what each takes.
    pub max_users: usize,
    /// How much each sign counts in personal answers.
    pub settings: Settings,
    /// Seconds until a sale counts half in what is popular.
    pub popularity_half_life: f64,
    /// Where the model is kept on disk, if anywhere.
    pub snapshot_dir: Option<PathBuf>,
    /// What those must show who may have a model trained; nothing where nobody may.
    pub internal_token: Option<Secret>,
    /// How many threads answer requests; half as many train.
    pub cpu_threads: usize,
    /// How long the server still accepts requests after it was told to stop: what a load balancer needs to notice.
    pub shutdown_delay: Duration,
}

impl Config {
    /// Reads the environment.
    pub fn read(env: &mut Env) -> Result<Self, ConfigError> {
        let service = ServiceConfig::read(env, "shopmicro-ml-service", "FLASK_ENV", 3002);
        let redis_url = platform::redis::url(env, &service);
        let backend_url = env.base_url_or("BACKEND_URL", "http://backend:3001");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let config = Self {
            service,
            redis_url,
            redis_prefix: env.get("REDIS_PREFIX").unwrap_or_else(|| "ml:".to_owned()),
            backend_url,
            catalogue_poll: Duration::from_secs(env.parse_within("CATALOGUE_POLL_SECONDS", 1..=86_400, 60)),
            interactions_poll: Duration::from_millis(env.parse_within(
                "INTERACTIONS_POLL_MILLISECONDS",
                1..=3_600_000,
                1_000,
            )),
            max_products: env.parse_within("MAX_PRODUCTS", 1..=100_000_000, 1_000_000),
            max_users: env.parse_within("MAX_USERS", 1..=10_000_000, 100_000),
            settings: read_settings(env),
            popularity_half_life: days(env, "POPULARITY_HALF_LIFE_DAYS", 7.0),
            snapshot_dir: env.get("SNAPSHOT_DIR").map(PathBuf::from),
            internal_token: env.secret("INTERNAL_TOKEN"),
            cpu_threads: env.parse_within("CPU_THREADS", 1..=1_024, cores),
            shutdown_delay: Duration::from_secs(env.parse_within("SHUTDOWN_DELAY_SECONDS", 0..=3_600, 0)),
        };
        env.finish()?;
        Ok(config)
    }
}

fn read_settings(env: &mut Env) -> Settings {
    let default = Settings::default();
    let mut part = |name: &'static str, default: f64, most: f64| {
        let value = env.parse(name, default);
        if !(0.0..=most).contains(&value) {
            env.mistake(format!("{name}: must be from 0 to {most}"));
        }
        value
    };
    Settings {
        view: part("WEIGHT_VIEW", default.view, 100.0),
        cart: part("WEIGHT_CART", default.cart, 100.0),
        purchase: part("WEIGHT_PURCHASE", default.purchase, 100.0),
        together: part("WEIGHT_TOGETHER", default.together, 100.0),
        popularity: part("POPULARITY_POWER", default.popularity, 1.0),
        diversity: part("DIVERSITY", default.diversity, 1.0),
        profile_half_life: days(env, "PROFILE_HALF_LIFE_DAYS", default.profile_half_life / DAY),
    }
}

/// A time in days, in seconds.
fn days(env: &mut Env, name: &'static str, default: f64) -> f64 {
    let days = env.parse(name, default);
    if !(1.0..=36_500.0).contains(&days) {
        env.mistake(format!("{name}: must be from 1 to 36500"));
    }
    days * DAY
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::config::documented;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = Config::read(&mut Env::from_pairs::<&str, &str>([])).expect("defaults are valid");
        assert_eq!(config.service.listen.port(), 3002);
        assert_eq!(config.backend_url.as_str(), "http://backend:3001/");
        assert_eq!(config.catalogue_poll, Duration::from_mins(1));
    }

    #[test]
    fn mistakes_name_their_variables() {
        let mut env = Env::from_pairs([
            ("FLASK_ENV", "staging"),
            ("REDIS_URL", "nonsense"),
            ("BACKEND_URL", "backend"),
            ("CATALOGUE_POLL_SECONDS", "0"),
            ("INTERACTIONS_POLL_MILLISECONDS", "often"),
            ("MAX_USERS", "-1"),
            ("CPU_THREADS", "0"),
        ]);
        let text = Config::read(&mut env).expect_err("seven mistakes").to_string();
        assert!(text.contains("7 mistake"), "{text}");
        for name in ["FLASK_ENV", "REDIS_URL", "BACKEND_URL", "_POLL_SECONDS", "_MILLISECONDS", "MAX_USERS"] {
            assert!(text.contains(name), "{name} is missing in: {text}");
        }
    }

    #[test]
    fn the_documentation_lists_every_variable() {
        let mut env = Env::from_pairs::<&str, &str>([]);
        Config::read(&mut env).expect("defaults are valid");
        let documented = documented(include_str!("../../docs/configuration.md"), "ml-service");
        assert_eq!(env.asked(), documented.into_iter().collect::<Vec<_>>());
    }
}
