//! What is measured and logged arrives where it is looked for: the metrics of every target, the line of a request, and one
//! checkout in the metrics, the trace and the logs of everything that it crossed.

use std::time::Duration;

use observability::query::{Loki, Mimir, until};
use observability::traces::{CLIENT, Receiver, SERVER, Span};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use stack::{Component, Stack};

/// What must be nowhere in a trace or a log.
const PRIVATE: [&str; 4] = ["4242424242424242", "1 Privet Drive", "trace@example.com", "correct horse"];

/// A page of the browser: one trace, whose id is known.
struct Page {
    http: reqwest::Client,
    base: String,
    trace_id: String,
    span_id: String,
}

impl Page {
    fn open(base: &str) -> Self {
        let trace_id = uuid::Uuid::new_v4().simple().to_string();
        let span_id = trace_id[..16].to_owned();
        let mut headers = HeaderMap::new();
        // Not sampled, as somebody may say who wants to leave no trace.
        let context = HeaderValue::try_from(format!("00-{trace_id}-{span_id}-00")).expect("a header");
        headers.insert(HeaderName::from_static("traceparent"), context);
        let http = reqwest::Client::builder().cookie_store(true).default_headers(headers);
        let http = http.timeout(Duration::from_secs(20)).build().expect("a client");
        Self { http, base: base.to_owned(), trace_id, span_id }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    async fn send(&self, request: reqwest::RequestBuilder, body: Value) -> Value {
        let answer = request.json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json().await.expect("JSON")
    }
}

fn children<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.parent_id == parent.span_id).collect()
}

/// Registers, looks at what is recommended, and buys one piece.
async fn buy(page: &Page) -> Value {
    let base = &page.base;
    let person = json!({ "email": "trace@example.com", "password": "correct horse", "name": "Tracy" });
    page.send(page.http.post(format!("{base}/api/users")), person).await;
    // It crosses the recommender.
    let recommended = page.get("/api/recommendations?limit=3").await;
    assert_ne!(recommended["strategy"], Value::Null, "{recommended}");
    let products = page.get("/api/products?in_stock=true&limit=1").await;
    let product = products["items"][0]["id"].as_str().expect("a product");
    let put = page.http.put(format!("{base}/api/cart/items/{product}"));
    page.send(put, json!({ "quantity": 1 })).await;
    let order = json!({
        "shipping_address": {
            "name": "Tracy", "line1": "1 Privet Drive", "city": "York", "postal_code": "YO1 7HH", "country": "GB",
        },
        "payment": { "card_number": "4242424242424242" },
    });
    let post = page.http.post(format!("{base}/api/orders")).header("idempotency-key", "one-and-only");
    let order = page.send(post, order).await;
    assert_eq!(order["status"], "paid");
    order
}

async fn every_target_is_scraped(mimir: &Mimir) {
    for job in ["backend", "ml-service", "nginx", "postgres", "redis", "loki", "mimir", "prometheus"] {
        until(job, async || {
            let up = mimir.sum(&format!("up{{job=\"{job}\"}}")).await.map_err(|error| error.to_string())?;
            if up == Some(1.0) { Ok(()) } else { Err(format!("up is {up:?}")) }
        })
        .await;
    }
}

/// The id of a request leads from its answer to its line.
async fn a_request_is_found_by_its_id(base: &str, loki: &Loki) {
    let id = "a-request-of-this-test";
    let request = reqwest::Client::new().get(format!("{base}/api/products")).header("x-request-id", id);
    request.send().await.expect("an answer");
    let query = format!(
        "{{service=\"shopmicro-backend\", env=\"development\", level=\"info\"}} | json | request_id=`{id}`"
    );
    let line = until("its line", async || {
        let lines = loki.lines(&query).await.map_err(|error| error.to_string())?;
        lines.into_iter().next().ok_or_else(|| "no line yet".to_owned())
    })
    .await;
    let fields = line.fields();
    assert_eq!((&fields["message"], &fields["http.route"]), (&"answered".into(), &"/api/products".into()));
    for (field, length) in [("trace_id", 32), ("span_id", 16)] {
        assert_eq!(fields[field].as_str().map(str::len), Some(length), "{field}: {}", line.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_and_logged_arrives_and_a_checkout_is_found_in_it() {
    let (receiver, port) = Receiver::start().await.expect("a receiver");
    let stack = Stack::builder()
        .with_observability()
        .traces(Receiver::endpoint(port))
        .start()
        .await
        .expect("a stack");
    let mimir = Mimir::new(stack.url(Component::Mimir).expect("Mimir"));
    let loki = Loki::new(stack.url(Component::Loki).expect("Loki"));
    let base = stack.url(Component::Nginx).expect("nginx");

    every_target_is_scraped(&mimir).await;
    a_request_is_found_by_its_id(&base, &loki).await;

    let page = Page::open(&base);
    let order = buy(&page).await;

    // Metrics: one paid order, and its money.
    for (metric, value) in [
        ("shop_orders_total{status=\"paid\"}", 1.0),
        ("shop_revenue_total", order["total_cents"].as_f64().expect("a total")),
        ("shop_carts_total", 1.0),
        ("shop_payments_total{result=\"captured\"}", 1.0),
    ] {
        until(metric, async || {
            let sum = mimir.sum(metric).await.map_err(|error| error.to_string())?;
            if sum == Some(value) { Ok(()) } else { Err(format!("{sum:?}, not {value}")) }
        })
        .await;
    }

    // The trace: the browser's context, through nginx, to the statement, to Redis and to the recommender and its Redis.
    let spans = until("the whole trace", async || {
        let spans = receiver.of_trace(&page.trace_id);
        let there = |service: &str, name: &str| spans.iter().any(|s| s.service == service && s.name == name);
        let whole = there("shopmicro-backend", "POST /api/orders")
            && there("shopmicro-ml-service", "GET /api/recommendations/{user_id}");
        if whole { Ok(spans) } else { Err(format!("{} spans", spans.len())) }
    })
    .await;
    let named = |service: &str, name: &str| {
        let span = spans.iter().find(|span| span.service == service && span.name == name);
        span.unwrap_or_else(|| panic!("no span {name} of {service} in {spans:#?}"))
    };
    let checkout = named("shopmicro-backend", "POST /api/orders");
    assert_eq!((checkout.kind, checkout.parent_id.as_str()), (SERVER, page.span_id.as_str()));
    assert_eq!(checkout.attributes["http.response.status_code"], "201");
    let below = children(&spans, checkout);
    let statement = below
        .iter()
        .find(|span| span.attributes.get("db.query.text").is_some_and(|text| text.contains("place_order(")));
    let statement = statement.unwrap_or_else(|| panic!("no place_order in {below:#?}"));
    assert_eq!((statement.kind, statement.attributes["db.system.name"].as_str()), (CLIENT, "postgresql"));
    assert!(
        below.iter().any(|span| span.attributes.get("db.system.name").is_some_and(|name| name == "redis"))
    );

    let asked = named("shopmicro-backend", "GET /api/recommendations");
    let call = children(&spans, asked).into_iter().find(|span| span.attributes.contains_key("url.template"));
    let call = call.expect("the call of the recommender");
    assert_eq!(call.kind, CLIENT);
    let answered = named("shopmicro-ml-service", "GET /api/recommendations/{user_id}");
    assert_eq!((answered.kind, &answered.parent_id), (SERVER, &call.span_id));
    let below = children(&spans, answered);
    assert!(
        below.iter().any(|span| span.attributes.get("db.system.name").is_some_and(|name| name == "redis"))
    );
    let text = format!("{spans:?}");
    for private in PRIVATE {
        assert!(!text.contains(private), "{private}");
    }

    // The logs: by the trace's id, from both services, and the same id in nginx' line.
    let query = format!("{{service=~\"shopmicro-.+\"}} | json | trace_id=`{}`", page.trace_id);
    let lines = until("lines of both services", async || {
        let lines = loki.lines(&query).await.map_err(|error| error.to_string())?;
        let of = |service: &str| lines.iter().filter(|line| line.labels["service"] == service).count();
        let (backend, recommender) = (of("shopmicro-backend"), of("shopmicro-ml-service"));
        if backend >= 5 && recommender >= 1 {
            Ok(lines)
        } else {
            Err(format!("{backend} of the backend, {recommender} of the recommender"))
        }
    })
    .await;
    let of_checkout = lines
        .iter()
        .map(observability::query::Line::fields)
        .find(|fields| fields["http.route"] == "/api/orders" && fields["message"] == "answered");
    let of_checkout = of_checkout.expect("the line of the checkout");
    assert_eq!(of_checkout["span_id"], checkout.span_id.as_str());
    let nginx = std::fs::read_to_string(stack.log(Component::Nginx)).expect("nginx' log");
    let own = nginx.lines().find(|line| line.contains("/api/orders") && line.contains(&page.trace_id));
    let own: Value = serde_json::from_str(own.expect("nginx' line")).expect("JSON");
    assert_eq!(own["request_id"], of_checkout["request_id"]);
    let everything = lines.iter().map(|line| line.text.as_str()).chain([nginx.as_str()]);
    for text in everything {
        for private in PRIVATE {
            assert!(!text.contains(private), "{private} in {text}");
        }
    }
}
