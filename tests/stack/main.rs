//! `stack run` starts the shop on this machine, where `stack load` sends customers and `stack break` makes incidents;
//! `stack exec` gives a command a private one for as long as it runs, which `stack fault` breaks.

mod faults;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use stack::load::Load;
use stack::scenarios::Scenario;
use stack::signals::Signals;
use stack::{Component, Stack};
use tokio::process::Child;

use crate::faults::{Fault, Faults};

/// How long a command may take to end after it was told to.
const COMMAND_PATIENCE: Duration = Duration::from_secs(5);

/// The real components of ShopMicro on this machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Directory with the components' configuration; else `config` of the source tree.
    #[arg(long, env = "SHOPMICRO_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Directory with the built pages; else `web/dist` of the source tree.
    #[arg(long, env = "SHOPMICRO_WEB", global = true)]
    web: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything, print the addresses, and end it on Ctrl-C or SIGTERM. Data stay.
    Run(Run),
    /// Run a command beside a private stack on free ports, which it finds in its environment: `SHOP_URL`,
    /// `BACKEND_URL`, `ML_SERVICE_URL`, `POSTGRES_URL` (a role that may make databases) and `REDIS_URL`.
    Exec(Exec),
    /// Send customers to a shop until the time is over or Ctrl-C, and tell how it went.
    Load(Customers),
    /// Make an incident happen in the shop of `stack run --observability`.
    Break {
        /// Where that shop's data lie.
        #[arg(long, env = "RUN_DIR", default_value = ".run")]
        dir: PathBuf,
        scenario: Scenario,
    },
    /// End every incident.
    Mend {
        /// Where that shop's data lie.
        #[arg(long, env = "RUN_DIR", default_value = ".run")]
        dir: PathBuf,
    },
    /// Break the stack of the `stack exec --faults` around this command, or repair it.
    Fault {
        #[arg(long, env = faults::SOCKET)]
        socket: Option<PathBuf>,
        #[command(subcommand)]
        fault: Fault,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Where data, logs and passwords lie.
    #[arg(long, env = "RUN_DIR", default_value = ".run")]
    dir: PathBuf,
    /// The address that the shop is served on; the other components listen on the loopback alone.
    #[arg(long, env = "WEB_HOST", default_value = "127.0.0.1")]
    web_host: Ipv4Addr,
    /// The shop's port.
    #[arg(long, env = "WEB_PORT", default_value_t = 8080)]
    web_port: u16,
    /// The backend's port.
    #[arg(long, env = "BACKEND_PORT", default_value_t = 3001)]
    backend_port: u16,
    /// The recommendation service's port.
    #[arg(long, env = "ML_PORT", default_value_t = 3002)]
    ml_port: u16,
    /// PostgreSQL's port.
    #[arg(long, env = "POSTGRES_PORT", default_value_t = 15432)]
    postgres_port: u16,
    /// Redis' port.
    #[arg(long, env = "REDIS_PORT", default_value_t = 16379)]
    redis_port: u16,
    /// With Loki, Mimir, Prometheus and the exporters, and ready for `stack break`.
    #[arg(long)]
    observability: bool,
    /// Loki's port.
    #[arg(long, env = "LOKI_PORT", default_value_t = 3100)]
    loki_port: u16,
    /// Mimir's port.
    #[arg(long, env = "MIMIR_PORT", default_value_t = 9009)]
    mimir_port: u16,
    /// Prometheus' port.
    #[arg(long, env = "PROMETHEUS_PORT", default_value_t = 9090)]
    prometheus_port: u16,
    /// Grafana's port, where its program is.
    #[arg(long, env = "GRAFANA_PORT", default_value_t = 3000)]
    grafana_port: u16,
}

/// How often metrics are asked for in `stack run`: often, for those who break things and watch.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
struct Customers {
    /// The shop.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// New customers a second.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// For how many seconds they come.
    #[arg(long, default_value_t = 60)]
    duration: u64,
    /// How many seconds a customer looks at a page.
    #[arg(long, default_value_t = 1.0)]
    think: f64,
    /// In the middle third of the time, so many times more customers.
    #[arg(long, default_value_t = 1.0)]
    spike: f64,
    /// Who is turned away until later asks again, once, as the pages do.
    #[arg(long)]
    patient: bool,
}

#[derive(Debug, Args)]
struct Exec {
    /// Only these components.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Component>,
    /// With Loki, Mimir, Prometheus and the exporters besides, in `LOKI_URL`, `MIMIR_URL` and `PROMETHEUS_URL`.
    #[arg(long)]
    observability: bool,
    /// Put a proxy on each connection between components, and let `stack fault` work in the command.
    #[arg(long)]
    faults: bool,
    /// The command and its arguments.
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<String>,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let builder = Stack::builder().config(arguments.config).web(arguments.web);
    let result = match arguments.command {
        Command::Run(options) => run(builder, options).await.map(|()| 0),
        Command::Exec(options) => exec(builder, options).await,
        Command::Fault { socket, fault } => faults::ask(socket, fault).await.map(|()| 0),
        Command::Load(customers) => load(customers).await.map(|()| 0),
        Command::Break { dir, scenario } => {
            faults::ask(Some(faults::socket_in(&dir)), Fault::Break { scenario }).await.map(|()| 0)
        }
        Command::Mend { dir } => faults::ask(Some(faults::socket_in(&dir)), Fault::Mend).await.map(|()| 0),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "tells the person who started it where the shop is")]
async fn run(builder: stack::Builder, options: Run) -> Result<()> {
    let mut signals = Signals::listen()?;
    let builder = builder.with_limits().directory(&options.dir).web_host(options.web_host).ports([
        (Component::Postgres, options.postgres_port),
        (Component::Redis, options.redis_port),
        (Component::Backend, options.backend_port),
        (Component::MlService, options.ml_port),
        (Component::Nginx, options.web_port),
    ]);
    let builder = if options.observability {
        let ports = [
            (Component::Loki, options.loki_port),
            (Component::Mimir, options.mimir_port),
            (Component::Prometheus, options.prometheus_port),
            (Component::Grafana, options.grafana_port),
        ];
        let builder = builder.with_observability().with_what_is_there();
        builder.scrape_interval(SCRAPE_INTERVAL).with_links().ports(ports)
    } else {
        builder
    };
    // Also while it starts: dropping the half-started stack ends what runs.
    let mut stack = tokio::select! {
        stack = builder.start() => stack?,
        _ = signals.next() => return Ok(()),
    };
    let faults = options.observability.then(|| Faults::listen(stack.directory())).transpose()?;
    let host = if options.web_host.is_unspecified() { Ipv4Addr::LOCALHOST } else { options.web_host };
    println!(
        "\n  The shop runs.\n\n\
         \x20 shop        http://{host}:{}\n\
         \x20 backend     {}/health\n\
         \x20 ml-service  {}/health\n\
         \x20 postgres    127.0.0.1:{}\n\
         \x20 redis       127.0.0.1:{}\n\
         \x20 logs, data  {}\n\n\
         \x20 customer    demo@shopmicro.example   demo-customer-pass\n\
         \x20 admin       admin@shopmicro.example  demo-admin-pass\n\n\
         \x20 Ctrl-C ends it; data stay.\n",
        options.web_port,
        stack.url(Component::Backend)?,
        stack.url(Component::MlService)?,
        options.postgres_port,
        options.redis_port,
        stack.directory().display(),
    );
    if options.observability {
        if stack.runs(Component::Grafana) {
            println!("\x20 grafana     {}   admin, admin", stack.url(Component::Grafana)?);
        }
        println!(
            "\x20 metrics     {}/prometheus/api/v1/query?query=up\n\
             \x20 alerts      {}/prometheus/api/v1/alerts\n\
             \x20 logs        {}/loki/api/v1/query_range?query=%7Bservice=~%22.%2B%22%7D\n\n\
             \x20 make load sends customers, make break SCENARIO={} an incident, make mend ends it: docs/incidents.\n",
            stack.url(Component::Mimir)?,
            stack.url(Component::Mimir)?,
            stack.url(Component::Loki)?,
            Scenario::RedisDown,
        );
    }
    let outcome = loop {
        let asked = async {
            match &faults {
                Some(faults) => faults.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = signals.next() => break Ok(()),
            error = stack.died() => break Err(error),
            stream = asked => {
                let stream = stream?;
                tokio::select! {
                    _ = signals.next() => break Ok(()),
                    // One that hangs up before it has its answer is no concern of the shop's.
                    _ = faults::answer(stream, &mut stack) => {}
                }
            }
        }
    };
    let stopped = stack.stop_all().await;
    outcome?;
    stopped?;
    println!("  The shop has stopped.");
    Ok(())
}

async fn exec(builder: stack::Builder, options: Exec) -> Result<u8> {
    let mut signals = Signals::listen()?;
    let builder = if options.only.is_empty() { builder } else { builder.only(options.only) };
    let builder = if options.faults { builder.with_links() } else { builder };
    let builder = if options.observability { builder.with_observability() } else { builder };
    let mut stack = tokio::select! {
        stack = builder.start() => stack?,
        code = signals.next() => return Ok(code),
    };
    let faults = options.faults.then(|| Faults::listen(stack.directory())).transpose()?;
    let (program, arguments) = options.command.split_first().context("a command is required")?;
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).envs(stack.environment()?).kill_on_drop(true);
    if let Some(faults) = &faults {
        command.env(faults::SOCKET, faults.path());
    }
    let mut child = command.spawn().with_context(|| format!("start {program}"))?;
    let code = loop {
        let asked = async {
            match &faults {
                Some(faults) => faults.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => {
                let code = code_of(status?);
                if code != 0 {
                    explain(&mut stack, program)?;
                }
                break code;
            }
            code = signals.next() => {
                end(&mut child).await?;
                break code;
            }
            stream = asked => {
                let stream = stream?;
                tokio::select! {
                    code = signals.next() => {
                        end(&mut child).await?;
                        break code;
                    }
                    // One that hangs up before it has its answer is no concern of the command's.
                    _ = faults::answer(stream, &mut stack) => {}
                }
            }
        }
    };
    stack.stop_all().await?;
    Ok(code)
}

#[expect(clippy::print_stdout, reason = "figures for the person who asked for them")]
async fn load(customers: Customers) -> Result<()> {
    let Customers { url, rate, duration, think, spike, patient } = customers;
    let load = Load {
        url: url.trim_end_matches('/').to_owned(),
        rate,
        duration: Duration::from_secs(duration),
        think: Duration::try_from_secs_f64(think)?,
        spike,
        patient,
    };
    let mut signals = Signals::listen()?;
    let stop = async {
        signals.next().await;
    };
    println!("{}", stack::load::run(&load, stop).await?);
    Ok(())
}

/// Tells why a command may have failed.
#[expect(clippy::print_stderr, reason = "it goes where the command's own messages went")]
fn explain(stack: &mut Stack, program: &str) -> Result<()> {
    if let Err(error) = stack.check_all() {
        eprintln!("stack: {error:#}");
    }
    eprintln!("stack: {program} failed; the components' logs are in {}", stack.keep_logs()?.display());
    Ok(())
}

/// As a shell tells it.
fn code_of(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Passes the end on to a command, which may have something to clean up.
async fn end(child: &mut Child) -> Result<()> {
    if let Some(pid) = child.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)) {
        // It may have ended meanwhile, such as by the same Ctrl-C.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(COMMAND_PATIENCE, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}
