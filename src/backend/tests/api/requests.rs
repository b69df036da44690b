//! Requests as no browser sends them, byte by byte.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::harness::{Answer, NewProduct, Recommender, Reply, Setup, TestApp, read_to_end};

/// A request that closes its connection.
fn get(url: &str, headers: &str) -> Vec<u8> {
    format!("GET {url} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{headers}\r\n").into_bytes()
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    let head = "POST /api/frontend-metrics HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-type: application/json";
    format!("{head}\r\n{headers}\r\n\r\n{body}").into_bytes()
}

/// Checks that a raw answer is the problem.
#[track_caller]
fn refused(answer: &str, status: u16, slug: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
    assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{answer}");
    assert!(answer.contains("x-request-id: "), "{answer}");
    assert!(answer.contains(&format!("https://shopmicro.example/problems/{slug}\"")), "{answer}");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_in_the_shape_of_errors() {
    let app = TestApp::new().await;
    let long = |length: usize| format!("/api/categories?{}", "x".repeat(length - "/api/categories?".len()));
    refused(&app.raw(&get(&long(4097), "")).await, 414, "uri-too-long");
    refused(&app.raw(&get(&format!("/{}", "x".repeat(5000)), "")).await, 414, "uri-too-long");
    assert!(app.raw(&get(&long(4096), "")).await.starts_with("HTTP/1.1 "));

    let many = |count: usize| {
        let lines: Vec<_> = (0..count).map(|number| format!("x-{number}: y\r\n")).collect();
        lines.concat()
    };
    assert!(app.raw(&get("/api/categories", &many(62))).await.starts_with("HTTP/1.1 200 "));
    refused(&app.raw(&get("/api/categories", &many(63))).await, 431, "headers-too-large");
    let large = format!("x: {}\r\n", "y".repeat(17_000));
    refused(&app.raw(&get("/api/categories", &large)).await, 431, "headers-too-large");
    // Beyond what the server reads at all, it says so without words.
    let huge = format!("x: {}\r\n", "y".repeat(40_000));
    assert!(app.raw(&get("/api/categories", &huge)).await.starts_with("HTTP/1.1 431 "));
    assert!(app.raw(&get("/api/categories", &many(200))).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let app = TestApp::new().await;
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"GET /api/products\r\n\r\n",
        b"GET /api/products HTTP/1.1\r\nhost: a\r\nx y: z\r\n\r\n",
        b"GET /api/products HTTP/1.1\r\nhost: a\r\n x: folded\r\n\r\n",
        b"GET /api/pro\0ducts HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /api/products HTTP/1.1\r\nhost: a\r\nx: y\0z\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let answer = app.raw(bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{}: {answer}", bytes.escape_ascii());
    }
    for url in ["/api/products?q=%", "/api/products?q=%ff", "/api/products/%zz", "/%c3%28"] {
        refused(&app.raw(&get(url, "")).await, 400, "bad-request");
    }
}

/// Two parties that read one request differently could be made to disagree on where the next begins.
#[tokio::test]
async fn a_body_of_two_lengths_is_refused() {
    let app = TestApp::new().await;
    for headers in [
        "content-length: 2\r\ncontent-length: 3",
        "content-length: 2, 3",
        "content-length: +2",
        "content-length: -1",
        "content-length: 0x2",
        "transfer-encoding: gzip",
        "transfer-encoding: chunked, gzip",
    ] {
        let answer = app.raw(&post(headers, "{}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers}: {answer}");
    }
    // Chunked wins over a length, and the length is not used for anything.
    let both = post("content-length: 999\r\ntransfer-encoding: chunked", "2\r\n{}\r\n0\r\n\r\n");
    let answer = app.raw(&both).await;
    assert!(answer.starts_with("HTTP/1.1 202 ") || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_one_that_breaks_off_does_no_harm() {
    let app = TestApp::new().await;
    refused(&app.raw(&post("content-length: 70000", "{")).await, 413, "too-large");
    let chunk = format!("11170\r\n{}", "x".repeat(70_000));
    refused(&app.raw(&post("transfer-encoding: chunked", &chunk)).await, 413, "too-large");
    let mut stream = app.connect().await;
    stream.write_all(&post("content-length: 50", "{")).await.expect("sent");
    stream.shutdown().await.expect("closed");
    read_to_end(stream).await;
    app.guest().get("/api/products").await.expect(200);
}

#[tokio::test]
async fn a_body_that_trickles_is_cut() {
    let app = TestApp::new().await;
    let (from, mut to) = app.connect().await.into_split();
    let trickle = async {
        to.write_all(&post("content-length: 5000", "{")).await?;
        // Never silent for long.
        loop {
            to.write_all(b" ").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        #[expect(unreachable_code, reason = "says what kind of error ends it")]
        std::io::Result::Ok(())
    };
    let (answer, trickled) = tokio::join!(read_to_end(from), trickle);
    refused(&answer, 408, "request-timeout");
    assert!(trickled.is_err(), "the connection is closed");
}

#[tokio::test]
async fn nothing_is_decoded_twice() {
    let app = TestApp::new().await;
    let reduced = app.add(NewProduct { category: "50% off", ..NewProduct::default() }).await;
    let encoded = app.add(NewProduct { category: "50%25 off", ..NewProduct::default() }).await;
    for (query, product) in [("50%25%20off", reduced), ("50%2525%20off", encoded)] {
        let page = app.guest().get(&format!("/api/products?category={query}")).await.expect(200);
        let items = page["items"].as_array().expect("items");
        assert_eq!(
            items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>(),
            [json!(product)],
            "{query}"
        );
    }
    let id = reduced.to_string();
    let (once, twice) = (format!("%{:x}", id.as_bytes()[0]), format!("%25{:x}", id.as_bytes()[0]));
    app.guest().get(&format!("/api/products/{once}{}", &id[1..])).await.expect(200);
    app.guest().get(&format!("/api/products/{twice}{}", &id[1..])).await.refused(400, "bad-request");
}

#[tokio::test]
async fn what_is_said_twice_is_refused() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.get("/api/products?limit=1&limit=2").await.refused(400, "bad-request");
    let item = format!("/api/cart/items/{}", app.products[0]);
    let request = client.request(Method::PUT, &item).header("content-type", "application/json");
    let answer = Answer::of(request.body(r#"{"quantity":1,"quantity":2}"#)).await;
    assert_eq!(answer.refused_fields(422, "invalid"), ["quantity"]);
    // What the path says, the query and the body cannot.
    let request = client.request(Method::PUT, &format!("{item}?product_id={}", Uuid::nil()));
    Answer::of(request.json(&json!({ "quantity": 1 }))).await.refused(400, "bad-request");
    let request = client.request(Method::PUT, &item);
    let answer = Answer::of(request.json(&json!({ "quantity": 1, "product_id": Uuid::nil() }))).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
}

#[tokio::test]
async fn methods_that_nobody_needs_are_refused() {
    let app = TestApp::new().await;
    for method in ["TRACE", "TRACK", "CONNECT", "PROPFIND", "get"] {
        let request = format!(
            "{method} /api/products HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncookie: a=secret\r\n\r\n"
        );
        let answer = app.raw(request.as_bytes()).await;
        let refused =
            ["400", "404", "405"].iter().any(|code| answer.starts_with(&format!("HTTP/1.1 {code} ")));
        assert!(refused && !answer.contains("secret"), "{method}: {answer}");
    }
}

/// PostgreSQL's text cannot hold the character NUL: what reaches it must be refused before.
#[tokio::test]
async fn no_nul_makes_anything_fail() {
    let recommender = Recommender::start(Reply::Json(json!({ "status": "started" }))).await;
    let app = Setup::default().recommender(&recommender).start().await.with_products(1).await;
    let document = serde_json::to_value(shopmicro_backend::routes::openapi()).expect("JSON");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            // A new one each time, since some end the session.
            let client = app.admin().await;
            let no_parameters = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&no_parameters);
            let queries = parameters.iter().filter(|parameter| parameter["in"] == "query");
            let names = queries.filter_map(|parameter| parameter["name"].as_str());
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let schema = schema.as_str().and_then(|schema| schema.rsplit('/').next()).unwrap_or_default();
            let properties = document["components"]["schemas"][schema]["properties"].as_object();
            let fields = properties.map(|fields| fields.keys()).into_iter().flatten();
            let body: Map<String, Value> = fields.map(|name| (name.clone(), json!("a\0b"))).collect();
            for parameter in [Uuid::new_v4().to_string(), "a%00b".to_owned()] {
                let filled = fill(path, &parameter);
                let urls = names.clone().map(|name| format!("{filled}?{name}=a%00b"));
                for url in std::iter::once(filled.clone()).chain(urls) {
                    let request = client.request(method.clone(), &url).header("idempotency-key", "a");
                    let request = if body.is_empty() { request } else { request.json(&body) };
                    let answer = Answer::of(request).await;
                    assert!(answer.status < 500, "{method} {url} {body:?}: {}", answer.text);
                }
            }
        }
    }
}

/// A route's template with something in place of each parameter.
fn fill(template: &str, parameter: &str) -> String {
    let segments =
        template.split('/').map(|segment| if segment.starts_with('{') { parameter } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Of every operation that the document gives no parameters in the query.
#[tokio::test]
async fn parameters_that_nothing_reads_are_refused() {
    let app = TestApp::new().await;
    let document = app.guest().get("/api/openapi.json").await.expect(200);
    let mut tried = 0;
    for (route, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            let mut parameters = operation["parameters"].as_array().into_iter().flatten();
            if parameters.any(|parameter| parameter["in"] == "query") {
                continue;
            }
            let id = Uuid::new_v4().to_string();
            let path = route.replace("{id}", &id).replace("{product_id}", &id);
            let method: Method = method.to_uppercase().parse().expect("a method");
            // Before it is asked who it is, or whether there is such a thing.
            let answer = Answer::of(app.guest().request(method, &format!("{path}?limit=1"))).await;
            assert!(answer.refused(400, "bad-request")["detail"].to_string().contains("query"), "{route}");
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
    app.guest().get("/api/cart?").await.expect(200);
    app.guest().get("/api/products?limit=1").await.expect(200);
}
