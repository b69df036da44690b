//! `/api/users` for admins: everybody's accounts.

use reqwest::Method;
use serde_json::{Value, json};
use shopmicro_backend::db;
use shopmicro_backend::db::users::Filter;
use shopmicro_backend::domain::page::TimeKey;
use shopmicro_backend::domain::user::Role;
use uuid::Uuid;

use crate::harness::{Answer, Client, Proxy, Setup, TestApp};

async fn set_role(client: &Client, id: Uuid, role: &str) -> Answer {
    let request = client.request(Method::PATCH, &format!("/api/users/{id}"));
    Answer::of(request.json(&json!({ "role": role }))).await
}

async fn log_out(client: &Client, id: Uuid) -> Answer {
    client.post(&format!("/api/users/{id}/logout"), &json!({})).await
}

/// Puts accounts in, of which several share a moment.
async fn insert(app: &TestApp, accounts: &[(&str, &str, &str)]) {
    for (n, (email, name, role)) in accounts.iter().enumerate() {
        let hour = i32::try_from(n / 2).expect("few");
        app.execute(
            "insert into users (id, email, name, role, created_at) \
             values ($1, $2, $3, $4, timestamptz '2026-01-01 00:00Z' + make_interval(hours => $5))",
            &[&Uuid::new_v4(), email, name, role, &hour],
        )
        .await;
    }
}

fn emails(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a list");
    items.iter().map(|user| user["email"].as_str().expect("an address")).collect()
}

fn sorted(mut list: Vec<&str>) -> Vec<&str> {
    list.sort_unstable();
    list
}

/// What each of these asks for: who may, and who may not.
#[tokio::test]
async fn accounts_are_for_admins_alone() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let id = customer.user_id().await;
    let account = format!("/api/users/{id}");
    for (client, status, slug) in [(&app.guest(), 401, "unauthenticated"), (&customer, 403, "forbidden")] {
        for answer in [
            client.get("/api/users").await,
            client.get(&account).await,
            set_role(client, id, "admin").await,
            log_out(client, id).await,
        ] {
            answer.refused(status, slug);
        }
    }
    customer.get("/api/users/me").await.expect(200);
    assert_eq!(app.number("select count(*) from users where role = 'admin'").await, 0);
}

#[tokio::test]
async fn accounts_are_listed_newest_first_page_by_page() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let accounts: Vec<String> = (0..9).map(|n| format!("user-{n}@example.org")).collect();
    let rows: Vec<(&str, &str, &str)> =
        accounts.iter().map(|email| (email.as_str(), "User", "customer")).collect();
    insert(&app, &rows).await;
    let all = admin.get("/api/users?limit=100").await.expect(200);
    assert_eq!((emails(&all).len(), &all["next_cursor"]), (10, &Value::Null));
    let times: Vec<&str> = all["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|user| user["created_at"].as_str())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");

    let mut paged = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "2"), ("role", "customer"), ("q", "USER-")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = admin.query("/api/users", &query).await.expect(200);
        paged.extend(emails(&page).into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(paged, emails(&all)[1..], "all but the admin, each once, in the same order");
}

#[tokio::test]
async fn accounts_are_found_by_the_beginning_of_address_or_name() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    insert(
        &app,
        &[
            ("ada@example.org", "Countess Lovelace", "customer"),
            ("adam@example.org", "Smith", "admin"),
            ("eve@example.org", "ADA of another shop", "customer"),
            ("grace@example.org", "Über Hopper", "customer"),
            ("100%_sure@example.org", "Per Cent", "customer"),
        ],
    )
    .await;
    for (query, found) in [
        ("q=ada", &["ada@example.org", "adam@example.org", "eve@example.org"][..]),
        ("q=%20Ada%20", &["ada@example.org", "adam@example.org", "eve@example.org"]),
        ("q=ada%40", &["ada@example.org"]),
        ("q=ada&role=admin", &["adam@example.org"]),
        ("q=lovelace", &[]),
        ("q=%C3%9CBER", &["grace@example.org"]),
        // No wildcards.
        ("q=%25", &[]),
        ("q=100%25_", &["100%_sure@example.org"]),
        ("q=_", &[]),
    ] {
        let page = admin.get(&format!("/api/users?{query}")).await.expect(200);
        assert_eq!(sorted(emails(&page)), found, "{query}");
    }
    let admins = admin.get("/api/users?role=admin").await.expect(200);
    assert_eq!(emails(&admins).len(), 2);
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let long = format!("q={}", "x".repeat(101));
    for query in ["q=", "q=%20", "q=a%00b", &long, "role=king", "limit=0", "limit=101", "cursor=x", "name=x"]
    {
        admin.get(&format!("/api/users?{query}")).await.refused(400, "bad-request");
    }
    admin.get("/api/users/x").await.refused(400, "bad-request");
    let id = admin.user_id().await;
    for body in [json!({}), json!({ "role": "king" }), json!({ "role": "admin", "name": "x" })] {
        let request = admin.request(Method::PATCH, &format!("/api/users/{id}")).json(&body);
        Answer::of(request).await.refused(422, "invalid");
    }
    let nobody = Uuid::new_v4();
    for answer in [
        admin.get(&format!("/api/users/{nobody}")).await,
        set_role(&admin, nobody, "admin").await,
        log_out(&admin, nobody).await,
    ] {
        answer.refused(404, "not-found");
    }
}

#[tokio::test]
async fn an_account_shows_how_it_stands() {
    let app = TestApp::new().await.with_products(1).await;
    let admin = app.admin().await;
    let customer = app.customer().await;
    let me = customer.get("/api/users/me").await.expect(200);
    customer.put_item(app.products[0], 1).await.expect(200);
    customer.checkout("k", "4242424242424242").await.expect(201);
    let path = format!("/api/users/{}", customer.user_id().await);
    let account = admin.get(&path).await.expect(200);
    for (field, value) in me.as_object().expect("an object") {
        assert_eq!(&account[field], value, "{field}");
    }
    assert_eq!(
        (&account["has_password"], &account["sessions"], &account["orders"], &account["blocked_until"]),
        (&json!(true), &json!(1), &json!(1), &Value::Null)
    );
    assert!(!account.to_string().contains("argon2"));

    let wrong = json!({ "email": me["email"], "password": "wrong horse battery" });
    for _ in 0..4 {
        app.guest().post("/api/users/login", &wrong).await.refused(401, "unauthenticated");
    }
    app.sql("update login_attempts set blocked_until = now() + interval '1 hour'").await;
    assert!(admin.get(&path).await.expect(200)["blocked_until"].is_string());
    // Customers of imported orders have no password.
    insert(&app, &[("old@example.org", "Old", "customer")]).await;
    let old: Uuid = app.rows("select id from users where password_hash is null", &[]).await[0].get("id");
    let account = admin.get(&format!("/api/users/{old}")).await.expect(200);
    assert_eq!((&account["has_password"], &account["sessions"]), (&json!(false), &json!(0)));
}

#[tokio::test]
async fn a_role_is_given_and_taken_at_once() {
    let app = TestApp::new().await;
    let (admin, customer) = (app.admin().await, app.customer().await);
    let id = customer.user_id().await;
    let (_, replica) = app.replica().await;
    // Its sessions are known to Redis as a customer's.
    customer.get("/api/users").await.refused(403, "forbidden");
    let promoted = set_role(&admin, id, "admin").await.expect(200);
    assert_eq!((&promoted["id"], &promoted["role"]), (&json!(id), &json!("admin")));
    customer.get("/api/users").await.expect(200);
    // Again is no change.
    set_role(&admin, id, "admin").await.expect(200);
    let demoted = set_role(&customer, id, "customer").await.expect(200);
    assert_eq!(demoted["role"], "customer");
    customer.get("/api/users").await.refused(403, "forbidden");
    replica.get("/api/users").await.refused(401, "unauthenticated");

    let rows = app
        .rows(
            "select actor_id, subject, detail from audit_log where action = 'role.changed' order by id",
            &[],
        )
        .await;
    let acts: Vec<(Uuid, &str, Value)> =
        rows.iter().map(|row| (row.get("actor_id"), row.get("subject"), row.get("detail"))).collect();
    let subject = id.to_string();
    let change = |actor, from, to| (actor, subject.as_str(), json!({ "from": from, "to": to }));
    assert_eq!(acts, [change(admin.user_id().await, "customer", "admin"), change(id, "admin", "customer")]);
}

/// The copies of the sessions still say what it was; nobody believes them.
#[tokio::test]
async fn a_role_is_taken_across_an_outage_of_redis() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await;
    let (admin, other) = (app.admin().await, app.admin().await);
    let id = other.user_id().await;
    other.get("/api/users").await.expect(200);
    redis.cut();
    set_role(&admin, id, "customer").await.expect(200);
    redis.mend();
    other.get("/api/users").await.refused(403, "forbidden");
}

#[tokio::test]
async fn the_last_admin_is_not_demoted() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.customer().await;
    let id = admin.user_id().await;
    set_role(&admin, id, "customer").await.refused(409, "last-admin");
    admin.get("/api/users").await.expect(200);
    let other = app.admin().await;
    let other_id = other.user_id().await;
    // Each demotes the other, at once.
    let (a, b) = tokio::join!(set_role(&admin, other_id, "customer"), set_role(&other, id, "customer"));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    // Whoever comes second is told that this is the last admin, or that it is none itself any more.
    assert!([[200, 403], [200, 409]].contains(&statuses), "{} {}", a.text, b.text);
    assert_eq!(app.number("select count(*) from users where role = 'admin'").await, 1);
}

#[tokio::test]
async fn an_admin_logs_an_account_out_everywhere() {
    let app = TestApp::new().await;
    let (admin, customer, stranger) = (app.admin().await, app.customer().await, app.customer().await);
    let id = customer.user_id().await;
    stranger.get("/api/users/me").await.expect(200);
    log_out(&admin, id).await.expect(204);
    customer.get("/api/users/me").await.refused(401, "unauthenticated");
    stranger.get("/api/users/me").await.expect(200);
    admin.get("/api/users/me").await.expect(200);
    let row = &app.rows("select * from audit_log where action = 'sessions.ended'", &[]).await[0];
    assert_eq!(
        (row.get::<_, Uuid>("actor_id"), row.get::<_, &str>("subject"), row.get::<_, Value>("detail")),
        (admin.user_id().await, id.to_string().as_str(), json!({ "count": 1 }))
    );
    // Who is not there need not go.
    log_out(&admin, id).await.expect(204);
}

/// The plans of many accounts: an index gives what is asked for, and none reads the whole table.
#[tokio::test]
async fn every_list_of_accounts_uses_an_index() {
    let app = TestApp::new().await;
    app.sql(
        "insert into users (id, email, name, role, created_at) \
         select gen_random_uuid(), md5(i::text) || '@example.com', 'Name ' || md5(i::text), \
                case when i % 5000 = 0 then 'admin' else 'customer' end, now() - i * interval '1 minute' \
         from generate_series(1, 30000) i",
    )
    .await;
    app.sql("vacuum analyze users").await;
    let after = Some(TimeKey { at: "2026-01-01T00:00:00Z".parse().expect("a time"), id: Uuid::new_v4() });
    let connection = app.connection().await;
    let plan = async |filter: &Filter| -> String {
        let statement = db::users::listing(filter, 21);
        let sql = format!("explain {}", statement.sql);
        let rows = connection.query_typed(&sql, &statement.parameters()).await.expect(&sql);
        rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>().join("\n")
    };
    for prefix in [None, Some("ab12"), Some("name ab12"), Some("name")] {
        for role in [None, Some(Role::Admin), Some(Role::Customer)] {
            for after in [None, after] {
                let filter = Filter { prefix: prefix.map(str::to_owned), role, after };
                let plan = plan(&filter).await;
                assert!(!plan.contains("Seq Scan"), "{filter:?}\n{plan}");
            }
        }
    }
    // And the one that fits: what few have is not looked for among all.
    for (prefix, role, index) in [
        (Some("ab12"), None, "users_email_prefix_idx"),
        (Some("name ab12"), None, "users_name_prefix_idx"),
        (Some("name"), None, "users_newest_idx"),
        (None, Some(Role::Admin), "users_role_idx"),
        (None, None, "users_newest_idx"),
    ] {
        let filter = Filter { prefix: prefix.map(str::to_owned), role, after: None };
        let plan = plan(&filter).await;
        assert!(plan.contains(index), "{filter:?}\n{plan}");
    }
}
