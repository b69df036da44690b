//! The service with a real Redis, following a backend.

mod restarts;

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::harness::{Answer, StandIn, TestApp, id, interaction, product, redis_url, small_shop};

fn version(answer: &Answer) -> String {
    answer.json()["model_version"].as_str().unwrap_or_default().to_owned()
}

fn prefix() -> String {
    format!("test:{}:", Uuid::new_v4().simple())
}

/// Waits until the stream was asked for so often after now.
async fn asked_again(app: &TestApp, backend: &StandIn, times: usize) {
    let before = backend.shop().cursors.len();
    app.eventually("/api/model", |_| backend.shop().cursors.len() >= before + times).await;
}

#[tokio::test]
async fn it_becomes_ready_when_the_backend_comes() {
    let backend = StandIn::start(small_shop()).await;
    backend.shop().down = true;
    let app = TestApp::following(&backend);
    app.outlives_failures(&backend).await;
    let metrics = app.get("/metrics").await.text;
    for stream in ["catalogue", "interactions"] {
        let counter = format!("recommender_stream_failures_total{{stream=\"{stream}\"}}");
        assert!(metrics.contains(&counter), "{counter} is missing in {metrics}");
    }
    assert_eq!(app.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    backend.shop().down = false;
    app.ready().await;
    assert_eq!(app.get("/api/model").await.json()["products"], 5);
    assert_eq!(app.get("/health").await.json()["status"], "ok");
}

#[tokio::test]
async fn it_is_not_ready_before_all_interactions_are_read() {
    let backend = StandIn::start(small_shop()).await;
    {
        let mut shop = backend.shop();
        shop.page = 2;
        shop.interactions = (1..=5).map(|n| interaction(n, 100, u128::from(n), "purchase")).collect();
    }
    let app = TestApp::following(&backend);
    app.ready().await;
    assert_eq!(app.get("/api/model").await.json()["interactions"], 5);
    let cursors: Vec<Option<String>> = backend.shop().cursors[..4].to_vec();
    let cursor = |number: u8| Some(number.to_string());
    assert_eq!(cursors, [None, cursor(2), cursor(4), cursor(5)]);
}

#[tokio::test]
async fn a_purchase_shows_without_retraining() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following(&backend);
    app.ready().await;
    let path = format!("/api/recommendations/{}", id(100));
    let before = app.get(&path).await;
    assert_eq!(before.json()["strategy"], "popular");

    backend.shop().interactions.push(interaction(1, 100, 1, "purchase"));
    let after = app.eventually(&path, |answer| answer.json()["strategy"] == "personal").await;
    assert_eq!(after.items(), [2]);
    assert_eq!(version(&after), version(&before));

    // The answer with one purchase is cached now; the next purchase must not meet it.
    backend.shop().interactions.push(interaction(2, 100, 2, "purchase"));
    app.eventually(&path, |answer| !answer.items().contains(&2)).await;
}

#[tokio::test]
async fn one_reading_is_enough_for_a_new_event() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following(&backend);
    app.ready().await;
    backend.shop().interactions.push(interaction(1, 100, 1, "view"));
    // Who asks a second time has dealt with the first answer.
    asked_again(&app, &backend, 2).await;
    assert_eq!(app.get("/api/model").await.json()["interactions"], 1);
}

#[tokio::test]
async fn at_its_own_pace_a_new_event_counts_within_two_seconds() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following_at_its_own_pace(&backend);
    app.ready().await;
    // Each comes right after a reading, which is the worst moment. A busy machine may make one late, and a second; a
    // service that reads too seldom makes all of them late.
    let mut late = Vec::new();
    for number in 1..=3 {
        asked_again(&app, &backend, 1).await;
        let start = Instant::now();
        backend.shop().interactions.push(interaction(number, 100, u128::from(number), "view"));
        app.eventually("/api/model", |model| model.json()["interactions"] == number).await;
        if start.elapsed() < Duration::from_secs(2) {
            return;
        }
        late.push(start.elapsed());
    }
    panic!("events counted after {late:?}");
}

#[tokio::test]
async fn a_changed_catalogue_makes_another_model() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following(&backend);
    app.ready().await;
    let before = version(&app.get("/api/model").await);
    backend.shop().products.push(product(6, "Yellow cushion", "Home"));
    let after = app.eventually("/api/model", |model| version(model) != before).await;
    assert_eq!(after.json()["products"], 6);
    assert_eq!(app.get(&format!("/api/products/{}/similar", id(1))).await.items(), [2, 6]);
}

#[tokio::test]
async fn too_large_a_catalogue_is_read_no_more_often_than_a_good_one() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following_with(&backend, &[("MAX_PRODUCTS", "4")]).await;
    app.eventually("/api/model", |model| model.json()["training"]["last"] == "failed").await;
    // Four times as long as the first rest after a failure.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(backend.shop().catalogues, 1);
    let app = TestApp::following_with(&backend, &[("MAX_PRODUCTS", "5")]).await;
    app.ready().await;
}

#[tokio::test]
async fn replicas_agree_on_the_version() {
    let backend = StandIn::start(small_shop()).await;
    let mut reversed = small_shop();
    reversed.reverse();
    let other = StandIn::start(reversed).await;
    let (one, two) = (TestApp::following(&backend), TestApp::following(&other));
    one.ready().await;
    two.ready().await;
    assert_eq!(version(&one.get("/api/model").await), version(&two.get("/api/model").await));
}

#[tokio::test]
async fn retraining_runs_once_at_a_time_and_readers_do_not_wait() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following_every(&backend, Duration::from_hours(1));
    app.ready().await;
    let before = app.get("/api/model").await;
    backend.close_gate();
    let first = app.post("/api/model/retrain").await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(first.json(), json!({ "status": "started", "model_version": version(&before) }));
    let second = app.post("/api/model/retrain").await;
    assert_eq!(second.status, StatusCode::ACCEPTED);
    assert_eq!(second.json(), json!({ "status": "already-running", "model_version": version(&before) }));
    assert!(!app.get(&format!("/api/products/{}/similar", id(1))).await.items().is_empty());

    backend.open_gate();
    let trained_at = before.json()["trained_at"].clone();
    let after = app.eventually("/api/model", |model| model.json()["trained_at"] != trained_at).await;
    assert_eq!(version(&after), version(&before), "the content is the same");
}

#[tokio::test]
async fn a_training_that_is_asked_for_while_the_catalogue_is_read_follows() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following(&backend);
    app.ready().await;
    backend.close_gate();
    app.eventually("/api/model", |model| model.json()["training"]["stage"] == "reading").await;
    let before = app.get("/api/model").await;
    let answers = [app.post("/api/model/retrain").await, app.post("/api/model/retrain").await];
    let status = answers.map(|answer| answer.json()["status"].clone());
    assert_eq!(status, ["started", "already-running"]);

    backend.open_gate();
    let trained_at = before.json()["trained_at"].clone();
    let after = app.eventually("/api/model", |model| model.json()["trained_at"] != trained_at).await;
    assert_eq!(version(&after), version(&before), "nothing else would have had it trained");
}

#[tokio::test]
async fn retraining_needs_the_token_and_tells_how_it_went() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following_with(&backend, &[("INTERNAL_TOKEN", "secret of the deployment")]).await;
    app.ready().await;
    let training = async || app.get("/api/model").await.json()["training"].clone();
    assert_eq!((&training().await["stage"], &training().await["last"]), (&json!("idle"), &json!("trained")));
    for refused in
        [app.post("/api/model/retrain").await, app.post_with_token("/api/model/retrain", "secret").await]
    {
        assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::UNAUTHORIZED, "unauthorized"));
    }
    backend.close_gate();
    let begun = app.post_with_token("/api/model/retrain", "secret of the deployment").await;
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    let reading = app.eventually("/api/model", |model| model.json()["training"]["stage"] == "reading").await;
    assert!(reading.json()["training"]["since"].as_str().expect("a time").parse::<jiff::Timestamp>().is_ok());
    backend.shop().down = true;
    backend.open_gate();
    app.eventually("/api/model", |model| model.json()["training"]["last"] == "failed").await;
}

#[tokio::test]
async fn in_production_without_a_token_nobody_may_have_it_trained() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following_with(&backend, &[("FLASK_ENV", "production")]).await;
    assert_eq!(app.post("/api/model/retrain").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.post_with_token("/api/model/retrain", "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_product_that_comes_is_followed_without_a_training() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following(&backend);
    app.ready().await;
    backend.shop().products.push(product(6, "Yellow cushion", "Home"));
    let model = app.eventually("/api/model", |model| model.json()["products"] == 6).await;
    assert_eq!(app.get(&format!("/api/products/{}/similar", id(6))).await.items(), [1, 2]);
    drop(model);
}

#[tokio::test]
async fn a_shop_whose_products_are_all_gone_has_an_empty_model_and_later_a_new_one() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following(&backend);
    app.ready().await;
    // One came since the training.
    backend.shop().products.push(product(6, "Yellow cushion", "Home"));
    app.eventually("/api/model", |model| model.json()["products"] == 6).await;
    backend.shop().products.clear();
    app.eventually("/api/model", |model| model.json()["products"] == 0).await;
    assert!(app.get("/api/recommendations/popular").await.items().is_empty());
    backend.shop().products = small_shop();
    app.eventually("/api/model", |model| model.json()["products"] == 5).await;
    assert_eq!(app.get(&format!("/api/products/{}/similar", id(1))).await.items(), [2]);
}

#[tokio::test]
async fn half_a_catalogue_is_never_trained_on() {
    let backend = StandIn::start(small_shop()).await;
    let app = TestApp::following(&backend);
    app.ready().await;
    {
        let mut shop = backend.shop();
        shop.cut = true;
        shop.products.push(product(6, "Yellow cushion", "Home"));
    }
    app.outlives_failures(&backend).await;
    assert_eq!(app.get("/api/model").await.json()["products"], 5);
    backend.shop().cut = false;
    app.eventually("/api/model", |model| model.json()["products"] == 6).await;
}

#[tokio::test]
async fn a_backend_with_another_database_is_read_anew() {
    let backend = StandIn::start(small_shop()).await;
    backend.shop().interactions =
        vec![interaction(7, 100, 1, "purchase"), interaction(8, 100, 2, "purchase")];
    let app = TestApp::following(&backend);
    app.ready().await;
    {
        let mut shop = backend.shop();
        shop.forgetful = true;
        shop.interactions = Vec::new();
    }
    app.eventually("/api/model", |model| {
        model.status == StatusCode::OK && model.json()["interactions"] == 0 && model.json()["users"] == 0
    })
    .await;
}

#[tokio::test]
async fn answers_are_cached_under_the_version_for_a_time() {
    let prefix = prefix();
    let lines = [interaction(1, 100, 1, "purchase")];
    let app = TestApp::of_with_redis(&small_shop(), &lines, &redis_url(), &prefix);
    let answer = app.get(&format!("/api/recommendations/{}", id(100))).await;
    let client = redis::Client::open(redis_url()).expect("a URL");
    let mut redis = client.get_multiplexed_async_connection().await.expect("a Redis");
    // The end of a key tells the settings.
    let pattern = format!("{prefix}{}:user:{}:1:*", version(&answer), id(100));
    let mut found = redis.scan_match::<_, String>(pattern).await.expect("a scan");
    let key = found.next_item().await.expect("a key").expect("of text");
    drop(found);
    let cached: String = redis.get(&key).await.expect("cached");
    let cached: Value = serde_json::from_str(&cached).expect("JSON");
    assert_eq!(cached, answer.json()["items"]);
    let seconds: i64 = redis.ttl(&key).await.expect("a time to live");
    assert!((1..=600).contains(&seconds), "{seconds}");

    // Another replica answers from it: it shows what only the cache holds.
    let mark = json!([{ "product_id": id(4), "score": 0.5, "reason": "from the cache" }]).to_string();
    let () = redis.set_ex(&key, mark, 60).await.expect("set");
    let replica = TestApp::of_with_redis(&small_shop(), &lines, &redis_url(), &prefix);
    let shared = replica.get(&format!("/api/recommendations/{}", id(100))).await;
    assert_eq!(shared.items(), [4]);
    let metrics = replica.get("/metrics").await.text;
    assert!(metrics.contains("recommender_cache_requests_total{result=\"hit\"}"), "{metrics}");
    assert!(metrics.contains("recommender_answers_total{strategy=\"personal\"}"), "{metrics}");

    // Then it has it in memory.
    let () = redis.set_ex(&key, "not JSON", 60).await.expect("set");
    assert_eq!(replica.get(&format!("/api/recommendations/{}", id(100))).await.items(), [4]);

    // What is not understood is a miss.
    let another = TestApp::of_with_redis(&small_shop(), &lines, &redis_url(), &prefix);
    assert_eq!(another.get(&format!("/api/recommendations/{}", id(100))).await.items(), [2]);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_costs_moments() {
    let stalled = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("redis://{}", stalled.local_addr().expect("bound"));
    let app = TestApp::of_with_redis(&small_shop(), &[], &url, "");
    let start = Instant::now();
    for _ in 0..10 {
        assert_eq!(app.get(&format!("/api/products/{}/similar", id(1))).await.items(), [2]);
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}
