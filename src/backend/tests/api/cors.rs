//! Pages of other sites: shut out, unless they are named.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Client, Setup, TestApp};

const LISTED: &str = "https://admin.shop.example";

/// What a browser asks before it sends an unsafe request for a page of another site.
async fn preflight(client: &Client, origin: &str, path: &str) -> Answer {
    let request = client
        .request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type,if-match");
    Answer::of(request).await
}

async fn ask(client: &Client, method: Method, path: &str, origin: &str) -> Answer {
    let request = client.request(method, path).header("origin", origin);
    Answer::of(request.header("sec-fetch-site", "same-site").json(&json!({}))).await
}

#[tokio::test]
async fn no_other_site_is_let_in_unless_it_is_named() {
    let app = TestApp::new().await;
    let client = app.customer().await;
    preflight(&client, LISTED, "/api/cart").await.refused(405, "method-not-allowed");
    for answer in [
        preflight(&client, LISTED, "/api/cart").await,
        ask(&client, Method::GET, "/api/users/me", LISTED).await,
        ask(&client, Method::POST, "/api/frontend-metrics", LISTED).await,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    ask(&client, Method::POST, "/api/frontend-metrics", LISTED).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_named_site_may_use_the_api_with_cookies() {
    let setup = Setup::default().set("CORS_ORIGINS", format!("http://localhost:5173, {LISTED}"));
    let app = setup.start().await.with_products(1).await;
    let client = app.customer().await;
    for origin in ["http://localhost:5173", LISTED] {
        let answer = preflight(&client, origin, "/api/cart/items/1").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert!(answer.header("access-control-allow-methods").contains("PUT"));
        let allowed = answer.header("access-control-allow-headers");
        assert!(["content-type", "if-match", "idempotency-key"].iter().all(|name| allowed.contains(name)));
        assert_eq!(answer.header("access-control-max-age"), "600");
    }
    for (answer, status) in [
        (ask(&client, Method::GET, "/api/users/me", LISTED).await, 200),
        (ask(&client, Method::POST, "/api/frontend-metrics", LISTED).await, 202),
        // Its page must be able to read why it was refused.
        (ask(&client, Method::POST, "/api/users/login", LISTED).await, 422),
        (ask(&client, Method::POST, "/api/products/none", LISTED).await, 405),
        (ask(&client, Method::GET, "/api/nothing", LISTED).await, 404),
    ] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), LISTED);
        assert!(answer.header("access-control-expose-headers").contains("retry-after"));
        // A cache must not give one site the answer that was meant for another.
        assert!(answer.header("vary").contains("origin"));
    }
}

#[tokio::test]
async fn a_site_that_is_almost_the_named_one_is_another() {
    let app = Setup::default().set("CORS_ORIGINS", LISTED).start().await;
    let client = app.customer().await;
    for origin in [
        "http://admin.shop.example",
        "https://admin.shop.example:8443",
        "https://admin.shop.example.evil.example",
        "https://evil-admin.shop.example",
        "https://ADMIN.shop.example",
        "null",
        "*",
    ] {
        for answer in [
            preflight(&client, origin, "/api/cart").await,
            ask(&client, Method::GET, "/api/users/me", origin).await,
            ask(&client, Method::POST, "/api/users/logout", origin).await,
        ] {
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            assert!(answer.header("vary").contains("origin"), "{origin}");
        }
        ask(&client, Method::POST, "/api/users/logout", origin).await.refused(403, "forbidden");
    }
    client.get("/api/users/me").await.expect(200);
}
