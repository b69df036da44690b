//! More to do than can be done: some is turned away at once, the rest goes on.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use crate::harness::{Answer, Proxy, Setup, TestApp};

/// Less than any deadline of the database, with room for a slow machine.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// Opens connections to the database, so that none has to be made in a stall.
async fn connect(app: &TestApp, connections: usize) {
    join_all((0..connections).map(|_| app.connection())).await;
}

#[tokio::test]
async fn beyond_the_bound_requests_are_turned_away_at_once_until_the_database_answers_again() {
    let wire = Proxy::before_postgres().await;
    let setup = Setup::default().postgres_through(&wire).set("MAX_REQUESTS_IN_FLIGHT", "8");
    let app = setup.start().await.with_products(1).await;
    let client = app.customer().await;
    client.get("/health/ready").await.expect(200);
    let product = format!("/api/products/{}", app.products[0]);
    for path in [&product, "/api/products?limit=5&sort=price"] {
        client.get(path).await.expect(200);
    }
    connect(&app, 8).await;

    wire.stall();
    let start = Instant::now();
    let mut answers: FuturesUnordered<_> = (0..40).map(|_| client.get("/api/orders")).collect();
    // Eight are at work, and no answer but a refusal can come of the others.
    for _ in 0..32 {
        let answer = answers.next().await.expect("an answer");
        answer.refused(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.header("x-request-id").is_empty());
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    // What the caches answer does not wait behind what the database holds up, and operators are always let in.
    for _ in 0..20 {
        client.get(&product).await.expect(200);
    }
    client.get("/api/products?limit=5&sort=price").await.expect(200);
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
    let metrics = client.get("/metrics").await.text;
    for name in
        ["http_server_shed_requests_total", "http_server_admitted_requests", "http_server_queue_duration"]
    {
        assert!(metrics.contains(name), "{name}");
    }

    wire.mend();
    let rest: Vec<Answer> = answers.collect().await;
    assert_eq!(rest.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200; 8]);
    client.get("/api/orders").await.expect(200);
}

#[tokio::test]
async fn so_many_wait_for_the_database_and_no_more() {
    let wire = Proxy::before_postgres().await;
    let setup = Setup::default().postgres_through(&wire).set("POSTGRES_POOL_SIZE", "1");
    let app = setup.start().await;
    let client = app.customer().await;

    wire.stall();
    let start = Instant::now();
    let mut answers: FuturesUnordered<_> = (0..40).map(|_| client.get("/api/orders")).collect();
    // One has the connection, four wait for it.
    for _ in 0..35 {
        answers.next().await.expect("an answer").refused(503, "unavailable");
    }
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());

    wire.mend();
    let rest: Vec<Answer> = answers.collect().await;
    assert_eq!(rest.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200; 5]);
}
