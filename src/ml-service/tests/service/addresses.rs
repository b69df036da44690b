//! Each address over a model in memory. Nothing listens where Redis and the backend should be: every answer
//! here is one that needs neither.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{TestApp, id, interaction, product, small_shop};

const CUSTOMER: u128 = 100;

/// A customer who bought the red cushion and looked at the teapot, and others who buy benches.
fn shop_with_customers() -> TestApp {
    TestApp::of(
        &small_shop(),
        &[
            interaction(1, CUSTOMER, 1, "purchase"),
            interaction(2, CUSTOMER, 3, "view"),
            interaction(3, 101, 5, "purchase"),
            interaction(4, 102, 5, "purchase"),
        ],
    )
}

#[tokio::test]
async fn a_customer_gets_what_fits_without_what_they_bought() {
    let answer = shop_with_customers().get(&format!("/api/recommendations/{}", id(CUSTOMER))).await;
    assert_eq!(answer.items(), [2, 3, 4]);
    let body = answer.json();
    assert_eq!(body["user_id"], json!(id(CUSTOMER)));
    assert_eq!(body["strategy"], "personal");
    assert_eq!(body["items"][0]["reason"], "Because you bought Red cushion");
    assert_eq!(body["model_version"].as_str().map(str::len), Some(12));
    let scores: Vec<f64> =
        body["items"].as_array().expect("items").iter().filter_map(|item| item["score"].as_f64()).collect();
    assert_eq!(scores.len(), 3);
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| (0.0..=1.0).contains(score)));
}

#[tokio::test]
async fn an_unknown_customer_gets_what_is_popular() {
    let app = shop_with_customers();
    let answer = app.get(&format!("/api/recommendations/{}", id(999))).await;
    assert_eq!(answer.items()[..2], [5, 1]);
    assert_eq!(answer.json()["user_id"], json!(id(999)));
    assert_eq!(answer.json()["strategy"], "popular");
    assert_eq!(answer.json()["items"][0]["reason"], "Popular now");
}

#[tokio::test]
async fn a_customer_of_products_without_likeness_gets_popular_ones_that_they_lack() {
    let answer = shop_with_customers().get(&format!("/api/recommendations/{}", id(101))).await;
    assert_eq!(answer.json()["strategy"], "popular");
    assert_eq!(answer.items()[0], 1);
    assert!(!answer.items().contains(&5));
}

#[tokio::test]
async fn popular_is_for_nobody_in_particular() {
    let answer = shop_with_customers().get("/api/recommendations/popular?limit=2").await;
    assert_eq!(answer.items(), [5, 1]);
    assert_eq!(answer.json()["user_id"], Value::Null);
    assert_eq!(answer.json()["strategy"], "popular");
}

#[tokio::test]
async fn who_is_unknown_gets_what_is_popular_where_they_look() {
    let app = shop_with_customers();
    for path in ["/api/recommendations/popular".to_owned(), format!("/api/recommendations/{}", id(999))] {
        assert_eq!(app.get(&format!("{path}?category=Home")).await.items(), [1, 2]);
        assert_eq!(app.get(&format!("{path}?category=Nowhere")).await.items(), [0; 0]);
        for bad in [String::new(), "x".repeat(401)] {
            let answer = app.get(&format!("{path}?category={bad}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert_eq!(answer.json()["errors"][0]["field"], "category");
        }
    }
}

#[tokio::test]
async fn similar_products_come_with_their_reason() {
    let answer = shop_with_customers().get(&format!("/api/products/{}/similar", id(3))).await;
    assert_eq!(answer.items(), [4]);
    assert_eq!(answer.json()["product_id"], json!(id(3)));
    assert_eq!(answer.json()["strategy"], "similar");
    assert_eq!(answer.json()["items"][0]["reason"], "Similar to Green teapot");
}

#[tokio::test]
async fn twelve_are_answered_unless_another_limit_is_asked_for() {
    let products: Vec<Value> = (1..=80).map(|n| product(n, &format!("Mug {n}"), "Kitchen")).collect();
    let app = TestApp::of(&products, &[]);
    for path in ["/api/recommendations/popular".to_owned(), format!("/api/products/{}/similar", id(1))] {
        let all = app.get(&format!("{path}?limit=50")).await.items();
        assert_eq!(all.len(), 50);
        assert_eq!(app.get(&path).await.items(), all[..12]);
        assert_eq!(app.get(&format!("{path}?limit=1")).await.items(), all[..1]);
    }
}

#[tokio::test]
async fn bad_input_is_refused_by_name() {
    let app = shop_with_customers();
    let user = format!("/api/recommendations/{}", id(CUSTOMER));
    let similar = format!("/api/products/{}/similar", id(1));
    for path in ["/api/recommendations/popular", &user, &similar] {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=51", "limit"),
            ("limit=-1", "limit"),
            ("limit=many", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("colour=red", "colour"),
        ] {
            let answer = app.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}?{query}: {}", answer.text);
            assert_eq!(answer.problem(), "bad-request");
            assert_eq!(answer.json()["errors"][0]["field"], field, "{path}?{query}: {}", answer.text);
        }
    }
    for path in ["/api/recommendations/me", "/api/products/1/similar", "/api/model?verbose=1"] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::BAD_REQUEST, "bad-request"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_does_not_exist_is_a_problem_too() {
    let app = shop_with_customers();
    let unknown = app.get(&format!("/api/products/{}/similar", id(77))).await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"));
    let nowhere = app.get("/api/nothing").await;
    assert_eq!((nowhere.status, nowhere.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"));
    let method = app.get("/api/model/retrain").await;
    assert_eq!(
        (method.status, method.problem().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
    );
}

#[tokio::test]
async fn the_model_tells_about_itself() {
    let model = shop_with_customers().get("/api/model").await.json();
    assert_eq!(
        (&model["products"], &model["interactions"], &model["users"]),
        (&json!(5), &json!(4), &json!(3))
    );
    assert!(model["terms"].as_u64() > Some(10));
    assert!(model["trained_at"].as_str().expect("a time").parse::<jiff::Timestamp>().is_ok());
}

#[tokio::test]
async fn without_a_model_the_service_lives_but_is_not_ready() {
    let app = TestApp::bare();
    assert_eq!(app.get("/health/live").await.status, StatusCode::OK);
    for path in ["/health/ready", "/api/recommendations/popular"] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        );
        assert_eq!(answer.headers["retry-after"], "1");
    }
    let model = app.get("/api/model").await.json();
    assert_eq!(
        (&model["model_version"], &model["trained_at"], &model["products"], &model["training"]["stage"]),
        (&json!(null), &json!(null), &json!(0), &json!("idle"))
    );
    let health = app.get("/health").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(health.json()["dependencies"]["model"]["status"], "unavailable");
}

#[tokio::test]
async fn with_a_model_the_loss_of_the_rest_is_a_degradation() {
    let health = shop_with_customers().get("/health").await;
    assert_eq!(health.status, StatusCode::OK);
    let body = health.json();
    assert_eq!(body["status"], "degraded");
    assert_eq!(body["dependencies"]["model"]["status"], "ok");
    assert_eq!(body["dependencies"]["redis"]["status"], "unavailable");
    assert_eq!(body["dependencies"]["backend"]["status"], "unavailable");
}

#[tokio::test]
async fn an_empty_catalogue_is_served_with_empty_lists() {
    let app = TestApp::of(&[], &[interaction(1, CUSTOMER, 1, "purchase")]);
    assert_eq!(app.get("/health/ready").await.status, StatusCode::OK);
    assert_eq!(app.get("/api/recommendations/popular").await.items(), [0; 0]);
    let answer = app.get(&format!("/api/recommendations/{}", id(CUSTOMER))).await;
    assert_eq!(answer.items(), [0; 0]);
    assert_eq!(answer.json()["strategy"], "popular");
}
