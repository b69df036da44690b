//! `/api/users/login` under attack: guessing is slow, and tells nothing.

use futures_util::future::join_all;
use serde_json::{Value, json};
use shopmicro_backend::domain::login::{DELAYS, FORGOTTEN_AFTER, LOCK_OUT};
use shopmicro_backend::sessions::SESSION_COOKIE;

use crate::harness::{Answer, Client, Logs, NewProduct, PASSWORD, Proxy, Setup, TestApp};

const ADA: &str = "ada@example.com";
const NOBODY: &str = "nobody@example.com";

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/api/users/login", &json!({ "email": email, "password": password })).await
}

async fn with_ada() -> TestApp {
    let app = TestApp::new().await;
    let ada = json!({ "email": ADA, "password": PASSWORD, "name": "Ada" });
    app.guest().post("/api/users", &ada).await.expect(201);
    app
}

/// Lets the delay of every address pass.
async fn wait_out(app: &TestApp) {
    app.sql("update login_attempts set blocked_until = now() where blocked_until is not null").await;
}

/// Makes every delay that has begun a minute longer, so that it is not over before a slow machine's next attempt.
async fn prolong(app: &TestApp) {
    app.sql("update login_attempts set blocked_until = blocked_until + interval '1 min'").await;
}

#[tokio::test]
async fn known_and_unknown_addresses_are_refused_alike() {
    let app = with_ada().await;
    let guest = app.guest();
    let mut seen: Vec<Vec<(u16, bool, Value)>> = Vec::new();
    for email in [ADA, NOBODY] {
        let mut answers = Vec::new();
        for _ in DELAYS {
            for password in ["wrong horse battery", "battery staple wrong"] {
                let answer = login(&guest, email, password).await;
                let mut problem = answer.expect(answer.status);
                problem.as_object_mut().expect("an object").remove("trace_id");
                answers.push((answer.status, !answer.header("retry-after").is_empty(), problem));
                prolong(&app).await;
            }
            wait_out(&app).await;
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    let statuses: Vec<u16> = seen[0].iter().map(|answer| answer.0).collect();
    // Two attempts a round: both are taken until the fourth failure, then one a round.
    let mut expected = vec![401, 401, 401, 401];
    expected.extend([401, 429].repeat(DELAYS.len() - 2));
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn every_failure_has_its_delay_and_tells_it() {
    let app = with_ada().await;
    let guest = app.guest();
    // From the last on, every failure locks.
    for delay in DELAYS.into_iter().chain([LOCK_OUT]) {
        login(&guest, ADA, "wrong horse battery").await.refused(401, "unauthenticated");
        let blocked =
            "select coalesce(extract(epoch from blocked_until - updated_at), 0)::bigint from login_attempts";
        assert_eq!(u64::try_from(app.number(blocked).await), Ok(delay.as_secs()));
        if !delay.is_zero() {
            prolong(&app).await;
            // Even the right one is not looked at.
            let refused = login(&guest, ADA, PASSWORD).await;
            refused.refused(429, "too-many-attempts");
            assert_eq!(refused.cookie(SESSION_COOKIE), None);
            let told: u64 = refused.header("retry-after").parse().expect("seconds");
            let exact = delay.as_secs() + 60;
            assert!((exact - 30..=exact).contains(&told), "{told} of {exact}");
        }
        wait_out(&app).await;
    }
}

#[tokio::test]
async fn a_success_forgives_the_failures_before_it() {
    let app = with_ada().await;
    let guest = app.guest();
    for _ in 0..3 {
        for _ in 0..3 {
            login(&guest, ADA, "wrong horse battery").await.refused(401, "unauthenticated");
        }
        login(&guest, ADA, PASSWORD).await.expect(200);
    }
    assert_eq!(app.number("select count(*) from login_attempts").await, 0);
}

/// A flood of logins elsewhere is no fault of who cannot log in meanwhile.
#[tokio::test]
async fn what_was_not_looked_at_has_not_failed() {
    let app = with_ada().await;
    let cores = std::thread::available_parallelism().expect("cores").get();
    let turns = join_all((0..cores).map(|_| app.state.passwords.turn())).await;
    assert!(turns.iter().all(Result::is_ok));
    let attempts = (0..5).map(|_| {
        let guest = app.guest();
        async move { login(&guest, ADA, PASSWORD).await.refused(503, "unavailable") }
    });
    join_all(attempts).await;
    assert_eq!(app.number("select count(*) from login_attempts").await, 0);
    drop(turns);
    login(&app.guest(), ADA, PASSWORD).await.expect(200);
}

/// A busy shop is no fault of who knows the password.
#[tokio::test]
async fn a_right_password_is_no_failure_though_nothing_comes_of_it() {
    let app = with_ada().await;
    let product = app.add(NewProduct::default()).await;
    let guest = app.guest();
    guest.put_item(product, 1).await.expect(200);
    let mut busy = app.connection().await;
    let busy = busy.transaction().await.expect("a transaction");
    // The cart is to become the account's.
    busy.batch_execute("select from carts for update").await.expect("locked");
    login(&guest, ADA, PASSWORD).await.refused(503, "unavailable");
    assert_eq!(app.number("select count(*) from login_attempts").await, 0);
    busy.rollback().await.expect("let go");
    login(&guest, ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn after_the_lock_out_the_right_password_is_taken() {
    let app = with_ada().await;
    let guest = app.guest();
    for _ in DELAYS {
        login(&guest, ADA, "wrong horse battery").await.refused(401, "unauthenticated");
        wait_out(&app).await;
    }
    login(&guest, ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn old_failures_are_forgotten_and_swept() {
    let app = with_ada().await;
    let guest = app.guest();
    for email in [ADA, NOBODY] {
        for _ in 0..3 {
            login(&guest, email, "wrong horse battery").await.refused(401, "unauthenticated");
        }
    }
    let age = FORGOTTEN_AFTER.as_secs_f64() + 1.0;
    app.execute("update login_attempts set updated_at = now() - make_interval(secs => $1)", &[&age]).await;
    login(&guest, ADA, "wrong horse battery").await.refused(401, "unauthenticated");
    assert_eq!(app.number("select min(failures)::bigint from login_attempts").await, 1);

    let swept = shopmicro_backend::db::logins::delete_forgotten(&app.connection().await).await;
    assert_eq!(swept.expect("swept"), 1);
    assert_eq!(app.number("select count(*) from login_attempts").await, 1);
}

/// An attempt is counted before its password is looked at, so that a volley of guesses is no way around the delay.
#[tokio::test]
async fn guesses_at_the_same_moment_do_not_slip_through() {
    let app = with_ada().await;
    for email in [ADA, NOBODY] {
        let guesses = (0..20).map(|_| {
            let guest = app.guest();
            async move { login(&guest, email, "wrong horse battery").await.status }
        });
        let statuses = join_all(guesses).await;
        let taken = statuses.iter().filter(|status| **status == 401).count();
        // The fourth failure blocks for a second, which the slowest machine may need for the rest.
        assert!((4..=6).contains(&taken), "{statuses:?}");
        // On a machine with too much to do, some find no turn to be refused in.
        assert!(statuses.iter().all(|status| [401, 429, 503].contains(status)), "{statuses:?}");
    }
}

#[tokio::test]
async fn a_lock_out_is_in_the_audit_log_without_the_address() {
    let app = with_ada().await;
    let guest = app.guest();
    for email in [ADA, NOBODY] {
        for _ in DELAYS {
            login(&guest, email, "wrong horse battery").await.refused(401, "unauthenticated");
            wait_out(&app).await;
        }
    }
    let rows = app
        .rows(
            "select actor_id, subject, detail from audit_log where action = 'login.locked' order by id",
            &[],
        )
        .await;
    let subjects: Vec<&str> = rows.iter().map(|row| row.get("subject")).collect();
    let ada: uuid::Uuid = app.rows("select id from users", &[]).await[0].get("id");
    assert_eq!(subjects, [ada.to_string().as_str(), "unknown account"]);
    for row in &rows {
        assert_eq!(row.get::<_, Option<uuid::Uuid>>("actor_id"), None);
        assert_eq!(row.get::<_, Value>("detail"), json!({ "failures": DELAYS.len() }));
    }
    assert_eq!(
        app.number("select count(*) from audit_log a where a::text like '%example%'").await,
        0,
        "nothing personal"
    );
}

/// The table that counts attempts would else be a list of the addresses that people typed.
#[tokio::test]
async fn addresses_are_counted_by_their_hashes_in_any_case() {
    let app = with_ada().await;
    let guest = app.guest();
    for email in [ADA, "ADA@example.com", " ada@EXAMPLE.com "] {
        login(&guest, email, "wrong horse battery").await.refused(401, "unauthenticated");
    }
    let count =
        "select count(*) from login_attempts where failures = 3 and email_hash = sha256('ada@example.com')";
    assert_eq!(app.number(count).await, 1);
}

/// On the wire to the database, a known and an unknown address take the same; so do their passwords, in `passwords.rs`.
#[tokio::test]
async fn known_and_unknown_addresses_take_the_same_round_trips() {
    let wire = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&wire).start().await;
    let guest = app.guest();
    guest.post("/api/users", &json!({ "email": ADA, "password": PASSWORD, "name": "Ada" })).await.expect(201);
    let guest = app.guest();
    // The first prepares what the others use; the last locks out, and notes it.
    login(&guest, "eve@example.com", "wrong horse battery").await.refused(401, "unauthenticated");
    let mut counts = Vec::new();
    for email in [ADA, NOBODY] {
        let mut trips = Vec::new();
        for _ in DELAYS {
            let before = wire.round_trips();
            login(&guest, email, "wrong horse battery").await.refused(401, "unauthenticated");
            trips.push(wire.round_trips() - before);
            wait_out(&app).await;
        }
        counts.push(trips);
    }
    let [known, unknown] = counts.as_slice() else { panic!("two addresses") };
    // But the first lock-out of all, which prepares its note.
    assert_eq!(known[..9], unknown[..9]);
    assert_eq!(unknown[..9], [1; 9]);
    assert_eq!(unknown[9], 2);
}

#[tokio::test]
async fn attempts_are_counted_by_their_results() {
    let app = with_ada().await;
    let guest = app.guest();
    login(&guest, ADA, PASSWORD).await.expect(200);
    for _ in 0..4 {
        login(&guest, NOBODY, PASSWORD).await.refused(401, "unauthenticated");
    }
    prolong(&app).await;
    login(&guest, NOBODY, PASSWORD).await.refused(429, "too-many-attempts");
    let metrics = guest.get("/metrics").await.text;
    for result in ["right", "wrong", "blocked"] {
        let line = metrics.lines().find(|line| {
            line.starts_with("shop_logins_total{") && line.contains(&format!("result=\"{result}\""))
        });
        assert!(line.is_some(), "{result} in {metrics}");
    }
}

#[tokio::test]
async fn every_attempt_is_logged_without_the_address() {
    let (logs, _guard) = Logs::capture();
    let app = with_ada().await;
    let ada = app.rows("select id::text from users", &[]).await[0].get::<_, String>(0);
    let guest = app.guest();
    login(&guest, ADA, PASSWORD).await.expect(200);
    login(&guest, ADA, "wrong horse battery").await.expect(401);
    login(&guest, NOBODY, PASSWORD).await.expect(401);
    app.sql("update login_attempts set blocked_until = now() + interval '1 h'").await;
    login(&guest, NOBODY, PASSWORD).await.expect(429);
    let logs = logs.text();
    for (message, whose) in [
        ("a password was right", ada.as_str()),
        ("a password was wrong", &ada),
        ("a password was wrong", "unknown account"),
        ("a password was not looked at", ""),
    ] {
        let logged =
            |line: &str| [message, whose, "request_id", "timestamp"].iter().all(|part| line.contains(part));
        assert_eq!(logs.lines().filter(|line| logged(line)).count(), 1, "{message}, {whose}: {logs}");
    }
    for word in [ADA, NOBODY, PASSWORD, "wrong horse"] {
        assert!(!logs.contains(word), "{word} in {logs}");
    }
}
