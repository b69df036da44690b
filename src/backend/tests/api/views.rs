//! `/api/products/{id}/views`, and the worker that writes them.

use reqwest::Method;
use serde_json::json;
use shopmicro_backend::workers::{Pass, views};
use uuid::Uuid;

use crate::harness::{Answer, Client, PASSWORD, Proxy, Setup, TestApp};

/// Customers and products of the views that were written, in their order.
async fn written(app: &TestApp) -> Vec<(Uuid, Uuid)> {
    let sql = "select user_id, product_id from interactions where kind = 'view' order by xid, id";
    app.rows(sql, &[]).await.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn write(app: &TestApp) {
    assert_eq!(views::pass(&app.state).await.expect("a pass"), Pass::Idle);
}

async fn delete_account(client: &Client) {
    let request = client.request(Method::DELETE, "/api/users/me").json(&json!({ "password": PASSWORD }));
    Answer::of(request).await.expect(204);
}

#[tokio::test]
async fn a_customer_looks_at_what_is_for_sale() {
    let app = TestApp::new().await.with_products(2).await;
    let [product, archived] = [app.products[0], app.products[1]];
    let ada = app.customer().await;
    let answer = ada.look_at(product).await;
    answer.expect(204);
    // As what browsers report by themselves, so that pages use up nothing of what a customer may do.
    assert!(answer.header("ratelimit").starts_with(r#""report";"#), "{}", answer.header("ratelimit"));

    app.guest().look_at(product).await.refused(401, "unauthenticated");
    ada.look_at(Uuid::new_v4()).await.refused(404, "not-found");
    // Even where the answer about it lies in a cache.
    app.guest().get(&format!("/api/products/{archived}")).await.expect(200);
    app.admin().await.delete(&format!("/api/products/{archived}")).await.expect(204);
    ada.look_at(archived).await.refused(404, "not-found");
    write(&app).await;
    assert_eq!(written(&app).await, [(ada.user_id().await, product)]);
}

#[tokio::test]
async fn looks_within_half_an_hour_are_the_same_one() {
    let app = TestApp::new().await.with_products(2).await;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let (ada_id, bob_id) = (ada.user_id().await, bob.user_id().await);
    let [first, second] = [app.products[0], app.products[1]];
    for _ in 0..2 {
        for _ in 0..2 {
            ada.look_at(first).await.expect(204);
        }
        write(&app).await;
    }
    // Neither is what somebody else did, nor what the same customer did with another product, or otherwise.
    bob.look_at(first).await.expect(204);
    ada.put_item(second, 1).await.expect(200);
    ada.look_at(second).await.expect(204);
    write(&app).await;
    let mut all = written(&app).await;
    assert_eq!(all[0], (ada_id, first));
    all.sort_unstable();
    let mut expected = [(ada_id, first), (ada_id, second), (bob_id, first)];
    expected.sort_unstable();
    assert_eq!(all, expected);

    app.sql("update interactions set at = at - interval '29 minutes'").await;
    ada.look_at(first).await.expect(204);
    write(&app).await;
    assert_eq!(written(&app).await.len(), 3);
    app.sql("update interactions set at = at - interval '2 minutes'").await;
    ada.look_at(first).await.expect(204);
    write(&app).await;
    assert_eq!(written(&app).await[3..], [(ada_id, first)]);
}

#[tokio::test]
async fn looks_wait_while_the_database_is_away() {
    let wire = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&wire).start().await.with_products(2).await;
    let ada = app.customer().await;
    let user = ada.user_id().await;
    for product in &app.products {
        app.guest().get(&format!("/api/products/{product}")).await.expect(200);
    }
    // Session and products are known without the database from now on.
    wire.cut();
    ada.look_at(app.products[0]).await.expect(204);
    // Again and again, so that the log has one failure and one recovery.
    for _ in 0..2 {
        views::pass(&app.state).await.expect_err("it is away");
    }
    ada.look_at(app.products[1]).await.expect(204);
    wire.mend();
    write(&app).await;
    let mut all = written(&app).await;
    all.sort_unstable();
    let mut expected = [(user, app.products[0]), (user, app.products[1])];
    expected.sort_unstable();
    assert_eq!(all, expected);
    assert_eq!(app.state.views.waiting(), []);
}

#[tokio::test]
async fn a_deleted_account_leaves_none() {
    let app = TestApp::new().await.with_products(3).await;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let bob_id = bob.user_id().await;
    ada.look_at(app.products[0]).await.expect(204);
    write(&app).await;
    assert_eq!(written(&app).await.len(), 1);
    // One is written, and another waits.
    ada.look_at(app.products[1]).await.expect(204);
    bob.look_at(app.products[1]).await.expect(204);
    delete_account(&ada).await;
    write(&app).await;
    assert_eq!(written(&app).await, [(bob_id, app.products[1])]);
    // A product that goes meanwhile is left out as well.
    bob.look_at(app.products[2]).await.expect(204);
    app.admin().await.delete(&format!("/api/products/{}", app.products[2])).await.expect(204);
    write(&app).await;
    assert_eq!(written(&app).await, [(bob_id, app.products[1])]);
    assert_eq!(app.state.views.waiting(), []);
}

/// The deletion has begun and is not yet committed, where the views of others are written: those must not be lost.
#[tokio::test]
async fn an_account_that_is_being_deleted_holds_up_no_other() {
    let app = TestApp::new().await.with_products(1).await;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let (ada_id, bob_id) = (ada.user_id().await, bob.user_id().await);
    for client in [&ada, &bob] {
        client.look_at(app.products[0]).await.expect(204);
    }
    let mut deletion = app.connection().await;
    let deletion = deletion.transaction().await.expect("a transaction");
    deletion.execute("delete from users where id = $1", &[&ada_id]).await.expect("deleted");
    let commit = async {
        app.until_one_waits_for_a_lock().await;
        deletion.commit().await.expect("committed");
    };
    tokio::join!(write(&app), commit);
    assert_eq!(written(&app).await, [(bob_id, app.products[0])]);
}
