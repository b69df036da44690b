use acceptance::{Visitor, answer, shop};
use reqwest::Method;

fn has_security_headers(answer: &acceptance::Answer, source: &str) {
    for header in [
        "content-security-policy",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "x-request-id",
    ] {
        assert_eq!(answer.headers.get_all(header).iter().count(), 1, "{header}: {answer:?}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains(&format!("default-src {source}")) && !policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn every_page_is_the_same_document_and_never_cached() {
    let visitor = Visitor::new();
    let home = visitor.get("/").await;
    for path in ["/", "/products", "/products/1", "/cart", "/checkout", "/orders/1", "/login"] {
        let page = visitor.get(path).await;
        assert_eq!((page.status.as_u16(), &page.text), (200, &home.text), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        has_security_headers(&page, "'self'");
    }
}

#[tokio::test]
async fn assets_are_immutable_compressed_and_never_the_page_in_disguise() {
    let visitor = Visitor::new();
    let home = visitor.get("/").await.text;
    let script = home.split('"').find(|part| part.starts_with("/assets/")).expect("the page loads an asset");
    let asset = visitor.get(script).await;
    assert_eq!(asset.status.as_u16(), 200);
    assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
    has_security_headers(&asset, "'self'");
    let plain = reqwest::Client::builder().no_gzip().build().expect("client");
    let zipped = plain.get(format!("{}{script}", shop())).header("accept-encoding", "gzip");
    assert_eq!(answer_head(zipped).await, "gzip");

    let missing = visitor.get("/assets/missing.js").await;
    assert_eq!(missing.status.as_u16(), 404);
    assert!(!missing.header("cache-control").contains("immutable"), "{missing:?}");
}

async fn answer_head(request: reqwest::RequestBuilder) -> String {
    let response = request.send().await.expect("an answer");
    let header = response.headers().get("content-encoding").and_then(|value| value.to_str().ok());
    header.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn nginx_tells_its_health_and_keeps_the_inside_in() {
    let visitor = Visitor::new();
    assert_eq!(visitor.get("/health").await.expect(200)["status"], "ok");
    for path in ["/internal/catalogue", "/internal/interactions", "/metrics", "/health/ready"] {
        let answer = visitor.get(path).await;
        assert!(answer.text.contains("<html") || answer.status.as_u16() == 404, "{path}: {answer:?}");
    }
    let api = visitor.get("/api/openapi.json").await;
    assert_eq!(api.expect(200)["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    has_security_headers(&api, "'none'");
}

#[tokio::test]
async fn the_api_says_what_is_left_of_its_limits() {
    let answer = Visitor::new().get("/api/products").await;
    assert!(answer.header("ratelimit-policy").starts_with("\"read\";q="), "{answer:?}");
    assert!(answer.header("ratelimit").starts_with("\"read\";r="), "{answer:?}");
}

#[tokio::test]
async fn a_request_id_is_kept_where_it_is_harmless() {
    let visitor = Visitor::new();
    for (sent, kept) in [("abc-123", true), ("a b\"c", false)] {
        let answer =
            answer(visitor.request(Method::GET, "/api/categories").header("x-request-id", sent)).await;
        assert_eq!(answer.header("x-request-id") == sent, kept, "{answer:?}");
    }
}
