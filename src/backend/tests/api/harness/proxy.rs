//! A wire that can be cut: a TCP proxy between the service and a dependency.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
    round_trips: Arc<AtomicUsize>,
}

/// Counts round trips on one connection: each time that the client speaks after the server.
#[derive(Clone)]
struct Turns {
    server_spoke: Arc<AtomicBool>,
    round_trips: Arc<AtomicUsize>,
}

impl Turns {
    fn client_speaks(&self) {
        if self.server_spoke.swap(false, Ordering::SeqCst) {
            self.round_trips.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn server_speaks(&self) {
        self.server_spoke.store(true, Ordering::SeqCst);
    }
}

/// Passes bytes on, when they may pass.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
    spoken: impl Fn(),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        // The sender lives as long as the proxy.
        let _ = state.wait_for(|state| *state != State::Stalls).await;
        if read == 0 {
            return to.shutdown().await;
        }
        // Before the other side can answer.
        spoken();
        to.write_all(&buffer[..read]).await?;
    }
}

impl Proxy {
    /// A proxy before this `host:port`.
    pub(crate) async fn before(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (sender, state) = watch::channel(State::Passes);
        let round_trips = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&round_trips);
        tokio::spawn(async move {
            while let Ok((mut inward, _)) = listener.accept().await {
                let (target, mut state) = (target.clone(), state.clone());
                let turns = Turns { server_spoke: Arc::default(), round_trips: Arc::clone(&counted) };
                tokio::spawn(async move {
                    let pumps = state.clone();
                    let passed = async {
                        let mut outward = TcpStream::connect(target).await?;
                        let (from_client, to_client) = inward.split();
                        let (from_server, to_server) = outward.split();
                        tokio::try_join!(
                            pump(from_client, to_server, pumps.clone(), || turns.client_speaks()),
                            pump(from_server, to_client, pumps, || turns.server_speaks()),
                        )
                    };
                    tokio::select! {
                        _ = passed => {}
                        _ = state.wait_for(|state| *state == State::Cut) => {}
                    }
                });
            }
        });
        Self { address, state: sender, round_trips }
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

    /// Round trips between the service and the dependency so far; the first words on a connection do not count.
    pub(crate) fn round_trips(&self) -> usize {
        self.round_trips.load(Ordering::SeqCst)
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
