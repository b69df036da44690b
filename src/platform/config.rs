//! Configuration from the environment alone: read once, and all mistakes reported together.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::telemetry::TelemetryConfig;

/// A value which never shows itself in `Debug` output.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Those of `k8s/overlays/dev` and of this project's defaults, and what people take for want of better.
const KNOWN_PASSWORDS: [&str; 8] =
    ["postgres", "shopmicro", "redis", "exporter", "admin", "password", "secret", "changeme"];

/// Every mistake found in the environment, one a line.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} mistake(s):\n  {}", .0.len(), .0.join("\n  "))]
pub struct ConfigError(Vec<String>);

/// The environment, read variable by variable; mistakes are collected until [`Env::finish`].
#[derive(Debug)]
pub struct Env {
    variables: HashMap<String, String>,
    asked: RefCell<BTreeSet<String>>,
    mistakes: Vec<String>,
}

impl Env {
    /// The environment of this process.
    #[must_use]
    pub fn from_process() -> Self {
        // Values that are not UTF-8 cannot be valid settings; they are shown with replacement characters in the error.
        Self::from_pairs(
            std::env::vars_os()
                .map(|(k, v)| (k.to_string_lossy().into_owned(), v.to_string_lossy().into_owned())),
        )
    }

    /// An environment of given variables, for tests.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self {
            variables: pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
            asked: RefCell::default(),
            mistakes: Vec::new(),
        }
    }

    /// A variable's value; an empty one counts as absent, as Kubernetes manifests often set it so.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.variables.get(name).map(|v| v.trim()).filter(|v| !v.is_empty()).map(ToOwned::to_owned)
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    /// A parsed variable, or the default where it is absent or wrong (a wrong one is a mistake).
    pub fn parse<T>(&mut self, name: &str, default: T) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        self.parse_optional(name).unwrap_or(default)
    }

    /// The same of a number that is neither too small nor too large to be meant.
    pub fn parse_within<T>(&mut self, name: &str, range: RangeInclusive<T>, default: T) -> T
    where
        T: FromStr + PartialOrd + Display,
        T::Err: Display,
    {
        match self.parse_optional(name) {
            Some(value) if range.contains(&value) => value,
            Some(_) => {
                self.mistake(format!("{name}: must be from {} to {}", range.start(), range.end()));
                default
            }
            None => default,
        }
    }

    /// A parsed variable where it is set.
    pub fn parse_optional<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let value = self.get(name)?;
        match value.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.mistake(format!("{name}: {error}"));
                None
            }
        }
    }

    /// A secret from `NAME`, or from the file that `NAME_FILE` names.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        let file_variable = format!("{name}_FILE");
        match (self.get(name), self.get(&file_variable)) {
            (Some(_), Some(_)) => {
                self.mistake(format!("{name}: set either {name} or {file_variable}, not both"));
                None
            }
            (Some(value), None) => Some(Secret(value)),
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) => Some(Secret(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(error) => {
                    self.mistake(format!("{file_variable}: cannot read {path}: {error}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// Notes a mistake where, in production, what a variable names has a password that everybody knows. It is asked for the
    /// password as the client reads it, however it is written.
    pub fn refuse_known_password(&mut self, name: &str, password: Option<&[u8]>, service: &ServiceConfig) {
        let known = |password| KNOWN_PASSWORDS.iter().any(|known| known.as_bytes() == password);
        if service.production && password.is_some_and(known) {
            self.mistake(format!("{name}: has a password that everybody knows, in production"));
        }
    }

    /// The URL of something that speaks HTTP, where it is set.
    pub fn url(&mut self, name: &str) -> Option<url::Url> {
        let value = self.get(name)?;
        match url::Url::parse(&value) {
            Ok(url) if url.scheme() == "http" && url.has_host() => Some(url),
            Ok(_) => {
                self.mistake(format!("{name}: must be a URL that begins with http://"));
                None
            }
            Err(error) => {
                self.mistake(format!("{name}: {error}"));
                None
            }
        }
    }

    /// The same of a service whose parts have URLs below it: its path ends with a slash, so that what is joined to it goes on
    /// from there.
    pub fn base_url(&mut self, name: &str) -> Option<url::Url> {
        let mut url = self.url(name)?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Some(url)
    }

    /// The same, or the default.
    ///
    /// # Panics
    /// Where the default, a constant of the program, is no URL.
    pub fn base_url_or(&mut self, name: &str, default: &'static str) -> url::Url {
        self.base_url(name).unwrap_or_else(|| url::Url::parse(default).expect("the default is a URL"))
    }

    /// The names of all variables that were asked for, in order: what the documentation must list.
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().iter().cloned().collect()
    }

    /// All mistakes found so far, or nothing.
    pub fn finish(&mut self) -> Result<(), ConfigError> {
        let mistakes = std::mem::take(&mut self.mistakes);
        if mistakes.is_empty() { Ok(()) } else { Err(ConfigError(mistakes)) }
    }
}

/// The names of variables that a section of `docs/configuration.md` lists: the first cell of each row of its table.
/// For the tests that hold the page and the code together.
pub fn documented<'a>(markdown: &'a str, heading: &str) -> BTreeSet<&'a str> {
    let section = markdown.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default();
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// What every service is told: where to listen, in which mode, how to report.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// `production`, `development` or `test`; labels telemetry.
    pub environment: String,
    /// JSON logs and `Secure` cookies.
    pub production: bool,
    /// The address of the HTTP server.
    pub listen: SocketAddr,
    /// The most requests of each lane that are worked on at once.
    pub max_in_flight: usize,
    /// Where logs, traces and metrics go.
    pub telemetry: TelemetryConfig,
}

impl ServiceConfig {
    /// Reads the shared part of a service's environment. `mode_variable` is `NODE_ENV` or `FLASK_ENV`, names that
    /// manifests of other runtimes already set.
    pub fn read(env: &mut Env, service: &'static str, mode_variable: &str, port: u16) -> Self {
        let environment = env.get(mode_variable).unwrap_or_else(|| "development".to_owned());
        if !matches!(environment.as_str(), "production" | "development" | "test") {
            env.mistake(format!("{mode_variable}: must be production, development or test"));
        }
        let production = environment == "production";
        let host = env.parse("HOST", IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let port = env.parse("PORT", port);
        let telemetry = TelemetryConfig {
            service: env.get("OTEL_SERVICE_NAME").unwrap_or_else(|| service.to_owned()),
            environment: environment.clone(),
            json: production,
            log_level: env.get("LOG_LEVEL").unwrap_or_else(|| "info".to_owned()),
            loki: env.base_url("LOKI_URL"),
            otlp_traces: env.url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        };
        if let Err(error) = telemetry.log_filter() {
            env.mistake(format!("LOG_LEVEL: {error}"));
        }
        let max_in_flight = env.parse_within("MAX_REQUESTS_IN_FLIGHT", 1..=100_000, 64);
        Self { environment, production, max_in_flight, listen: SocketAddr::new(host, port), telemetry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_reported_together() {
        let mut env = Env::from_pairs([("PORT", "x"), ("NODE_ENV", "prod"), ("LOKI_URL", "ftp://x")]);
        ServiceConfig::read(&mut env, "shopmicro-backend", "NODE_ENV", 3001);
        let text = env.finish().expect_err("three mistakes").to_string();
        for name in ["PORT", "NODE_ENV", "LOKI_URL"] {
            assert!(text.contains(name), "{name} is missing in: {text}");
        }
    }

    #[test]
    fn a_secret_comes_from_a_file_and_never_shows() {
        let path = std::env::temp_dir().join(format!("secret-{}", std::process::id()));
        std::fs::write(&path, "s3cret\n").expect("temp file");
        let mut env = Env::from_pairs([("KEY_FILE", path.display().to_string())]);
        let secret = env.secret("KEY").expect("set");
        assert_eq!(secret.reveal(), "s3cret");
        assert_eq!(format!("{secret:?}"), "[secret]");
        std::fs::remove_file(path).expect("remove");
    }

    #[test]
    fn both_forms_of_a_secret_are_a_mistake() {
        let mut env = Env::from_pairs([("KEY", "a"), ("KEY_FILE", "b")]);
        assert!(env.secret("KEY").is_none());
        assert!(env.finish().is_err());
    }
}
