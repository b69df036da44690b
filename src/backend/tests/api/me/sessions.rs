//! `/api/users/me/sessions`.

use serde_json::{Value, json};
use shopmicro_backend::sessions::SESSION_COOKIE;
use uuid::Uuid;

use super::{ADA, ada, audit, log_in, me};
use crate::harness::{Client, PASSWORD, TestApp};

#[tokio::test]
async fn sessions_are_listed_to_their_owner_newest_first() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    app.customer().await;
    let laptop = app.guest();
    for _ in 0..2 {
        log_in(&laptop, ADA, PASSWORD).await.expect(200);
    }
    log_in(&app.guest(), ADA, PASSWORD).await.expect(200);
    app.sql(
        "update sessions s set created_at = now() - n * interval '1 hour' \
         from (select id, row_number() over (order by created_at desc) as n from sessions) o where o.id = s.id",
    )
    .await;
    let page = client.get("/api/users/me/sessions").await.expect(200);
    let items = page["items"].as_array().expect("a list").clone();
    // The laptop's first one ended with its second login.
    assert_eq!((items.len(), &page["next_cursor"]), (3, &Value::Null));
    let current: Vec<&Value> = items.iter().map(|item| &item["current"]).collect();
    assert_eq!(current, [&json!(false), &json!(false), &json!(true)], "newest first");
    let mut fields: Vec<&String> = items[0].as_object().expect("an object").keys().collect();
    fields.sort_unstable();
    assert_eq!(fields, ["created_at", "current", "expires_at", "id", "last_seen_at"]);

    let first = client.get("/api/users/me/sessions?limit=2").await.expect(200);
    let cursor = first["next_cursor"].as_str().expect("more");
    let second =
        client.query("/api/users/me/sessions", &[("limit", "2"), ("cursor", cursor)]).await.expect(200);
    let paged =
        [first["items"].as_array(), second["items"].as_array()].map(|items| items.expect("a list").clone());
    assert_eq!(paged.concat(), items);
    assert_eq!(second["next_cursor"], Value::Null);
    for query in ["limit=0", "limit=101", "cursor=x", "user=x"] {
        client.get(&format!("/api/users/me/sessions?{query}")).await.refused(400, "bad-request");
    }
}

#[tokio::test]
async fn one_session_is_ended_from_another() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    let (laptop, stranger) = (app.guest(), app.customer().await);
    log_in(&laptop, ADA, PASSWORD).await.expect(200);
    me(&laptop).await.expect(200);
    let id_of = async |client: &Client| -> String {
        let page = client.get("/api/users/me/sessions").await.expect(200);
        let items = page["items"].as_array().expect("a list");
        let current = items.iter().find(|item| item["current"] == true).expect("this one");
        current["id"].as_str().expect("an id").to_owned()
    };
    let path = |id: &str| format!("/api/users/me/sessions/{id}");
    let (mine, laptops) = (id_of(&client).await, id_of(&laptop).await);
    stranger.delete(&path(&laptops)).await.refused(404, "not-found");
    client.delete(&path(&Uuid::new_v4().to_string())).await.refused(404, "not-found");
    client.delete(&path("x")).await.refused(400, "bad-request");
    me(&laptop).await.expect(200);

    let ended = client.delete(&path(&laptops)).await;
    ended.expect(204);
    assert_eq!(ended.cookie(SESSION_COOKIE), None);
    me(&laptop).await.refused(401, "unauthenticated");
    client.delete(&path(&laptops)).await.refused(404, "not-found");
    let ended = client.delete(&path(&mine)).await;
    assert!(ended.cookie(SESSION_COOKIE).expect("removed").contains("Max-Age=0"));
    me(&client).await.refused(401, "unauthenticated");
    me(&stranger).await.expect(200);
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_this_account() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    let (laptop, stranger) = (app.guest(), app.customer().await);
    log_in(&laptop, ADA, PASSWORD).await.expect(200);
    for browser in [&client, &laptop, &stranger] {
        me(browser).await.expect(200);
    }
    let answer = client.delete("/api/users/me/sessions").await;
    answer.expect(204);
    assert!(answer.cookie(SESSION_COOKIE).expect("removed").contains("Max-Age=0"));
    for browser in [&client, &laptop] {
        me(browser).await.refused(401, "unauthenticated");
    }
    me(&stranger).await.expect(200);
    let acts = audit(&app).await;
    assert_eq!(acts.last(), Some(&("sessions.ended".to_owned(), json!({ "count": 2 }))));
}
