//! Many customers, an admin and the workers do random things at the same time; whatever happens, the books balance.
//!
//! `PROPERTY_CASES` says how many shops are opened (4 by default), `PROPERTY_SEED` repeats what one of them was asked. What
//! happens at the same moment is not repeated exactly: that is up to the machine.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use platform::config::Env;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::json;
use shopmicro_backend::workers::{Pass, outbox, payments};
use shopmicro_backend::{AppState, Parts};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp, checkout_body};

const APPROVED: &str = "4242424242424242";
const DECLINED: &str = "4000000000000002";
const TIMES_OUT: &str = "4000000000000119";
const ANSWER_LOST: &str = "4000000000000341";

const CUSTOMERS: usize = 6;
const ACTS: usize = 40;

/// Fails where an answer is none that the contract knows for this.
#[track_caller]
fn expect_one_of(answer: &Answer, statuses: &[u16]) {
    assert!(statuses.contains(&answer.status), "{} is none of {statuses:?}: {}", answer.status, answer.text);
}

/// A customer who remembers what was answered under which key.
struct Customer {
    client: Client,
    random: StdRng,
    /// By key: the card, and the first answer that used the key up.
    attempts: HashMap<String, (&'static str, Answer)>,
}

impl Customer {
    async fn act(&mut self, products: &[Uuid]) {
        let product = *products.choose(&mut self.random).expect("products");
        match self.random.random_range(0..100) {
            0..35 => {
                let answer = self.client.put_item(product, self.random.random_range(1..=3)).await;
                // Archived products cannot be put in.
                expect_one_of(&answer, &[200, 404]);
            }
            35..40 => {
                self.client.delete(&format!("/api/cart/items/{product}")).await.expect(200);
            }
            40..65 => self.check_out().await,
            65..75 => self.repeat().await,
            75..80 => self.misuse_a_key().await,
            80..95 => self.cancel().await,
            _ => {
                self.client.get("/api/orders?limit=3").await.expect(200);
            }
        }
    }

    /// Once, or twice at the same moment under the same key: that makes no difference.
    async fn check_out(&mut self) {
        let cards = [APPROVED, APPROVED, APPROVED, APPROVED, DECLINED, DECLINED, ANSWER_LOST, TIMES_OUT];
        let card = *cards.choose(&mut self.random).expect("cards");
        let key = Uuid::new_v4().to_string();
        let first = if self.random.random_bool(0.3) {
            let (a, b) = join(self.client.checkout(&key, card), self.client.checkout(&key, card)).await;
            // Refused ones leave the key free, and the cart may be another for the second.
            if a.status != 409 && b.status != 409 {
                assert_eq!((a.status, &a.text), (b.status, &b.text));
            }
            if a.status == 409 { b } else { a }
        } else {
            self.client.checkout(&key, card).await
        };
        expect_one_of(&first, if card == DECLINED { &[402, 409] } else { &[201, 409] });
        if first.status == 409 {
            self.take_out_what_is_not_there(&first).await;
        } else {
            self.attempts.insert(key, (card, first));
        }
    }

    /// As somebody does who wants to buy the rest.
    async fn take_out_what_is_not_there(&self, refusal: &Answer) {
        let problem = refusal.expect(409);
        for item in problem["items"].as_array().into_iter().flatten() {
            let id = item["product_id"].as_str().expect("an id");
            self.client.delete(&format!("/api/cart/items/{id}")).await.expect(200);
        }
    }

    async fn repeat(&mut self) {
        let Some((key, (card, first))) = self.any_attempt() else { return };
        let again = self.client.checkout(&key, card).await;
        assert_eq!(
            (again.status, &again.text),
            (first.status, &first.text),
            "the answer to a key changes never"
        );
    }

    async fn misuse_a_key(&mut self) {
        let Some((key, (card, _))) = self.any_attempt() else { return };
        let mut body = checkout_body(card);
        body["shipping_address"]["city"] = json!("Elsewhere");
        self.client.checkout_with(&key, &body).await.refused(422, "idempotency-mismatch");
    }

    async fn cancel(&mut self) {
        let Some((_, (_, answer))) = self.any_attempt() else { return };
        if answer.status == 201 {
            let id = answer.expect(201)["id"].as_str().expect("an id").to_owned();
            let answer = self.client.post(&format!("/api/orders/{id}/cancel"), &json!({})).await;
            expect_one_of(&answer, &[200, 409]);
        }
    }

    fn any_attempt(&mut self) -> Option<(String, (&'static str, Answer))> {
        let mut keys: Vec<&String> = self.attempts.keys().collect();
        // The map's own order is another in each process.
        keys.sort_unstable();
        let key = (*keys.choose(&mut self.random)?).clone();
        let attempt = self.attempts[&key].clone();
        Some((key, attempt))
    }
}

/// Prices, stock, archiving, and orders on their way.
async fn administer(app: &TestApp, admin: &Client, mut random: StdRng) {
    for _ in 0..ACTS {
        let product = *app.products.choose(&mut random).expect("products");
        let path = format!("/api/products/{product}");
        let answer = match random.random_range(0..7) {
            0 | 1 => {
                let delta = if random.random_bool(0.7) { 20 } else { -3 };
                let body = json!({ "delta": delta, "note": "counted" });
                admin.post(&format!("{path}/stock"), &body).await
            }
            2 => admin.delete(&path).await,
            3 | 4 => admin.post(&format!("{path}/restore"), &json!({})).await,
            5 => {
                let known = admin.get(&path).await;
                if known.status == 404 {
                    continue;
                }
                let known = known.expect(200);
                let mut body = json!({});
                for field in ["sku", "name", "description", "category", "tags"] {
                    body[field] = known[field].clone();
                }
                body["price_cents"] = json!(random.random_range(1..1000));
                let put = admin.request(Method::PUT, &path).json(&body);
                Answer::of(put.header("if-match", format!("\"{}\"", known["version"]))).await
            }
            _ => {
                let page = admin.get("/api/admin/orders?status=paid&limit=1").await.expect(200);
                let Some(id) = page["items"][0]["id"].as_str() else { continue };
                let patch = admin.request(Method::PATCH, &format!("/api/admin/orders/{id}"));
                let status = ["shipped", "cancelled"].choose(&mut random).expect("statuses");
                Answer::of(patch.json(&json!({ "status": status }))).await
            }
        };
        // Archived or restored already, too little to take away, somebody else's edit, an order that has gone on.
        expect_one_of(&answer, &[200, 201, 204, 404, 409, 412]);
    }
}

/// What each order went through, as its events tell it.
async fn expect_legal_stories(app: &TestApp) {
    let sql = "select order_id, array_agg(kind order by id) as kinds from outbox group by order_id";
    for row in app.rows(sql, &[]).await {
        let kinds: Vec<String> = row.get("kinds");
        let kinds: Vec<&str> = kinds.iter().filter_map(|kind| kind.strip_prefix("order.")).collect();
        let legal: [&[&str]; 6] = [
            &["placed", "paid"],
            &["placed", "payment_failed"],
            &["placed", "cancelled"],
            &["placed", "paid", "cancelled"],
            &["placed", "paid", "shipped"],
            &["placed", "paid", "shipped", "delivered"],
        ];
        assert!(legal.contains(&kinds.as_slice()), "{kinds:?}");
    }
}

async fn one_shop(seed: u64) {
    let app = TestApp::new().await.with_products(5).await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut customers = Vec::new();
    for _ in 0..CUSTOMERS {
        let (client, random) = (app.customer().await, StdRng::from_rng(&mut random));
        customers.push(Customer { client, random, attempts: HashMap::new() });
    }
    let admin = app.admin().await;
    let shopping = join_all(customers.iter_mut().map(async |customer| {
        for _ in 0..ACTS {
            customer.act(&app.products).await;
        }
    }));
    let working = async {
        for _ in 0..ACTS {
            app.sql("update orders set payment_due_at = now() where payment_due_at is not null").await;
            payments::pass(&app.state).await.expect("a pass");
            outbox::pass(&app.state).await.expect("a pass");
        }
    };
    let ((), (), _) =
        tokio::join!(administer(&app, &admin, StdRng::from_rng(&mut random)), working, shopping);

    // In the end every payment is settled and every event published.
    app.sql("update orders set payment_due_at = now() where payment_due_at is not null").await;
    let later = Parts { order_expiry: Duration::ZERO, ..Parts::clone(&app.state) };
    let later = AppState(Arc::new(later));
    while payments::pass(&later).await.expect("a pass") == Pass::More {}
    while outbox::pass(&app.state).await.expect("a pass") == Pass::More {}
    assert_eq!(app.number("select count(*) from orders where status = 'pending_payment'").await, 0);
    assert_eq!(app.number("select count(*) from outbox where published_at is null").await, 0);

    app.expect_balance().await;
    let sold = "select count(*) from products p where p.stock <> 10 \
                + (select coalesce(sum(delta), 0) from stock_movements m \
                   where m.product_id = p.id and m.reason = 'adjustment') \
                - (select coalesce(sum(i.quantity), 0) from order_items i join orders o on o.id = i.order_id \
                   where i.product_id = p.id and o.status in ('paid', 'shipped', 'delivered'))";
    assert_eq!(app.number(sold).await, 0, "what was sold is gone, and nothing else");
    expect_legal_stories(&app).await;

    let attempts: usize = customers.iter().map(|customer| customer.attempts.len()).sum();
    let attempts = i64::try_from(attempts).expect("few");
    assert_eq!(app.number("select count(*) from orders").await, attempts, "one order for each key");
    assert_eq!(app.number("select count(distinct order_id) from order_items").await, attempts);
    assert!(attempts > 5, "only {attempts} orders: the test proved little");
    for customer in &mut customers {
        customer.repeat().await;
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "tests that pass show nothing of it")]
async fn the_books_balance_whatever_happens() {
    let mut env = Env::from_process();
    let cases: u64 = env.parse("PROPERTY_CASES", 4);
    let seeds: Vec<u64> = match env.parse_optional("PROPERTY_SEED") {
        Some(seed) => vec![seed],
        None => (0..cases).map(|_| rand::random()).collect(),
    };
    env.finish().expect("numbers");
    for seed in seeds {
        eprintln!("PROPERTY_SEED={seed}");
        one_shop(seed).await;
    }
}
