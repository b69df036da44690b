use acceptance::{PASSWORD, Visitor, address};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn an_account_logs_in_and_out() {
    let visitor = Visitor::new();
    let email = address();
    let user = visitor.register(&email.to_uppercase()).await;
    assert_eq!((user["email"].as_str(), user["role"].as_str()), (Some(email.as_str()), Some("customer")));
    assert_eq!(visitor.get("/api/users/me").await.expect(200)["id"], user["id"]);

    let logout = visitor.send(Method::POST, "/api/users/logout", &json!({})).await;
    assert_eq!(logout.status.as_u16(), 204, "{logout:?}");
    visitor.get("/api/users/me").await.expect_problem(401, "unauthenticated");

    let login = visitor
        .send(Method::POST, "/api/users/login", &json!({ "email": email, "password": PASSWORD }))
        .await;
    login.expect(200);
    let cookie = login.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(visitor.get("/api/users/me").await.expect(200)["id"], user["id"]);
}

#[tokio::test]
async fn an_unknown_account_and_a_wrong_password_look_the_same() {
    let email = address();
    Visitor::new().register(&email).await;
    let mut answers = Vec::new();
    for email in [email, address()] {
        let body = json!({ "email": email, "password": "not the password" });
        let answer = Visitor::new().send(Method::POST, "/api/users/login", &body).await;
        let mut problem = answer.expect_problem(401, "unauthenticated");
        problem["trace_id"].take();
        answers.push(problem);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn an_address_has_one_account() {
    let email = address();
    Visitor::new().register(&email).await;
    let body = json!({ "email": email, "password": PASSWORD, "name": "Eve" });
    Visitor::new().send(Method::POST, "/api/users", &body).await.expect_problem(409, "email-taken");
}
