//! Telemetry is a guest in the services: what takes it may be slow, refuse or be away, and clients may send what they
//! like, without harm to anybody.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use reqwest::Method;
use serde_json::json;
use stack::{Component, Stack};
use tokio::net::TcpListener;

/// What a receiver does with whatever it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiver {
    /// Nothing listens.
    Away,
    /// It answers nothing.
    Stalled,
    /// It answers with this status.
    Answers(StatusCode),
}

/// Its base URL.
async fn receiver(kind: Receiver) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = match kind {
        Receiver::Away => return url,
        Receiver::Stalled => Router::new().fallback(any(std::future::pending::<StatusCode>)),
        Receiver::Answers(status) => Router::new().fallback(any(async move || status)),
    };
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn start(url: &str) -> Stack {
    Stack::builder()
        .only([Component::Postgres, Component::Redis, Component::Backend])
        .backend_setting("LOKI_URL", url)
        .backend_setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{url}/v1/traces"))
        .start()
        .await
        .expect("a stack")
}

async fn text(url: String) -> String {
    reqwest::get(url).await.expect("an answer").text().await.expect("text")
}

/// The sum of a metric's samples that have this label.
fn sum(metrics: &str, name: &str, label: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Sends requests, every one of which must be answered, each with a line in the log and some spans.
async fn drive(base: &str, requests: usize) {
    let http = reqwest::Client::new();
    for _ in 0..requests {
        let answer = http.get(format!("{base}/api/products")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
    }
}

/// Whatever becomes of telemetry, requests are answered, the memory stays bounded and the service ends in time. What
/// is lost is counted, to the line where nothing can arrive.
#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_fail_cost_customers_nothing_and_losses_are_counted() {
    let kinds = [
        Receiver::Away,
        Receiver::Stalled,
        Receiver::Answers(StatusCode::INTERNAL_SERVER_ERROR),
        Receiver::Answers(StatusCode::BAD_REQUEST),
    ];
    for kind in kinds {
        let mut stack = start(&receiver(kind).await).await;
        let base = stack.url(Component::Backend).expect("the backend");
        drive(&base, 1_500).await;
        let metrics = text(format!("{base}/metrics")).await;
        for signal in ["logs", "traces"] {
            let label = format!("signal=\"{signal}\"");
            assert!(sum(&metrics, "telemetry_sent_total", &label) < 1.0, "{kind:?}: {signal}");
        }
        assert!(sum(&metrics, "log_records_total", "info") >= 1_500.0);
        if kind == Receiver::Answers(StatusCode::BAD_REQUEST) {
            // It will never take them, so that they are given up at once.
            let lost =
                async || sum(&text(format!("{base}/metrics")).await, "telemetry_dropped_total", "logs");
            while lost().await < 1_500.0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        stack.stop(Component::Backend).await.expect("it ends");
    }
}

/// Series cost memory here and in Mimir. Whoever can send requests could else make any number of them.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_clients_send_makes_series() {
    let stack = start(&receiver(Receiver::Answers(StatusCode::NO_CONTENT)).await).await;
    let base = stack.url(Component::Backend).expect("the backend");
    let http = reqwest::Client::new();
    let round = async |round: usize| {
        for number in 0..40 {
            let odd = format!("{round}x{number}");
            let id = uuid::Uuid::new_v4();
            for (method, path) in [
                (Method::GET, format!("/{odd}")),
                (Method::GET, format!("/api/products/{odd}")),
                (Method::GET, format!("/api/products/{id}")),
                (Method::GET, format!("/api/products?q={odd}&category={odd}")),
                (Method::GET, format!("/api/products?{odd}=1")),
                (Method::GET, format!("/api/orders/{id}")),
                (Method::from_bytes(format!("M{round}X{number}").as_bytes()).expect("a method"), "/".into()),
                (Method::DELETE, format!("/api/cart/items/{id}")),
            ] {
                let request = http.request(method, format!("{base}{path}"));
                let request = request.header("user-agent", &odd).header("x-request-id", &odd);
                let request = request.header("host", format!("{odd}.example")).header("origin", &odd);
                request.send().await.expect("an answer");
            }
            let page = format!("/{odd}");
            let reports = [
                json!({ "metrics": [{ "name": "LCP", "value": 1, "page": page }] }),
                json!({ "metrics": [{ "name": odd, "value": 1, "page": "/" }] }),
                json!({ "errors": [{ "message": odd, "page": "/" }] }),
            ];
            for report in reports {
                let url = format!("{base}/api/frontend-metrics");
                http.post(url).json(&report).send().await.expect("an answer");
            }
            let login = json!({ "email": format!("{odd}@example.com"), "password": odd });
            http.post(format!("{base}/api/users/login")).json(&login).send().await.expect("an answer");
        }
    };
    let series = async || {
        let metrics = text(format!("{base}/metrics")).await;
        let names = metrics.lines().filter(|line| !line.starts_with('#'));
        // What workers do in between has nothing to do with requests.
        let names = names.filter(|line| !line.starts_with("db_client_operation"));
        names.filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    // The first look makes the series of looks.
    series().await;
    round(0).await;
    let mut before = series().await;
    // What clients send is new in each round. Only what a busy machine does for the first time, such as to shed a request,
    // may add to the series of the first.
    for number in 1.. {
        round(number).await;
        let after = series().await;
        let new: Vec<_> = after.iter().filter(|name| !before.contains(name)).cloned().collect();
        if new.is_empty() {
            break;
        }
        assert!(number < 5, "{new:#?}");
        before = after;
    }
    let sent = |name: &&String| (0..5).any(|round| name.contains(&format!("{round}x")));
    assert_eq!(before.iter().find(sent), None);
}
