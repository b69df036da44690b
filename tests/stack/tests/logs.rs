//! What the backend writes to standard output in production.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// A port on which nothing listens, since only root could.
const NOBODY: &str = "127.0.0.1:1";

#[tokio::test]
async fn every_line_is_one_json_object_in_utc_whatever_clients_send() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let program = Path::new(env!("CARGO_BIN_EXE_stack")).with_file_name("shopmicro-backend");
    let mut backend = Command::new(program)
        .arg("serve")
        .env_clear()
        .envs([("NODE_ENV", "production"), ("HOST", "127.0.0.1")])
        .env("PORT", port.to_string())
        .env("POSTGRES_URL", format!("postgresql://shop:hidden@{NOBODY}/shop"))
        .env("REDIS_URL", format!("redis://:hidden@{NOBODY}"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("start the backend");
    let mut lines = BufReader::new(backend.stdout.take().expect("piped")).lines();
    let mut next = async || {
        let line = tokio::time::timeout(Duration::from_secs(10), lines.next_line()).await.expect("in time");
        let text = line.expect("read").expect("it still runs");
        let line: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
        assert!(line["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{text}");
        assert!(line["level"].is_string() && line["target"].is_string(), "{text}");
        assert!(!text.contains("hidden") && !text.contains("forged"), "{text}");
        line
    };
    while next().await["message"] != "listening" {}

    let forged = r#"forged","level":"ERROR"}%0a{"message":"forged"#;
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let request = http.get(format!("http://127.0.0.1:{port}/api/products?q={forged}"));
    let request = request.header("user-agent", "forged").header("x-request-id", "{\"forged\"}");
    assert_eq!(request.send().await.expect("an answer").status(), 503);
    loop {
        let line = next().await;
        if line["message"] == "answered" {
            assert_eq!(
                (&line["http.route"], &line["http.response.status_code"], &line["service"]),
                (&"/api/products".into(), &503.into(), &"shopmicro-backend".into())
            );
            let length = |field: &str| line[field].as_str().map(str::len);
            assert_eq!((length("trace_id"), length("span_id")), (Some(32), Some(16)), "{line}");
            assert_eq!(length("request_id"), Some(32), "{line}");
            break;
        }
    }
    backend.kill().await.expect("end it");
}
