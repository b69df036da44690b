//! The servers that are compared, each a process (with children) on a port of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use stack::binaries::find;

use crate::usage;

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same, for one that makes a model first.
const PATIENCE_TO_FIT: Duration = Duration::from_mins(5);
/// gunicorn and its workers.
const GUNICORN: usize = 3;

/// A server that was started here. Dropping it ends it and what it started.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
}

/// A port that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Server {
    /// Starts a command that listens on this port, and waits until it does. Its output goes to a file.
    pub(crate) async fn start(
        mut command: Command,
        port: u16,
        log: &Path,
        patience: Duration,
    ) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let log_file = File::create(log).with_context(|| format!("make {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {}", command.get_program().to_string_lossy()))?;
        let mut server = Self { child, address: format!("127.0.0.1:{port}") };
        let deadline = Instant::now() + patience;
        while tokio::net::TcpStream::connect(&server.address).await.is_err() {
            let ended = server.child.try_wait()?;
            ensure!(
                ended.is_none() && Instant::now() < deadline,
                "it does not listen: see {}",
                log.display()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    /// Its processes.
    pub(crate) fn pids(&self) -> Vec<i32> {
        usage::family(i32::try_from(self.child.id()).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// The Express shop: two workers, with as many connections to the database as the backend.
pub(crate) async fn express(root: &Path, database: &str, redis: &str, log: &Path) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new("node");
    command
        .arg("server.js")
        .current_dir(root.join("tests/bench/peers/express"))
        .env("NODE_ENV", "production")
        .env("PORT", port.to_string())
        .env("WORKERS", "2")
        .env("POSTGRES_URL", database)
        .env("POSTGRES_POOL_SIZE", "8")
        .env("REDIS_URL", redis);
    Server::start(command, port, log, PATIENCE).await
}

/// The Flask recommender: two workers behind gunicorn, each with the model that was made before they began.
pub(crate) async fn flask(root: &Path, database: &str, redis: &str, log: &Path) -> Result<Server> {
    let here = root.join("tests/bench/peers/flask");
    let output = Command::new(root.join("tests/bench/venv"))
        .arg(here.join("requirements.txt"))
        .stderr(Stdio::inherit())
        .output()
        .context("run tests/bench/venv")?;
    ensure!(output.status.success(), "tests/bench/venv failed");
    let environment = String::from_utf8(output.stdout)?;
    let port = free_port()?;
    let mut command = Command::new(Path::new(environment.trim()).join("bin/gunicorn"));
    command
        .current_dir(here)
        .env("PORT", port.to_string())
        .env("POSTGRES_URL", database)
        .env("REDIS_URL", redis)
        // Nothing but what git knows shall lie beside the sources.
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let server = Server::start(command, port, log, PATIENCE_TO_FIT).await?;
    // It listens before it has its workers.
    let deadline = Instant::now() + PATIENCE;
    while server.pids().len() < GUNICORN {
        ensure!(Instant::now() < deadline, "its workers do not start: see {}", log.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(server)
}

/// This program again, as a server that answers the same bytes to everything.
pub(crate) async fn constant(body: &Path, log: &Path) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("constant").arg("--port").arg(port.to_string()).arg("--body").arg(body);
    Server::start(command, port, log, PATIENCE).await
}

/// nginx with two workers and a directory of files.
pub(crate) async fn nginx(directory: &Path, log: &Path) -> Result<Server> {
    let port = free_port()?;
    let config = format!(
        "daemon off; pid nginx.pid; worker_processes 2; error_log stderr; {}
         events {{ worker_connections 512; }}
         http {{
             access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/json;
             open_file_cache max=1000;
             client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
             scgi_temp_path scgi;
             server {{ listen 127.0.0.1:{port}; root files; }}
         }}",
        if rustix::process::geteuid().is_root() { "user root;" } else { "" },
    );
    std::fs::write(directory.join("nginx.conf"), config)?;
    let mut command = Command::new(find("nginx")?);
    command.args(["-e", "stderr", "-c"]).arg(directory.join("nginx.conf")).arg("-p").arg(directory);
    Server::start(command, port, log, PATIENCE).await
}
