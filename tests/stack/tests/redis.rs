//! Redis with the shop's configuration.

use redis::AsyncCommands;
use stack::{Component, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_questions_pushes_out_no_event() {
    let stack = Stack::builder().only([Component::Redis]).start().await.expect("Redis starts");
    let client = redis::Client::open(stack.redis_url().expect("url")).expect("url");
    let mut redis = client.get_multiplexed_async_connection().await.expect("connect");
    let () =
        redis::cmd("CONFIG").arg(&["SET", "maxmemory", "4mb"]).query_async(&mut redis).await.expect("set");
    let event = redis::cmd("XADD").arg(&["events:orders", "*", "id", "1"]).to_owned();
    let _: String = event.query_async(&mut redis).await.expect("an event");
    // Twice what fits.
    let answer = "x".repeat(1024);
    for question in 0..8_000 {
        let () = redis.set_ex(format!("facets:{question}"), &answer, 600).await.expect("there is room again");
    }
    assert!(!redis.exists::<_, bool>("facets:0").await.expect("an answer"));
    assert!(redis.exists::<_, bool>("facets:7999").await.expect("an answer"));
    assert!(redis.exists::<_, bool>("events:orders").await.expect("an answer"));
}
