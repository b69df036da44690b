//! `/api/openapi.json`.

use serde_json::Value;

use crate::harness::TestApp;

/// The committed document is the code's: `make openapi` writes it anew.
#[test]
fn the_committed_document_is_the_generated_one() {
    let generated = shopmicro_backend::routes::openapi().to_pretty_json().expect("a document");
    let committed = include_str!("../../openapi.json");
    assert!(committed.trim_end() == generated.trim_end(), "src/backend/openapi.json is not of this code");
}

#[tokio::test]
async fn the_service_shows_its_document() {
    let app = TestApp::new().await;
    let document = app.guest().get("/api/openapi.json").await.expect(200);
    let committed: Value = serde_json::from_str(include_str!("../../openapi.json")).expect("JSON");
    assert_eq!(document, committed);
}

#[tokio::test]
async fn the_document_can_be_read() {
    let app = TestApp::new().await;
    let page = app.guest().get("/api/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
    assert!(page.text.contains("/api/products/{id}") && page.text.contains("href=\"/api/docs.css\""));
    let style = app.guest().get("/api/docs.css").await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
}
