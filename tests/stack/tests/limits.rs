//! Who a client is behind nginx, and what pages of other sites get through it.

use std::net::{IpAddr, Ipv4Addr};

use reqwest::{Client, Method, Response, StatusCode};
use stack::{Builder, Component, Stack};

/// nginx, which is a trusted proxy by this address, and a backend.
async fn start(configure: impl FnOnce(Builder) -> Builder) -> Stack {
    let pages = tempfile::tempdir().expect("a directory");
    std::fs::write(pages.path().join("index.html"), "<title>shop</title>").expect("write");
    let parts = [Component::Postgres, Component::Redis, Component::Backend, Component::Nginx];
    let builder = Stack::builder().only(parts).web(Some(pages.path().to_owned()));
    configure(builder.backend_setting("TRUSTED_PROXIES", "127.0.0.1")).start().await.expect("a stack")
}

/// A client with an address of its own: all of 127.0.0.0/8 is this machine.
fn client(last: u8) -> Client {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
    Client::builder().local_address(address).no_proxy().build().expect("a client")
}

async fn ask(stack: &Stack, client: &Client, method: Method, headers: &[(&str, &str)]) -> Response {
    let url = format!("{}/api/frontend-metrics", stack.url(Component::Nginx).expect("nginx"));
    let request = client.request(method, url).header("content-type", "application/json").body("{}");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_one_limit_behind_nginx_whatever_it_invents() {
    let stack = start(|builder| builder.backend_setting("RATE_LIMIT_REPORT", "1 burst 3")).await;
    let one = client(2);
    for (number, status) in [202, 202, 202, 429, 429].into_iter().enumerate() {
        let invented = format!("203.0.113.{number}, 198.51.100.{number}");
        let told = [("x-forwarded-for", invented.as_str()), ("x-real-ip", "203.0.113.1")];
        assert_eq!(ask(&stack, &one, Method::POST, &told).await.status().as_u16(), status, "{number}");
    }
    let other = ask(&stack, &client(3), Method::POST, &[]).await;
    assert_eq!(other.status(), StatusCode::ACCEPTED);
    assert_eq!(other.headers()["ratelimit"], r#""report";r=2;t=60"#);
    // Nor may it speak for another, and use up what that one has.
    let victim = [("x-forwarded-for", "127.0.0.4")];
    assert_eq!(ask(&stack, &one, Method::POST, &victim).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let answer = ask(&stack, &client(4), Method::POST, &[]).await;
    assert_eq!(answer.headers()["ratelimit"], r#""report";r=2;t=60"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_site_gets_its_permission_through_nginx_once() {
    let site = "https://admin.shop.example";
    let stack = start(|builder| builder.backend_setting("CORS_ORIGINS", site)).await;
    let method = ("access-control-request-method", "POST");
    for (method, told) in [
        (Method::OPTIONS, vec![("origin", site), method]),
        (Method::POST, vec![("origin", site), ("sec-fetch-site", "same-site")]),
    ] {
        let answer = ask(&stack, &client(2), method, &told).await;
        assert!(answer.status().is_success(), "{answer:?}");
        for name in ["access-control-allow-origin", "access-control-allow-credentials", "x-frame-options"] {
            assert_eq!(answer.headers().get_all(name).iter().count(), 1, "{name}: {answer:?}");
        }
        assert_eq!(answer.headers()["access-control-allow-origin"], site);
    }
    let told = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let refused = ask(&stack, &client(2), Method::POST, &told).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
}
