//! The HTTP server: HTTP/1.1 with bounds on what a connection may take before there is a request to answer. `axum::serve`
//! has none of them, so this goes one level deeper, to hyper.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// The most bytes of a request's head. hyper answers a longer one with 431 by itself, without a body; below that,
/// [`crate::http`] has a smaller bound and says why.
const MAX_HEAD: usize = 32 * 1024;

/// How long the server rests where it cannot accept, for want of files or memory.
const REST: Duration = Duration::from_millis(500);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// So many at once. A further one takes the place of the one that is there longest, once that has its answer.
    pub connections: usize,
    // How long each may keep the server waiting:
    /// For the rest of a request's head, from its first byte on.
    pub head: Duration,
    /// For a client to take any more of an answer.
    pub write: Duration,
    /// For the next request. Proxies keep connections for a minute: who closes first may lose a request.
    pub idle: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // Fewer than the 1024 files that a process may have open where nobody said otherwise.
            connections: 800,
            head: Duration::from_secs(10),
            write: Duration::from_secs(30),
            idle: Duration::from_secs(75),
        }
    }
}

/// Serves until `stop`, then lets requests in flight finish. Connections without one end at once.
pub async fn run(listener: TcpListener, app: Router, bounds: Bounds, stop: impl Future<Output = ()>) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(bounds.connections));
    let full = Arc::new(Notify::new());
    let stopping = CancellationToken::new();
    let accept = async {
        loop {
            if places.available_permits() == 0 {
                // The connection that has waited longest for this is the oldest one.
                full.notify_one();
            }
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (stream, peer) = accept(&listener).await;
            let (app, full, stopping) = (app.clone(), Arc::clone(&full), stopping.clone());
            connections.spawn(async move {
                let end = async {
                    tokio::select! {
                        () = full.notified() => {}
                        () = stopping.cancelled() => {}
                    }
                };
                serve_connection(stream, peer, app, bounds, end).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    connections.wait().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written whole; waiting for more would only delay them. Without it they still arrive.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            // The client went away before it was its turn.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted now");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    app: Router,
    bounds: Bounds,
    end: impl Future<Output = ()>,
) {
    let phase = Phase::default();
    let io =
        InTime { stream, phase: Arc::clone(&phase), bounds, noted: 0, begun: false, head: None, write: None };
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        phase.fetch_add(1, Ordering::Relaxed);
        let (app, phase) = (app.clone(), Arc::clone(&phase));
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = app.oneshot(request).await;
            phase.fetch_add(1, Ordering::Relaxed);
            response
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.idle)
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = end => {
            // At once where it asks nothing, else after its answer.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients go away as they please, and what they sent shall not reach the log.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Where a connection is: even between requests, odd while one is with its handler.
type Phase = Arc<AtomicUsize>;

/// A connection on which a request's head must be whole in time, however slowly it trickles, and on which a client must go
/// on taking what it asked for.
struct InTime<S> {
    stream: S,
    phase: Phase,
    bounds: Bounds,
    /// The phase in which the head's state was noted.
    noted: usize,
    /// Bytes of a head have come.
    begun: bool,
    /// Runs from the moment at which the rest of a head is waited for.
    head: Option<Pin<Box<Sleep>>>,
    /// Runs while the client takes nothing.
    write: Option<Pin<Box<Sleep>>>,
}

/// Starts a timer where it does not run, and tells whether its time is up.
fn is_over(timer: &mut Option<Pin<Box<Sleep>>>, limit: Duration, context: &mut Context<'_>) -> bool {
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
    timer.as_mut().poll(context).is_ready()
}

impl<S> InTime<S> {
    /// Watches what became of a write.
    fn wrote<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write = None;
        } else if is_over(&mut self.write, self.bounds.write, context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for InTime<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let phase = this.phase.load(Ordering::Relaxed);
        if this.noted != phase {
            (this.noted, this.begun, this.head) = (phase, false, None);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if !phase.is_multiple_of(2) {
            return read;
        }
        this.begun |= buffer.filled().len() > before;
        // A head that comes in one piece, as most do, never costs a timer.
        if this.begun
            && (read.is_pending() || this.head.is_some())
            && is_over(&mut this.head, this.bounds.head, context)
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for InTime<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_mins(1);
    const LAZY: Bounds = Bounds { connections: 10, head: LONG, write: LONG, idle: LONG };

    /// A server with this patience, a connection to it, and what stops it.
    async fn connect(bounds: Bounds) -> (TcpStream, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let slow = get(async || {
            tokio::time::sleep(3 * SHORT).await;
            "slow"
        });
        // More than fits into the buffers of both ends.
        let large = get(async || vec![b'x'; 64 * 1024 * 1024]);
        let app = Router::new().route("/", get(async || "fine")).route("/slow", slow).route("/large", large);
        let server = tokio::spawn(run(listener, app, bounds, stop.clone().cancelled_owned()));
        (TcpStream::connect(address).await.expect("a connection"), stop, server)
    }

    /// Everything that comes until the server closes the connection.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        // A reset is an end, too.
        let _ = stream.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    async fn read(stream: &mut TcpStream, until: &str) {
        let mut text = Vec::new();
        while !text.ends_with(until.as_bytes()) {
            text.push(stream.read_u8().await.expect("more"));
        }
    }

    #[tokio::test]
    async fn a_head_that_trickles_is_cut() {
        let (stream, _stop, _server) = connect(Bounds { head: SHORT, ..LAZY }).await;
        let (mut from, mut to) = stream.into_split();
        let trickle = tokio::spawn(async move {
            to.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ").await?;
            // Always in time for a timeout of single reads.
            loop {
                to.write_all(b"x").await?;
                tokio::time::sleep(SHORT / 10).await;
            }
            #[expect(unreachable_code, reason = "says what kind of error ends it")]
            io::Result::Ok(())
        });
        let mut text = Vec::new();
        let _ = from.read_to_end(&mut text).await;
        assert!(text.is_empty());
        assert!(trickle.await.expect("no panic").is_err());
    }

    #[tokio::test]
    async fn connections_that_ask_nothing_make_room_for_others() {
        let (first, _stop, _server) = connect(Bounds { connections: 3, ..LAZY }).await;
        let address = first.peer_addr().expect("an address");
        let mut kept = vec![first];
        // Each is the server's to keep, had it not a bound.
        for _ in 0..20 {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
            read(&mut stream, "fine").await;
            kept.push(stream);
        }
        // The oldest was closed; the newest can still be used.
        assert_eq!(rest(&mut kept[0]).await, "");
        let newest = kept.last_mut().expect("many");
        newest.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        read(newest, "fine").await;
    }

    #[tokio::test]
    async fn a_client_that_does_not_take_its_answer_is_cut() {
        let (mut stream, stop, server) = connect(Bounds { write: SHORT, ..LAZY }).await;
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        stream.readable().await.expect("the answer begins");
        stop.cancel();
        // The server lets answers finish, and this one never will.
        server.await.expect("it ends");
        assert!(rest(&mut stream).await.len() < 64 * 1024 * 1024);
    }

    #[tokio::test]
    async fn a_connection_that_asks_nothing_is_closed_and_one_that_waits_for_its_answer_is_not() {
        let (mut stream, _stop, _server) = connect(Bounds { idle: SHORT, ..LAZY }).await;
        assert_eq!(rest(&mut stream).await, "");

        let (mut stream, _stop, _server) =
            connect(Bounds { head: SHORT, write: SHORT, idle: 2 * SHORT, ..LAZY }).await;
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        assert!(rest(&mut stream).await.ends_with("slow"));
    }

    #[tokio::test]
    async fn a_connection_is_used_for_longer_than_a_head_may_take() {
        let (mut stream, _stop, _server) = connect(Bounds { head: 5 * SHORT, ..LAZY }).await;
        for _ in 0..8 {
            // In two pieces, so that the deadline runs.
            stream.write_all(b"GET / HTTP/1.1\r\n").await.expect("sent");
            tokio::time::sleep(SHORT).await;
            stream.write_all(b"host: a\r\n\r\n").await.expect("sent");
            read(&mut stream, "fine").await;
        }
    }

    #[tokio::test]
    async fn a_stop_ends_idle_connections_at_once_and_answers_what_was_asked() {
        let (mut idle, stop, server) = connect(LAZY).await;
        stop.cancel();
        assert_eq!(rest(&mut idle).await, "");
        server.await.expect("it ends");

        let (mut asking, stop, server) = connect(LAZY).await;
        asking.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        read(&mut asking, "fine").await;
        asking.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        // The request has arrived once the server has read it; the answer takes much longer than that.
        tokio::time::sleep(SHORT).await;
        stop.cancel();
        assert!(rest(&mut asking).await.ends_with("slow"));
        server.await.expect("it ends");
    }

    #[tokio::test]
    async fn too_much_of_a_head_is_refused_by_the_server_itself() {
        let (mut stream, _stop, _server) = connect(Bounds::default()).await;
        let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(MAX_HEAD));
        stream.write_all(head.as_bytes()).await.expect("sent");
        assert!(rest(&mut stream).await.starts_with("HTTP/1.1 431 "));
    }
}
