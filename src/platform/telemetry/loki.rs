//! Log lines to Loki, by tracing-loki. By itself it forgets lines in silence when they come fast, keeps any number of
//! them while Loki is slow, and waits for an answer without a deadline. So it may hold a few lines only ([`Bounded`]),
//! and pushes them to a relay in this process, which bounds, retries and counts
//! (`docs/decisions/2026-11-23-log-lines-pass-a-relay.md`).

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use loki_api::logproto::{EntryAdapter, PushRequest, StreamAdapter};
use loki_api::prost::Message;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::{Losses, TelemetryConfig, TelemetryError};

/// The most lines in tracing-loki: fewer than the 512 places of its channel, so that none is ever refused there.
const HELD: usize = 500;
/// The most bytes of lines that wait for Loki; the oldest go first.
const WAITING: usize = 8 << 20;
/// The most bytes of lines in one push.
const PUSH: usize = 1 << 20;
/// How long the relay keeps tracing-loki waiting, which would else push each line by itself. With the lines that it may
/// hold, so many pass in so much time: 10,000 a second.
const GATHER: Duration = Duration::from_millis(50);
/// How long lines are gathered for a push.
const PAUSE: Duration = Duration::from_millis(300);
/// How long Loki may take to answer.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long to wait after failures: from the first to any later one.
const BACKOFF: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

const PATH: &str = "/loki/api/v1/push";

/// The way to Loki.
pub(super) struct Shipper {
    controller: tracing_loki::BackgroundTaskController,
    task: JoinHandle<()>,
    relay: Arc<Relay>,
    forward: JoinHandle<()>,
}

/// The layer, and what sends its lines. Must run inside the tokio runtime.
pub(super) fn start(
    base: &Url,
    config: &TelemetryConfig,
    losses: &Losses,
) -> Result<(Bounded, Shipper), TelemetryError> {
    let failed = |error: &dyn std::fmt::Display| TelemetryError(format!("Loki: {error}"));
    let url = base.join(PATH.trim_start_matches('/')).map_err(|error| failed(&error))?;
    let client = reqwest::Client::builder().timeout(DEADLINE).build().map_err(|error| failed(&error))?;
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| failed(&error))?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    listener.set_nonblocking(true).map_err(|error| failed(&error))?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| failed(&error))?;

    let relay = Arc::new(Relay {
        token: format!("Bearer {}", uuid::Uuid::new_v4().simple()),
        held: AtomicUsize::new(0),
        queue: Mutex::default(),
        arrived: Notify::new(),
        stop: CancellationToken::new(),
        losses: losses.clone(),
    });
    let router = Router::new()
        .route(PATH, post(take))
        // What comes is bounded by the number of lines that tracing-loki may hold.
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&relay));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let forward = tokio::spawn(Arc::clone(&relay).forward(client, url));

    let (layer, controller, task) = layer(config, address, &relay.token).map_err(|error| failed(&error))?;
    let bounded = Bounded { inner: layer, relay: Arc::clone(&relay) };
    Ok((bounded, Shipper { controller, task: tokio::spawn(task), relay, forward }))
}

fn layer(
    config: &TelemetryConfig,
    address: SocketAddr,
    token: &str,
) -> Result<
    (tracing_loki::Layer, tracing_loki::BackgroundTaskController, tracing_loki::BackgroundTask),
    Box<dyn std::error::Error>,
> {
    let builder = tracing_loki::builder()
        .label("service", config.service.clone())?
        .label("env", config.environment.clone())?
        .http_header(header::AUTHORIZATION.as_str(), token)?;
    Ok(builder.build_controller_url(Url::parse(&format!("http://{address}"))?)?)
}

impl Shipper {
    /// Sends what is left; what is not gone within the time is lost.
    pub(super) async fn flush(self, within: Duration) {
        let Self { controller, task, relay, forward } = self;
        let all = async {
            controller.shutdown().await;
            let _ = task.await;
            relay.stop.cancel();
            let _ = forward.await;
        };
        if tokio::time::timeout(within, all).await.is_err() {
            tracing::warn!("the last log lines did not reach Loki in time");
        }
    }
}

/// tracing-loki's layer, given no more lines than it can hold.
pub(super) struct Bounded {
    inner: tracing_loki::Layer,
    relay: Arc<Relay>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Bounded {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.inner.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.inner.on_record(id, values, context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let more = |held| (held < HELD).then_some(held + 1);
        if self.relay.held.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok() {
            self.inner.on_event(event, context);
        } else {
            self.relay.losses.dropped(1);
        }
    }
}

/// Takes lines from tracing-loki at once, and hands them on to Loki when it takes them.
struct Relay {
    /// Others on this host could else write lines in our name.
    token: String,
    /// Lines that tracing-loki has and the relay has not.
    held: AtomicUsize,
    queue: Mutex<Queue>,
    arrived: Notify,
    stop: CancellationToken,
    losses: Losses,
}

struct Line {
    labels: String,
    entry: EntryAdapter,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Line>,
    bytes: usize,
}

impl Queue {
    fn push(&mut self, line: Line) {
        self.bytes += line.entry.line.len();
        self.lines.push_back(line);
    }

    fn pop(&mut self) -> Option<Line> {
        let line = self.lines.pop_front()?;
        self.bytes -= line.entry.line.len();
        Some(line)
    }

    /// Forgets the oldest lines until the others have room; returns how many.
    fn shrink(&mut self, room: usize) -> u64 {
        let mut forgotten = 0;
        while self.bytes > room && self.pop().is_some() {
            forgotten += 1;
        }
        forgotten
    }

    /// The oldest lines, at least one where there is any.
    fn next(&mut self, room: usize) -> Vec<Line> {
        let mut next = Vec::new();
        let mut bytes = 0;
        while let Some(line) = self.lines.front() {
            bytes += line.entry.line.len();
            if bytes > room && !next.is_empty() {
                break;
            }
            next.extend(self.pop());
        }
        next
    }
}

/// Lines in the encoding of Loki's push API: protobuf, compressed by snappy.
fn decode(body: &[u8]) -> Option<Vec<Line>> {
    let plain = snap::raw::Decoder::new().decompress_vec(body).ok()?;
    let streams = PushRequest::decode(plain.as_slice()).ok()?.streams;
    let lines = streams.into_iter().flat_map(|StreamAdapter { labels, entries, .. }| {
        entries.into_iter().map(move |entry| Line { labels: labels.clone(), entry })
    });
    Some(lines.collect())
}

fn encode(lines: Vec<Line>) -> Result<Vec<u8>, snap::Error> {
    let mut streams: Vec<StreamAdapter> = Vec::new();
    for Line { labels, entry } in lines {
        // There are as many streams as levels.
        match streams.iter_mut().find(|stream| stream.labels == labels) {
            Some(stream) => stream.entries.push(entry),
            None => streams.push(StreamAdapter { labels, entries: vec![entry], hash: 0 }),
        }
    }
    snap::raw::Encoder::new().compress_vec(&PushRequest { streams }.encode_to_vec())
}

async fn take(State(relay): State<Arc<Relay>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if headers.get(header::AUTHORIZATION).is_none_or(|token| token.as_bytes() != relay.token.as_bytes()) {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(lines) = decode(&body) else { return StatusCode::BAD_REQUEST };
    relay.held.fetch_sub(lines.len(), Ordering::AcqRel);
    let forgotten = {
        let mut queue = relay.queue.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines {
            queue.push(line);
        }
        queue.shrink(WAITING)
    };
    relay.losses.dropped(forgotten);
    relay.arrived.notify_one();
    tokio::select! {
        () = tokio::time::sleep(GATHER) => {}
        () = relay.stop.cancelled() => {}
    }
    StatusCode::NO_CONTENT
}

impl Relay {
    async fn forward(self: Arc<Self>, client: reqwest::Client, url: Url) {
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            tokio::select! {
                () = self.arrived.notified() => {}
                () = self.stop.cancelled() => {}
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.stop.cancelled() => {}
            }
            loop {
                let lines = self.queue.lock().unwrap_or_else(PoisonError::into_inner).next(PUSH);
                if lines.is_empty() {
                    break;
                }
                self.push(&client, &url, lines, &mut failures).await;
            }
        }
    }

    /// Offers lines to Loki until it takes or refuses them.
    async fn push(&self, client: &reqwest::Client, url: &Url, lines: Vec<Line>, failures: &mut usize) {
        let count = lines.len() as u64;
        let Ok(body) = encode(lines) else { return self.losses.dropped(count) };
        let body = Bytes::from(body);
        loop {
            let request = client
                .post(url.clone())
                .header(header::CONTENT_TYPE, "application/x-protobuf")
                .header(header::CONTENT_ENCODING, "snappy")
                .body(body.clone());
            let cause = match request.send().await.map(|response| response.status()) {
                Ok(status) if status.is_success() => {
                    if *failures > 0 {
                        tracing::info!("Loki takes log lines again");
                    }
                    *failures = 0;
                    return self.losses.sent(count);
                }
                // It may have kept some of them, but does not say how many.
                Ok(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                    tracing::warn!(%status, lines = count, "Loki refused log lines");
                    return self.losses.dropped(count);
                }
                Ok(status) => status.to_string(),
                Err(error) => error.without_url().to_string(),
            };
            if *failures == 0 {
                tracing::warn!(cause, "Loki does not take log lines");
            }
            let pause = BACKOFF[(*failures).min(BACKOFF.len() - 1)];
            *failures += 1;
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(labels: &str, text: &str) -> Line {
        let entry = EntryAdapter { timestamp: None, line: text.to_owned() };
        Line { labels: labels.to_owned(), entry }
    }

    #[test]
    fn lines_go_through_the_encoding_unchanged() {
        let lines =
            vec![line("{level=\"info\"}", "a"), line("{level=\"warn\"}", "b"), line("{level=\"info\"}", "c")];
        let decoded = decode(&encode(lines).expect("encoded")).expect("decoded");
        let seen: Vec<_> =
            decoded.iter().map(|line| (line.labels.as_str(), line.entry.line.as_str())).collect();
        // By stream, each in its order.
        assert_eq!(seen, [("{level=\"info\"}", "a"), ("{level=\"info\"}", "c"), ("{level=\"warn\"}", "b")]);
        assert!(decode(b"no snappy").is_none());
    }

    #[test]
    fn the_queue_forgets_the_oldest_and_gives_bounded_parts() {
        let mut queue = Queue::default();
        for text in ["aaaa", "bbbb", "cccc", "dddd"] {
            queue.push(line("{}", text));
        }
        assert_eq!(queue.shrink(12), 1, "one is more than there is room for");
        let texts = |lines: Vec<Line>| lines.into_iter().map(|line| line.entry.line).collect::<Vec<_>>();
        assert_eq!(texts(queue.next(9)), ["bbbb", "cccc"]);
        assert_eq!(texts(queue.next(1)), ["dddd"], "a line that is longer than a push goes alone");
        assert!(queue.next(1).is_empty());
        assert_eq!(queue.bytes, 0);
    }
}
