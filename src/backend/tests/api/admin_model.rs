//! `/api/admin/model`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Recommender, Reply, Setup};

#[tokio::test]
async fn an_admin_sees_the_model_and_has_another_trained() {
    let recommender = Recommender::start(Reply::Silence).await;
    let app = Setup::default().recommender(&recommender).start().await;
    let admin = app.admin().await;
    let model = json!({
        "model_version": "v7", "trained_at": "2026-01-02T03:04:05Z",
        "products": 3, "terms": 40, "interactions": 5, "users": 2,
        "quality": { "hit_rate": 0.25, "customers": 2 },
        "training": { "stage": "fitting", "last": "trained", "last_milliseconds": 12 },
    });
    recommender.reply(Reply::Json(model.clone()));
    assert_eq!(admin.get("/api/admin/model").await.expect(200), json!({ "model": model }));
    // A version before this one tells less.
    let mut less = model.clone();
    less.as_object_mut()
        .expect("an object")
        .retain(|name, _| !["quality", "training"].contains(&name.as_str()));
    recommender.reply(Reply::Json(less));
    let told = admin.get("/api/admin/model").await.expect(200)["model"].clone();
    assert_eq!((&told["quality"], &told["training"]["stage"]), (&Value::Null, &json!("idle")));
    // Before there is a first model, its training is told.
    let mut none = model.clone();
    (none["model_version"], none["trained_at"]) = (Value::Null, Value::Null);
    recommender.reply(Reply::Json(none.clone()));
    assert_eq!(admin.get("/api/admin/model").await.expect(200)["model"], none);
    assert_eq!(recommender.asked(), ["/api/model"; 3]);

    let training = json!({ "status": "started", "model_version": "v7" });
    recommender.reply(Reply::Json(training.clone()));
    let retrain = async || Answer::of(admin.request(Method::POST, "/api/admin/model/retrain")).await;
    assert_eq!(retrain().await.expect(202), training);
    assert_eq!(recommender.asked(), ["/api/model/retrain"]);

    recommender.reply(Reply::Status(503));
    assert_eq!(admin.get("/api/admin/model").await.expect(200), json!({ "model": null }));
    retrain().await.refused(503, "unavailable");
    let noted = app.rows("select detail from audit_log where action = 'model.retrained'", &[]).await;
    let noted: Vec<Value> = noted.iter().map(|row| row.get("detail")).collect();
    assert_eq!(noted, [json!({ "model_version": "v7" })]);
}
