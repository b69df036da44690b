//! What no shop can be faster than: servers that answer constant bytes, and the tools of PostgreSQL and Redis themselves.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use stack::binaries::find;

use crate::driver::{self, Ask, Outcome};
use crate::report::{Load, Turn};
use crate::scenarios::product;
use crate::servers::{self, Server};
use crate::stores::redis_access;
use crate::turns::{Contestant, Plan};

/// Servers that answer a product's bytes without a thought.
pub(crate) async fn servers(directory: &Path, shop: &str) -> Result<Vec<(Server, Contestant)>> {
    let path = format!("/api/products/{}", product(1));
    let (_, body) = driver::once(shop, Ask::get(&*path)).await?;
    let nginx = directory.join("nginx");
    let products = nginx.join("files/api/products");
    std::fs::create_dir_all(&products)?;
    let file = products.join(product(1));
    std::fs::write(&file, body)?;
    let floor = |name, server: Server| {
        let contestant =
            Contestant { name, address: server.address.clone(), pids: server.pids(), cookie: "none" };
        (server, contestant)
    };
    Ok(vec![
        floor("constant", servers::constant(&file, &directory.join("constant.log")).await?),
        floor("nginx", servers::nginx(&nginx, &directory.join("nginx.log")).await?),
    ])
}

/// A turn of a program that has no server in between and no figures but its rate.
fn rate_alone(server: &str, plan: &Plan, rate: f64) -> Turn {
    let seconds = plan.duration.as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
    let requests = (rate * seconds) as u64;
    Turn {
        server: server.to_owned(),
        load: Load::Closed,
        outcome: Outcome { requests, seconds, failures: 0, body_bytes: 0, p50: 0, p99: 0, p999: 0 },
        server_seconds: 0.0,
        database_seconds: 0.0,
        redis_seconds: 0.0,
        peak_bytes: 0,
    }
}

/// The same SQL as a checkout's, from as many clients. Each transaction is two requests of a shop.
pub(crate) fn pgbench(plan: &Plan, database: &str) -> Result<Turn> {
    let output = Command::new(find("pgbench")?)
        .args(["--no-vacuum", "--protocol=prepared", "--file=tests/bench/checkout.pgbench"])
        .arg(format!("--define=products={}", plan.products))
        .arg(format!("--client={}", plan.connections))
        .arg(format!("--time={}", plan.duration.as_secs().max(1)))
        .arg(database)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
    let rate =
        text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
    Ok(rate_alone("pgbench", plan, 2.0 * rate.context("pgbench tells no rate")?))
}

/// Reads of Redis, from as many clients.
pub(crate) fn redis_benchmark(plan: &Plan, url: &str) -> Result<Turn> {
    let (password, port) = redis_access(url)?;
    let output = Command::new(find("redis-benchmark")?)
        .args(["-t", "get", "-d", "700", "--csv", "-a", password, "-p", port, "-n", "50000", "-c"])
        .arg(plan.connections.to_string())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "redis-benchmark: {text}{}", String::from_utf8_lossy(&output.stderr));
    let row = text.lines().find_map(|line| line.strip_prefix("\"GET\",\""));
    let rate = row.and_then(|row| row.split('"').next()?.parse::<f64>().ok());
    Ok(rate_alone("redis", plan, rate.with_context(|| format!("redis-benchmark tells no rate: {text}"))?))
}
