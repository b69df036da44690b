//! The checker finds what is wrong: a shop whose code was broken on purpose, and books that were changed behind its back. In
//! a shop that is as it should be it finds nothing.

use std::time::Duration;

use chaos::checker::{check, deliveries};
use chaos::customers::Crowd;
use chaos::events::{Consumer, Seen};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use stack::{Component, Stack};
use tokio::sync::watch;
use tokio_postgres::Client;

/// How often customers are let in until they have met what is broken: one in seven pays with a card that is declined.
const ATTEMPTS: usize = 40;

struct Shop {
    stack: Stack,
    database: Client,
    crowd: Crowd,
}

impl Shop {
    async fn open(over: watch::Receiver<bool>) -> Self {
        let parts = [Component::Postgres, Component::Redis, Component::Backend];
        let stack = Stack::builder().only(parts).start().await.expect("the stack starts");
        let database = stack.database().await.expect("the database");
        let stocked = "with moved as (insert into stock_movements (product_id, delta, reason) \
                       select id, 1000000, 'adjustment' from products) update products set stock = stock + 1000000";
        database.batch_execute(stocked).await.expect("plenty");
        let products =
            database.query("select id from products order by sku limit 20", &[]).await.expect("read");
        let products = products.iter().map(|row| row.get(0)).collect();
        let url = stack.url(Component::Backend).expect("url");
        Self { stack, database, crowd: Crowd::new(url, products, over) }
    }

    /// Customers buy until some more checkouts were answered.
    async fn sell(&self, over: &watch::Sender<bool>) {
        over.send_replace(false);
        let customers: Vec<_> = (0..4)
            .map(|number| {
                let rng = SmallRng::seed_from_u64(rand::random());
                tokio::spawn(self.crowd.clone().buy(number, rng))
            })
            .collect();
        let enough = self.answered() + 4;
        while self.answered() < enough {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        over.send_replace(true);
        for customer in customers {
            customer.await.expect("joined");
        }
    }

    fn answered(&self) -> usize {
        self.crowd.told().attempts.iter().filter(|attempt| attempt.answer.is_some()).count()
    }

    /// What the checker finds.
    async fn wrong(&self) -> Vec<String> {
        check(&self.crowd, &self.database).await.expect("checked")
    }

    async fn execute(&self, sql: &str) {
        self.database.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Puts other code in the place of a part of a function of the database, which is where the shop's rules about money
    /// and stock are.
    async fn break_function(&self, name: &str, part: &str, with: &str) {
        // Of an older form that is kept for the version before, the one with more parameters is what the shop calls.
        let sql =
            "select pg_get_functiondef(oid) from pg_proc where proname = $1 order by pronargs desc limit 1";
        let good: String = self.database.query_one(sql, &[&name]).await.expect("there is one").get(0);
        let broken = good.replacen(part, with, 1);
        assert_ne!(broken, good, "{part} is not in {name}");
        self.execute(&broken).await;
    }
}

/// A function, what of it is replaced by what, and what the checker says.
const MUTANTS: [[&str; 4]; 6] = [
    // A sale takes nothing out of the stock.
    ["place_order", "stock = p.stock - l.quantity", "stock = p.stock", "stock is not the sum"],
    // The books have another sale than there was.
    ["place_order", "-l.quantity, 'order'", "-l.quantity - 1, 'order'", "not those of the orders"],
    // What a customer pays is not what the items cost.
    [
        "place_order",
        "sum(l.price_cents * l.quantity)",
        "sum(l.price_cents * l.quantity) + 1",
        "not the sum of its items",
    ],
    // An order is paid without a word to anybody.
    ["settle_payment", "'order.' || answer", "'order.placed'", "no event of its status"],
    // A declined card pays.
    ["settle_payment", "if changed and outcome = 'captured' then", "if changed then", "paid without money"],
    // An order whose card was declined keeps its units.
    ["settle_payment", "perform return_stock(this_order)", "perform 1", "not those of the orders"],
];

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_shop_is_found_out_and_a_good_one_is_not() {
    let (over, is_over) = watch::channel(false);
    for [function, part, with, finding] in MUTANTS {
        let shop = Shop::open(is_over.clone()).await;
        shop.sell(&over).await;
        assert_eq!(shop.wrong().await, [""; 0], "nothing is wrong with a good shop");
        shop.break_function(function, part, with).await;
        let mut wrong = Vec::new();
        for _ in 0..ATTEMPTS {
            shop.sell(&over).await;
            wrong = shop.wrong().await;
            if wrong.iter().any(|wrong| wrong.contains(finding)) {
                break;
            }
        }
        assert!(wrong.iter().any(|wrong| wrong.contains(finding)), "{function} {with}: {wrong:?}");
    }
}

/// What somebody does to the books, how it is undone, and what the checker says.
const DAMAGES: [(&str, &str, &str); 9] = [
    (
        "update products set stock = stock + 1",
        "update products set stock = stock - 1",
        "stock is not the sum",
    ),
    (
        "update payment_provider.charges set amount_cents = amount_cents + 1",
        "update payment_provider.charges set amount_cents = amount_cents - 1",
        "not as much as it costs",
    ),
    (
        "update payment_provider.charges c set status = 'voided' from orders o \
         where o.id = c.order_id and o.status = 'paid'",
        "update payment_provider.charges c set status = 'captured' from orders o \
         where o.id = c.order_id and o.status = 'paid'",
        "paid without money",
    ),
    (
        "insert into payment_provider.charges values (gen_random_uuid(), 'captured', 1)",
        "delete from payment_provider.charges where amount_cents = 1",
        "money was taken for no order",
    ),
    (
        "update orders set total_cents = total_cents + 1",
        "update orders set total_cents = total_cents - 1",
        "told something else",
    ),
    (
        "update orders set status = 'payment_failed' where status = 'paid'",
        "update orders set status = 'paid' where payment = 'captured'",
        "told something else",
    ),
    (
        "update orders set payment = 'pending', updated_at = now() - interval '1 hour' where status = 'paid'",
        "update orders set payment = 'captured', updated_at = now() where status = 'paid'",
        "not followed to its end",
    ),
    (
        "update outbox set published_at = null, created_at = now() - interval '1 hour'",
        "update outbox set published_at = now()",
        "an event was not published",
    ),
    (
        "update idempotency_keys set key = 'x' || key",
        "update idempotency_keys set key = substr(key, 2)",
        "an order that nobody asked for",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_the_books_is_found() {
    let (over, is_over) = watch::channel(false);
    let mut shop = Shop::open(is_over).await;
    shop.sell(&over).await;
    // So that nobody mends it meanwhile.
    shop.stack.stop(Component::Backend).await.expect("it ends");
    for (damage, repair, finding) in DAMAGES {
        assert_eq!(shop.wrong().await, [""; 0], "before: {damage}");
        shop.execute(damage).await;
        let wrong = shop.wrong().await;
        assert!(wrong.iter().any(|wrong| wrong.contains(finding)), "{damage}: {wrong:?}");
        shop.execute(repair).await;
    }
    assert_eq!(shop.wrong().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_lost_or_come_in_another_order_are_found() {
    let (over, is_over) = watch::channel(false);
    let shop = Shop::open(is_over).await;
    let consumer = Consumer::default();
    tokio::spawn(consumer.clone().follow(shop.stack.redis_url().expect("url")));
    shop.sell(&over).await;
    let waiting = "select count(*) from outbox where published_at is null";
    let all_seen = async || {
        let waiting: i64 = shop.database.query_one(waiting, &[]).await.expect("counted").get(0);
        let seen = consumer.seen().clone();
        waiting == 0 && deliveries(&seen, &shop.database).await.expect("compared").0.is_empty()
    };
    let seen = async {
        while !all_seen().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await.expect("every event is seen");
    let seen: Seen = consumer.seen().clone();
    let (order, events) = seen.iter().find(|(_, events)| events.len() > 1).expect("placed and paid");
    let judge = async |events: Vec<i64>| {
        let mut seen = seen.clone();
        seen.insert(*order, events);
        deliveries(&seen, &shop.database).await.expect("compared")
    };
    let (missing, disordered) = judge(events[1..].to_vec()).await;
    assert_eq!((missing.into_iter().collect::<Vec<_>>(), disordered.len()), (vec![events[0]], 0));
    let (missing, disordered) = judge(events.iter().rev().copied().collect()).await;
    assert_eq!((missing.len(), disordered.len()), (0, 1), "{disordered:?}");
}
