//! The command line of the recommender.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use platform::config::Env;
use platform::shutdown::Lifecycle;
use platform::{health, shutdown, telemetry};
use shopmicro_ml_service::config::Config;
use shopmicro_ml_service::{App, app};
use tokio::net::TcpListener;

/// Recommends products of the shop. Configured by the environment alone.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or Ctrl-C.
    Serve,
    /// Reads the configuration and reports all its mistakes.
    CheckConfig,
    /// Asks the service on this host whether it lives.
    Healthcheck,
}

#[tokio::main]
#[expect(
    clippy::print_stderr,
    reason = "before and after telemetry runs, stderr is the only place to tell the cause"
)]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        // Not returned from `main`: that would bury a mistake in the configuration under a backtrace.
        Err(error) => {
            eprintln!("shopmicro-ml-service: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let config = Config::read(&mut Env::from_process())?;
    match command {
        Command::Serve => serve(&config).await,
        Command::CheckConfig => Ok(()),
        Command::Healthcheck => Ok(health::check(config.service.listen).await?),
    }
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let telemetry = telemetry::init(&config.service.telemetry, env!("CARGO_PKG_VERSION"))?;
    let lifecycle = Lifecycle::new();
    let state = App::new(config, telemetry.metrics(), lifecycle.clone())?;
    let address = config.service.listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    state.restore().await;
    state.follow(config);
    tracing::info!(%address, "listening");
    shutdown::serve(listener, app(state), lifecycle, config.shutdown_delay).await;
    telemetry.flush().await;
    Ok(())
}
