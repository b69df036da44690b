//! What each component is started with, and how it shows that it is ready.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use sha2::{Digest, Sha256};

use crate::process::{self, Process};
use crate::{Component, Edge, Stack, binaries, observability};

/// A port where nothing listens, for components whose neighbour is not part of the stack and that do without it.
const NOBODY: u16 = 1;

/// Passwords, made at random the first time and kept where the data are.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) postgres_admin: String,
    pub(crate) postgres: String,
    pub(crate) postgres_exporter: String,
    pub(crate) redis: String,
    pub(crate) grafana: String,
}

impl Secrets {
    pub(crate) fn read_or_make(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
        let secret = |name: &str| -> Result<String> {
            let path = directory.join(name);
            if let Ok(secret) = fs::read_to_string(&path) {
                return Ok(secret.trim().to_owned());
            }
            let secret = format!("{:032x}", rand::random::<u128>());
            write_private(&path, &secret)?;
            Ok(secret)
        };
        Ok(Self {
            postgres_admin: secret("postgres-admin")?,
            postgres: secret("postgres")?,
            postgres_exporter: secret("postgres-exporter")?,
            redis: secret("redis")?,
            grafana: secret("grafana")?,
        })
    }
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    Ok(())
}

/// How a component is asked to end: PostgreSQL ends sessions at once on SIGINT, nginx answers what it has on SIGQUIT.
pub(crate) fn stop_signal(component: Component) -> Signal {
    match component {
        Component::Postgres => Signal::INT,
        Component::Nginx => Signal::QUIT,
        _ => Signal::TERM,
    }
}

/// How long a component may take to end. The shop's together take less than ten seconds; PostgreSQL writes a checkpoint.
pub(crate) const fn patience(component: Component) -> Duration {
    Duration::from_millis(match component {
        Component::Postgres => 3_000,
        Component::Backend | Component::BackendReplica | Component::Nginx => 2_000,
        // They write what they have in memory.
        Component::Loki | Component::Mimir | Component::Tempo | Component::Prometheus => 10_000,
        _ => 1_000,
    })
}

pub(crate) fn spawn(stack: &Stack, component: Component) -> Result<Process> {
    let command = match component {
        Component::Postgres => postgres(stack)?,
        Component::Redis => redis(stack)?,
        Component::Backend | Component::BackendReplica => {
            let mut command = backend(stack)?;
            command.env("PORT", stack.port(component)?.to_string()).arg("serve");
            command
        }
        Component::MlService => ml_service(stack)?,
        Component::Nginx => nginx(stack)?,
        Component::Loki => observability::loki(stack)?,
        Component::Mimir => observability::mimir(stack)?,
        Component::Prometheus => observability::prometheus(stack)?,
        Component::PostgresExporter => observability::postgres_exporter(stack)?,
        Component::RedisExporter => observability::redis_exporter(stack)?,
        Component::NginxExporter => observability::nginx_exporter(stack)?,
        Component::Tempo => observability::tempo(stack)?,
        Component::Alloy => observability::alloy(stack)?,
        Component::Grafana => observability::grafana(stack)?,
    };
    let pid_file = stack.directory().join("pids").join(component.name());
    Process::spawn(component.name(), command, &stack.log(component), pid_file)
}

/// PostgreSQL's own user, where we are root: it refuses to run as root.
fn postgres_user() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd")?;
    let fields = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields[0] == "postgres")
        .context("PostgreSQL does not run as root, and there is no user `postgres` to run it as")?;
    Ok(Some((fields[2].parse()?, fields[3].parse()?)))
}

/// The directory of PostgreSQL's files. Where its user cannot pass through the stack's directory (a clone in a private
/// one), they lie under /var/tmp, and a link leads there.
fn postgres_directory(stack: &Stack) -> Result<PathBuf> {
    let here = stack.directory().join("postgres");
    let Some((uid, gid)) = postgres_user()? else {
        fs::create_dir_all(&here)?;
        return Ok(here);
    };
    let passable = |directory: &Path| {
        fs::metadata(directory).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    };
    let directory = if fs::symlink_metadata(&here).is_ok_and(|metadata| metadata.is_symlink()) {
        fs::read_link(&here)?
    } else if here.ancestors().skip(1).all(passable) {
        here
    } else {
        let hash: [u8; 32] = Sha256::digest(here.as_os_str().as_encoded_bytes()).into();
        let name = hash.first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default();
        let elsewhere = PathBuf::from(format!("/var/tmp/shopmicro-{name:016x}"));
        // Without a link to it, it belongs to a directory of this name that was removed.
        if elsewhere.exists() {
            fs::remove_dir_all(&elsewhere)?;
        }
        symlink(&elsewhere, &here)?;
        elsewhere
    };
    // Everybody may write to /var/tmp, so what is there already must be PostgreSQL's own, and no link.
    if let Ok(metadata) = fs::symlink_metadata(&directory) {
        ensure!(
            metadata.is_dir() && [0, uid].contains(&metadata.uid()),
            "{} is not a directory of PostgreSQL's user",
            directory.display()
        );
    } else {
        fs::create_dir(&directory)?;
    }
    chown(&directory, Some(uid), Some(gid))?;
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
    Ok(directory)
}

/// A command as PostgreSQL's user.
fn as_postgres(program: &str, directory: &Path) -> Result<Command> {
    let mut command = Command::new(binaries::find(program)?);
    if let Some((uid, gid)) = postgres_user()? {
        command.uid(uid).gid(gid);
    }
    // The working directory may be one that this user cannot read.
    command.current_dir(directory).env("LC_ALL", "C.UTF-8");
    Ok(command)
}

fn run(name: &str, mut command: Command) -> Result<()> {
    let output = command.output().with_context(|| format!("run {name}"))?;
    ensure!(
        output.status.success(),
        "{name} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn postgres(stack: &Stack) -> Result<Command> {
    let directory = postgres_directory(stack)?;
    let data = directory.join("data");
    let durable = stack.directory.stays();
    if !data.join("PG_VERSION").exists() {
        // What an interrupted attempt left.
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        let password = directory.join("password");
        write_private(&password, &stack.secrets.postgres_admin)?;
        if let Some((uid, gid)) = postgres_user()? {
            chown(&password, Some(uid), Some(gid))?;
        }
        let mut command = as_postgres("initdb", &directory)?;
        command.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]);
        if !durable {
            command.arg("--no-sync");
        }
        command.arg("--pgdata").arg(&data).arg("--pwfile").arg(&password);
        let made = run("initdb", command);
        fs::remove_file(&password)?;
        made?;
    }
    clear_way(&data)?;
    // A copy, since PostgreSQL's user may not be able to read the source tree.
    let config = directory.join("postgresql.conf");
    fs::write(&config, fs::read(stack.config.join("postgres/postgresql.conf"))?)?;
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644))?;
    let mut command = as_postgres("postgres", &directory)?;
    command.arg("-D").arg(&data);
    let mut set = |setting: String| {
        command.arg("-c").arg(setting);
    };
    set(format!("config_file={}", config.display()));
    set("listen_addresses=127.0.0.1".to_owned());
    set("unix_socket_directories=".to_owned());
    set(format!("port={}", stack.port(Component::Postgres)?));
    if !durable {
        // The data are thrown away with the stack, and the machine will not lose power; a killed server loses nothing. What
        // was executed is remembered for `tests/sql/executed`.
        let statistics = ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.max=50000"];
        for setting in ["fsync=off", "full_page_writes=off"].into_iter().chain(statistics) {
            set(setting.to_owned());
        }
    }
    Ok(command)
}

/// After a crash, PostgreSQL starts only when its children are gone too, and takes a zombie for a living server. The lock
/// on the stack's directory says that there is no other.
fn clear_way(data: &Path) -> Result<()> {
    process::wait_for_nobody_in(data, "postgres")?;
    let pid_file = data.join("postmaster.pid");
    let pid = fs::read_to_string(&pid_file).ok().and_then(|text| text.lines().next()?.parse().ok());
    if pid.is_some_and(process::is_zombie) {
        fs::remove_file(&pid_file)?;
    }
    Ok(())
}

/// Makes roles and database, as the image's entry point and NixOS do: by psql, from the same file.
pub(crate) fn initialise_database(stack: &Stack) -> Result<()> {
    let mut command = Command::new(binaries::find("psql")?);
    // Variables of the user's own sessions (`PGOPTIONS`, `PGSERVICE`) do not concern this one.
    command
        .env_clear()
        .args(["--no-psqlrc", "--quiet", "--host=127.0.0.1", "--username=postgres", "--dbname=postgres"])
        .arg(format!("--port={}", stack.port(Component::Postgres)?))
        .arg("--file")
        .arg(stack.config.join("postgres/init.sql"))
        .env("PGPASSWORD", &stack.secrets.postgres_admin)
        .env("SHOPMICRO_PASSWORD", &stack.secrets.postgres)
        .env("SHOPMICRO_EXPORTER_PASSWORD", &stack.secrets.postgres_exporter);
    run("psql", command)
}

fn redis(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("redis");
    fs::create_dir_all(&directory)?;
    // A file, since arguments can be read by everybody on the machine.
    let config = directory.join("redis.conf");
    let text = format!(
        "include {}\nbind 127.0.0.1\nport {}\ndir {}\nrequirepass {}",
        stack.config.join("redis/redis.conf").display(),
        stack.port(Component::Redis)?,
        directory.display(),
        stack.secrets.redis,
    );
    write_private(&config, &text)?;
    let mut command = Command::new(binaries::find("redis-server")?);
    command.arg(&config);
    Ok(command)
}

/// A service of ours, with nothing of our own environment but what concerns telemetry.
fn service(stack: &Stack, program: &str) -> Result<Command> {
    let mut command = Command::new(binaries::find_ours(program, stack.programs.as_deref())?);
    command.env_clear().env("HOST", "127.0.0.1");
    for name in ["PATH", "LOG_LEVEL", "LOKI_URL", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if stack.parts.contains(&Component::Loki) {
        command.env("LOKI_URL", stack.url(Component::Loki)?);
    }
    if let Some(endpoint) = &stack.traces {
        command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint);
    } else if stack.parts.contains(&Component::Alloy) {
        command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", observability::traces_endpoint(stack)?);
    }
    Ok(command)
}

fn redis_url_over(stack: &Stack, edge: Edge) -> Result<String> {
    Ok(format!("redis://:{}@127.0.0.1:{}", stack.secrets.redis, stack.port_over(edge)?))
}

fn backend(stack: &Stack) -> Result<Command> {
    let database = stack.port_over(Edge::BackendToPostgres)?;
    let ml_service = stack.port_over(Edge::BackendToMlService).unwrap_or(NOBODY);
    let mut command = service(stack, "shopmicro-backend")?;
    command
        .env("NODE_ENV", "development")
        .env(
            "POSTGRES_URL",
            format!("postgresql://shopmicro:{}@127.0.0.1:{database}/shopmicro", stack.secrets.postgres),
        )
        .env("REDIS_URL", redis_url_over(stack, Edge::BackendToRedis)?)
        .env("ML_SERVICE_URL", format!("http://127.0.0.1:{ml_service}"));
    if !stack.limits {
        for class in ["READ", "WRITE", "AUTH", "REPORT"] {
            command.env(format!("RATE_LIMIT_{class}"), "1000000 burst 1000000");
        }
    }
    let settings = stack.backend_settings.iter().chain(&stack.deployed);
    command.envs(settings.map(|(name, value)| (name, value)));
    Ok(command)
}

/// Runs a command of the backend to its end.
pub(crate) async fn run_backend(stack: &Stack, subcommand: &'static str) -> Result<()> {
    let mut command = backend(stack)?;
    command.arg(subcommand);
    tokio::task::spawn_blocking(move || run(&format!("shopmicro-backend {subcommand}"), command)).await?
}

fn ml_service(stack: &Stack) -> Result<Command> {
    let mut command = service(stack, "shopmicro-ml-service")?;
    command
        .arg("serve")
        .env("FLASK_ENV", "development")
        .env("PORT", stack.port(Component::MlService)?.to_string())
        .env("REDIS_URL", redis_url_over(stack, Edge::MlServiceToRedis)?)
        .env("BACKEND_URL", format!("http://127.0.0.1:{}", stack.port_over(Edge::MlServiceToBackend)?));
    command.envs(stack.ml_service_settings.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

fn nginx(stack: &Stack) -> Result<Command> {
    let directory = stack.directory().join("nginx");
    fs::create_dir_all(&directory)?;
    for file in ["nginx.conf", "shop.conf"] {
        // The text and not the file: in a Nix store it is read-only, and the next run shall replace its copy.
        fs::write(directory.join(file), fs::read(stack.config.join("nginx").join(file))?)?;
    }
    let web = stack.web.as_ref().context("nginx needs the built pages")?;
    let replicas = [Component::Backend, Component::BackendReplica];
    let mut servers: Vec<u16> = replicas.into_iter().filter_map(|part| stack.port(part).ok()).collect();
    if servers.is_empty() {
        servers.push(NOBODY);
    }
    let servers: Vec<String> =
        servers.iter().map(|port| format!("    server 127.0.0.1:{port} max_fails=0;\n")).collect();
    let deployment = format!(
        "upstream backend {{\n{}    keepalive 32;\n}}\n\
         server {{\n    listen {}:{};\n    root \"{}\";\n    include shop.conf;\n}}\n",
        servers.concat(),
        stack.web_host,
        stack.port(Component::Nginx)?,
        web.display(),
    );
    fs::write(directory.join("deployment.conf"), deployment)?;
    let mut command = Command::new(binaries::find("nginx")?);
    // As root, nginx' workers would change to a user that may not be able to read a private source tree.
    let user = if rustix::process::geteuid().is_root() { " user root;" } else { "" };
    command
        .arg("-p")
        .arg(&directory)
        .arg("-c")
        .arg(directory.join("nginx.conf"))
        .args(["-e", "stderr", "-g"])
        .arg(format!("daemon off; pid nginx.pid;{user}"));
    Ok(command)
}

pub(crate) async fn is_ready(stack: &Stack, component: Component) -> bool {
    let ready = async {
        match component {
            Component::Postgres => {
                let url = stack.postgres_admin_url()?;
                let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
                tokio::spawn(connection);
                client.simple_query("select 1").await?;
            }
            Component::Redis => {
                let client = redis::Client::open(stack.redis_url()?)?;
                let mut connection = client.get_multiplexed_async_connection().await?;
                redis::cmd("PING").query_async::<String>(&mut connection).await?;
            }
            Component::Backend | Component::BackendReplica | Component::MlService => {
                get(stack, component, "/health/ready").await?;
            }
            Component::Nginx => get(stack, component, "/health").await?,
            Component::Loki | Component::Mimir | Component::Tempo => get(stack, component, "/ready").await?,
            Component::Prometheus | Component::Alloy => get(stack, component, "/-/ready").await?,
            Component::Grafana => get(stack, component, "/api/health").await?,
            Component::PostgresExporter | Component::RedisExporter | Component::NginxExporter => {
                get(stack, component, "/metrics").await?;
            }
        }
        anyhow::Ok(())
    };
    matches!(tokio::time::timeout(Duration::from_secs(1), ready).await, Ok(Ok(())))
}

async fn get(stack: &Stack, component: Component, path: &str) -> Result<()> {
    let host = if component == Component::Nginx { stack.web_host } else { Ipv4Addr::LOCALHOST };
    let url = format!("http://{host}:{}{path}", stack.port(component)?);
    let status = reqwest::get(url).await?.status();
    if !status.is_success() {
        bail!("{status}");
    }
    Ok(())
}
