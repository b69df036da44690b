//! What happens in the shop that the dashboards show: customers, and each kind of trouble for a moment.

use std::time::Duration;

use acceptance::{APPROVED, Answer, PASSWORD, Visitor, address, answer, id, key};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use stack::{Component, Edge, Stack};
use tokio::time::sleep;

use crate::telemetry::Telemetry;

/// The test card that is declined.
const DECLINED: &str = "4000000000000002";
/// The test card of which the provider does not answer in time.
const TIMES_OUT: &str = "4000000000000119";

async fn products(visitor: &Visitor) -> Vec<Value> {
    let page = visitor.get("/api/products?in_stock=true&limit=100&sort=name").await.expect(200);
    page["items"].as_array().expect("items").clone()
}

/// Goes through the pages. Answers may be of any kind: some of it happens while something is away.
async fn browse(visitor: &Visitor) {
    for path in [
        "/",
        "/api/products",
        "/api/products?q=lamp",
        "/api/products/facets",
        "/api/products/suggestions?q=la",
        "/api/categories",
        "/api/recommendations",
        "/api/cart",
    ] {
        visitor.get(path).await;
    }
}

/// Registers, and orders one of a product with this card.
async fn buy(base: &str, product: &str, card: &str) -> Visitor {
    let visitor = Visitor::at(base.to_owned());
    visitor.register(&address()).await;
    visitor.put_in_cart(product, 1).await.expect(200);
    visitor.check_out(&key(), card).await.expect(201);
    visitor
}

/// What a browser reports of pages that were seen.
async fn report(visitor: &Visitor) -> Answer {
    let vitals = [("LCP", 1800.0), ("INP", 120.0), ("CLS", 0.05), ("FCP", 900.0), ("TTFB", 90.0)]
        .map(|(name, value)| json!({ "name": name, "value": value, "page": "/" }));
    let traces = ["page_load", "navigation", "api_call"]
        .map(|name| json!({ "name": name, "duration_ms": 240.0, "page": "/products" }));
    let errors = [json!({ "message": "x is not a function", "page": "/cart" })];
    let report = json!({ "metrics": vitals, "traces": traces, "errors": errors });
    visitor.send(Method::POST, "/api/frontend-metrics", &report).await
}

/// Customers who come and go, for as long as this is polled: rates need something that goes on.
pub(crate) async fn customers(base: String) {
    let visitor = Visitor::at(base);
    visitor.register(&address()).await;
    let products = products(&visitor).await;
    for product in products.iter().cycle() {
        browse(&visitor).await;
        report(&visitor).await;
        visitor.put_in_cart(&id(product), 1).await;
        visitor.check_out(&key(), APPROVED).await;
        sleep(Duration::from_millis(500)).await;
    }
}

/// What customers do on a good day, mistakes of their own included.
pub(crate) async fn good_moments(stack: &Stack) {
    let base = stack.url(Component::Nginx).expect("a URL");
    let visitor = Visitor::at(base.clone());
    let products = products(&visitor).await;
    let plenty = products.iter().find(|product| product["stock"].as_i64() > Some(50)).expect("plenty of one");
    let scarce = products.iter().find(|product| product["stock"].as_i64() < Some(99)).expect("little of one");
    let plenty = id(plenty);
    for _ in 0..3 {
        browse(&visitor).await;
        visitor.get(&format!("/api/products/{plenty}")).await.expect(200);
        visitor.get(&format!("/api/products/{plenty}/recommendations")).await;
    }
    for q in ["lmap", "zzzzqqqq"] {
        visitor.get(&format!("/api/products?q={q}")).await.expect(200);
    }
    visitor.get("/api/products/00000000-0000-4000-8000-000000000000").await.expect_problem(404, "not-found");
    visitor.send(Method::POST, "/api/users", &json!({ "email": "nobody" })).await.expect(422);

    for card in [APPROVED, TIMES_OUT] {
        let customer = buy(&base, &plenty, card).await;
        customer.get("/api/orders").await.expect(200);
        // By now the model knows what the customer likes.
        sleep(Duration::from_secs(2)).await;
        customer.get("/api/recommendations").await.expect(200);
    }
    let customer = Visitor::at(base.clone());
    let email = address();
    customer.register(&email).await;
    customer.put_in_cart(&plenty, 1).await.expect(200);
    customer.check_out(&key(), DECLINED).await.expect(402);
    customer.put_in_cart(&id(scarce), 99).await.expect(200);
    customer.check_out(&key(), APPROVED).await.expect_problem(409, "out-of-stock");
    for (password, status) in [(PASSWORD, 200), ("a wrong password", 401)] {
        let body = json!({ "email": email, "password": password });
        Visitor::at(base.clone()).send(Method::POST, "/api/users/login", &body).await.expect(status);
    }

    report(&visitor).await.expect(202);
    // More reports than a browser may send.
    for _ in 0..20 {
        visitor.send(Method::POST, "/api/frontend-metrics", &json!({})).await;
    }

    let model = format!("{}/api/model/retrain", stack.url(Component::MlService).expect("a URL"));
    answer(reqwest::Client::new().post(model)).await.expect(202);
}

/// Each part is away for a moment, while customers are there, and then there are too many of them.
pub(crate) async fn bad_moments(stack: &Stack) {
    let base = stack.url(Component::Nginx).expect("a URL");
    let link = |edge| stack.link(edge).expect("a proxy");
    let visitor = Visitor::at(base.clone());
    for edge in [Edge::BackendToRedis, Edge::MlServiceToRedis, Edge::BackendToMlService] {
        link(edge).cut();
        for _ in 0..6 {
            browse(&visitor).await;
            sleep(Duration::from_millis(300)).await;
        }
        link(edge).restore();
    }
    link(Edge::MlServiceToBackend).cut();
    sleep(Duration::from_secs(3)).await;
    link(Edge::MlServiceToBackend).restore();

    // Searches are not cached: each needs a connection, and waits for it until it gives up.
    for trouble in [stack::Link::stall as fn(&stack::Link), |link| link.slow(Duration::from_millis(300))] {
        trouble(link(Edge::BackendToPostgres));
        let crowd = (0..200).map(|nth| {
            let visitor = Visitor::at(base.clone());
            tokio::spawn(async move { visitor.get(&format!("/api/products?q=lamp+{nth}")).await })
        });
        for search in crowd.collect::<Vec<_>>() {
            search.await.expect("an answer");
        }
        link(Edge::BackendToPostgres).restore();
    }
}

/// Hands nginx's log to Loki, as Alloy does where it runs.
pub(crate) async fn ship_log_of_nginx(stack: &Stack, telemetry: &Telemetry) {
    let log = std::fs::read_to_string(stack.log(Component::Nginx)).expect("a log");
    let lines = log.lines().filter_map(|line| {
        let fields: Value = serde_json::from_str(line).ok()?;
        let at: Timestamp = fields["timestamp"].as_str()?.parse().ok()?;
        Some(json!([at.as_nanosecond().to_string(), line]))
    });
    let labels = json!({ "service": "shopmicro-frontend", "env": "development", "level": "info" });
    let push = json!({ "streams": [{ "stream": labels, "values": lines.collect::<Vec<_>>() }] });
    answer(telemetry.http.post(format!("{}/loki/api/v1/push", telemetry.loki)).json(&push)).await.expect(204);
}

/// Mimir and Loki refuse what has a wrong time, and Loki writes to its disk.
pub(crate) async fn telemetry(telemetry: &Telemetry) {
    let line =
        json!({ "streams": [{ "stream": { "service": "old" }, "values": [["1000000000000000000", "{}"]] }] });
    let refused =
        answer(telemetry.http.post(format!("{}/loki/api/v1/push", telemetry.loki)).json(&line)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let point = json!({ "asDouble": 1, "timeUnixNano": "4000000000000000000" });
    let sample = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [
        { "name": "from_the_future", "gauge": { "dataPoints": [point] } },
    ] }] }] });
    let refused =
        answer(telemetry.http.post(format!("{}/otlp/v1/metrics", telemetry.mimir)).json(&sample)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    answer(telemetry.http.post(format!("{}/flush", telemetry.loki))).await.expect(204);
}
