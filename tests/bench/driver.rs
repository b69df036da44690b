//! Load on a server, in two ways. In a closed loop each connection asks again as soon as it has its answer, which shows
//! how much the server can do. At a constant rate each request has a moment at which it is due, whatever became of those
//! before it, and its latency counts from that moment: what a server holds up is not left out of its own figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// How long an answer may take before the run fails.
const DEADLINE: Duration = Duration::from_secs(20);

/// One in so many requests is traced, as the caller's trace context says.
const TRACED: u32 = 100;

/// What one connection asks for.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// The session's cookie.
    pub(crate) cookie: Option<HeaderValue>,
    /// `Idempotency-Key`.
    pub(crate) key: Option<String>,
    /// JSON.
    pub(crate) body: Option<String>,
}

impl Ask {
    /// A read.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), cookie: None, key: None, body: None }
    }

    /// With a session.
    #[must_use]
    pub(crate) fn by_customer(mut self, cookie: &HeaderValue) -> Self {
        self.cookie = Some(cookie.clone());
        self
    }
}

/// What connections do, one after another: each call gives the next requests of a connection, all of which are counted.
pub(crate) trait Scenario: Send + Sync + 'static {
    /// The requests that come next on this connection, which are asked one by one.
    fn next(&self, connection: usize, rng: &mut SmallRng) -> Vec<Ask>;
}

/// How hard.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as the answers come.
    Closed,
    /// So many requests a second.
    Rate(f64),
}

/// What came of a run. Latencies are microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// Seconds that the run took.
    pub(crate) seconds: f64,
    /// Answers that were refusals or failures.
    pub(crate) failures: u64,
    /// Bytes of the answers' bodies.
    pub(crate) body_bytes: u64,
    /// Half were faster.
    pub p50: u64,
    /// One in a hundred was slower.
    pub p99: u64,
    /// One in a thousand was slower.
    pub p999: u64,
}

impl Outcome {
    /// Requests a second.
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 of them")]
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    rng: SmallRng,
    latencies: Histogram<u64>,
    failures: u64,
    bytes: u64,
}

fn request(ask: Ask, host: &HeaderValue) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::builder().method(ask.method).uri(&*ask.path).header(HOST, host);
    if let Some(cookie) = ask.cookie {
        request = request.header(COOKIE, cookie);
    }
    if let Some(key) = ask.key {
        request = request.header(HeaderName::from_static("idempotency-key"), key);
    }
    if ask.body.is_some() {
        request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(request.body(Full::from(ask.body.unwrap_or_default()))?)
}

impl Connection {
    async fn open(address: &str, number: usize) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: HeaderValue::from_str(address)?,
            rng: SmallRng::seed_from_u64(number as u64),
            latencies: Histogram::new_with_bounds(1, 60_000_000, 3)?,
            failures: 0,
            bytes: 0,
        })
    }

    async fn ask(&mut self, ask: Ask, due: Instant) -> Result<()> {
        let (trace, span): (u128, u64) = (self.rng.random(), self.rng.random());
        let flags = u8::from(self.rng.random_ratio(1, TRACED));
        let context = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
        let mut request = request(ask, &self.host)?;
        request.headers_mut().insert("traceparent", HeaderValue::from_str(&context)?);
        let answer = async {
            self.sender.ready().await?;
            let answer = self.sender.send_request(request).await?;
            let status = answer.status();
            let mut body = answer.into_body();
            let mut bytes = 0;
            while let Some(frame) = body.frame().await {
                bytes += frame?.data_ref().map_or(0, Bytes::len);
            }
            anyhow::Ok((status, bytes))
        };
        let (status, bytes) = tokio::time::timeout(DEADLINE, answer).await.context("no answer in time")??;
        let micros = u64::try_from(due.elapsed().as_micros())?;
        self.latencies.record(micros.clamp(1, 60_000_000))?;
        self.failures += u64::from(!status.is_success());
        self.bytes += bytes as u64;
        Ok(())
    }
}

/// When a request is due, from the beginning on.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 of them")]
fn moment(number: u64, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

/// Gives a turn whenever a request is due. A thread of its own, since tokio's timers know only whole milliseconds.
fn tick(turns: &Semaphore, start: Instant, duration: Duration, rate: f64) {
    for number in 0.. {
        let due = moment(number, rate);
        if let Some(wait) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(wait);
        }
        turns.add_permits(1);
        if due >= duration {
            break;
        }
    }
    // Those that wait see by their moment that it is over.
    turns.add_permits(Semaphore::MAX_PERMITS / 2);
}

/// Opens so many connections and asks on each of them for so long.
pub(crate) async fn run(
    address: &str,
    scenario: Arc<dyn Scenario>,
    connections: usize,
    duration: Duration,
    pace: Pace,
) -> Result<Outcome> {
    let mut open = Vec::new();
    for number in 0..connections {
        open.push(Connection::open(address, number).await?);
    }
    let start = Instant::now();
    // With a rate: the number of the next request that nobody has taken, which has its moment.
    let taken = Arc::new(AtomicU64::new(0));
    let turns = Arc::new(Semaphore::new(0));
    let clock = match pace {
        Pace::Closed => None,
        Pace::Rate(rate) => {
            let turns = Arc::clone(&turns);
            Some(tokio::task::spawn_blocking(move || tick(&turns, start, duration, rate)))
        }
    };
    let tasks: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| {
            let (scenario, taken, turns) = (Arc::clone(&scenario), Arc::clone(&taken), Arc::clone(&turns));
            tokio::spawn(async move {
                loop {
                    for ask in scenario.next(number, &mut connection.rng) {
                        let due = match pace {
                            Pace::Closed => Instant::now(),
                            Pace::Rate(rate) => {
                                turns.acquire().await?.forget();
                                start + moment(taken.fetch_add(1, Ordering::Relaxed), rate)
                            }
                        };
                        if due.duration_since(start) >= duration {
                            return Ok(connection);
                        }
                        connection.ask(ask, due).await?;
                    }
                }
            })
        })
        .collect();
    let mut latencies: Histogram<u64> = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let (mut failures, mut bytes) = (0, 0);
    let mut broken: Option<anyhow::Error> = None;
    for task in tasks {
        match task.await? {
            Ok(connection) => {
                latencies.add(&connection.latencies)?;
                failures += connection.failures;
                bytes += connection.bytes;
            }
            Err(error) => broken = broken.or(Some(error)),
        }
    }
    if let Some(clock) = clock {
        clock.await?;
    }
    if let Some(error) = broken {
        return Err(error.context("a connection broke"));
    }
    ensure!(!latencies.is_empty(), "nothing was answered");
    if failures * 100 > latencies.len() {
        bail!("{failures} of {} answers were failures", latencies.len());
    }
    Ok(Outcome {
        requests: latencies.len(),
        seconds: start.elapsed().as_secs_f64(),
        failures,
        body_bytes: bytes,
        p50: latencies.value_at_quantile(0.5),
        p99: latencies.value_at_quantile(0.99),
        p999: latencies.value_at_quantile(0.999),
    })
}

/// Asks once, and tells status and body: to look whether an answer is what it should be.
pub(crate) async fn once(address: &str, ask: Ask) -> Result<(u16, Bytes)> {
    let mut connection = Connection::open(address, 0).await?;
    let request = request(ask, &connection.host)?;
    let answer = tokio::time::timeout(DEADLINE, async {
        let answer = connection.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        anyhow::Ok((status, answer.into_body().collect().await?.to_bytes()))
    });
    answer.await.context("no answer in time")?
}
