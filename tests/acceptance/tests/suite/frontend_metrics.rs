use acceptance::Visitor;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn reports_are_taken_and_bounded() {
    let visitor = Visitor::new();
    let vital = json!({ "name": "LCP", "value": 812.5, "page": "/products/{id}" });
    let error = json!({ "message": "x is undefined", "page": "/cart" });
    let report = json!({ "metrics": [vital], "errors": [error] });
    let answer = visitor.send(Method::POST, "/api/frontend-metrics", &report).await;
    assert_eq!(answer.status.as_u16(), 202, "{answer:?}");
    for (field, bad) in [
        ("metrics[0].page", json!({ "metrics": [{ "name": "LCP", "value": 1, "page": "/products/42" }] })),
        ("metrics[0].value", json!({ "metrics": [{ "name": "CLS", "value": -1, "page": "/" }] })),
        ("metrics", json!({ "metrics": vec![vital; 21] })),
    ] {
        let problem =
            visitor.send(Method::POST, "/api/frontend-metrics", &bad).await.expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
}
