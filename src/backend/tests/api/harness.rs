//! What every test stands on: the service on a port of its own, with a database and a Redis prefix of its own.

mod client;
mod database;
mod logs;
mod proxy;
mod recommender;

use std::net::SocketAddr;
use std::sync::OnceLock;

use deadpool_postgres::Object;
use platform::config::Env;
use platform::redis::Unavailable;
use platform::server::Bounds;
use platform::shutdown::Lifecycle;
use platform::telemetry::Metrics;
use redis::AsyncCommands;
use serde_json::json;
use shopmicro_backend::AppState;
use shopmicro_backend::config::Config;
use shopmicro_backend::workers::{Pass, sales};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::types::ToSql;
use url::Url;
use uuid::Uuid;

pub(crate) use client::{Answer, Client, checkout_body};
pub(crate) use database::Database;
pub(crate) use logs::Logs;
pub(crate) use proxy::Proxy;
pub(crate) use recommender::{Recommender, Reply};

/// The password of every customer.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The largest rate limit.
const UNLIMITED: &str = "1000000 burst 1000000";

/// A port on which nothing listens, since only root could.
const REFUSES: &str = "127.0.0.1:1";

fn variable(name: &str) -> String {
    Env::from_process().get(name).unwrap_or_else(|| {
        panic!("{name} is not set: `make test` starts a PostgreSQL and a Redis for these tests and sets it")
    })
}

/// The same URL at another address.
fn through(url: &str, address: SocketAddr) -> String {
    let mut url = Url::parse(url).expect("a URL");
    url.set_ip_host(address.ip()).expect("a URL with a host");
    url.set_port(Some(address.port())).expect("a URL with a host");
    url.into()
}

/// Meters are global to the process, and so are their readers.
fn metrics() -> Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| platform::telemetry::metrics_only().expect("metrics")).clone()
}

/// What differs from the usual service.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    postgres: Option<SocketAddr>,
    redis: Option<String>,
    recommender: Option<String>,
    production: bool,
    variables: Vec<(&'static str, String)>,
}

impl Setup {
    /// Redis refuses every connection.
    pub(crate) fn without_redis(mut self) -> Self {
        self.redis = Some(format!("redis://{REFUSES}"));
        self
    }

    /// The database is reached through this proxy, which can be cut.
    pub(crate) fn postgres_through(mut self, proxy: &Proxy) -> Self {
        self.postgres = Some(proxy.address());
        self
    }

    /// Redis is reached through this proxy, which can be cut.
    pub(crate) fn redis_through(mut self, proxy: &Proxy) -> Self {
        // With the credentials of the URL, as the database's.
        self.redis = Some(through(&variable("REDIS_URL"), proxy.address()));
        self
    }

    /// Recommendations come from this stand-in; without one, the service refuses connections.
    pub(crate) fn recommender(mut self, recommender: &Recommender) -> Self {
        self.recommender = Some(recommender.url());
        self
    }

    /// `NODE_ENV=production`.
    pub(crate) fn production(mut self) -> Self {
        self.production = true;
        self
    }

    /// A variable of the service's environment.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Starts the service.
    pub(crate) async fn start(self) -> TestApp {
        let database = Database::migrated().await;
        let mut postgres = database.url().reveal().to_owned();
        if let Some(proxy) = self.postgres {
            postgres = through(&postgres, proxy);
        }
        let variables = [
            // Out of the way of all tests but those of the limits themselves.
            ("RATE_LIMIT_READ", UNLIMITED.to_owned()),
            ("RATE_LIMIT_WRITE", UNLIMITED.to_owned()),
            ("RATE_LIMIT_AUTH", UNLIMITED.to_owned()),
            ("RATE_LIMIT_REPORT", UNLIMITED.to_owned()),
            ("NODE_ENV", if self.production { "production" } else { "test" }.to_owned()),
            ("POSTGRES_URL", postgres),
            ("REDIS_URL", self.redis.unwrap_or_else(|| variable("REDIS_URL"))),
            ("REDIS_PREFIX", format!("{}:", database.name())),
            ("ML_SERVICE_URL", self.recommender.unwrap_or_else(|| format!("http://{REFUSES}"))),
        ];
        let config = Config::read(&mut Env::from_pairs(variables.into_iter().chain(self.variables)))
            .expect("the configuration is valid");
        let (state, base) = serve(&config).await;
        TestApp { base, state, config, products: Vec::new(), _database: database }
    }
}

/// Serves on a port of its own.
async fn serve(config: &Config) -> (AppState, Url) {
    let state = AppState::new(config, metrics(), Lifecycle::new()).expect("state");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = shopmicro_backend::app(state.clone());
    tokio::spawn(platform::server::run(listener, app, Bounds::default(), std::future::pending()));
    (state, Url::parse(&format!("http://{address}")).expect("a URL"))
}

/// All that comes until the connection is closed.
pub(crate) async fn read_to_end(mut stream: impl AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// A product to insert.
pub(crate) struct NewProduct<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) category: &'a str,
    pub(crate) tags: &'a [&'a str],
    pub(crate) price_cents: i64,
    pub(crate) stock: i32,
}

impl Default for NewProduct<'_> {
    fn default() -> Self {
        Self { name: "Thing", description: "", category: "Things", tags: &[], price_cents: 1000, stock: 10 }
    }
}

/// A running service.
pub(crate) struct TestApp {
    base: Url,
    /// What the service works with, to look behind it.
    pub(crate) state: AppState,
    config: Config,
    /// The ids of the products of [`TestApp::with_products`], in the order of their numbers.
    pub(crate) products: Vec<Uuid>,
    /// Dropped with the test.
    _database: Database,
}

impl TestApp {
    /// The usual service.
    pub(crate) async fn new() -> Self {
        Setup::default().start().await
    }

    /// Puts in products that often share their name, price, category and moment of creation: those are what lists are
    /// sorted by. Each costs 1.00 to 5.00 and there are ten of it.
    pub(crate) async fn with_products(mut self, count: i32) -> Self {
        let rows = self
            .rows(
                "insert into products (id, sku, name, category, price_cents, currency, stock, created_at) \
                 select gen_random_uuid(), 'SKU-' || i, 'Product ' || i % 6, 'Category ' || i % 3, \
                        100 * (1 + i % 5), 'GBP', 10, timestamptz '2026-01-01 00:00Z' + i / 4 * interval '1 h' \
                 from generate_series(1, $1::int) i returning id",
                &[&count],
            )
            .await;
        self.products.extend(rows.iter().map(|row| row.get::<_, Uuid>("id")));
        self
    }

    /// Removes a key.
    pub(crate) async fn forget_in_redis(&self, key: &str) -> Result<(), Unavailable> {
        let key = self.state.redis.key(key);
        self.state.redis.call("del", async move |mut redis| redis.del(key).await).await
    }

    /// Puts one product in.
    pub(crate) async fn add(&self, product: NewProduct<'_>) -> Uuid {
        let id = Uuid::new_v4();
        self.execute(
            "insert into products (id, sku, name, description, category, tags, price_cents, currency, stock) \
             values ($1, $1::uuid::text, $2, $3, $4, $5, $6, 'GBP', $7)",
            &[
                &id,
                &product.name,
                &product.description,
                &product.category,
                &product.tags,
                &product.price_cents,
                &product.stock,
            ],
        )
        .await;
        id
    }

    /// A browser without cookies.
    pub(crate) fn guest(&self) -> Client {
        Client::new(self.base.clone())
    }

    /// Starts another replica on the same database and the same Redis: what it works with, and a browser at it.
    pub(crate) async fn replica(&self) -> (AppState, Client) {
        let (state, base) = serve(&self.config).await;
        (state, Client::new(base))
    }

    /// Lets the service hear of changes, without which it keeps no copies in the process.
    pub(crate) fn listen(&self) {
        tokio::spawn(self.state.changes.clone().listen(self.state.redis.clone()));
    }

    /// Sends bytes as they are over a connection of their own, and returns all that comes until it is closed.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        read_to_end(stream).await
    }

    /// A connection to the service.
    pub(crate) async fn connect(&self) -> TcpStream {
        let addresses = self.base.socket_addrs(|| None).expect("an address");
        TcpStream::connect(addresses[0]).await.expect("a connection")
    }

    /// A browser in which a new customer is logged in.
    pub(crate) async fn customer(&self) -> Client {
        let client = self.guest();
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
        client.post("/api/users", &body).await.expect(201);
        client
    }

    /// A browser in which a new admin is logged in.
    pub(crate) async fn admin(&self) -> Client {
        let client = self.guest();
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({ "email": email, "password": PASSWORD, "name": "Root" });
        let user = client.post("/api/users", &body).await.expect(201);
        let id: Uuid = serde_json::from_value(user["id"].clone()).expect("an id");
        self.execute("update users set role = 'admin' where id = $1", &[&id]).await;
        client
    }

    /// Where the service's database is.
    pub(crate) fn postgres_url(&self) -> &str {
        self.config.postgres_url.reveal()
    }

    /// A connection to the service's database.
    pub(crate) async fn connection(&self) -> Object {
        self.state.pool.get().await.expect("a connection")
    }

    /// Runs a statement with parameters and returns its rows.
    pub(crate) async fn rows(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Vec<tokio_postgres::Row> {
        self.connection().await.query(sql, parameters).await.expect(sql)
    }

    /// Runs a statement with parameters.
    pub(crate) async fn execute(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) {
        self.connection().await.execute(sql, parameters).await.expect(sql);
    }

    /// Runs statements.
    pub(crate) async fn sql(&self, sql: &str) {
        self.connection().await.batch_execute(sql).await.expect(sql);
    }

    /// The one number that a query asks for.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.connection().await.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// The books balance: every product's stock is the sum of its ledger, every order's total that of its items, and the
    /// payment provider holds exactly the money of the orders that are paid.
    pub(crate) async fn expect_balance(&self) {
        let wrong = "select count(*) from products p where p.stock <> 10 + \
                     (select coalesce(sum(delta), 0) from stock_movements m where m.product_id = p.id)";
        assert_eq!(self.number(wrong).await, 0, "the ledger of stock");
        let wrong = "select count(*) from orders o where o.total_cents <> \
                     (select coalesce(sum(unit_price_cents * quantity), 0) from order_items i where i.order_id = o.id)";
        assert_eq!(self.number(wrong).await, 0, "the totals of orders");
        let wrong = "select count(*) from orders o full join payment_provider.charges c on c.order_id = o.id \
                     where (o.status in ('paid', 'shipped', 'delivered')) is distinct from coalesce(c.status = 'captured', false) \
                        or (c.status = 'captured' and c.amount_cents <> o.total_cents)";
        assert_eq!(self.number(wrong).await, 0, "the payment provider's books");
    }

    /// Waits until somebody waits for a lock of the database.
    pub(crate) async fn until_one_waits_for_a_lock(&self) {
        let waiting = "select count(*) from pg_stat_activity \
                       where datname = current_database() and wait_event_type = 'Lock'";
        while self.number(waiting).await == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Counts what was sold, as the worker does.
    pub(crate) async fn count_sales(&self) {
        while sales::pass(&self.state).await.expect("a pass") == Pass::More {}
    }

    /// What the database says of a product's stock.
    pub(crate) async fn stock(&self, product: Uuid) -> i32 {
        self.rows("select stock from products where id = $1", &[&product]).await[0].get("stock")
    }
}
