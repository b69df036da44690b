//! Three times as many requests as the backend can answer: what it accepts is answered as if the rest were not there, and
//! the rest is told so at once. Figures are compared with figures of the same run, and coarsely, since machines are noisy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use stack::{Component, Stack};
use tokio::task::JoinSet;

/// A search with a filter, which no cache answers.
const PATH: &str = "/api/products?q=lamp&in_stock=true";
/// Clients enough to keep the backend busy: twice as many as it has connections to the database, fewer than may wait for
/// one.
const CLIENTS: usize = 32;

/// One answer, and how long after the moment at which it was due to be asked for it came.
struct Answer {
    status: StatusCode,
    retry_after: bool,
    latency: Duration,
}

async fn ask(http: &Client, url: &str, due: Instant) -> Answer {
    let response = match http.get(url).send().await {
        // Its connection was closed to make place for another just when it was used again: clients repeat what is safe
        // to repeat (RFC 9110, 9.2.2).
        Err(error) if !error.is_timeout() => http.get(url).send().await,
        answer => answer,
    };
    let response = response.expect("an answer, whatever it says");
    let status = response.status();
    let retry_after = response.headers().contains_key("retry-after");
    response.bytes().await.expect("a whole answer");
    Answer { status, retry_after, latency: due.elapsed() }
}

/// As many clients, each of which asks again when it has its answer: the most that the service can do.
async fn closed_loop(http: &Client, url: &str, clients: usize, time: Duration) -> Vec<Answer> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (http, url) = (http.clone(), url.to_owned());
        tasks.spawn(async move {
            let mut answers = Vec::new();
            while start.elapsed() < time {
                answers.push(ask(&http, &url, Instant::now()).await);
            }
            answers
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// Requests at a constant rate, whatever becomes of those before: customers do not wait for one another.
async fn open_loop(http: &Client, url: &str, per_second: f64, time: Duration) -> Vec<Answer> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    let mut sent = 0_u32;
    while start.elapsed() < time {
        loop {
            let due = start + Duration::from_secs_f64(f64::from(sent) / per_second);
            if due > Instant::now() {
                break;
            }
            let (http, url) = (http.clone(), url.to_owned());
            tasks.spawn(async move { ask(&http, &url, due).await });
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tasks.join_all().await
}

/// The latency that this share of the answers did not exceed.
fn quantile(answers: &[&Answer], share: usize) -> Duration {
    let mut latencies: Vec<Duration> = answers.iter().map(|answer| answer.latency).collect();
    latencies.sort_unstable();
    latencies[(latencies.len() * share / 100).min(latencies.len() - 1)]
}

fn per_second(answers: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(answers).expect("fewer")) / time.as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_times_the_capacity_is_shed_and_not_suffered() {
    let parts = [Component::Postgres, Component::Redis, Component::Backend];
    let stack = Stack::builder().only(parts).start().await.expect("the stack starts");
    let url = format!("{}{PATH}", stack.url(Component::Backend).expect("url"));
    let http = Client::builder().timeout(Duration::from_secs(30)).build().expect("client");
    closed_loop(&http, &url, 8, Duration::from_millis(500)).await;

    let time = Duration::from_secs(3);
    let full = closed_loop(&http, &url, CLIENTS, time).await;
    assert!(
        full.iter().all(|answer| answer.status == StatusCode::OK),
        "within its bound it serves everybody"
    );
    let full: Vec<&Answer> = full.iter().collect();
    let capacity = per_second(full.len(), time);

    let probes = Arc::new(AtomicUsize::new(0));
    let health = {
        let (http, probes) = (http.clone(), Arc::clone(&probes));
        let ready = format!("{}/health/ready", stack.url(Component::Backend).expect("url"));
        tokio::spawn(async move {
            while http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                probes.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    };
    let answers = open_loop(&http, &url, 3.0 * capacity, time).await;
    assert!(
        !health.is_finished() && probes.load(Ordering::Relaxed) > 3,
        "an overloaded service is still ready"
    );
    health.abort();

    let (accepted, shed): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == StatusCode::OK);
    for answer in &shed {
        assert!(answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.retry_after, "{}", answer.status);
    }
    let figures = format!(
        "capacity {capacity:.0}/s, p99 {:?}; at three times that: accepted {}, p50 {:?}, p99 {:?}; shed {}, p50 {:?}, p99 {:?}",
        quantile(&full, 99),
        accepted.len(),
        quantile(&accepted, 50),
        quantile(&accepted, 99),
        shed.len(),
        quantile(&shed, 50),
        quantile(&shed, 99),
    );
    assert!(shed.len() > answers.len() / 5, "{figures}");
    assert!(per_second(accepted.len(), time) > 0.4 * capacity, "{figures}");
    assert!(quantile(&accepted, 99) < 5 * quantile(&full, 99), "{figures}");
    assert!(quantile(&shed, 50) < quantile(&accepted, 50), "{figures}");

    // At once as before.
    let after = closed_loop(&http, &url, 8, Duration::from_millis(500)).await;
    assert!(after.iter().all(|answer| answer.status == StatusCode::OK));
}
