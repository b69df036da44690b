//! `stack run` starts the shop on this machine; `stack exec` gives a command a private one for as long as it runs.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use stack::{Component, Stack};
use tokio::signal::unix::{SignalKind, signal};

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
}

#[derive(Debug, Args)]
struct Exec {
    /// Only these components.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Component>,
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
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Ends on Ctrl-C or SIGTERM.
async fn signalled() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "tells the person who started it where the shop is")]
async fn run(builder: stack::Builder, options: Run) -> Result<()> {
    let builder = builder.directory(&options.dir).web_host(options.web_host).ports([
        (Component::Postgres, options.postgres_port),
        (Component::Redis, options.redis_port),
        (Component::Backend, options.backend_port),
        (Component::MlService, options.ml_port),
        (Component::Nginx, options.web_port),
    ]);
    // Also while it starts: dropping the half-started stack ends what runs.
    let mut stack = tokio::select! {
        stack = builder.start() => stack?,
        stopped = signalled() => return stopped,
    };
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
    let outcome = tokio::select! {
        stopped = signalled() => stopped,
        error = stack.died() => Err(error),
    };
    let stopped = stack.stop_all().await;
    outcome?;
    stopped?;
    println!("  The shop has stopped.");
    Ok(())
}

async fn exec(builder: stack::Builder, options: Exec) -> Result<u8> {
    let builder = if options.only.is_empty() { builder } else { builder.only(options.only) };
    let mut stack = tokio::select! {
        stack = builder.start() => stack?,
        stopped = signalled() => {
            stopped?;
            return Ok(130);
        }
    };
    let (program, arguments) = options.command.split_first().context("a command is required")?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .envs(stack.environment()?)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {program}"))?;
    let code = tokio::select! {
        status = child.wait() => status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        stopped = signalled() => {
            stopped?;
            130
        }
    };
    stack.stop_all().await?;
    Ok(code)
}
