//! What a defect shows: nothing to the client, to the log what it takes to find it, and nothing personal to either.

use serde_json::json;

use crate::harness::{Logs, PASSWORD, TestApp};

#[tokio::test]
async fn a_defect_shows_nothing_of_the_inside_and_logs_nothing_personal() {
    let (logs, _guard) = Logs::capture();
    let app = TestApp::new().await;
    app.sql("alter table users add constraint a_rule_that_nobody_knows check (name <> 'Ada Lovelace')").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada Lovelace" });
    let problem = app.guest().post("/api/users", &body).await.refused(500, "internal");
    let mut fields: Vec<&String> = problem.as_object().expect("an object").keys().collect();
    fields.retain(|field| *field != "trace_id");
    assert_eq!(fields, ["status", "title", "type"]);

    let logs = logs.text();
    let line =
        logs.lines().find(|line| line.contains("a_rule_that_nobody_knows")).expect("the cause is logged");
    assert!(line.contains("ERROR") && line.contains("request_id"), "{line}");
    // PostgreSQL tells the row that it refused: the address, the name and the password's hash.
    for word in ["ada@example.com", "Lovelace", "argon2", PASSWORD] {
        assert!(!logs.contains(word), "{word} in {logs}");
    }
}
