use acceptance::{APPROVED, Visitor, answer, eventually, id, key, product};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_guest_sees_what_is_popular() {
    let list = Visitor::new().get("/api/recommendations?limit=5").await.expect(200);
    assert_eq!(list["strategy"], "popular", "{list}");
    let items = list["items"].as_array().expect("items");
    assert!(!items.is_empty() && items.len() <= 5, "{list}");
    assert!(items.iter().all(|item| !item["reason"].as_str().unwrap_or_default().is_empty()), "{list}");
}

#[tokio::test]
async fn what_a_customer_looks_at_shows_in_what_is_recommended() {
    let path = format!("/api/products/{}/views", id(&product(8).await));
    let look = async |visitor: &Visitor| answer(visitor.request(Method::POST, &path)).await;
    look(&Visitor::new()).await.expect_problem(401, "unauthenticated");
    let customer = Visitor::customer().await;
    assert_eq!(customer.get("/api/recommendations").await.expect(200)["strategy"], "popular");
    look(&customer).await.expect(204);
    eventually(&customer, "/api/recommendations", |list| list["strategy"] == "personal").await;
}

#[tokio::test]
async fn a_purchase_shows_in_what_is_recommended() {
    let bought = id(&product(9).await);
    let customer = Visitor::customer().await;
    customer.put_in_cart(&bought, 1).await.expect(200);
    let order = customer.check_out(&key(), APPROVED).await.expect(201);
    let personal = |list: &serde_json::Value| {
        let items = list["items"].as_array().expect("items");
        list["strategy"] == "personal" && items.iter().all(|item| item["product"]["id"] != bought.as_str())
    };
    let list = eventually(&customer, "/api/recommendations", personal).await;
    let items = list["items"].as_array().expect("items");
    assert!(!items.is_empty() && items.iter().all(|item| item["reason"].is_string()), "{list}");
    let path = format!("/api/orders/{}/cancel", id(&order));
    customer.send(Method::POST, &path, &json!({})).await.expect(200);
}
