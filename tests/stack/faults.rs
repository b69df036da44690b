//! Breaking a stack from outside its process: `stack exec --faults` and `stack run --observability` listen on a
//! socket in the stack's directory, and `stack fault`, `stack break` and `stack mend` say there what shall happen.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use stack::scenarios::Scenario;
use stack::{Component, Edge, Stack};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// The variable with the path of the socket.
pub(crate) const SOCKET: &str = "STACK_FAULTS";

/// How long one who has connected may take to say what shall happen: meanwhile nobody else is heard.
const PATIENCE: Duration = Duration::from_secs(1);

/// What may be done to a stack.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Fault {
    /// End a component as a crash would (SIGKILL).
    Kill { component: Component },
    /// Stop a component in its tracks (SIGSTOP).
    Pause { component: Component },
    /// Let a paused component go on.
    Resume { component: Component },
    /// End a component as an operator would.
    Stop { component: Component },
    /// Start a component again, and wait until it is ready.
    Start { component: Component },
    /// Reset a connection between two components, and each new one.
    Cut { edge: Edge },
    /// Keep a connection between two components open, and pass nothing on.
    Stall { edge: Edge },
    /// Undo a cut or a stall.
    Restore { edge: Edge },
    /// Make an incident happen.
    Break { scenario: Scenario },
    /// End every incident.
    Mend,
}

impl Fault {
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Break { scenario } => ["break", scenario.name()],
            Self::Mend => ["mend", ""],
            Self::Kill { component } => ["kill", component.name()],
            Self::Pause { component } => ["pause", component.name()],
            Self::Resume { component } => ["resume", component.name()],
            Self::Stop { component } => ["stop", component.name()],
            Self::Start { component } => ["start", component.name()],
            Self::Cut { edge } => ["cut", edge.name()],
            Self::Stall { edge } => ["stall", edge.name()],
            Self::Restore { edge } => ["restore", edge.name()],
        }
    }

    async fn happen(self, stack: &mut Stack) -> Result<()> {
        match self {
            Self::Kill { component } => stack.kill(component),
            Self::Pause { component } => stack.pause(component),
            Self::Resume { component } => stack.resume(component),
            Self::Stop { component } => stack.stop(component).await,
            Self::Start { component } => stack.start(component).await,
            Self::Cut { edge } => stack.link(edge).map(stack::Link::cut),
            Self::Stall { edge } => stack.link(edge).map(stack::Link::stall),
            Self::Restore { edge } => stack.link(edge).map(stack::Link::restore),
            Self::Break { scenario } => scenario.provoke(stack).await,
            Self::Mend => {
                // Each, whatever becomes of the others; the database first, which others need.
                let mut outcome = Scenario::DatabaseDown.mend(stack).await;
                for scenario in Scenario::ALL {
                    outcome = outcome.and(scenario.mend(stack).await);
                }
                outcome
            }
        }
    }
}

/// A fault as it goes over the socket: the words of the command line, and `ok` or what went wrong as the answer.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(subcommand)]
    fault: Fault,
}

/// Asks the stack around this process for a fault, and waits until it has happened.
pub(crate) async fn ask(socket: Option<PathBuf>, fault: Fault) -> Result<()> {
    let socket =
        socket.with_context(|| format!("{SOCKET} is not set: this works inside `stack exec --faults`"))?;
    let mut stream = UnixStream::connect(&socket).await.with_context(|| {
        format!("nobody listens at {}: is there a `make run OBSERVABILITY=1`?", socket.display())
    })?;
    stream.write_all(format!("{}\n", fault.words().join(" ")).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    match answer.as_str() {
        "ok" => Ok(()),
        "" => bail!("the stack ended meanwhile"),
        trouble => bail!("{trouble}"),
    }
}

/// Where a stack is asked for faults.
pub(crate) struct Faults {
    listener: UnixListener,
    path: PathBuf,
}

/// The socket of a stack in this directory.
pub(crate) fn socket_in(directory: &Path) -> PathBuf {
    directory.join("faults")
}

impl Faults {
    pub(crate) fn listen(directory: &Path) -> Result<Self> {
        let path = socket_in(directory);
        // A run before this one may have left its own; the lock on the directory says that it is over.
        if path.exists() {
            std::fs::remove_file(&path)?;
        }
        let listener = UnixListener::bind(&path)?;
        // Whoever may write to it may break the shop.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for somebody who asks. May be abandoned at any moment without a loss.
    pub(crate) async fn next(&self) -> Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// Does what one asks for, and tells how it went. May be abandoned where the stack ends.
pub(crate) async fn answer(stream: UnixStream, stack: &mut Stack) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    timeout(PATIENCE, stream.read_line(&mut line)).await??;
    let happened = match Line::try_parse_from(line.split_whitespace()) {
        Ok(line) => line.fault.happen(stack).await,
        Err(error) => Err(error.into()),
    };
    let answer = happened.map_or_else(|error| format!("{error:#}"), |()| "ok".to_owned());
    stream.write_all(answer.as_bytes()).await?;
    Ok(())
}
