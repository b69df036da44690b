//! A wire that can be cut: a TCP proxy between the service and a dependency.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy. While it is cut, connections end and new ones end at once.
pub(crate) struct Proxy {
    address: SocketAddr,
    cut: watch::Sender<bool>,
}

impl Proxy {
    /// A proxy before this `host:port`.
    pub(crate) async fn before(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (cut, state) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut inward, _)) = listener.accept().await {
                let (target, mut state) = (target.clone(), state.clone());
                tokio::spawn(async move {
                    let passed = async {
                        let mut outward = TcpStream::connect(target).await?;
                        tokio::io::copy_bidirectional(&mut inward, &mut outward).await
                    };
                    tokio::select! {
                        _ = passed => {}
                        _ = state.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        Self { address, cut }
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
        self.cut.send_replace(true);
    }

    /// Lets connections through again.
    pub(crate) fn mend(&self) {
        self.cut.send_replace(false);
    }
}
