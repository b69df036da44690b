//! `/api/audit-log`: who did what.

use serde_json::{Value, json};
use shopmicro_backend::db;
use shopmicro_backend::db::audit::Filter;
use uuid::Uuid;

use crate::harness::TestApp;

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().expect("a list")
}

/// Notes acts with numbers of their own.
async fn note(app: &TestApp, acts: &[(Option<Uuid>, &str, &str)]) {
    let connection = app.connection().await;
    for (n, (actor, action, subject)) in acts.iter().enumerate() {
        db::audit::insert(&connection, *actor, action, subject, json!({ "n": n })).await.expect("noted");
    }
}

#[tokio::test]
async fn the_audit_log_is_for_admins_alone() {
    let app = TestApp::new().await;
    app.guest().get("/api/audit-log").await.refused(401, "unauthenticated");
    app.customer().await.get("/api/audit-log").await.refused(403, "forbidden");
    app.admin().await.get("/api/audit-log").await.expect(200);
}

#[tokio::test]
async fn a_registration_is_noted() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let customer = app.customer().await;
    let id = customer.user_id().await;
    let page = admin.get(&format!("/api/audit-log?subject={id}")).await.expect(200);
    let [entry] = items(&page).as_slice() else { panic!("one entry: {page}") };
    let mut fields: Vec<&String> = entry.as_object().expect("an object").keys().collect();
    fields.sort_unstable();
    assert_eq!(fields, ["action", "actor_id", "at", "detail", "id", "subject"]);
    assert_eq!(
        (&entry["action"], &entry["actor_id"], &entry["subject"], &entry["detail"]),
        (&json!("account.registered"), &json!(id), &json!(id), &json!({}))
    );
    // A registration that was refused is none.
    let me = customer.get("/api/users/me").await.expect(200);
    let again = json!({ "email": me["email"], "password": "correct horse battery", "name": "Eve" });
    app.guest().post("/api/users", &again).await.refused(409, "email-taken");
    assert_eq!(app.number("select count(*) from audit_log").await, 2);
}

#[tokio::test]
async fn acts_are_filtered_and_come_newest_first() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    note(
        &app,
        &[
            (Some(a), "product.archived", "p1"),
            (Some(b), "product.archived", "p2"),
            (Some(a), "role.changed", "u1"),
            (None, "login.locked", "unknown account"),
            (Some(a), "product.archived", "p2"),
        ],
    )
    .await;
    for (query, found) in [
        (format!("actor={a}"), &[4, 2, 0][..]),
        ("action=product.archived".to_owned(), &[4, 1, 0]),
        ("subject=p2".to_owned(), &[4, 1]),
        (format!("actor={a}&subject=p2&action=product.archived"), &[4]),
        ("subject=unknown+account".to_owned(), &[3]),
        (format!("actor={}", Uuid::new_v4()), &[]),
        ("action=product".to_owned(), &[]),
    ] {
        let page = admin.get(&format!("/api/audit-log?{query}")).await.expect(200);
        let numbers: Vec<i64> =
            items(&page).iter().map(|entry| entry["detail"]["n"].as_i64().expect("a number")).collect();
        assert_eq!(numbers, found, "{query}");
    }
}

#[tokio::test]
async fn pages_hold_every_act_once_while_new_ones_come() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    note(&app, &[(None, "a", "s"); 7]).await;
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "3"), ("action", "a")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = admin.query("/api/audit-log", &query).await.expect(200);
        seen.extend(items(&page).iter().map(|entry| entry["detail"]["n"].clone()));
        note(&app, &[(None, "a", "new")]).await;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, (0..7).rev().map(Value::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let long = format!("subject={}", "x".repeat(101));
    for query in [
        "actor=x",
        "action=",
        "action=a%00b",
        "subject=",
        &long,
        "limit=0",
        "limit=101",
        "cursor=x",
        "user=x",
    ] {
        admin.get(&format!("/api/audit-log?{query}")).await.refused(400, "bad-request");
    }
}

#[tokio::test]
async fn every_page_of_the_audit_log_uses_an_index() {
    let app = TestApp::new().await;
    app.sql(
        "insert into audit_log (actor_id, action, subject) \
         select md5((i % 500)::text)::uuid, 'action.' || i % 20, md5(i::text) from generate_series(1, 30000) i",
    )
    .await;
    app.sql("vacuum analyze audit_log").await;
    let actor: Uuid = app.rows("select actor_id from audit_log limit 1", &[]).await[0].get("actor_id");
    let connection = app.connection().await;
    let plan = async |filter: &Filter| -> String {
        let statement = db::audit::listing(filter, 21);
        let sql = format!("explain {}", statement.sql);
        let rows = connection.query_typed(&sql, &statement.parameters()).await.expect(&sql);
        rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>().join("\n")
    };
    for actor in [None, Some(actor)] {
        for action in [None, Some("action.1".to_owned())] {
            for subject in [None, Some("x".to_owned())] {
                for before in [None, Some(10_000)] {
                    let filter = Filter { actor, action: action.clone(), subject: subject.clone(), before };
                    let plan = plan(&filter).await;
                    assert!(!plan.contains("Seq Scan"), "{filter:?}\n{plan}");
                    // What few have is not looked for among all.
                    assert!(
                        subject.is_none() || plan.contains("audit_log_subject_idx"),
                        "{filter:?}\n{plan}"
                    );
                }
            }
        }
    }
}
