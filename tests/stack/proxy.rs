//! A TCP proxy between two components, for tests that break the connection.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Connections are taken, bytes are not passed on.
    Stalled,
    /// Connections are reset, and so are new ones.
    Cut,
}

/// A connection that can be cut. Dropping it cuts it for good.
#[derive(Debug)]
pub struct Link {
    port: u16,
    state: watch::Sender<State>,
}

impl Link {
    /// Listens on a free port and passes on to another.
    pub(crate) async fn open(target: u16) -> Result<Self> {
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

async fn connection(client: TcpStream, target: u16, mut state: watch::Receiver<State>) {
    reset(&client);
    if *state.borrow() == State::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let up = pass(client_read, server_write, state.clone());
    let down = pass(server_read, client_write, state.clone());
    let both = async { tokio::join!(up, down) };
    tokio::select! {
        _ = both => {}
        // Also where the link was dropped.
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read) = from.read(&mut buffer).await else { return };
        if state.wait_for(|state| *state == State::Open).await.is_err() || read == 0 {
            let _ = to.shutdown().await;
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
