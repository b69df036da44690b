//! Requests that another site makes a browser send.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::{Answer, PASSWORD, Setup, TestApp};

#[tokio::test]
async fn unsafe_requests_of_other_sites_are_refused() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    let item = format!("/api/cart/items/{}", app.products[0]);
    let urls = [
        (Method::POST, "/api/users/logout"),
        (Method::POST, "/api/users/login"),
        (Method::POST, "/api/users"),
        (Method::POST, "/api/orders"),
        (Method::POST, "/api/frontend-metrics"),
        (Method::PUT, item.as_str()),
        (Method::DELETE, item.as_str()),
    ];
    for (method, path) in urls {
        for (header, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let request = client.request(method.clone(), path).header(header, value).json(&json!({}));
            Answer::of(request).await.refused(403, "forbidden");
        }
    }
    client.get("/api/users/me").await.expect(200);
    assert_eq!(client.get("/api/cart").await.expect(200)["item_count"], 1);
}

#[tokio::test]
async fn the_shops_own_pages_and_programs_are_let_through() {
    let app = TestApp::new().await;
    let client = app.customer().await;
    let request = || client.request(Method::POST, "/api/frontend-metrics").json(&json!({}));
    let host = request().build().expect("a request").url().authority().to_owned();
    let ways: [fn(RequestBuilder, &str) -> RequestBuilder; 4] = [
        |request, _| request.header("sec-fetch-site", "same-origin"),
        |request, _| request.header("sec-fetch-site", "none"),
        |request, host| request.header("origin", format!("http://{host}")),
        // No browser: it sends neither.
        |request, _| request,
    ];
    for way in ways {
        Answer::of(way(request(), &host)).await.expect(202);
    }
    // A link from elsewhere may be followed.
    let link = client.request(Method::GET, "/api/users/me").header("sec-fetch-site", "cross-site");
    Answer::of(link).await.expect(200);
}

#[tokio::test]
async fn another_site_does_not_use_up_what_its_visitor_may_ask() {
    let app = Setup::default().set("RATE_LIMIT_AUTH", "1 burst 2").start().await;
    let client = app.customer().await;
    for _ in 0..5 {
        let request = client.request(Method::POST, "/api/users/login").header("sec-fetch-site", "cross-site");
        Answer::of(request.json(&json!({}))).await.refused(403, "forbidden");
    }
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    client.post("/api/users/login", &body).await.expect(401);
    client.post("/api/users/login", &body).await.refused(429, "too-many-requests");
}
