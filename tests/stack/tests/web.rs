//! nginx with the shop's configuration: what it adds to answers, and what it passes on to the backend.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Method, Response, StatusCode};
use stack::{Component, Stack};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const SECURITY: [&str; 13] = [
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "strict-transport-security",
    "origin-agent-cluster",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-permitted-cross-domain-policies",
    "x-xss-protection",
];

fn make_pages(directory: &Path) {
    std::fs::create_dir(directory.join("assets")).expect("make a directory");
    for hidden in [".git", "assets/.git"] {
        std::fs::create_dir(directory.join(hidden)).expect("make a directory");
        std::fs::write(directory.join(hidden).join("config"), "secret").expect("write");
    }
    std::fs::write(directory.join("index.html"), "<title>shop</title>").expect("write");
    std::fs::write(directory.join("favicon.svg"), "<svg/>").expect("write");
    std::fs::write(directory.join("assets/app-1a2b.js"), "plain").expect("write");
    // Not what gzip would make of the other, so that one sees which was taken; a browser that asks for it unpacks it.
    std::fs::write(directory.join("assets/app-1a2b.js.gz"), "packed").expect("write");
}

/// nginx alone, and the backend's stand-in on a port.
async fn start(pages: &Path, backend: u16) -> Stack {
    make_pages(pages);
    Stack::builder()
        .only([Component::Nginx])
        .ports([(Component::Backend, backend)])
        .web(Some(pages.to_owned()))
        .start()
        .await
        .expect("nginx starts")
}

async fn ask(stack: &Stack, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::builder().no_gzip().build().expect("client");
    let url = format!("{}{path}", stack.url(Component::Nginx).expect("url"));
    let request = headers
        .iter()
        .fold(client.request(method, url), |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer")
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    assert_eq!(values.len(), 1, "{name}: {values:?}");
    values[0].to_str().expect("text")
}

/// What the backend lets its answers do.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none';";

/// Answers every request with the same, and keeps what was asked. With `hangs_up`, each connection answers one request and
/// breaks at the next.
#[derive(Clone)]
struct Backend {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    broken: Arc<AtomicUsize>,
}

impl Backend {
    async fn start(hangs_up: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        let backend = Self { port, requests: Arc::default(), broken: Arc::default() };
        let accepting = backend.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream, hangs_up));
            }
        });
        backend
    }

    async fn serve(self, stream: TcpStream, hangs_up: bool) {
        let mut stream = BufReader::new(stream);
        for n in 0.. {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.is_ok_and(|read| read == 0) {
                    return;
                }
            }
            self.requests.lock().expect("no panic").push(head.to_lowercase());
            if hangs_up && n > 0 {
                self.broken.fetch_add(1, Ordering::SeqCst);
                return;
            }
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\ncache-control: private\r\n\
                 content-security-policy: {POLICY}\r\nx-frame-options: SAMEORIGIN\r\nx-xss-protection: 1\r\n\
                 x-request-id: its-own\r\n\r\n{{}}"
            );
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// How many connections have broken.
    fn broken(&self) -> usize {
        self.broken.load(Ordering::SeqCst)
    }

    /// What was asked since the last call.
    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().expect("no panic"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_protected_and_says_how_long_it_keeps() {
    let pages = tempfile::tempdir().expect("directory");
    let backend = Backend::start(false).await;
    let stack = start(pages.path(), backend.port).await;
    let immutable = "public, max-age=31536000, immutable";
    for (path, status, kept) in [
        ("/", StatusCode::OK, "no-cache"),
        ("/products/some-id", StatusCode::OK, "no-cache"),
        ("/favicon.svg", StatusCode::OK, "no-cache"),
        ("/assets/app-1a2b.js", StatusCode::OK, immutable),
        // It may be there a moment later, when a new version is rolled out.
        ("/assets/app-none.js", StatusCode::NOT_FOUND, "no-cache"),
        ("/missing.png", StatusCode::NOT_FOUND, "no-cache"),
        ("/.git/config", StatusCode::NOT_FOUND, "no-cache"),
        ("/assets/.git/config", StatusCode::NOT_FOUND, "no-cache"),
        // No list of what is there.
        ("/assets/", StatusCode::NOT_FOUND, "no-cache"),
        ("/health", StatusCode::OK, "no-store"),
        ("/nginx_status", StatusCode::OK, "no-store"),
        ("/api/products", StatusCode::OK, "private"),
        ("/api/orders", StatusCode::OK, "private"),
        ("/api/products/some-id/picture.svg", StatusCode::OK, "private"),
    ] {
        let answer = ask(&stack, Method::GET, path, &[]).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(only(answer.headers(), "cache-control"), kept, "{path}");
        for name in SECURITY {
            assert!(!only(answer.headers(), name).is_empty(), "{path}: {name}");
        }
        assert_eq!(only(answer.headers(), "x-frame-options"), "DENY", "{path}");
        assert_eq!(only(answer.headers(), "x-content-type-options"), "nosniff", "{path}");
        let policy = only(answer.headers(), "content-security-policy");
        // What the backend sends is never a page, not even where somebody opens it as one.
        let source = if path.starts_with("/api/") { "'none'" } else { "'self'" };
        for directive in [&format!("default-src {source};"), "base-uri 'none';", "frame-ancestors 'none';"] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(policy == POLICY || policy.contains("object-src 'none'"), "{path}: {policy}");
        assert_eq!(policy == POLICY, path.starts_with("/api/"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert!(!answer.headers().contains_key("retry-after"), "{path}");
    }
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app-1a2b.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8"),
        ("/api/products", "application/json; charset=utf-8"),
    ] {
        let answer = ask(&stack, Method::GET, path, &[]).await;
        assert_eq!(only(answer.headers(), "content-type"), content_type, "{path}");
        // It would tell scripts and other sites what a browser sends.
        let trace = ask(&stack, Method::TRACE, path, &[]).await;
        assert_eq!(trace.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let asset = ask(&stack, Method::GET, "/assets/app-1a2b.js", &[("accept-encoding", "gzip")]).await;
    assert_eq!(asset.headers()["content-encoding"], "gzip");
    assert_eq!(asset.text().await.expect("text"), "packed");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_backend_the_api_answers_a_problem_and_pages_stay() {
    let pages = tempfile::tempdir().expect("directory");
    make_pages(pages.path());
    let stack = Stack::builder()
        .only([Component::Nginx])
        .web(Some(pages.path().to_owned()))
        .start()
        .await
        .expect("nginx starts");
    let away = ask(&stack, Method::GET, "/api/products", &[]).await;
    assert_eq!(away.status(), StatusCode::SERVICE_UNAVAILABLE);
    let large = reqwest::Client::new()
        .post(format!("{}/api/users", stack.url(Component::Nginx).expect("url")))
        .body(vec![b'x'; 65 * 1024])
        .send()
        .await
        .expect("an answer");
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(only(away.headers(), "retry-after").parse::<u32>().is_ok());
    assert!(!large.headers().contains_key("retry-after"));
    for (answer, kind) in [(away, "unavailable"), (large, "too-large")] {
        assert_eq!(only(answer.headers(), "content-type"), "application/problem+json");
        assert_eq!(only(answer.headers(), "cache-control"), "no-store");
        assert!(
            only(answer.headers(), "content-security-policy").starts_with("default-src 'none'"),
            "{kind}"
        );
        for name in SECURITY {
            assert!(!only(answer.headers(), name).is_empty(), "{kind}: {name}");
        }
        let status = answer.status().as_u16();
        let problem: serde_json::Value =
            serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
        assert_eq!(problem["type"], format!("https://shopmicro.example/problems/{kind}"));
        assert_eq!(problem["status"], status);
    }
    assert_eq!(ask(&stack, Method::GET, "/cart", &[]).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_has_so_many_requests_at_once_and_others_are_served() {
    let pages = tempfile::tempdir().expect("directory");
    // It takes every connection, and never answers.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let (taken, mut count) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
            taken.send_replace(kept.len());
        }
    });
    let stack = start(pages.path(), port).await;
    let url = stack.url(Component::Nginx).expect("url");
    let greedy = reqwest::Client::new();
    let mut waiting = Vec::new();
    for bound in 1..=256 {
        // One by one: of a burst, a busy machine takes so long that nginx no longer waits for the connection.
        waiting.push(tokio::spawn(greedy.get(format!("{url}/api/cart")).send()));
        let passed =
            tokio::time::timeout(Duration::from_secs(10), count.wait_for(|count| *count == bound)).await;
        assert!(
            passed.is_ok_and(|passed| passed.is_ok()),
            "nginx passes on request {bound}, within the bound"
        );
    }
    let refused = ask(&stack, Method::GET, "/api/cart", &[]).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(only(refused.headers(), "content-type"), "application/problem+json");
    assert_eq!(only(refused.headers(), "retry-after"), "1");
    let page = ask(&stack, Method::GET, "/", &[]).await;
    assert_eq!(page.status(), StatusCode::TOO_MANY_REQUESTS);
    let other = reqwest::Client::builder()
        .local_address(std::net::IpAddr::from([127, 0, 0, 2]))
        .build()
        .expect("client");
    assert_eq!(other.get(&url).send().await.expect("an answer").status(), StatusCode::OK);
    // Nor does anybody but this machine see how nginx is.
    let status = format!("{url}/nginx_status");
    assert_eq!(other.get(&status).send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
    let passed_on = [("x-forwarded-for", "203.0.113.7")];
    assert_eq!(ask(&stack, Method::GET, "/nginx_status", &passed_on).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(ask(&stack, Method::GET, "/nginx_status", &[]).await.status(), StatusCode::OK);
    for request in waiting {
        request.abort();
    }
}

/// A line of the access log, which nginx writes after the answer.
async fn logged(stack: &Stack, word: &str) -> serde_json::Value {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let log = std::fs::read_to_string(stack.log(Component::Nginx)).expect("read");
        if let Some(line) = log.lines().find(|line| line.contains(word)) {
            return serde_json::from_str(line).expect("JSON");
        }
        assert!(Instant::now() < deadline, "{word} is not in {log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backend_learns_who_asks_and_not_what_the_client_pretends() {
    let pages = tempfile::tempdir().expect("directory");
    let backend = Backend::start(false).await;
    let stack = start(pages.path(), backend.port).await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let told = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "my-own-1"),
        ("traceparent", traceparent),
    ];
    let answer = ask(&stack, Method::GET, "/api/products?q=a%20b", &told).await;
    assert_eq!(only(answer.headers(), "x-request-id"), "my-own-1");
    let request = backend.requests().remove(0);
    let host = stack.url(Component::Nginx).expect("url").replace("http://", "");
    for line in [
        "get /api/products?q=a%20b http/1.1",
        &format!("host: {host}"),
        "x-forwarded-for: 203.0.113.7, 127.0.0.1",
        "x-real-ip: 127.0.0.1",
        "x-forwarded-proto: http",
        "x-request-id: my-own-1",
        &format!("traceparent: {traceparent}"),
    ] {
        assert_eq!(request.lines().filter(|l| *l == line).count(), 1, "{line} in {request}");
    }
    // Another could smuggle lines into logs.
    let answer = ask(&stack, Method::GET, "/api/products", &[("x-request-id", "a \"b\"")]).await;
    let made = only(answer.headers(), "x-request-id").to_owned();
    assert_eq!(made.len(), 32);
    assert!(backend.requests()[0].contains(&format!("x-request-id: {made}\r\n")));
    // What was asked for is in the log as one JSON object a line, without what people searched for.
    let logged = logged(&stack, "my-own-1").await;
    assert_eq!(logged["path"], "/api/products");
    assert_eq!(logged["status"], 200);
    assert_eq!(logged["traceparent"], traceparent);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_may_change_something_twice_is_sent_once() {
    let pages = tempfile::tempdir().expect("directory");
    let backend = Backend::start(true).await;
    let stack = start(pages.path(), backend.port).await;
    for (method, path, status, sent) in [
        (Method::GET, "/api/orders", StatusCode::OK, 2),
        (Method::POST, "/api/users", StatusCode::SERVICE_UNAVAILABLE, 1),
        // Its Idempotency-Key makes it safe.
        (Method::POST, "/api/orders", StatusCode::OK, 2),
    ] {
        // Until one goes over a connection that was kept, and breaks: each of nginx' workers has its own.
        for attempt in 1.. {
            assert!(attempt < 1_000, "nginx keeps no connection to the backend");
            let first = ask(&stack, Method::GET, "/api/cart", &[]).await;
            assert_eq!(first.text().await.expect("text"), "{}");
            let broken = backend.broken();
            backend.requests();
            let second = ask(&stack, method.clone(), path, &[]).await;
            if backend.broken() > broken {
                assert_eq!(second.status(), status, "{method}");
                assert_eq!(backend.requests().len(), sent, "{method}");
                break;
            }
            assert_eq!(second.status(), StatusCode::OK, "{method}");
        }
    }
}
