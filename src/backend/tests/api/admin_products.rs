//! `/api/products` as admins write it.

mod stock;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, NewProduct, TestApp};

fn body(sku: &str) -> Value {
    json!({
        "sku": sku, "name": "White metal lantern", "description": "Pierced by hand.", "category": "Garden",
        "tags": ["candle"], "price_cents": 1450, "image_url": null,
    })
}

/// A body with one field changed.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

async fn found(client: &Client, q: &str) -> usize {
    let page = client.query("/api/products", &[("q", q)]).await.expect(200);
    page["items"].as_array().expect("items").len()
}

/// What the audit log has of products, as action and subject.
async fn audit(app: &TestApp) -> Vec<(String, String)> {
    let rows = app
        .rows("select action, subject from audit_log where action like 'product.%' order by id", &[])
        .await;
    rows.iter().map(|row| (row.get("action"), row.get("subject"))).collect()
}

#[tokio::test]
async fn only_admins_write() {
    let app = TestApp::new().await.with_products(1).await;
    let path = format!("/api/products/{}", app.products[0]);
    let requests = |client: &Client| {
        let request = |method: Method, path: &str| client.request(method, path);
        [
            request(Method::POST, "/api/products").json(&body("A")),
            request(Method::POST, "/api/products/import").json(&json!({ "items": [body("C")] })),
            request(Method::PUT, &path).header("if-match", "\"1\"").json(&body("B")),
            request(Method::DELETE, &path),
            request(Method::POST, &format!("{path}/restore")),
            request(Method::POST, &format!("{path}/stock")).json(&json!({ "delta": 1, "note": "" })),
            request(Method::GET, &format!("{path}/stock")),
            request(Method::GET, "/api/products/archived"),
        ]
    };
    let customer = app.customer().await;
    for request in requests(&app.guest()) {
        Answer::of(request).await.refused(401, "unauthenticated");
    }
    for request in requests(&customer) {
        Answer::of(request).await.refused(403, "forbidden");
    }
    assert_eq!(
        app.number("select count(*) from products where version = 1 and archived_at is null").await,
        1
    );
    assert!(audit(&app).await.is_empty());
    for request in requests(&app.admin().await) {
        let answer = Answer::of(request).await;
        assert!((200..300).contains(&answer.status), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_new_product_is_for_sale_and_found_at_once() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    // A list without it is kept already.
    assert_eq!(admin.get("/api/products").await.expect(200)["items"], json!([]));
    let answer = admin.post("/api/products", &with(body("GAR-1"), "stock", json!(12))).await;
    let product = answer.expect(201);
    let id: Uuid = serde_json::from_value(product["id"].clone()).expect("an id");
    assert_eq!(answer.header("location"), format!("/api/products/{id}"));
    assert_eq!(
        (&product["version"], &product["stock"], &product["currency"]),
        (&json!(1), &json!(12), &json!("GBP"))
    );
    assert_eq!(product["image_url"], format!("/api/products/{id}/picture.svg"));
    let guest = app.guest();
    let shown = guest.get(answer.header("location")).await;
    assert_eq!((shown.expect(200), shown.header("etag")), (product.clone(), answer.header("etag")));
    assert_eq!(guest.get("/api/products").await.expect(200)["items"], json!([product]));
    assert_eq!(found(&guest, "metal lantern").await, 1);
    let ledger = admin.get(&format!("/api/products/{id}/stock")).await.expect(200);
    assert_eq!((&ledger["sum"], &ledger["items"][0]["reason"]), (&json!(12), &json!("opening")));
    assert_eq!(audit(&app).await, [("product.created".to_owned(), id.to_string())]);
}

#[tokio::test]
async fn an_import_takes_what_it_can_and_tells_of_the_rest() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let gone = admin.post("/api/products", &body("GONE")).await.expect(201);
    admin.delete(&format!("/api/products/{}", gone["id"].as_str().expect("an id"))).await.expect(204);
    // A list without them is kept already.
    assert_eq!(admin.get("/api/products").await.expect(200)["items"], json!([]));
    let items = [
        with(body("A"), "stock", json!(12)),
        with(body("B"), "price_cents", json!(-1)),
        with(body("C"), "image_url", json!("https://example.com/c.jpg")),
        with(body("A"), "name", json!("Another lantern")),
        with(with(body(" "), "name", json!("")), "tags", json!(["a,b"])),
        body("GONE"),
    ];
    let import = async || admin.post("/api/products/import", &json!({ "items": items })).await.expect(200);
    let places = |outcome: &Value| {
        let refused = outcome["refused"].as_array().expect("refused").iter();
        let place = |item: &Value| {
            let errors = item["errors"].as_array().expect("errors").iter();
            let fields: Vec<_> = errors.map(|error| error["field"].as_str().expect("a field")).collect();
            format!("{}: {}", item["index"], fields.join(" "))
        };
        refused.map(place).collect::<Vec<_>>()
    };
    let refused = ["1: price_cents", "3: sku", "4: tags[0] sku name", "5: sku"];
    let first = import().await;
    assert_eq!((&first["created"], &first["unchanged"]), (&json!(2), &json!(0)));
    assert_eq!(places(&first), refused);
    let page = admin.query("/api/products", &[("sort", "name")]).await.expect(200);
    let shown: Vec<_> = page["items"].as_array().expect("items").iter().map(|item| &item["sku"]).collect();
    assert_eq!(shown, ["A", "C"]);
    assert_eq!(page["items"][1]["image_url"], "https://example.com/c.jpg");
    assert_eq!(found(&app.guest(), "metal lantern").await, 2);
    let id = page["items"][0]["id"].as_str().expect("an id").to_owned();
    let ledger = admin.get(&format!("/api/products/{id}/stock")).await.expect(200);
    assert_eq!((&ledger["sum"], &ledger["items"][0]["reason"]), (&json!(12), &json!("opening")));
    assert!(audit(&app).await.contains(&("product.created".to_owned(), id.clone())));

    // Again, as when the answer was lost; meanwhile one was sold.
    admin.post(&format!("/api/products/{id}/stock"), &json!({ "delta": -1, "note": "" })).await.expect(200);
    let second = import().await;
    assert_eq!((&second["created"], &second["unchanged"]), (&json!(0), &json!(2)));
    assert_eq!(places(&second), refused);
    assert_eq!(app.number("select count(*) from products").await, 3);
    assert_eq!(audit(&app).await.iter().filter(|(action, _)| action == "product.created").count(), 3);

    for items in [json!([]), json!(vec![body("D"); 101]), json!([with(body("D"), "colour", json!("red"))])] {
        let answer = admin.post("/api/products/import", &json!({ "items": items })).await;
        answer.refused(422, "invalid");
    }
    assert_eq!(app.number("select count(*) from products").await, 3);
}

#[tokio::test]
async fn a_sku_belongs_to_one_product() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let first = admin.post("/api/products", &body("A")).await.expect(201);
    let second = admin.post("/api/products", &body("B")).await.expect(201);
    let answer = admin.post("/api/products", &body("A")).await;
    assert_eq!(answer.refused_fields(409, "sku-taken"), ["sku"]);
    let path = format!("/api/products/{}", second["id"].as_str().expect("an id"));
    admin.replace(&path, "\"1\"", &body("A")).await.refused(409, "sku-taken");
    // An archived product keeps its own, since it can be restored.
    admin.delete(&format!("/api/products/{}", first["id"].as_str().expect("an id"))).await.expect(204);
    admin.post("/api/products", &body("A")).await.refused(409, "sku-taken");
    assert_eq!(app.number("select count(*) from products").await, 2);
    assert_eq!(audit(&app).await.len(), 3, "what failed is not in the log");
}

#[tokio::test]
async fn every_mistake_is_named() {
    let app = TestApp::new().await.with_products(1).await;
    let admin = app.admin().await;
    let path = format!("/api/products/{}", app.products[0]);
    let bad = json!({
        "sku": " ", "name": "n".repeat(201), "description": "d".repeat(4001), "category": "",
        "tags": ["good", "a,b", ""], "price_cents": -1, "image_url": "javascript:alert(1)",
    });
    let wrong = ["category", "description", "image_url", "name", "price_cents", "sku", "tags[1]", "tags[2]"];
    let sorted = |mut fields: Vec<String>| {
        fields.sort_unstable();
        fields
    };
    let answer = admin.replace(&path, "\"1\"", &bad).await;
    assert_eq!(sorted(answer.refused_fields(422, "invalid")), wrong);
    let answer = admin.post("/api/products", &with(bad, "stock", json!(-1))).await;
    let refused = sorted(answer.refused_fields(422, "invalid"));
    assert_eq!(
        refused.iter().filter(|field| *field != "stock").collect::<Vec<_>>(),
        wrong.iter().collect::<Vec<_>>()
    );
    assert_eq!(refused.len(), wrong.len() + 1);
    for (field, value) in [
        ("colour", json!("red")),
        ("stock", json!(5)),
        ("version", json!(1)),
        ("price_cents", json!(1.5)),
        ("price_cents", json!("1")),
        ("tags", json!("red")),
    ] {
        let answer = admin.replace(&path, "\"1\"", &with(body("A"), field, value)).await;
        assert_eq!(answer.refused_fields(422, "invalid"), [field]);
    }
    // What is left out is not emptied.
    for field in ["sku", "name", "description", "category", "tags", "price_cents"] {
        let mut part = body("A");
        part.as_object_mut().expect("an object").remove(field);
        let answer = admin.replace(&path, "\"1\"", &part).await;
        assert_eq!(answer.refused_fields(422, "invalid"), [field]);
    }
}

#[tokio::test]
async fn an_edit_replaces_everything_and_is_seen_at_once_on_every_replica() {
    let app = TestApp::new().await;
    let (_, other) = app.replica().await;
    let id =
        app.add(NewProduct { name: "Mug", category: "Cups", tags: &["tea"], ..Default::default() }).await;
    let admin = app.admin().await;
    let path = format!("/api/products/{id}");
    let first = other.get(&path).await;
    assert_eq!(names(&other).await, ["Mug"]);
    let categories = other.get("/api/categories").await.expect(200);
    assert_eq!(categories["items"][0]["name"], "Cups");

    let edited = admin.replace(&path, first.header("etag"), &body("A")).await;
    let product = edited.expect(200);
    assert_eq!(
        (&product["version"], &product["name"], &product["stock"]),
        (&json!(2), &json!("White metal lantern"), &json!(10))
    );
    for client in [&other, &app.guest()] {
        let shown = client.get(&path).await;
        assert_eq!((shown.expect(200), shown.header("etag")), (product.clone(), edited.header("etag")));
        assert_eq!(names(client).await, ["White metal lantern"]);
        let categories = client.get("/api/categories").await.expect(200);
        assert_eq!(categories["items"][0]["name"], "Garden");
        assert_eq!((found(client, "lantern").await, found(client, "mug").await), (1, 0));
    }
    assert_eq!(audit(&app).await, [("product.edited".to_owned(), id.to_string())]);
}

async fn names(client: &Client) -> Vec<String> {
    let page = client.get("/api/products").await.expect(200);
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn two_editors_do_not_overwrite_each_other_unseen() {
    let app = TestApp::new().await.with_products(1).await;
    let admin = app.admin().await;
    let path = format!("/api/products/{}", app.products[0]);
    let seen = admin.get(&path).await.header("etag").to_owned();
    Answer::of(admin.request(Method::PUT, &path).json(&body("A")))
        .await
        .refused(428, "precondition-required");
    admin.replace(&path, "1", &body("A")).await.refused(400, "bad-request");
    admin.replace(&path, &seen, &body("A")).await.expect(200);
    let conflict = admin.replace(&path, &seen, &body("B")).await.refused(412, "version-conflict");
    assert_eq!(conflict["version"], 2);
    admin.replace(&path, "\"1\"", &body("B")).await.refused(412, "version-conflict");
    assert_eq!(admin.get(&path).await.expect(200)["sku"], "A");
    admin.replace(&path, "\"2\"", &body("B")).await.expect(200);
    admin.replace(&path, "*", &body("C")).await.expect(200);
    admin
        .replace(&format!("/api/products/{}", Uuid::new_v4()), "*", &body("D"))
        .await
        .refused(404, "not-found");
}

#[tokio::test]
async fn of_editors_at_the_same_moment_one_wins() {
    let app = TestApp::new().await.with_products(1).await;
    let admin = app.admin().await;
    let path = format!("/api/products/{}", app.products[0]);
    let bodies: Vec<Value> = (0..8).map(|n| body(&format!("A-{n}"))).collect();
    let edits = bodies.iter().map(|body| admin.replace(&path, "\"1\"", body));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(edits).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    assert_eq!(audit(&app).await.len(), 1);
}

/// The tag of before the sale is good: the edit does not touch the stock.
#[tokio::test]
async fn a_sale_does_not_disturb_an_editor() {
    let app = TestApp::new().await.with_products(1).await;
    let admin = app.admin().await;
    let path = format!("/api/products/{}", app.products[0]);
    let seen = admin.get(&path).await.header("etag").to_owned();
    let customer = app.customer().await;
    customer.put_item(app.products[0], 3).await.expect(200);
    customer.checkout("k", "4242424242424242").await.expect(201);
    let now = admin.get(&path).await;
    assert_eq!(
        (now.header("etag") == seen, &now.expect(200)["stock"]),
        (false, &json!(7)),
        "a new body has a new tag"
    );
    let edited = admin.replace(&path, &seen, &body("A")).await.expect(200);
    assert_eq!((&edited["stock"], &edited["version"]), (&json!(7), &json!(2)));
}

/// Who saw an older version shall not take the present one away, where the request says so.
#[tokio::test]
async fn a_version_that_is_named_is_the_one_that_goes_and_returns() {
    let app = TestApp::new().await.with_products(1).await;
    let admin = app.admin().await;
    let path = format!("/api/products/{}", app.products[0]);
    let seen = app.guest().get(&path).await.header("etag").to_owned();
    admin.replace(&path, &seen, &body("A")).await.expect(200);
    let send = async |method: Method, path: &str, version: &str| {
        Answer::of(admin.request(method, path).header("if-match", version)).await
    };
    let restore = format!("{path}/restore");
    for (method, path) in [(Method::DELETE, &path), (Method::POST, &restore)] {
        let conflict = send(method.clone(), path, &seen).await.refused(412, "version-conflict");
        assert_eq!(conflict["version"], 2);
        send(method.clone(), path, "2").await.refused(400, "bad-request");
        send(method, path, "\"2\"").await.expect(204);
    }
    let actions = "select count(*) from audit_log where action in ('product.archived', 'product.restored')";
    assert_eq!(app.number(actions).await, 2);
}

#[tokio::test]
async fn an_archived_product_is_kept_and_can_return() {
    let app = TestApp::new().await.with_products(3).await;
    let admin = app.admin().await;
    let path = |n: usize| format!("/api/products/{}", app.products[n]);
    let product = admin.get(&path(0)).await.expect(200);
    admin.get("/api/products?limit=100").await.expect(200);
    for n in [0, 1] {
        for _ in 0..2 {
            admin.delete(&path(n)).await.expect(204);
        }
        admin.get(&path(n)).await.refused(404, "not-found");
        admin.replace(&path(n), "*", &body("A")).await.refused(404, "not-found");
    }
    assert_eq!(names(&admin).await.len(), 1);
    let first = admin.get("/api/products/archived?limit=1").await.expect(200);
    assert_eq!(first["items"][0]["id"], app.products[1].to_string());
    assert!(first["items"][0]["archived_at"].is_string());
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest = admin.query("/api/products/archived", &[("cursor", cursor)]).await.expect(200);
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&product["id"], &Value::Null));

    for _ in 0..2 {
        admin.post(&format!("{}/restore", path(0)), &Value::Null).await.expect(204);
    }
    let back = admin.get(&path(0)).await.expect(200);
    assert_eq!((&back["sku"], &back["version"]), (&product["sku"], &product["version"]));
    assert_eq!(names(&admin).await.len(), 2);
    let actions: Vec<String> = audit(&app).await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["product.archived", "product.archived", "product.restored"]);
    let nowhere = format!("/api/products/{}", Uuid::new_v4());
    admin.delete(&nowhere).await.refused(404, "not-found");
    admin.post(&format!("{nowhere}/restore"), &Value::Null).await.refused(404, "not-found");
}
