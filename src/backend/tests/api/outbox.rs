//! The relay of events.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shopmicro_backend::workers::{Pass, outbox};
use uuid::Uuid;

use crate::harness::{Proxy, Setup, TestApp};

/// What the stream holds: each entry's fields, in the stream's order.
async fn stream(app: &TestApp) -> Vec<HashMap<String, String>> {
    let key = app.state.redis.key(outbox::STREAM);
    let read = app.state.redis.call("xrange", async move |mut redis| {
        let mut command = redis::cmd("XRANGE");
        let entries: Vec<(String, HashMap<String, String>)> =
            command.arg(key).arg("-").arg("+").query_async(&mut redis).await?;
        Ok(entries.into_iter().map(|(_, fields)| fields).collect())
    });
    read.await.expect("Redis answers")
}

async fn publish(app: &TestApp) {
    while outbox::pass(&app.state).await.expect("a pass") == Pass::More {}
}

/// Places this many orders and cancels every second one.
async fn trade(app: &TestApp, orders: usize) {
    for n in 0..orders {
        let client = app.customer().await;
        client.put_item(app.products[n % app.products.len()], 1).await.expect(200);
        let order = client.checkout("k", "4242424242424242").await.expect(201);
        if n % 2 == 0 {
            let path = format!("/api/orders/{}/cancel", order["id"].as_str().expect("an id"));
            client.post(&path, &json!({})).await.expect(200);
        }
    }
}

/// The events of each order are there in their order; a repeated one does not count.
fn expect_stories(entries: &[HashMap<String, String>], orders: usize) {
    let mut stories: HashMap<Uuid, Vec<(i64, &str)>> = HashMap::new();
    for entry in entries {
        let payload: Value = serde_json::from_str(&entry["payload"]).expect("JSON");
        assert_eq!(payload["order_id"], entry["order_id"]);
        assert!(entry["at"].parse::<jiff::Timestamp>().is_ok());
        let story = stories.entry(entry["order_id"].parse().expect("an id")).or_default();
        let event = (entry["id"].parse().expect("a number"), entry["kind"].as_str());
        if !story.contains(&event) {
            story.push(event);
        }
    }
    assert_eq!(stories.len(), orders);
    for story in stories.values() {
        assert!(story.is_sorted(), "{story:?}");
        let kinds: Vec<&str> = story.iter().map(|(_, kind)| *kind).collect();
        assert!(
            kinds == ["order.placed", "order.paid"]
                || kinds == ["order.placed", "order.paid", "order.cancelled"],
            "{kinds:?}"
        );
    }
}

#[tokio::test]
async fn events_are_published_in_their_order() {
    let app = TestApp::new().await.with_products(3).await;
    trade(&app, 4).await;
    publish(&app).await;
    let entries = stream(&app).await;
    assert_eq!(entries.len(), 4 * 2 + 2);
    expect_stories(&entries, 4);
    // Once published, never again.
    publish(&app).await;
    assert_eq!(stream(&app).await.len(), entries.len());
    assert_eq!(app.number("select count(*) from outbox where published_at is null").await, 0);
}

#[tokio::test]
async fn relays_side_by_side_keep_the_order_of_each_order() {
    let app = TestApp::new().await.with_products(3).await;
    trade(&app, 12).await;
    while app.number("select count(*) from outbox where published_at is null").await > 0 {
        for pass in join_all((0..4).map(|_| outbox::pass(&app.state))).await {
            pass.expect("a pass");
        }
    }
    let entries = stream(&app).await;
    assert_eq!(entries.len(), 12 * 2 + 6);
    expect_stories(&entries, 12);
}

#[tokio::test]
async fn events_wait_for_redis() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await.with_products(1).await;
    redis.cut();
    trade(&app, 2).await;
    assert_eq!(outbox::pass(&app.state).await.expect("a pass"), Pass::Idle);
    assert_eq!(app.number("select count(*) from outbox where published_at is not null").await, 0);
    redis.mend();
    // Redis is left alone for a moment after a failure.
    while app.number("select count(*) from outbox where published_at is null").await > 0 {
        publish(&app).await;
    }
    expect_stories(&stream(&app).await, 2);
}

/// Who gives up too early publishes everything twice.
#[tokio::test]
async fn a_late_answer_of_redis_is_waited_for() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await.with_products(1).await;
    trade(&app, 1).await;
    redis.stall();
    let late = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        redis.mend();
    };
    let (pass, ()) = tokio::join!(outbox::pass(&app.state), late);
    assert_eq!(pass.expect("a pass"), Pass::Idle);
    assert_eq!(app.number("select count(*) from outbox where published_at is null").await, 0);
}

/// A relay that dies between Redis and its commit publishes again: at least once, never not at all.
#[tokio::test]
async fn a_crash_after_publishing_publishes_again() {
    let app = TestApp::new().await.with_products(1).await;
    trade(&app, 1).await;
    app.sql(
        "create function crash() returns trigger language plpgsql as $$ begin raise exception 'crash'; end $$; \
         create trigger crash before update on outbox for each row execute function crash()",
    )
    .await;
    outbox::pass(&app.state).await.expect_err("a crash");
    assert_eq!(stream(&app).await.len(), 3);
    app.sql("drop trigger crash on outbox").await;
    publish(&app).await;
    let entries = stream(&app).await;
    assert_eq!(entries.len(), 2 * 3);
    expect_stories(&entries, 1);
}
