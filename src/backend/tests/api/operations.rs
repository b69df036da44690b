//! What operators and orchestrators ask, and what a lost database looks like from outside.

use serde_json::json;

use crate::harness::{Proxy, Recommender, Reply, Setup, TestApp};

#[tokio::test]
async fn health_tells_of_each_dependency() {
    let recommender = Recommender::start(Reply::Json(json!({}))).await;
    let app = Setup::default().recommender(&recommender).start().await;
    let health = app.guest().get("/health").await.expect(200);
    assert_eq!(health["status"], "ok", "{health}");
    for dependency in ["postgres", "redis", "ml-service"] {
        assert_eq!(health["dependencies"][dependency]["status"], "ok");
        assert!(health["dependencies"][dependency]["latency_ms"].is_number());
    }
    let pool = &health["dependencies"]["postgres"]["pool"];
    assert_eq!((&pool["max"], &pool["waiting"]), (&json!(16), &json!(0)));
    assert!(pool["open"].as_u64() >= Some(1), "{pool}");
    assert!(health["version"].is_string() && health["uptime_seconds"].is_u64());

    let app = Setup::default().without_redis().start().await;
    let health = app.guest().get("/health").await.expect(200);
    let status = |name: &str| health["dependencies"][name]["status"].clone();
    assert_eq!(
        (&health["status"], status("postgres"), status("redis"), status("ml-service")),
        (&json!("degraded"), json!("ok"), json!("unavailable"), json!("unavailable")),
    );
}

#[tokio::test]
async fn the_service_lives_and_is_ready() {
    let app = TestApp::new().await;
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(app.guest().get(path).await.expect(200)["status"], "ok");
    }
    // Once seen, the schema is not looked at again; a service that never saw it is not ready.
    app.sql("drop table refinery_schema_history").await;
    app.guest().get("/health/ready").await.expect(200);
    let unmigrated = TestApp::new().await;
    unmigrated.sql("drop table refinery_schema_history").await;
    unmigrated.guest().get("/health/ready").await.refused(503, "unavailable");
}

/// The stock of a page that was read before still shows; a write says when to come again; afterwards all is as before.
#[tokio::test]
async fn a_lost_database_is_an_answer_and_not_the_end() {
    let wire = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&wire).start().await.with_products(2).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    let known = format!("/api/products/{}", app.products[0]);
    let product = client.get(&known).await.expect(200);

    wire.cut();
    assert_eq!(client.get(&known).await.expect(200), product);
    for answer in [
        client.get(&format!("/api/products/{}", app.products[1])).await,
        client.put_item(app.products[0], 2).await,
        client.checkout("k", "4242424242424242").await,
    ] {
        answer.refused(503, "unavailable");
        assert!(!answer.header("retry-after").is_empty());
    }
    let health = client.get("/health").await.expect(503);
    assert_eq!(health["dependencies"]["postgres"]["status"], "unavailable");
    client.get("/health/live").await.expect(200);

    wire.mend();
    assert_eq!(client.checkout("k", "4242424242424242").await.expect(201)["status"], "paid");
}

#[tokio::test]
async fn metrics_are_for_prometheus_and_hold_no_ids() {
    let app = TestApp::new().await.with_products(1).await;
    app.guest().get(&format!("/api/products/{}", app.products[0])).await.expect(200);
    let metrics = app.guest().get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    assert!(metrics.text.contains("http_route=\"/api/products/{id}\""), "{}", metrics.text);
    assert!(!metrics.text.contains(&app.products[0].to_string()));
}

/// What `helmet()` sends by default (8.1), save for the policy of pages.
const HELMET: [(&str, &str); 11] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-dns-prefetch-control", "off"),
    ("x-download-options", "noopen"),
    // Helmet's is SAMEORIGIN; nothing here is meant for a frame.
    ("x-frame-options", "DENY"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-xss-protection", "0"),
];

#[tokio::test]
async fn every_answer_has_an_id_and_helmets_headers_and_stays_out_of_caches() {
    let app = Setup::default().set("RATE_LIMIT_AUTH", "1 burst 1").start().await.with_products(1).await;
    let client = app.customer().await;
    let get = async |path: &str| client.get(path).await;
    let long = format!("/{}", "x".repeat(5000));
    let large = json!({ "message": "x".repeat(70_000) });
    for (answer, status) in [
        (get("/api/users/me").await, 200),
        (get("/api/cart").await, 200),
        (get("/api/orders").await, 200),
        (get("/api/recommendations").await, 200),
        (get("/health").await, 200),
        (get("/metrics").await, 200),
        (get("/api/openapi.json").await, 200),
        (get("/api/products?limit=0").await, 400),
        (app.guest().get("/api/users/me").await, 401),
        (get("/api/nothing").await, 404),
        (client.delete("/api/orders").await, 405),
        (client.post("/api/frontend-metrics", &large).await, 413),
        (get(&long).await, 414),
        (client.post("/api/users/login", &json!({})).await, 429),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(!answer.header("x-request-id").is_empty(), "{status}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none';"), "{status}");
        for (name, value) in HELMET {
            assert_eq!(answer.header(name), value, "{status}: {name}");
        }
        assert_eq!(answer.header("cache-control"), "no-store", "{status}");
    }
    // What is everybody's may be kept.
    let product = format!("/api/products/{}", app.products[0]);
    assert_eq!(get(&product).await.header("cache-control"), "no-cache");
    assert!(get(&format!("{product}/picture.svg")).await.header("cache-control").starts_with("public"));
}
