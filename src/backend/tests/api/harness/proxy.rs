//! A wire that can be cut: a TCP proxy between the service and a dependency.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passes,
    Stalls,
    Cut,
}

/// A proxy. While it is cut, connections end and new ones end at once; while it stalls, they stay and nothing arrives.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
}

/// Passes bytes on, when they may pass.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        // The sender lives as long as the proxy.
        let _ = state.wait_for(|state| *state != State::Stalls).await;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}

impl Proxy {
    /// A proxy before this `host:port`.
    pub(crate) async fn before(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (sender, state) = watch::channel(State::Passes);
        tokio::spawn(async move {
            while let Ok((mut inward, _)) = listener.accept().await {
                let (target, mut state) = (target.clone(), state.clone());
                tokio::spawn(async move {
                    let pumps = state.clone();
                    let passed = async {
                        let mut outward = TcpStream::connect(target).await?;
                        let (from_client, to_client) = inward.split();
                        let (from_server, to_server) = outward.split();
                        tokio::try_join!(
                            pump(from_client, to_server, pumps.clone()),
                            pump(from_server, to_client, pumps),
                        )
                    };
                    tokio::select! {
                        _ = passed => {}
                        _ = state.wait_for(|state| *state == State::Cut) => {}
                    }
                });
            }
        });
        Self { address, state: sender }
    }

    /// A proxy before the Redis of these tests.
    pub(crate) async fn before_redis() -> Self {
        let url = url::Url::parse(&super::variable("REDIS_URL")).expect("REDIS_URL is a URL");
        let host = url.host_str().expect("REDIS_URL has a host");
        Self::before(format!("{host}:{}", url.port().unwrap_or(6379))).await
    }

    /// A proxy before the PostgreSQL of these tests.
    pub(crate) async fn before_postgres() -> Self {
        let url = url::Url::parse(&super::variable("POSTGRES_URL")).expect("POSTGRES_URL is a URL");
        let host = url.host_str().expect("POSTGRES_URL has a host");
        Self::before(format!("{host}:{}", url.port().unwrap_or(5432))).await
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Keeps every connection and passes nothing on.
    pub(crate) fn stall(&self) {
        self.state.send_replace(State::Stalls);
    }

    /// Lets connections through again, and what was held back in a stall.
    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Passes);
    }
}
