//! `/api/admin/overview`.

use serde_json::{Value, json};

use crate::harness::{NewProduct, TestApp};

#[tokio::test]
async fn an_admin_sees_what_was_sold_and_what_runs_out() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, ada) = (app.admin().await, app.customer().await);
    for key in ["a", "b", "c", "d", "e"] {
        ada.put_item(app.products[0], 1).await.expect(200);
        ada.checkout(key, "4242424242424242").await.expect(201);
    }
    let sql = "update orders set status = case key when 'b' then 'shipped' when 'c' then 'cancelled' else 'paid' end, \
               total_cents = 1000, \
               created_at = orders.created_at - case key when 'd' then interval '29 days' when 'e' then interval '30 days' \
               else interval '0' end \
               from idempotency_keys k where k.order_id = orders.id";
    app.execute(sql, &[]).await;
    app.execute("update products set stock = 10", &[]).await;
    for (name, stock) in [("five", 5), ("six", 6), ("none", 0)] {
        app.add(NewProduct { name, stock, ..Default::default() }).await;
    }
    let overview = admin.get("/api/admin/overview").await.expect(200);
    let days = overview["days"].as_array().expect("days");
    assert_eq!(days.len(), 30);
    let sold = |day: &Value| (day["orders"].clone(), day["revenue_cents"].clone());
    assert_eq!(sold(&days[29]), (json!(2), json!(2000)));
    assert_eq!(sold(&days[0]), (json!(1), json!(1000)));
    assert!(days[1..29].iter().all(|day| sold(day) == (json!(0), json!(0))), "{days:?}");
    let today = app.rows("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as day", &[]).await;
    assert_eq!(days[29]["day"], today[0].get::<_, &str>("day"));
    assert_eq!(overview["to_ship"], 3);
    let low = overview["low_stock"].as_array().expect("products").iter();
    let low: Vec<_> = low.map(|product| (&product["name"], &product["stock"])).collect();
    assert_eq!(low, [(&json!("none"), &json!(0)), (&json!("five"), &json!(5))]);
}
