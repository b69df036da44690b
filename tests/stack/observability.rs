//! The parts that watch the shop: Loki, Mimir, Prometheus and the exporters, with the configuration that every deployment
//! uses.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{Component, Stack, binaries};

/// The last part of Mimir's directory of rules: the name of its tenant.
const TENANT: &str = "shopmicro";

/// Ports besides the one that a component answers HTTP on.
pub(crate) const OTHER_PORTS: [(Component, &str); 5] = [
    (Component::Loki, GRPC),
    (Component::Mimir, GRPC),
    (Component::Tempo, GRPC),
    (Component::Tempo, OTLP),
    (Component::Alloy, OTLP),
];
/// Where the parts of a component speak to each other.
const GRPC: &str = "gRPC";
/// Where traces come in.
const OTLP: &str = "OTLP";

/// How the shop is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// How often metrics are asked for and rules evaluated.
    pub(crate) interval: Duration,
    /// The directory of the rules; else `rules` of the configuration.
    pub(crate) rules: Option<PathBuf>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), rules: None }
    }
}

/// An exporter: Debian and Nix name them differently.
fn exporter(names: [&str; 2]) -> Result<Command> {
    names.into_iter().map(program).find(Result::is_ok).unwrap_or_else(|| program(names[0]))
}

/// A program with no environment but ours.
fn program(name: &str) -> Result<Command> {
    let hint =
        || format!("{name} is needed to watch the shop (tests/observability/build makes loki and mimir)");
    let mut command = Command::new(binaries::find(name).with_context(hint)?);
    command.env_clear();
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Ok(command)
}

pub(crate) fn loki(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("loki");
    fs::create_dir_all(&directory)?;
    let mut command = program("loki")?;
    command
        .arg("-config.expand-env=true")
        .arg("-config.file")
        .arg(stack.config.join("loki/loki.yaml"))
        .env("LOKI_DIR", &directory)
        .env("LOKI_PORT", stack.port(Component::Loki)?.to_string())
        .env("LOKI_GRPC_PORT", stack.other_port(Component::Loki, GRPC)?.to_string());
    Ok(command)
}

pub(crate) fn mimir(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("mimir");
    let rules = directory.join("rules-of-tenants").join(TENANT);
    fs::create_dir_all(&rules)?;
    for old in fs::read_dir(&rules)? {
        fs::remove_file(old?.path())?;
    }
    let source = stack.watch.rules.clone().unwrap_or_else(|| stack.config.join("rules"));
    for rule in fs::read_dir(&source).with_context(|| format!("read {}", source.display()))? {
        let rule = rule?;
        fs::write(rules.join(rule.file_name()), fs::read(rule.path())?)?;
    }
    let mut command = program("mimir")?;
    command
        .arg("-config.expand-env=true")
        .arg("-config.file")
        .arg(stack.config.join("mimir/mimir.yaml"))
        // Where it would else write.
        .current_dir(&directory)
        .env("MIMIR_DIR", &directory)
        .env("MIMIR_RULES", directory.join("rules-of-tenants"))
        .env("MIMIR_ALERTMANAGER", stack.config.join("mimir/alertmanager.yaml"))
        .env("MIMIR_EVALUATION_INTERVAL", format!("{}s", stack.watch.interval.as_secs()))
        .env("MIMIR_PORT", stack.port(Component::Mimir)?.to_string())
        .env("MIMIR_GRPC_PORT", stack.other_port(Component::Mimir, GRPC)?.to_string());
    Ok(command)
}

/// Replaces what a deployment may replace, and insists that it is there.
fn replace(text: &str, from: &str, to: &str) -> Result<String> {
    ensure!(text.contains(from), "prometheus.yml has no {from:?}");
    Ok(text.replace(from, to))
}

pub(crate) fn prometheus(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("prometheus");
    fs::create_dir_all(&directory)?;
    let text = fs::read_to_string(stack.config.join("prometheus/prometheus.yml"))?;
    let seconds = stack.watch.interval.as_secs();
    let text = replace(&text, "http://mimir:9009", &stack.url(Component::Mimir)?)?;
    let text = replace(&text, "scrape_interval: 15s", &format!("scrape_interval: {seconds}s"))?;
    let text = replace(&text, "scrape_timeout: 5s", &format!("scrape_timeout: {}s", seconds.min(5)))?;
    fs::write(directory.join("prometheus.yml"), text)?;
    fs::write(directory.join("targets.yml"), targets(stack)?)?;
    let mut command = program("prometheus")?;
    command
        .arg(agent()?)
        .arg(format!("--config.file={}", directory.join("prometheus.yml").display()))
        .arg(format!("--storage.agent.path={}", directory.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{}", stack.port(Component::Prometheus)?))
        .arg("--log.level=warn");
    Ok(command)
}

/// The flag that makes Prometheus an agent, which version 3 renamed.
fn agent() -> Result<&'static str> {
    let output = program("prometheus")?.arg("--version").output()?;
    let version = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Ok(if version.contains("version 2.") { "--enable-feature=agent" } else { "--agent" })
}

/// Where each job's metrics are. The names of the jobs are those of `config/prometheus/targets.yml`.
fn targets(stack: &Stack) -> Result<String> {
    let mut entries = Vec::new();
    for (component, job) in [
        (Component::Backend, "backend"),
        (Component::BackendReplica, "backend"),
        (Component::MlService, "ml-service"),
        (Component::NginxExporter, "nginx"),
        (Component::PostgresExporter, "postgres"),
        (Component::RedisExporter, "redis"),
        (Component::Loki, "loki"),
        (Component::Mimir, "mimir"),
        (Component::Tempo, "tempo"),
        (Component::Alloy, "alloy"),
        (Component::Grafana, "grafana"),
        (Component::Prometheus, "prometheus"),
    ] {
        if stack.parts.contains(&component) {
            let port = stack.port(component)?;
            entries.push(format!("- targets: ['127.0.0.1:{port}']\n  labels: {{ job: {job} }}\n"));
        }
    }
    Ok(entries.concat())
}

pub(crate) fn postgres_exporter(stack: &Stack) -> Result<Command> {
    let mut command = exporter(["prometheus-postgres-exporter", "postgres_exporter"])?;
    let database = stack.port(Component::Postgres)?;
    command
        .arg(format!("--web.listen-address=127.0.0.1:{}", stack.port(Component::PostgresExporter)?))
        .arg("--log.level=error")
        .env("DATA_SOURCE_URI", format!("127.0.0.1:{database}/shopmicro?sslmode=disable"))
        .env("DATA_SOURCE_USER", "postgres-exporter")
        .env("DATA_SOURCE_PASS", &stack.secrets.postgres_exporter);
    Ok(command)
}

pub(crate) fn redis_exporter(stack: &Stack) -> Result<Command> {
    let mut command = exporter(["prometheus-redis-exporter", "redis_exporter"])?;
    command
        .arg(format!("--web.listen-address=127.0.0.1:{}", stack.port(Component::RedisExporter)?))
        .env("REDIS_ADDR", format!("redis://127.0.0.1:{}", stack.port(Component::Redis)?))
        .env("REDIS_PASSWORD", &stack.secrets.redis);
    Ok(command)
}

pub(crate) fn nginx_exporter(stack: &Stack) -> Result<Command> {
    let mut command = exporter(["prometheus-nginx-exporter", "nginx-prometheus-exporter"])?;
    command
        .arg(format!("-web.listen-address=127.0.0.1:{}", stack.port(Component::NginxExporter)?))
        .arg(format!("-nginx.scrape-uri={}/nginx_status", stack.url(Component::Nginx)?));
    Ok(command)
}

/// Where the services send their traces, in a stack with Alloy.
pub(crate) fn traces_endpoint(stack: &Stack) -> Result<String> {
    Ok(format!("http://127.0.0.1:{}/v1/traces", stack.other_port(Component::Alloy, OTLP)?))
}

pub(crate) fn tempo(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("tempo");
    fs::create_dir_all(&directory)?;
    let mut command = program("tempo")?;
    command
        .arg("-config.expand-env=true")
        .arg("-config.file")
        .arg(stack.config.join("tempo/tempo.yaml"))
        .env("TEMPO_DIR", &directory)
        .env("TEMPO_PORT", stack.port(Component::Tempo)?.to_string())
        .env("TEMPO_GRPC_PORT", stack.other_port(Component::Tempo, GRPC)?.to_string())
        .env("TEMPO_OTLP_ADDRESS", format!("127.0.0.1:{}", stack.other_port(Component::Tempo, OTLP)?));
    Ok(command)
}

pub(crate) fn alloy(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("alloy");
    fs::create_dir_all(&directory)?;
    let mut command = program("alloy")?;
    command
        .args(["run", "--disable-reporting"])
        .arg(format!("--server.http.listen-addr=127.0.0.1:{}", stack.port(Component::Alloy)?))
        .arg(format!("--storage.path={}", directory.display()))
        .arg(stack.config.join("alloy/traces.alloy"))
        .env("ALLOY_OTLP_ADDRESS", format!("127.0.0.1:{}", stack.other_port(Component::Alloy, OTLP)?))
        .env("MIMIR_URL", stack.url(Component::Mimir)?);
    if let Ok(port) = stack.other_port(Component::Tempo, OTLP) {
        command.env("TEMPO_OTLP_ADDRESS", format!("127.0.0.1:{port}"));
    }
    Ok(command)
}

pub(crate) fn grafana(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("grafana");
    fs::create_dir_all(&directory)?;
    let config = stack.config.join("grafana");
    let mut command = program("grafana")?;
    // Its pages lie beside the program, in Nix as in its own packages.
    let home = binaries::find("grafana")?.canonicalize()?;
    let home = home.ancestors().nth(2).context("grafana lies in a directory `bin`")?.join("share/grafana");
    let port = stack.port(Component::Grafana)?;
    let tempo = stack.url(Component::Tempo).unwrap_or_else(|_| "http://127.0.0.1:9".to_owned());
    command
        .arg("server")
        .arg("--homepath")
        .arg(home)
        .arg("--config")
        .arg(config.join("grafana.ini"))
        .env("GF_PATHS_DATA", directory.join("data"))
        .env("GF_PATHS_PLUGINS", directory.join("plugins"))
        .env("GF_PATHS_PROVISIONING", config.join("provisioning"))
        .env("GF_SERVER_HTTP_PORT", port.to_string())
        .env("GRAFANA_DASHBOARDS", config.join("dashboards"))
        // As the design says: in development alone.
        .env("GRAFANA_ADMIN_PASSWORD", "admin")
        .env("GRAFANA_SECRET_KEY", &stack.secrets.grafana)
        .env("MIMIR_URL", stack.url(Component::Mimir)?)
        .env("LOKI_URL", stack.url(Component::Loki)?)
        .env("TEMPO_URL", tempo);
    Ok(command)
}
