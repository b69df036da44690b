//! A TCP proxy between two components, for tests that break the connection in all the ways that networks do.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Each piece is passed on after a while.
    Slow(Duration),
    /// Connections are taken, bytes are not passed on.
    Stalled,
    /// Connections stay open on the side of who asks, and whatever is said on them is lost, now and later.
    HalfOpen,
    /// Connections are reset, and so are new ones.
    Cut,
    /// Each connection is reset once so many bytes of answers have passed.
    ResetAfter(usize),
}

/// A connection that can be broken. Dropping it cuts it for good.
#[derive(Debug)]
pub struct Link {
    port: u16,
    state: watch::Sender<State>,
}

impl Link {
    /// Listens on a free port and passes on to another.
    pub async fn open(target: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (state, watched) = watch::channel(State::Open);
        tokio::spawn(accept(listener, target, watched));
        Ok(Self { port, state })
    }

    /// The port that the proxy listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets every connection, and each new one.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Keeps connections, takes new ones, and passes nothing on.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    /// Passes each piece on after a while.
    pub fn slow(&self, latency: Duration) {
        self.state.send_replace(State::Slow(latency));
    }

    /// Forgets the other side of every connection, and of each new one, without a word to the side that asks: those
    /// connections never answer again, not even when the link is restored.
    pub fn half_open(&self) {
        self.state.send_replace(State::HalfOpen);
    }

    /// Resets every connection, and each new one, after so many bytes of its answers.
    pub fn reset_after(&self, bytes: usize) {
        self.state.send_replace(State::ResetAfter(bytes));
    }

    /// Passes everything on again; what was held back by a stall first.
    pub fn restore(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn accept(listener: TcpListener, target: u16, state: watch::Receiver<State>) {
    let mut closed = state.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = dropped(&mut closed) => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, say: others will be closed.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        tokio::spawn(connection(stream, target, state.clone()));
    }
}

/// Ends when the link was dropped.
async fn dropped(state: &mut watch::Receiver<State>) {
    while state.changed().await.is_ok() {}
}

/// Makes the close a reset, as a cable that is pulled and a firewall that forgets would.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

async fn connection(mut client: TcpStream, target: u16, mut state: watch::Receiver<State>) {
    reset(&client);
    let now = *state.borrow();
    if now == State::Cut {
        return;
    }
    if now != State::HalfOpen {
        let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let (client_read, client_write) = client.split();
        let (server_read, server_write) = server.split();
        let up = pass(client_read, server_write, state.clone(), false);
        let down = pass(server_read, client_write, state.clone(), true);
        let both = async { tokio::try_join!(up, down) };
        let broken = tokio::select! {
            _ = both => return,
            // An error where the link was dropped.
            broken = state.wait_for(|state| matches!(state, State::Cut | State::HalfOpen)) => broken.map(|state| *state),
        };
        if !matches!(broken, Ok(State::HalfOpen)) {
            return;
        }
    }
    let mut lost = vec![0; 16 * 1024];
    let forget = async { while client.read(&mut lost).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        () = forget => {}
        () = dropped(&mut state) => {}
    }
}

/// Passes on what one side says. An error ends the connection as a whole.
async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut state: watch::Receiver<State>,
    answers: bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut counted = 0;
    loop {
        let read = from.read(&mut buffer).await?;
        let waited = state.wait_for(|state| !matches!(state, State::Stalled | State::HalfOpen)).await;
        let Ok(now) = waited.map(|state| *state) else { return Err(io::ErrorKind::ConnectionReset.into()) };
        if read == 0 {
            return to.shutdown().await;
        }
        match now {
            State::Slow(latency) => tokio::time::sleep(latency).await,
            State::ResetAfter(bytes) if answers && counted + read > bytes => {
                to.write_all(&buffer[..bytes.saturating_sub(counted)]).await?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            State::ResetAfter(_) => counted += read,
            _ => counted = 0,
        }
        to.write_all(&buffer[..read]).await?;
    }
}
