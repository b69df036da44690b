//! What is on disk, and a service that begins with it.

use std::time::Duration;

use axum::http::StatusCode;

use super::{asked_again, version};
use crate::harness::{StandIn, TestApp, id, interaction, small_shop};

#[tokio::test]
async fn a_restart_takes_the_model_from_disk_and_replaces_a_damaged_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let variables = [("SNAPSHOT_DIR", directory.path().to_str().expect("UTF-8"))];
    let backend = StandIn::start(small_shop()).await;
    let first = TestApp::following_with(&backend, &variables).await;
    first.ready().await;
    let file = directory.path().join("model");
    first.eventually("/api/model", |model| model.json()["training"]["stage"] == "idle").await;
    let written = std::fs::read(&file).expect("written");

    // No catalogue comes, and still there is a model.
    backend.close_gate();
    let restarted = TestApp::following_with(&backend, &variables).await;
    restarted.ready().await;
    assert_eq!(version(&restarted.get("/api/model").await), version(&first.get("/api/model").await));
    assert_eq!(restarted.get(&format!("/api/products/{}/similar", id(1))).await.items(), [2]);

    let mut damaged = written.clone();
    damaged[written.len() / 2] ^= 1;
    std::fs::write(&file, damaged).expect("damaged");
    let refusing = TestApp::following_with(&backend, &variables).await;
    assert!(refusing.state.snapshots.current().is_none());
    let metrics = refusing.get("/metrics").await.text;
    assert!(metrics.contains("recommender_snapshot_failures_total"), "{metrics}");
    backend.open_gate();
    refusing.ready().await;
    refusing.eventually("/api/model", |model| model.json()["training"]["stage"] == "idle").await;
    assert_eq!(std::fs::read(&file).expect("written again"), written);
}

#[tokio::test]
async fn a_restart_without_the_backend_knows_its_customers() {
    let directory = tempfile::tempdir().expect("a directory");
    let variables = [("SNAPSHOT_DIR", directory.path().to_str().expect("UTF-8"))];
    let backend = StandIn::start(small_shop()).await;
    backend.shop().interactions =
        vec![interaction(1, 100, 1, "purchase"), interaction(2, 200, 3, "purchase")];
    let first = TestApp::following_with(&backend, &variables).await;
    first.ready().await;
    first.eventually("/api/model", |model| model.json()["training"]["stage"] == "idle").await;
    assert!(first.state.keep_interactions().await);
    let path = format!("/api/recommendations/{}", id(100));
    let before = first.get(&path).await.json();
    assert_eq!(before["strategy"], "personal");

    backend.shop().down = true;
    let restarted = TestApp::following_with(&backend, &variables).await;
    assert_eq!(restarted.get("/health/ready").await.status, StatusCode::OK);
    assert_eq!(restarted.get(&path).await.json()["items"], before["items"]);

    // What came meanwhile is read from where the file ends.
    backend.shop().cursors.clear();
    backend.shop().interactions.push(interaction(3, 100, 2, "purchase"));
    backend.shop().down = false;
    restarted.eventually("/api/model", |model| model.json()["interactions"] == 3).await;
    assert_eq!(backend.shop().cursors.first(), Some(&Some("2".to_owned())));

    let file = directory.path().join("interactions");
    let mut damaged = std::fs::read(&file).expect("written");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&file, damaged).expect("damaged");
    backend.shop().down = true;
    let refusing = TestApp::following_with(&backend, &variables).await;
    assert_eq!(refusing.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let metrics = refusing.get("/metrics").await.text;
    assert!(metrics.contains("recommender_snapshot_failures_total"), "{metrics}");
    backend.shop().down = false;
    refusing.ready().await;
    assert_eq!(refusing.get("/api/model").await.json()["interactions"], 3);
}

#[tokio::test]
async fn what_customers_did_is_written_when_it_changed_and_again_after_a_failure() {
    let directory = tempfile::tempdir().expect("a directory");
    let variables = [("SNAPSHOT_DIR", directory.path().to_str().expect("UTF-8"))];
    let backend = StandIn::start(small_shop()).await;
    backend.shop().interactions = vec![interaction(1, 100, 1, "purchase")];
    let first = TestApp::following_with(&backend, &variables).await;
    first.ready().await;
    assert!(first.state.keep_interactions().await);
    let file = directory.path().join("interactions");
    let written = || std::fs::metadata(&file).and_then(|file| file.modified()).expect("a time");
    let before = written();

    let restarted = TestApp::following_with_every(&backend, &variables, Duration::from_millis(20)).await;
    // Meanwhile it would have been written again and again.
    asked_again(&restarted, &backend, 30).await;
    assert_eq!(written(), before, "what is on disk is not written again");

    let obstacle = directory.path().join("interactions.unfinished");
    std::fs::create_dir(&obstacle).expect("an obstacle");
    backend.shop().interactions.push(interaction(2, 100, 2, "purchase"));
    restarted.eventually("/api/model", |model| model.json()["interactions"] == 2).await;
    asked_again(&restarted, &backend, 30).await;
    assert!(!restarted.state.keep_interactions().await);
    std::fs::remove_dir(&obstacle).expect("removed");
    restarted.eventually("/api/model", |_| written() != before).await;
}
