//! The backend's program: `serve`, and the commands that an operator runs.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use platform::config::Env;
use platform::shutdown::Lifecycle;
use platform::telemetry::TelemetryConfig;
use shopmicro_backend::admins::{self, Admin};
use shopmicro_backend::config::Config;
use shopmicro_backend::domain::user::{NewUser, RegisterBody};
use shopmicro_backend::error::Error;
use shopmicro_backend::export::What;
use shopmicro_backend::import::ImportOptions;
use shopmicro_backend::passwords::Passwords;
use shopmicro_backend::{AppState, VERSION, db};

/// ShopMicro's backend. Settings come from the environment: `POSTGRES_URL`, `REDIS_URL`, `ML_SERVICE_URL`, `PORT`
/// and others.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests until SIGTERM.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Put the demo catalogue in and, outside production, the demo accounts.
    Seed,
    /// Read a catalogue or past orders from CSV, gzipped or not; all of it or nothing.
    Import {
        /// The file.
        file: PathBuf,
        /// Write every refused row, with its reason, to this CSV file.
        #[arg(long)]
        rejects: Option<PathBuf>,
    },
    /// Write the catalogue or the orders as CSV to standard output, in the format that `import` reads.
    Export {
        /// What to write.
        what: What,
    },
    /// Make an account an admin's, with a new password: the way in for the first one, and back in for one who lost the
    /// password. Asked for on a terminal; else the password is the first line of standard input.
    CreateAdmin {
        /// The address to log in with.
        #[arg(long)]
        email: String,
        /// What to call its owner; an account that is there keeps its name.
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
    /// Print the API's OpenAPI document.
    Openapi,
    /// Read the configuration and say what is wrong with it.
    CheckConfig,
    /// Ask the service on this host whether it lives; for use inside an image.
    Healthcheck,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shopmicro-backend: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "commands answer on standard output")]
async fn run(command: Command) -> anyhow::Result<()> {
    if matches!(command, Command::Openapi) {
        println!("{}", shopmicro_backend::routes::openapi().to_pretty_json()?);
        return Ok(());
    }
    let config = Config::read(&mut Env::from_process())?;
    match command {
        Command::Openapi => {}
        Command::Serve => serve(&config).await?,
        Command::Migrate => {
            // Its lines are for whoever starts it: Loki has those of the service.
            let here = TelemetryConfig { loki: None, otlp_traces: None, ..config.service.telemetry };
            let telemetry = platform::telemetry::init(&here, VERSION)?;
            let migrated = db::migrate(&config.postgres_url).await;
            telemetry.flush().await;
            println!("migrations applied: {}", migrated?);
        }
        Command::Seed => {
            let pool = db::pool(&config.postgres_url, 1).map_err(anyhow::Error::from_boxed)?;
            let mut client = pool.get().await?;
            let transaction = client.transaction().await?;
            let seeded = shopmicro_backend::seed::seed(&transaction, config.service.production).await?;
            transaction.commit().await?;
            println!(
                "products added: {} of {}; demo accounts added: {}",
                seeded.products_added, seeded.products, seeded.accounts_added
            );
        }
        Command::Import { file, rejects } => {
            let mut client = db::connect(&config.postgres_url).await.context("connect to the database")?;
            let options = ImportOptions { rejects };
            println!("{}", shopmicro_backend::import::import(&mut client, &file, &options).await?);
        }
        Command::Export { what } => {
            let client = db::connect(&config.postgres_url).await.context("connect to the database")?;
            shopmicro_backend::export::export(&client, what, tokio::io::stdout()).await?;
        }
        Command::CreateAdmin { email, name } => println!("{}", create_admin(&config, email, name).await?),
        Command::CheckConfig => println!("the configuration is valid"),
        Command::Healthcheck => platform::health::check(config.service.listen).await?,
    }
    Ok(())
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let telemetry = platform::telemetry::init(&config.service.telemetry, VERSION)?;
    if config.migrate_on_start {
        let applied = db::migrate(&config.postgres_url).await?;
        tracing::info!(applied, "the schema is up to date");
    }
    let lifecycle = Lifecycle::new();
    let state =
        AppState::new(config, telemetry.metrics(), lifecycle.clone()).map_err(anyhow::Error::from_boxed)?;
    shopmicro_backend::workers::spawn(&state);
    let listener = tokio::net::TcpListener::bind(config.service.listen)
        .await
        .with_context(|| format!("listen on {}", config.service.listen))?;
    tracing::info!(address = %config.service.listen, version = VERSION, "listening");
    platform::shutdown::serve(listener, shopmicro_backend::app(state), lifecycle, config.shutdown_delay)
        .await;
    telemetry.flush().await;
    Ok(())
}

/// Makes an admin.
async fn create_admin(config: &Config, email: String, name: String) -> anyhow::Result<String> {
    let body = RegisterBody { email, password: read_password()?, name };
    let new = NewUser::try_from(body).map_err(|error| match error {
        Error::Invalid(mistakes) => {
            let told: Vec<String> =
                mistakes.iter().map(|mistake| format!("{} {}", mistake.field, mistake.message)).collect();
            anyhow::anyhow!("{}", told.join("; "))
        }
        error => error.into(),
    })?;
    let email = new.email.clone();
    let pool = db::pool(&config.postgres_url, 1).map_err(anyhow::Error::from_boxed)?;
    let admin = admins::create(&mut pool.get().await?, &Passwords::new()?, new).await?;
    Ok(match admin {
        Admin::Created(id) => format!("{email} is an admin: a new account, {id}"),
        Admin::Promoted(id) => {
            format!("{email} is an admin: the account {id}, with the new password and no sessions")
        }
    })
}

/// A new password: typed twice on a terminal, which does not show it; else the first line of standard input.
fn read_password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).context("read the password from standard input")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let terminal = console::Term::stderr();
    let ask = |question: &str| -> std::io::Result<String> {
        terminal.write_str(question)?;
        terminal.read_secure_line()
    };
    let password = ask("New password: ")?;
    if ask("The same again: ")? != password {
        bail!("these are two passwords");
    }
    Ok(password)
}
