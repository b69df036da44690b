//! The cache as two replicas share it: what was changed on one is not shown as it was on the other.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use shopmicro_backend::cache::{Answer, CategoriesKey, ProductKey, Scope};
use shopmicro_backend::domain::product::Product;
use shopmicro_backend::error::Error;
use shopmicro_backend::{AppState, db};
use uuid::Uuid;

use crate::harness::{Proxy, Setup, TestApp};

async fn load(state: &AppState, id: Uuid) -> Answer {
    let client = state.pool.get().await.expect("a connection");
    Answer::of(&db::products::find(&client, id).await.expect("read").expect("for sale")).expect("JSON")
}

fn stock(answer: Result<Answer, Error>) -> i32 {
    let product: Product = serde_json::from_slice(&answer.expect("found").body).expect("a product");
    product.stock
}

/// A load that must not happen.
async fn never<T>() -> Result<T, Error> {
    Err(Error::Internal("loaded again".into()))
}

/// The reader is slow: between what it read and what it keeps, another replica commits and invalidates.
#[tokio::test]
async fn a_fill_that_began_before_a_commit_does_not_survive_it() {
    let app = TestApp::new().await.with_products(1).await;
    let id = app.products[0];
    let (other, _) = app.replica().await;
    // Without and with a generation from an earlier change.
    for (before, stock) in [(10, 7), (7, 6)] {
        let slow = async {
            let product = load(&app.state, id).await;
            app.execute("update products set stock = $1::int where id = $2", &[&stock, &id]).await;
            other.cache.forget_products([id]).await;
            Ok(product)
        };
        let old = app.state.cache.read_through(&ProductKey(id), slow).await;
        assert_eq!(self::stock(old), before, "the reader saw the state before");
        for state in [&other, &app.state] {
            let fresh = async { Ok(load(state, id).await) };
            assert_eq!(self::stock(state.cache.read_through(&ProductKey(id), fresh).await), stock);
        }
        other.cache.forget_products([id]).await;
    }
}

/// Nor does one where Redis forgets the generation in the middle of it.
#[tokio::test]
async fn a_fill_that_outlives_its_generation_is_not_fresh() {
    let app = TestApp::new().await.with_products(1).await;
    let id = app.products[0];
    let (other, _) = app.replica().await;
    let slow = Box::pin(async {
        let product = load(&app.state, id).await;
        app.execute("update products set stock = 7 where id = $1", &[&id]).await;
        app.forget_in_redis(&format!("generation:product:{id}")).await.expect("forgotten");
        // The other replica begins a new one.
        let fresh = async { Ok(load(&other, id).await) };
        assert_eq!(stock(other.cache.read_through(&ProductKey(id), fresh).await), 7);
        Ok(product)
    });
    assert_eq!(stock(app.state.cache.read_through(&ProductKey(id), slow).await), 10);
    let fresh = async { Ok(load(&other, id).await) };
    assert_eq!(stock(other.cache.read_through(&ProductKey(id), fresh).await), 7);
}

/// Products that there are not can be made up without end, too.
#[tokio::test]
async fn what_was_merely_asked_for_is_remembered_for_minutes() {
    let app = TestApp::new().await;
    let id = Uuid::new_v4();
    let lasts = async || {
        let key = app.state.redis.key(&format!("generation:product:{id}"));
        let ttl = async move |mut redis| redis::cmd("TTL").arg(key).query_async::<i64>(&mut redis).await;
        app.state.redis.call("ttl", ttl).await.expect("Redis answers")
    };
    app.guest().get(&format!("/api/products/{id}")).await.refused(404, "not-found");
    let asked = lasts().await;
    assert!((200..=300).contains(&asked), "{asked}");
    app.state.cache.forget_products([id]).await;
    let changed = lasts().await;
    assert!(changed > 80_000, "{changed}");
}

/// The counterpart, without which the test above would pass with no cache at all.
#[tokio::test]
async fn what_nobody_changed_is_read_once_by_all_replicas() {
    let app = TestApp::new().await.with_products(1).await;
    let id = app.products[0];
    let (other, guest) = app.replica().await;
    app.guest().get(&format!("/api/products/{id}")).await.expect(200);
    app.execute("update products set stock = 3 where id = $1", &[&id]).await;
    let product = guest.get(&format!("/api/products/{id}")).await.expect(200);
    assert_eq!(product["stock"], 10, "kept by the first replica, shown by the second");
    other.cache.read_through(&ProductKey(id), never()).await.expect("kept");
}

/// Categories that there are not can be made up without end.
#[tokio::test]
async fn an_empty_page_is_not_kept() {
    let app = TestApp::new().await.with_products(1).await;
    let page = "/api/products?category=Nowhere";
    assert_eq!(app.guest().get(page).await.expect(200)["items"], serde_json::json!([]));
    app.execute("update products set category = 'Nowhere'", &[]).await;
    assert_eq!(app.guest().get(page).await.expect(200)["items"][0]["category"], "Nowhere");
}

/// A sale makes the product stale, and neither lists nor other products.
#[tokio::test]
async fn a_scope_takes_its_own_with_it_and_nothing_else() {
    let app = TestApp::new().await.with_products(2).await;
    let [sold, other] = [app.products[0], app.products[1]];
    let cache = &app.state.cache;
    for id in [sold, other] {
        cache.read_through(&ProductKey(id), async { Ok(load(&app.state, id).await) }).await.expect("found");
    }
    app.guest().get("/api/categories").await.expect(200);
    cache.forget_products([sold]).await;
    cache.read_through(&ProductKey(other), never()).await.expect("kept");
    cache.read_through(&CategoriesKey, never()).await.expect("kept");
    cache.read_through(&ProductKey(sold), never()).await.expect_err("forgotten");
    cache.forget(&[Scope::Catalogue]).await;
    cache.read_through(&ProductKey(other), never()).await.expect("kept");
    cache.read_through(&CategoriesKey, never()).await.expect_err("forgotten");
}

/// What was made stale is better than nothing.
#[tokio::test]
async fn a_stale_value_serves_while_the_database_is_away() {
    let wire = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&wire).start().await.with_products(1).await;
    let guest = app.guest();
    let paths =
        [format!("/api/products/{}", app.products[0]), "/api/products".into(), "/api/categories".into()];
    let mut before: Vec<Value> = Vec::new();
    for path in &paths {
        before.push(guest.get(path).await.expect(200));
    }
    app.state.cache.forget(&[Scope::Product(app.products[0]), Scope::Catalogue]).await;
    wire.cut();
    for (path, before) in paths.iter().zip(&before) {
        assert_eq!(guest.get(path).await.expect(200), *before, "{path}");
    }
    wire.mend();
    for path in &paths {
        guest.get(path).await.expect(200);
    }
}

/// Many visitors, one question: a value that is lost at a busy moment is not loaded by each of them.
#[tokio::test]
async fn of_many_who_miss_at_once_one_loads() {
    let app = TestApp::new().await.with_products(1).await;
    let id = app.products[0];
    let loads = AtomicU32::new(0);
    let slow = || async {
        loads.fetch_add(1, Ordering::Relaxed);
        app.rows("select pg_sleep(0.2)", &[]).await;
        Ok(load(&app.state, id).await)
    };
    let cache = &app.state.cache;
    let key = ProductKey(id);
    for round in 1..=2 {
        let visitors = (0..20).map(|_| cache.read_through(&key, slow()));
        for product in futures_util::future::join_all(visitors).await {
            assert_eq!(stock(product), 10);
        }
        assert_eq!(loads.load(Ordering::Relaxed), round);
        cache.forget_products([id]).await;
    }
}

/// Who waits for another's load is not lost with it.
#[tokio::test]
async fn a_load_that_fails_or_is_given_up_holds_nobody() {
    let app = TestApp::new().await.with_products(1).await;
    let id = app.products[0];
    let cache = &app.state.cache;
    let key = ProductKey(id);
    let given_up = cache.read_through(&key, std::future::pending());
    // Until the load has begun.
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(200), given_up).await;
    assert!(given_up.is_err());
    let good = || async { Ok(load(&app.state, id).await) };
    let failing = async { Err(Error::Overloaded) };
    let (failed, found) = tokio::join!(cache.read_through(&key, failing), cache.read_through(&key, good()));
    assert!(matches!(failed, Err(Error::Overloaded)) || failed.is_ok_and(|found| stock(Ok(found)) == 10));
    assert_eq!(stock(found), 10);
}

/// The one that is waited for began before the change: what it keeps is old.
#[tokio::test]
async fn who_waits_for_a_load_from_before_a_change_loads_again() {
    let app = TestApp::new().await.with_products(1).await;
    let id = app.products[0];
    let cache = &app.state.cache;
    let key = ProductKey(id);
    let (began, wait) = tokio::sync::oneshot::channel();
    let old = async {
        let product = load(&app.state, id).await;
        app.execute("update products set stock = 3 where id = $1", &[&id]).await;
        cache.forget_products([id]).await;
        let _ = began.send(());
        Ok(product)
    };
    let late = async {
        let _ = wait.await;
        cache.read_through(&key, async { Ok(load(&app.state, id).await) }).await
    };
    let (old, late) = tokio::join!(cache.read_through(&key, old), late);
    assert_eq!((stock(old), stock(late)), (10, 3));
}
