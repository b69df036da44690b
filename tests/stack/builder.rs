//! How a stack is made: which components, where, and with which settings.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::observability::Watch;
use crate::{Component, Stack, binaries, ports};

/// How a stack is made.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(crate) parts: BTreeSet<Component>,
    pub(crate) ports: BTreeMap<Component, u16>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) programs: Option<PathBuf>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) web: Option<PathBuf>,
    pub(crate) web_host: Ipv4Addr,
    pub(crate) links: bool,
    pub(crate) limits: bool,
    pub(crate) watch: Watch,
    pub(crate) traces: Option<String>,
    pub(crate) backend_settings: Vec<(&'static str, String)>,
    pub(crate) ml_service_settings: Vec<(&'static str, String)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
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

/// Names every port that cannot be had, before anything has been started.
pub(crate) fn check_ports(builder: &Builder) -> Result<()> {
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
