//! `shopmicro-backend create-admin`, as an operator runs it.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::harness::{PASSWORD, TestApp};

const ROOT: &str = "root@example.com";
const NEW: &str = "staple of another horse";

/// Runs the command with this on its standard input.
async fn create_admin(app: &TestApp, email: &str, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shopmicro-backend"))
        .args(["create-admin", "--email", email, "--name", "Root"])
        .env_clear()
        .env("POSTGRES_URL", app.postgres_url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = command.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).await.expect("written");
    drop(stdin);
    command.wait_with_output().await.expect("it ends")
}

async fn audit(app: &TestApp) -> Vec<(String, Value)> {
    let rows = app.rows("select action, detail, actor_id from audit_log order by id", &[]).await;
    assert!(rows.iter().all(|row| row.get::<_, Option<uuid::Uuid>>("actor_id").is_none()));
    rows.iter().map(|row| (row.get("action"), row.get("detail"))).collect()
}

#[tokio::test]
async fn the_first_admin_comes_by_a_command() {
    let app = TestApp::new().await;
    // Only the first line counts.
    let output = create_admin(&app, " Root@Example.com ", &format!("{PASSWORD}\r\nanother line\n")).await;
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).expect("text");
    assert!(told.starts_with("root@example.com is an admin: a new account"), "{told}");
    assert!(!told.contains(PASSWORD));

    let client = app.guest();
    let login = json!({ "email": ROOT, "password": PASSWORD });
    let user = client.post("/api/users/login", &login).await.expect(200);
    assert_eq!((&user["role"], &user["name"]), (&json!("admin"), &json!("Root")));
    client.get("/api/users").await.expect(200);
    assert_eq!(audit(&app).await, [("account.registered".to_owned(), json!({ "role": "admin" }))]);
}

#[tokio::test]
async fn an_account_becomes_an_admins_and_everybody_is_out() {
    let app = TestApp::new().await;
    let client = app.guest();
    let body = json!({ "email": ROOT, "password": PASSWORD, "name": "Ada" });
    client.post("/api/users", &body).await.expect(201);
    client.get("/api/users/me").await.expect(200);
    // It is even locked out.
    app.sql(
        "insert into login_attempts (email_hash, failures, blocked_until) \
         values (sha256('root@example.com'), 10, now() + interval '15 min')",
    )
    .await;
    app.sql("delete from audit_log").await;
    let output = create_admin(&app, ROOT, &format!("{NEW}\n")).await;
    assert!(output.status.success(), "{output:?}");

    assert_eq!(app.number("select count(*) from sessions").await, 0);
    shopmicro_backend::workers::revocations::pass(&app.state).await.expect("Redis is told");
    client.get("/api/users/me").await.refused(401, "unauthenticated");
    let login = |password| json!({ "email": ROOT, "password": password });
    let user = client.post("/api/users/login", &login(NEW)).await.expect(200);
    assert_eq!((&user["role"], &user["name"]), (&json!("admin"), &json!("Ada")));
    app.guest().post("/api/users/login", &login(PASSWORD)).await.refused(401, "unauthenticated");
    assert_eq!(
        audit(&app).await,
        [
            ("password.changed".to_owned(), json!({ "sessions": 1 })),
            ("role.changed".to_owned(), json!({ "from": "customer", "to": "admin" })),
        ]
    );
}

#[tokio::test]
async fn a_bad_admin_is_not_made() {
    let app = TestApp::new().await;
    for (email, input, why) in [
        (ROOT, "", "10 to 128 characters"),
        (ROOT, "short\n", "10 to 128 characters"),
        (ROOT, "password123\n", "too easy to guess"),
        ("root", "correct horse battery\n", "must be an e-mail address"),
    ] {
        let output = create_admin(&app, email, input).await;
        let told = String::from_utf8(output.stderr).expect("text");
        assert!(!output.status.success() && told.contains(why), "{told}");
    }
    assert_eq!(app.number("select count(*) from users").await, 0);
}
