//! The incidents that people are taught by: each does to customers what its page in `docs/incidents` says, and ends.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use stack::load::Load;
use stack::scenarios::Scenario;
use stack::{Component, Stack};

use crate::customer::{Customer, database, number, products};

#[path = "support/customer.rs"]
mod customer;

async fn shop() -> (Stack, Customer) {
    let stack = Stack::builder().with_links().start().await.expect("a stack");
    let customer = Customer::register(&stack.url(Component::Nginx).expect("nginx"), "incident").await;
    (stack, customer)
}

/// The outcome of a checkout of one piece.
async fn buy(customer: &Customer, product: &str, key: &str) -> (StatusCode, Value) {
    customer.put_in_cart(product).await;
    let answer = customer.check_out(key).await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

async fn eventually(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !look().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn every_incident_has_a_page_and_every_page_an_incident() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/incidents");
    let index = std::fs::read_to_string(pages.join("README.md")).expect("the index");
    for scenario in Scenario::ALL {
        let page = std::fs::read_to_string(pages.join(format!("{scenario}.md")));
        let page = page.unwrap_or_else(|_| panic!("{scenario} has no page"));
        assert!(page.contains(&format!("make break SCENARIO={scenario}")), "{scenario}");
        for heading in ["What customers see", "From the alert to the cause", "The way out", "Questions"] {
            assert!(page.contains(&format!("## {heading}")), "{scenario}: {heading}");
        }
        assert!(index.contains(&format!("({scenario}.md)")), "the index does not lead to {scenario}");
    }
    let files = std::fs::read_dir(&pages).expect("pages").count();
    assert_eq!(files, Scenario::ALL.len() + 1, "a page without an incident");
}

/// Those after which the shop sells as if nothing had happened.
#[tokio::test(flavor = "multi_thread")]
async fn some_incidents_cost_no_customer_anything() {
    let (mut stack, customer) = shop().await;
    let product = products(&customer, 1).await.remove(0);
    for scenario in [Scenario::RedisDown, Scenario::MemoryPressure, Scenario::RecommenderSlow] {
        scenario.provoke(&mut stack).await.expect("it happens");
        for round in 0..3 {
            let (status, order) = buy(&customer, &product, &format!("{scenario}-{round}")).await;
            assert_eq!((status, &order["status"]), (StatusCode::CREATED, &"paid".into()), "{scenario}");
            let list = customer.get_json("/api/recommendations").await;
            assert!(!list["items"].as_array().expect("items").is_empty(), "{scenario}");
        }
        if scenario == Scenario::RecommenderSlow {
            assert_eq!(customer.get_json("/api/recommendations").await["strategy"], "popular");
        }
        scenario.mend(&mut stack).await.expect("it ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_makes_customers_wait_and_a_lost_one_stops_sales() {
    let (mut stack, customer) = shop().await;
    let product = products(&customer, 1).await.remove(0);
    let path = format!("/api/products/{product}");
    customer.get_json(&path).await;

    Scenario::SlowDatabase.provoke(&mut stack).await.expect("it happens");
    let start = Instant::now();
    assert_eq!(buy(&customer, &product, "slow").await.0, StatusCode::CREATED);
    assert!(start.elapsed() > Duration::from_millis(600), "every round trip waits");
    Scenario::SlowDatabase.mend(&mut stack).await.expect("it ends");

    Scenario::DatabaseDown.provoke(&mut stack).await.expect("it happens");
    assert_eq!(customer.get_json(&path).await["id"], product.as_str(), "what was read before is shown");
    let answer = customer.check_out("down").await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    Scenario::DatabaseDown.mend(&mut stack).await.expect("it ends");
    eventually("sales again", async || buy(&customer, &product, "again").await.0 == StatusCode::CREATED)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_wait_while_the_payment_provider_is_away() {
    let (mut stack, customer) = shop().await;
    let product = products(&customer, 1).await.remove(0);
    Scenario::PaymentProviderDown.provoke(&mut stack).await.expect("it happens");
    let (status, order) = buy(&customer, &product, "waits").await;
    assert_eq!((status, &order["status"]), (StatusCode::CREATED, &"pending_payment".into()));
    Scenario::PaymentProviderDown.mend(&mut stack).await.expect("it ends");
    let (status, after) = buy(&customer, &product, "after").await;
    assert_eq!((status, &after["status"]), (StatusCode::CREATED, &"paid".into()));
    // The provider never heard of it: it can be called off, else it expires.
    let path = format!("/api/orders/{}/cancel", order["id"].as_str().expect("an id"));
    let answer = customer.http.post(customer.url(&path)).send().await.expect("an answer");
    assert_eq!(answer.json::<Value>().await.expect("JSON")["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_release_is_slow_under_load_and_gone_after_the_way_back() {
    let (mut stack, customer) = shop().await;
    let product = products(&customer, 1).await.remove(0);
    let health = async |stack: &Stack| -> Value {
        let url = format!("{}/health", stack.url(Component::Backend).expect("the backend"));
        reqwest::get(url).await.expect("an answer").json().await.expect("JSON")
    };
    Scenario::BadDeploy.provoke(&mut stack).await.expect("it happens");
    let bad = health(&stack).await;
    assert_eq!(bad["dependencies"]["postgres"]["pool"]["max"], 1);
    assert_eq!(bad["dependencies"]["ml-service"]["status"], "unavailable");
    assert_eq!(customer.get_json("/api/recommendations").await["strategy"], "popular");
    assert_eq!(buy(&customer, &product, "bad").await.0, StatusCode::CREATED, "one at a time it still works");
    Scenario::BadDeploy.mend(&mut stack).await.expect("it ends");
    assert_eq!(health(&stack).await["dependencies"]["postgres"]["pool"]["max"], 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_want_the_last_piece_find_one_piece() {
    let (mut stack, customer) = shop().await;
    let base = stack.url(Component::Nginx).expect("nginx");
    let favourite = "select id::text as id from products where archived_at is null and stock > 1 \
                     order by popularity desc, id limit 1";
    let client = database(&stack).await;
    let product: String = client.query_one(favourite, &[]).await.expect("a favourite").get("id");
    let mut rivals = Vec::new();
    for number in 0..8 {
        let rival = Customer::register(&base, &format!("rival{number}")).await;
        rival.put_in_cart(&product).await;
        rivals.push(rival);
    }
    Scenario::StockRace.provoke(&mut stack).await.expect("it happens");
    let race = rivals.iter().map(|rival| {
        let rival = rival.clone();
        tokio::spawn(async move { rival.check_out("race").await.expect("an answer").status() })
    });
    let mut statuses = Vec::new();
    for one in race.collect::<Vec<_>>() {
        statuses.push(one.await.expect("it came to an end"));
    }
    let count = |status| statuses.iter().filter(|seen| **seen == status).count();
    assert_eq!((count(StatusCode::CREATED), count(StatusCode::CONFLICT)), (1, 7), "{statuses:?}");
    let ledger = "select count(*) from products p where stock <> \
                  (select coalesce(sum(delta), 0) from stock_movements m where m.product_id = p.id)";
    assert_eq!(number(&client, ledger).await, 1, "the change by hand is not in the ledger");
    Scenario::StockRace.mend(&mut stack).await.expect("it ends");
    assert_eq!(number(&client, ledger).await, 0);
    let left = &customer.get_json(&format!("/api/products/{product}")).await["stock"];
    assert_eq!(left, 0);
}

/// What the customers of the load count is what the shop counts.
#[tokio::test(flavor = "multi_thread")]
async fn the_load_tells_what_the_shop_saw() {
    let stack = Stack::builder().start().await.expect("a stack");
    let load = Load {
        url: stack.url(Component::Nginx).expect("nginx"),
        rate: 8.0,
        duration: Duration::from_secs(8),
        think: Duration::from_millis(20),
        spike: 2.0,
        patient: false,
    };
    let report = stack::load::run(&load, std::future::pending()).await.expect("a report");
    assert!(report.customers > 30, "{report}");
    assert_eq!(report.answers(|status| status == 0 || status >= 500), 0, "{report}");
    assert!(report.of("checkout", 201) > 0, "{report}");
    let url = format!("{}/metrics", stack.url(Component::Backend).expect("the backend"));
    let metrics = reqwest::get(url).await.expect("an answer").text().await.expect("text");
    let count = |route: &str, status: &str| -> u64 {
        let lines = metrics.lines().filter(|line| {
            line.starts_with("http_server_request_duration_seconds_count")
                && line.contains(&format!("http_route=\"{route}\""))
                && line.contains(&format!("http_response_status_code=\"{status}\""))
        });
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    };
    for (step, route, status) in [
        ("recommendations", "/api/recommendations", 200),
        ("similar", "/api/products/{id}/similar", 200),
        ("vitals", "/api/frontend-metrics", 202),
        ("checkout", "/api/orders", 201),
    ] {
        assert_eq!(report.of(step, status), count(route, &status.to_string()), "{step}: {report}");
    }
}
