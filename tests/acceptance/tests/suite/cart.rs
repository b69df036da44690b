use acceptance::{PASSWORD, Visitor, address, id, product};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_guests_cart_survives_registration_and_merges_at_login() {
    let (first, second) = (product(0).await, product(1).await);
    let email = address();
    let visitor = Visitor::new();
    assert_eq!(visitor.get("/api/cart").await.expect(200)["item_count"], 0);
    let cart = visitor.put_in_cart(&id(&first), 2).await.expect(200);
    let price = first["price_cents"].as_i64().expect("price");
    assert_eq!(cart["total_cents"].as_i64(), Some(2 * price), "{cart}");
    visitor.register(&email).await;
    assert_eq!(visitor.get("/api/cart").await.expect(200)["item_count"], 2);

    // On another device, as a guest first.
    let elsewhere = Visitor::new();
    elsewhere.put_in_cart(&id(&first), 1).await.expect(200);
    elsewhere.put_in_cart(&id(&second), 1).await.expect(200);
    let body = json!({ "email": email, "password": PASSWORD });
    elsewhere.send(Method::POST, "/api/users/login", &body).await.expect(200);
    let cart = elsewhere.get("/api/cart").await.expect(200);
    assert_eq!(
        (cart["item_count"].as_i64(), cart["items"].as_array().map(Vec::len)),
        (Some(4), Some(2)),
        "{cart}"
    );
}

#[tokio::test]
async fn a_quantity_is_replaced_and_an_item_removed() {
    let visitor = Visitor::customer().await;
    let product = id(&product(0).await);
    visitor.put_in_cart(&product, 5).await.expect(200);
    assert_eq!(visitor.put_in_cart(&product, 3).await.expect(200)["item_count"], 3);
    for _ in 0..2 {
        let path = format!("/api/cart/items/{product}");
        let cart = visitor.send(Method::DELETE, &path, &json!({})).await.expect(200);
        assert_eq!(cart["item_count"], 0);
    }
}
