//! The real components of ShopMicro on this machine: PostgreSQL, Redis, the two services and nginx, each a child process
//! with ports and directories of its own. `make run` is built on it, and so are the tests, which get a private stack on
//! free ports and may kill, pause or cut off each component.

pub mod binaries;
pub mod budgets;
mod builder;
mod commands;
mod component;
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

pub use crate::builder::Builder;
use crate::builder::check_ports;
pub use crate::component::{Component, Edge};
use crate::directory::Directory;
use crate::observability::Watch;
use crate::ports::Port;
use crate::process::Process;
pub use crate::proxy::Link;

/// How long a component may take until it is ready.
const READY_DEADLINE: Duration = Duration::from_mins(1);

/// A running stack. Dropping it ends every process that it started.
#[derive(Debug)]
pub struct Stack {
    parts: BTreeSet<Component>,
    ports: BTreeMap<Component, Port>,
    /// Further ones, by what they are for.
    other_ports: BTreeMap<(Component, &'static str), Port>,
    processes: BTreeMap<Component, Process>,
    links: BTreeMap<Edge, Link>,
    secrets: commands::Secrets,
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
        Builder::default()
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
        let secrets = commands::Secrets::read_or_make(&directory.path().join("secrets"))?;
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
                commands::run_backend(self, "migrate").await?;
                commands::run_backend(self, "seed").await?;
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
        let process = commands::spawn(self, component)?;
        self.processes.insert(component, process);
        Ok(())
    }

    async fn ready(&mut self, component: Component) -> Result<()> {
        let deadline = Instant::now() + READY_DEADLINE;
        while !commands::is_ready(self, component).await {
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
            commands::initialise_database(self)?;
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
        let patience = commands::patience(component);
        let by_itself = process.stop(commands::stop_signal(component), patience).await?;
        ensure!(by_itself, "{} did not end within {patience:?}, and was killed", component.name());
        Ok(())
    }

    /// Ends every component, those that ask others first.
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
