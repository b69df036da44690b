//! The real components of ShopMicro on this machine: PostgreSQL, Redis, the two services and nginx, each a child process
//! with ports and directories of its own. `make run` is built on it, and so are the tests, which get a private stack on
//! free ports and may kill, pause or cut off each component.

pub mod binaries;
pub mod budgets;
mod components;
mod directory;
pub mod load;
mod observability;
mod ports;
mod process;
mod proxy;
pub mod scenarios;
pub mod signals;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::directory::Directory;
use crate::observability::Watch;
use crate::ports::Port;
use crate::process::Process;
pub use crate::proxy::Link;

/// How long a component may take until it is ready.
const READY_DEADLINE: Duration = Duration::from_mins(1);

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

    fn watches(self) -> bool {
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
    const ALL: [Self; 5] = [
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

    const fn target(self) -> Component {
        match self {
            Self::BackendToPostgres => Component::Postgres,
            Self::BackendToRedis | Self::MlServiceToRedis => Component::Redis,
            Self::BackendToMlService => Component::MlService,
            Self::MlServiceToBackend => Component::Backend,
        }
    }
}

/// How a stack is made.
#[derive(Clone, Debug)]
pub struct Builder {
    parts: BTreeSet<Component>,
    ports: BTreeMap<Component, u16>,
    directory: Option<PathBuf>,
    programs: Option<PathBuf>,
    config: Option<PathBuf>,
    web: Option<PathBuf>,
    web_host: Ipv4Addr,
    links: bool,
    limits: bool,
    watch: Watch,
    traces: Option<String>,
    backend_settings: Vec<(&'static str, String)>,
    ml_service_settings: Vec<(&'static str, String)>,
}

impl Builder {
    /// Only these components.
    #[must_use]
    pub fn only(mut self, parts: impl IntoIterator<Item = Component>) -> Self {
        self.parts = parts.into_iter().collect();
        self
    }

    /// With a second replica of the backend.
    #[must_use]
    pub fn with_replica(mut self) -> Self {
        self.parts.insert(Component::BackendReplica);
        self
    }

    /// With Loki, Mimir, Prometheus and the exporters. Metrics are asked for, and rules evaluated, every second unless
    /// told otherwise.
    #[must_use]
    pub fn with_observability(mut self) -> Self {
        self.parts.extend(Component::OBSERVABILITY);
        self
    }

    /// With those of Tempo, Alloy and Grafana whose programs are in PATH.
    #[must_use]
    pub fn with_what_is_there(mut self) -> Self {
        let there = |component: &Component| binaries::find(component.name()).is_ok();
        self.parts.extend(Component::WHERE_THERE.into_iter().filter(there));
        self
    }

    /// Where the services send their traces: an OTLP/HTTP endpoint, with its path.
    #[must_use]
    pub fn traces(mut self, endpoint: impl Into<String>) -> Self {
        self.traces = Some(endpoint.into());
        self
    }

    /// How often metrics are asked for and rules evaluated, in whole seconds.
    #[must_use]
    pub fn scrape_interval(mut self, interval: Duration) -> Self {
        self.watch.interval = interval;
        self
    }

    /// The directory of the rules, in place of `rules` of the configuration.
    #[must_use]
    pub fn rules(mut self, directory: impl Into<PathBuf>) -> Self {
        self.watch.rules = Some(directory.into());
        self
    }

    /// Fixed ports in place of free ones. For a component that is not a part: where the caller has a stand-in for it.
    #[must_use]
    pub fn ports(mut self, ports: impl IntoIterator<Item = (Component, u16)>) -> Self {
        self.ports.extend(ports);
        self
    }

    /// A directory that stays, in place of a temporary one. Its database is durable.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The directory of the shop's own programs; else that of this one.
    #[must_use]
    pub fn programs(mut self, directory: impl Into<PathBuf>) -> Self {
        self.programs = Some(directory.into());
        self
    }

    /// The directory with the components' configuration; else `config` of the source tree around the working directory.
    #[must_use]
    pub fn config(mut self, directory: Option<PathBuf>) -> Self {
        self.config = directory;
        self
    }

    /// The built pages; else `web/dist` of the source tree.
    #[must_use]
    pub fn web(mut self, directory: Option<PathBuf>) -> Self {
        self.web = directory;
        self
    }

    /// The address that nginx listens on; everything else listens on the loopback alone.
    #[must_use]
    pub fn web_host(mut self, host: Ipv4Addr) -> Self {
        self.web_host = host;
        self
    }

    /// Leaves the rate limits as they are for customers. Without this they are out of the way: tests register more people
    /// from one address than a street has.
    #[must_use]
    pub fn with_limits(mut self) -> Self {
        self.limits = true;
        self
    }

    /// A variable of the backend's environment.
    #[must_use]
    pub fn backend_setting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.backend_settings.push((name, value.into()));
        self
    }

    /// A variable of ml-service's environment.
    #[must_use]
    pub fn ml_service_setting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.ml_service_settings.push((name, value.into()));
        self
    }

    /// Puts a proxy on each connection between components, so that [`Stack::link`] can cut it.
    #[must_use]
    pub fn with_links(mut self) -> Self {
        self.links = true;
        self
    }

    /// Starts the components and waits until each is ready. A stack with a backend is migrated and seeded.
    pub async fn start(self) -> Result<Stack> {
        let mut stack = Stack::prepare(self).await?;
        stack.start_all().await?;
        Ok(stack)
    }
}

/// A running stack. Dropping it ends every process that it started.
#[derive(Debug)]
pub struct Stack {
    parts: BTreeSet<Component>,
    ports: BTreeMap<Component, Port>,
    /// Further ones, by what they are for.
    other_ports: BTreeMap<(Component, &'static str), Port>,
    processes: BTreeMap<Component, Process>,
    links: BTreeMap<Edge, Link>,
    secrets: components::Secrets,
    programs: Option<PathBuf>,
    config: PathBuf,
    web: Option<PathBuf>,
    web_host: Ipv4Addr,
    limits: bool,
    watch: Watch,
    traces: Option<String>,
    backend_settings: Vec<(&'static str, String)>,
    ml_service_settings: Vec<(&'static str, String)>,
    /// Settings of the present release of the backend, over the others.
    deployed: Vec<(&'static str, String)>,
    directory: Directory,
}

impl Stack {
    /// A whole stack on free ports in a temporary directory, unless told otherwise.
    pub fn builder() -> Builder {
        Builder {
            parts: Component::SHOP.into_iter().collect(),
            ports: BTreeMap::new(),
            directory: None,
            programs: None,
            config: None,
            web: None,
            web_host: Ipv4Addr::LOCALHOST,
            links: false,
            limits: false,
            watch: Watch::default(),
            traces: None,
            backend_settings: Vec::new(),
            ml_service_settings: Vec::new(),
        }
    }

    async fn prepare(builder: Builder) -> Result<Self> {
        let directory = match &builder.directory {
            Some(path) => Directory::keep(path)?,
            None => Directory::make_temporary()?,
        };
        check_ports(&builder)?;
        let mut ports: BTreeMap<_, _> =
            builder.ports.iter().map(|(component, port)| (*component, Port::fixed(*port))).collect();
        for component in &builder.parts {
            if !ports.contains_key(component) {
                ports.insert(*component, Port::free()?);
            }
        }
        let mut other_ports = BTreeMap::new();
        for other in observability::OTHER_PORTS {
            if builder.parts.contains(&other.0) {
                other_ports.insert(other, Port::free()?);
            }
        }
        let config = match builder.config {
            Some(config) => config,
            None => in_source_tree("config")?,
        };
        let web = match (builder.web, builder.parts.contains(&Component::Nginx)) {
            (web, false) => web,
            (Some(web), true) => Some(web),
            (None, true) => {
                Some(in_source_tree("web/dist").context("build the pages: npm run build in web")?)
            }
        };
        let secrets = components::Secrets::read_or_make(&directory.path().join("secrets"))?;
        for name in ["logs", "pids"] {
            std::fs::create_dir_all(directory.path().join(name))?;
        }
        // Each run has its own, and the one before it is kept.
        for component in Component::ALL {
            let log = log_in(directory.path(), component);
            if log.exists() {
                std::fs::rename(&log, log.with_extension("log.old"))?;
            }
        }
        let mut stack = Self {
            parts: builder.parts,
            ports,
            other_ports,
            processes: BTreeMap::new(),
            links: BTreeMap::new(),
            secrets,
            programs: builder.programs,
            config: config.canonicalize().with_context(|| format!("find {}", config.display()))?,
            web: web.map(|web| web.canonicalize()).transpose()?,
            web_host: builder.web_host,
            limits: builder.limits,
            watch: builder.watch,
            traces: builder.traces,
            backend_settings: builder.backend_settings,
            ml_service_settings: builder.ml_service_settings,
            deployed: Vec::new(),
            directory,
        };
        if builder.links {
            for edge in Edge::ALL {
                if let Some(port) = stack.ports.get(&edge.target()) {
                    stack.links.insert(edge, Link::open(port.number).await?);
                }
            }
        }
        Ok(stack)
    }

    async fn start_all(&mut self) -> Result<()> {
        for component in Component::ALL {
            if !self.parts.contains(&component) {
                continue;
            }
            if component == Component::Backend {
                components::run_backend(self, "migrate").await?;
                components::run_backend(self, "seed").await?;
            }
            // The shop does not wait for those who watch it.
            if component.watches() {
                self.spawn(component)?;
            } else {
                self.start(component).await?;
            }
        }
        for component in Component::ALL {
            if component.watches() && self.parts.contains(&component) {
                self.ready(component).await?;
            }
        }
        Ok(())
    }

    /// Starts a component, the first time or again, and waits until it is ready.
    pub async fn start(&mut self, component: Component) -> Result<()> {
        self.spawn(component)?;
        self.ready(component).await
    }

    fn spawn(&mut self, component: Component) -> Result<()> {
        ensure!(!self.processes.contains_key(&component), "{} runs already", component.name());
        let process = components::spawn(self, component)?;
        self.processes.insert(component, process);
        Ok(())
    }

    async fn ready(&mut self, component: Component) -> Result<()> {
        let deadline = Instant::now() + READY_DEADLINE;
        while !components::is_ready(self, component).await {
            self.check(component)?;
            ensure!(
                Instant::now() < deadline,
                "{} was not ready within {READY_DEADLINE:?}{}",
                component.name(),
                self.end_of_log(component)
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if component == Component::Postgres {
            components::initialise_database(self)?;
        }
        Ok(())
    }

    /// An error that names the component and shows the end of its log, if it has died.
    pub fn check(&mut self, component: Component) -> Result<()> {
        let Some(process) = self.processes.get_mut(&component) else {
            bail!("{} was not started", component.name());
        };
        if let Some(status) = process.ended()? {
            bail!("{} ended ({status}){}", component.name(), self.end_of_log(component));
        }
        Ok(())
    }

    /// Checks every component that was started and not taken away since.
    pub fn check_all(&mut self) -> Result<()> {
        let started: Vec<Component> = self.processes.keys().copied().collect();
        started.into_iter().try_for_each(|component| self.check(component))
    }

    /// Waits until some component dies, and reports it as [`Stack::check`] does.
    pub async fn died(&mut self) -> anyhow::Error {
        loop {
            if let Err(error) = self.check_all() {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends a component at once, as a crash would (SIGKILL).
    pub fn kill(&mut self, component: Component) -> Result<()> {
        self.take(component)?.kill()
    }

    /// Stops a component in its tracks: it keeps its connections and answers nothing (SIGSTOP).
    pub fn pause(&self, component: Component) -> Result<()> {
        self.process(component)?.signal_all(rustix::process::Signal::STOP);
        Ok(())
    }

    /// Lets a paused component go on.
    pub fn resume(&self, component: Component) -> Result<()> {
        self.process(component)?.signal_all(rustix::process::Signal::CONT);
        Ok(())
    }

    /// Ends a component as an operator would, and waits for it. One that does not end in time is killed, and named.
    pub async fn stop(&mut self, component: Component) -> Result<()> {
        let mut process = self.take(component)?;
        let patience = components::patience(component);
        let by_itself = process.stop(components::stop_signal(component), patience).await?;
        ensure!(by_itself, "{} did not end within {patience:?}, and was killed", component.name());
        Ok(())
    }

    /// Ends every component, those that ask others first, within ten seconds.
    pub async fn stop_all(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        for component in Component::ALL.into_iter().rev() {
            if self.processes.contains_key(&component) {
                // The others shall end in order, whatever becomes of one.
                outcome = outcome.and(self.stop(component).await);
            }
        }
        outcome
    }

    /// The proxy on a connection, in a stack that was built with them.
    pub fn link(&self, edge: Edge) -> Result<&Link> {
        self.links
            .get(&edge)
            .with_context(|| format!("there is no proxy on {edge:?}: build the stack with them"))
    }

    /// Whether a component was started and not taken away since.
    pub fn runs(&self, component: Component) -> bool {
        self.processes.contains_key(&component)
    }

    /// The process id of a component.
    pub fn pid(&self, component: Component) -> Result<i32> {
        Ok(self.process(component)?.pid())
    }

    /// The file that a component's output goes to.
    pub fn log(&self, component: Component) -> PathBuf {
        log_in(self.directory.path(), component)
    }

    /// Copies the logs to a directory that stays, and returns it.
    pub fn keep_logs(&self) -> Result<PathBuf> {
        let kept = tempfile::Builder::new().prefix("shopmicro-logs-").tempdir()?.keep();
        for component in &self.parts {
            let log = self.log(*component);
            if let Some(name) = log.file_name()
                && log.exists()
            {
                std::fs::copy(&log, kept.join(name))?;
            }
        }
        Ok(kept)
    }

    /// The directory that the stack lives in.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The base URL of an HTTP component, without a slash at its end.
    pub fn url(&self, component: Component) -> Result<String> {
        Ok(format!("http://127.0.0.1:{}", self.port(component)?))
    }

    /// The database's URL for a role that may do everything, on the database `postgres`.
    pub fn postgres_admin_url(&self) -> Result<String> {
        let port = self.port(Component::Postgres)?;
        Ok(format!("postgresql://postgres:{}@127.0.0.1:{port}/postgres", self.secrets.postgres_admin))
    }

    /// A connection to the shop's database for a role that may do everything, past any proxy.
    pub async fn database(&self) -> Result<tokio_postgres::Client> {
        let mut config: tokio_postgres::Config = self.postgres_admin_url()?.parse()?;
        let connected = config.dbname("shopmicro").connect(tokio_postgres::NoTls).await;
        let (client, connection) = connected.context("the database")?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Redis' URL, past any proxy.
    pub fn redis_url(&self) -> Result<String> {
        Ok(format!("redis://:{}@127.0.0.1:{}", self.secrets.redis, self.port(Component::Redis)?))
    }

    /// The environment in which a test finds the stack.
    pub fn environment(&self) -> Result<Vec<(&'static str, String)>> {
        let mut variables = Vec::new();
        for component in &self.parts {
            variables.push(match component {
                Component::Postgres => ("POSTGRES_URL", self.postgres_admin_url()?),
                Component::Redis => ("REDIS_URL", self.redis_url()?),
                Component::Backend => ("BACKEND_URL", self.url(Component::Backend)?),
                Component::BackendReplica => ("BACKEND_REPLICA_URL", self.url(Component::BackendReplica)?),
                Component::MlService => ("ML_SERVICE_URL", self.url(Component::MlService)?),
                Component::Nginx => ("SHOP_URL", self.url(Component::Nginx)?),
                Component::Loki => ("LOKI_URL", self.url(Component::Loki)?),
                Component::Mimir => ("MIMIR_URL", self.url(Component::Mimir)?),
                Component::Prometheus => ("PROMETHEUS_URL", self.url(Component::Prometheus)?),
                // They are asked by Prometheus alone.
                Component::PostgresExporter | Component::RedisExporter | Component::NginxExporter => continue,
                Component::Tempo => ("TEMPO_URL", self.url(Component::Tempo)?),
                Component::Alloy => ("ALLOY_URL", self.url(Component::Alloy)?),
                Component::Grafana => ("GRAFANA_URL", self.url(Component::Grafana)?),
            });
        }
        Ok(variables)
    }

    fn take(&mut self, component: Component) -> Result<Process> {
        self.processes.remove(&component).with_context(|| format!("{} does not run", component.name()))
    }

    fn process(&self, component: Component) -> Result<&Process> {
        self.processes.get(&component).with_context(|| format!("{} does not run", component.name()))
    }

    fn port(&self, component: Component) -> Result<u16> {
        self.ports
            .get(&component)
            .map(|port| port.number)
            .with_context(|| format!("{} is not part of this stack", component.name()))
    }

    fn other_port(&self, component: Component, what: &'static str) -> Result<u16> {
        let port = self.other_ports.get(&(component, what)).map(|port| port.number);
        port.with_context(|| format!("{} has no port for {what}", component.name()))
    }

    /// The port that one component uses to reach another: the proxy's where there is one.
    fn port_over(&self, edge: Edge) -> Result<u16> {
        self.links.get(&edge).map_or_else(|| self.port(edge.target()), |link| Ok(link.port()))
    }

    fn end_of_log(&self, component: Component) -> String {
        let path = self.log(component);
        let text = std::fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n    ");
        format!("; the end of {}:\n    {end}", path.display())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Before the directory goes.
        self.processes.clear();
    }
}

fn log_in(directory: &Path, component: Component) -> PathBuf {
    directory.join("logs").join(format!("{}.log", component.name()))
}

/// Names every port that cannot be had, before anything has been started.
fn check_ports(builder: &Builder) -> Result<()> {
    let mut troubles = Vec::new();
    let mut given = BTreeMap::new();
    for (component, port) in &builder.ports {
        let host = if *component == Component::Nginx { builder.web_host } else { Ipv4Addr::LOCALHOST };
        let name = component.name();
        if let Some(other) = given.insert(port, name) {
            troubles.push(format!("port {port} is meant for both {other} and {name}"));
        } else if builder.parts.contains(component) && !ports::is_free(host, *port) {
            troubles.push(format!("port {port}, meant for {name}, is taken"));
        }
    }
    ensure!(troubles.is_empty(), "{}; choose others", troubles.join(", and "));
    Ok(())
}

/// A path of the source tree that the working directory is in.
fn in_source_tree(path: &str) -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    here.ancestors()
        .find(|directory| {
            directory.join("config/nginx/nginx.conf").is_file() && directory.join(path).exists()
        })
        .map(|root| root.join(path))
        .with_context(|| format!("there is no {path} in the source tree around {}", here.display()))
}
