//! `/api/frontend-metrics`.

use serde_json::{Value, json};

use crate::harness::TestApp;

const URL: &str = "/api/frontend-metrics";

/// The value of the sample that has all of these labels; zero where there is none yet.
fn sample(metrics: &str, name: &str, labels: &[&str]) -> f64 {
    let mut lines = metrics.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    let line = lines.find(|line| labels.iter().all(|label| line.contains(label)));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
}

#[tokio::test]
async fn reports_become_metrics() {
    let app = TestApp::new().await;
    let guest = app.guest();
    // Metrics are the process', and other tests report too: this page is this test's own.
    let look = async || {
        let metrics = guest.get("/metrics").await.text;
        let vital = |name: &str, what: &str| {
            let labels = [&format!("name=\"{name}\"")[..], "page=\"/admin\""];
            sample(&metrics, &format!("shop_web_vitals_{what}"), &labels)
        };
        let errors = sample(&metrics, "shop_page_errors_total", &["page=\"/admin\""]);
        (vital("LCP", "sum"), vital("LCP", "count"), vital("CLS", "sum"), errors)
    };
    assert_eq!(look().await, (0.0, 0.0, 0.0, 0.0));
    let report = json!({
        "metrics": [
            { "name": "LCP", "value": 1200.5, "page": "/admin" },
            { "name": "LCP", "value": 800, "page": "/admin" },
            { "name": "CLS", "value": 0.25, "page": "/admin" },
        ],
        "errors": [{ "message": "TypeError: secret-of-the-page", "page": "/admin" }],
    });
    guest.post(URL, &report).await.expect(202);
    assert_eq!(look().await, (2000.5, 2.0, 250.0, 1.0));
    assert!(!guest.get("/metrics").await.text.contains("secret-of-the-page"));
}

#[tokio::test]
async fn every_vital_and_every_list_is_optional() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for name in ["LCP", "CLS", "INP", "FCP", "TTFB"] {
        let report = json!({ "metrics": [{ "name": name, "value": 0, "page": "*" }] });
        guest.post(URL, &report).await.expect(202);
    }
    guest.post(URL, &json!({ "errors": [{ "message": "", "page": "/" }] })).await.expect(202);
    guest.post(URL, &json!({})).await.expect(202);
}

#[tokio::test]
async fn what_is_unknown_or_out_of_range_is_refused() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let vital = |name: &str, value: f64, page: &str| json!({ "name": name, "value": value, "page": page });
    let many = |entry: Value| vec![entry; 21];
    for (report, field) in [
        (json!({ "metrics": [vital("LCP", -1.0, "/")] }), "metrics[0].value"),
        (json!({ "metrics": [vital("LCP", 1.0, "/"), vital("LCP", 600_001.0, "/")] }), "metrics[1].value"),
        (json!({ "metrics": [vital("LCP", 1.0, "/products/17")] }), "metrics[0].page"),
        (json!({ "metrics": [vital("FID", 1.0, "/")] }), "metrics[0].name"),
        (json!({ "metrics": many(vital("LCP", 1.0, "/")) }), "metrics"),
        (json!({ "errors": many(json!({ "message": "x", "page": "/" })) }), "errors"),
        (json!({ "errors": [{ "message": "x".repeat(501), "page": "/" }] }), "errors[0].message"),
        (json!({ "errors": [{ "message": "x", "page": "/nowhere" }] }), "errors[0].page"),
        (json!({ "errors": [{ "message": "x", "page": "/", "stack": "x" }] }), "errors[0].stack"),
        (json!({ "user": "ada" }), "user"),
    ] {
        let answer = guest.post(URL, &report).await;
        assert_eq!(answer.refused_fields(422, "invalid"), [field], "{report}");
    }
}
