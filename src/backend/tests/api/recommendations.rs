//! `/api/recommendations` and `/api/products/{id}/similar`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{NewProduct, Recommender, Reply, Setup, TestApp};

/// An answer of the recommendation service: better products first.
fn model(products: &[Uuid], strategy: &str) -> Reply {
    let items = products.iter().enumerate().map(|(rank, id)| {
        json!({ "product_id": id, "score": 0.9 - 0.1 * f64::from(u8::try_from(rank).expect("few")), "reason": format!("reason {rank}") })
    });
    let items: Vec<Value> = items.collect();
    Reply::Json(json!({ "items": items, "strategy": strategy, "model_version": "v7", "user_id": null }))
}

fn ids(list: &Value) -> Vec<Uuid> {
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| item["product"]["id"].as_str().expect("an id").parse().expect("a UUID")).collect()
}

#[tokio::test]
async fn what_the_model_says_is_joined_and_ranked() {
    let recommender = Recommender::start(Reply::Silence).await;
    let app = Setup::default().recommender(&recommender).start().await.with_products(3).await;
    let [a, b, c] = [app.products[0], app.products[1], app.products[2]];
    recommender.reply(model(&[c, a, b], "personal"));
    let client = app.customer().await;
    let list = client.get("/api/recommendations?limit=3").await.expect(200);
    assert_eq!(ids(&list), [c, a, b]);
    assert_eq!(
        (&list["source"], &list["strategy"], &list["model_version"]),
        (&json!("model"), &json!("personal"), &json!("v7"))
    );
    assert_eq!((&list["items"][0]["score"], &list["items"][0]["reason"]), (&json!(0.9), &json!("reason 0")));
    let product = client.get(&format!("/api/products/{c}")).await.expect(200);
    assert_eq!(list["items"][0]["product"], product);
    assert_eq!(recommender.asked(), [format!("/api/recommendations/{}?limit=3", client.user_id().await)]);

    recommender.reply(model(&[a], "popular"));
    let list = app.guest().get("/api/recommendations").await.expect(200);
    assert_eq!((ids(&list), &list["strategy"]), (vec![a], &json!("popular")));
    assert_eq!(recommender.asked(), ["/api/recommendations/popular?limit=12"]);

    // Who is logged in may see both.
    let list = client.get("/api/recommendations?strategy=popular&limit=3").await.expect(200);
    assert_eq!((ids(&list), &list["strategy"]), (vec![a], &json!("popular")));
    assert_eq!(recommender.asked(), ["/api/recommendations/popular?limit=3"]);
    client.get("/api/recommendations?strategy=personal").await.refused(400, "bad-request");

    app.guest().query("/api/recommendations", &[("category", "Tea & cups")]).await.expect(200);
    assert_eq!(recommender.asked(), ["/api/recommendations/popular?limit=12&category=Tea+%26+cups"]);

    recommender.reply(model(&[b], "similar"));
    let list = app.guest().get(&format!("/api/products/{a}/similar?limit=5")).await.expect(200);
    assert_eq!((ids(&list), &list["strategy"]), (vec![b], &json!("similar")));
    assert_eq!(recommender.asked(), [format!("/api/products/{a}/similar?limit=5")]);
}

/// The model may be older than the catalogue.
#[tokio::test]
async fn what_cannot_be_bought_is_left_out() {
    let recommender = Recommender::start(Reply::Silence).await;
    let app = Setup::default().recommender(&recommender).start().await.with_products(2).await;
    let sold_out = app.add(NewProduct { stock: 0, ..Default::default() }).await;
    let [archived, good] = [app.products[0], app.products[1]];
    app.execute("update products set archived_at = now() where id = $1", &[&archived]).await;
    recommender.reply(model(&[sold_out, archived, Uuid::new_v4(), good, good], "popular"));
    let list = app.guest().get("/api/recommendations").await.expect(200);
    assert_eq!(ids(&list), [good]);
    assert_eq!((&list["source"], &list["items"][0]["reason"]), (&json!("model"), &json!("reason 3")));
}

/// Best sellers in stock, whatever is wrong with the recommendation service.
#[tokio::test]
async fn without_the_model_best_sellers_are_shown() {
    let recommender = Recommender::start(Reply::Silence).await;
    let app = Setup::default().recommender(&recommender).start().await.with_products(6).await;
    // Products 2 and 5 are of one category, and so are 1 and 4, and 3 and 6.
    for (product, popularity) in [(1, 30.0), (4, 50.0), (0, 40.0), (3, 60.0)] {
        app.execute(
            "update products set popularity = $2 where id = $1",
            &[&app.products[product], &popularity],
        )
        .await;
    }
    app.execute("update products set stock = 0 where id = $1", &[&app.products[3]]).await;
    let best = [app.products[4], app.products[0], app.products[1]];
    let client = app.customer().await;
    for reply in [
        Reply::Silence,
        Reply::Status(500),
        Reply::Status(404),
        Reply::Nonsense("{"),
        Reply::Nonsense("<html>"),
        Reply::Json(json!([])),
        Reply::Json(json!({ "items": [{ "product_id": 17 }], "strategy": "popular", "model_version": "v" })),
        Reply::Json(json!({ "items": [{ "product_id": app.products[0], "score": "much", "reason": "" }],
            "strategy": "popular", "model_version": "v" })),
    ] {
        recommender.reply(reply.clone());
        let start = Instant::now();
        let list = client.get("/api/recommendations?limit=3").await.expect(200);
        assert!(start.elapsed() < Duration::from_secs(2), "{reply:?} took {:?}", start.elapsed());
        assert_eq!(ids(&list), best, "{reply:?}");
        assert_eq!(
            (&list["source"], &list["strategy"], &list["model_version"]),
            (&json!("fallback"), &json!("popular"), &json!("none"))
        );
        let items = list["items"].as_array().expect("items");
        assert!(items.is_sorted_by(|a, b| a["score"].as_f64() > b["score"].as_f64()));
        assert!(items.iter().all(|item| item["reason"].as_str().is_some_and(|reason| !reason.is_empty())));

        let product = client.get(&format!("/api/products/{}", app.products[4])).await.expect(200);
        let category = product["category"].as_str().expect("a category");
        let within = client.query("/api/recommendations", &[("category", category)]).await.expect(200);
        assert_eq!(ids(&within), [app.products[4], app.products[1]], "{reply:?}");

        let similar = client.get(&format!("/api/products/{}/similar", app.products[4])).await.expect(200);
        assert_eq!(
            (ids(&similar), &similar["source"]),
            (vec![app.products[1]], &json!("fallback")),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn an_absent_service_is_no_error() {
    let app = TestApp::new().await.with_products(2).await;
    let list = app.guest().get("/api/recommendations").await.expect(200);
    assert_eq!((ids(&list).len(), &list["source"]), (2, &json!("fallback")));
    let empty = TestApp::new().await;
    assert!(ids(&empty.guest().get("/api/recommendations").await.expect(200)).is_empty());
}

#[tokio::test]
async fn senseless_questions_are_refused() {
    let app = TestApp::new().await.with_products(1).await;
    let guest = app.guest();
    for path in ["/api/recommendations".to_owned(), format!("/api/products/{}/similar", app.products[0])] {
        for query in [("limit", "0"), ("limit", "51"), ("limit", "x"), ("user_id", "1")] {
            guest.query(&path, &[query]).await.refused(400, "bad-request");
        }
    }
    for category in ["a\0b", &"x".repeat(61)] {
        guest.query("/api/recommendations", &[("category", category)]).await.refused(400, "bad-request");
    }
}

/// Who answers for the service could otherwise send the shop anywhere inside.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Recommender::start(model(&[], "popular")).await;
    let recommender = Recommender::start(Reply::Redirect(format!("{}/api", elsewhere.url()))).await;
    let app = Setup::default().recommender(&recommender).start().await.with_products(1).await;
    let list = app.guest().get("/api/recommendations").await.expect(200);
    assert_eq!(list["source"], "fallback");
    assert_eq!((recommender.asked().len(), elsewhere.asked().len()), (1, 0));
}
