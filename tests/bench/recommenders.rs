//! The recommender and its peer, over the shop's catalogue and what its customers bought.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};
use stack::{Component, Stack};

use crate::driver::{self, Ask};
use crate::scenarios::{Name, Shopping, customer};
use crate::servers;
use crate::starts;
use crate::stores::{self, Stores};
use crate::turns::{self, Contestant, Plan};

/// By how much scores may differ: both compute in single precision, each in its own order.
const ROUNDING: f64 = 1e-4;

/// How long a model, and what customers did, may take to be written: the latter is once a minute.
const WRITTEN: Duration = Duration::from_mins(2);

/// A product, and why. Each says the latter in its own words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    product_id: String,
    score: f64,
    #[expect(dead_code, reason = "it must be there")]
    reason: String,
}

/// An answer to either question.
#[derive(Debug, Deserialize)]
struct Answer {
    items: Vec<Item>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Measures these scenarios.
pub(crate) async fn measure(plan: &Plan, directory: &Path, names: &[Name]) -> Result<()> {
    let parts = [Component::Postgres, Component::Redis, Component::Backend, Component::MlService];
    let mut stack = stores::start(plan, directory, parts).await?;
    stores::fill(&stack, plan.products)?;
    // Anew, with all that is there now; and again, from what it kept.
    stack.stop(Component::MlService).await?;
    let snapshot = stores::snapshot(plan, directory);
    std::fs::remove_dir_all(&snapshot)?;
    std::fs::create_dir(&snapshot)?;
    stack.start(Component::MlService).await?;
    let written = async {
        while !["model", "interactions"].iter().all(|name| snapshot.join(name).exists()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(WRITTEN, written)
        .await
        .context("no model was written, or not what it learnt of customers")?;
    starts::measure(&mut stack, Component::MlService, plan.repetitions, directory).await?;
    let stores = Stores::of(&stack)?;
    let mut contestants = vec![Contestant {
        name: "ml-service",
        address: stores::address(&stack, Component::MlService)?,
        pids: vec![stack.pid(Component::MlService)?],
        cookie: "none is asked for",
    }];
    let flask = if plan.peer {
        let database = stores::shop_database(&stack)?;
        let log = directory.join("flask.log");
        Some(servers::flask(&std::env::current_dir()?, &database, &stack.redis_url()?, &log).await?)
    } else {
        None
    };
    contestants.extend(flask.iter().map(|server| Contestant {
        name: "flask",
        address: server.address.clone(),
        pids: server.pids(),
        cookie: "none is asked for",
    }));
    agree(&stack, &contestants, plan.products).await?;
    let all: Vec<&Contestant> = contestants.iter().collect();
    for name in names {
        turns::tell(&turns::scenario(plan, *name, &all, &stores).await?, directory)?;
    }
    drop(flask);
    stack.stop_all().await
}

/// Looks that all find the same products like another, and tell customers of products in the same form. What they find for
/// a customer differs: ml-service also looks at what is bought together and what sells, the peer only at the words.
async fn agree(stack: &Stack, contestants: &[Contestant], products: usize) -> Result<()> {
    let mut similar = Vec::new();
    for contestant in contestants {
        let mut answers = Vec::new();
        for ask in Shopping::similar_samples(products) {
            answers.push(answer(contestant, ask, "similar").await?);
        }
        for (number, ask) in Shopping::customer_samples() {
            let found = answer(contestant, ask, "personal").await?;
            let bought = bought(stack, number)?;
            ensure!(
                found.items.iter().all(|item| !bought.contains(&item.product_id)),
                "{}: {found:#?} was bought already",
                contestant.name
            );
        }
        similar.push(answers);
    }
    let (first, others) = similar.split_first().context("nobody to ask")?;
    for other in others {
        for (ours, theirs) in first.iter().zip(other) {
            ensure!(same(ours, theirs), "the recommenders do not agree:\n{ours:#?}\n{theirs:#?}");
        }
    }
    Ok(())
}

/// An answer of ten products, in the form that ml-service's have.
async fn answer(contestant: &Contestant, ask: Ask, strategy: &str) -> Result<Answer> {
    let path = ask.path.clone();
    let (status, body) = driver::once(&contestant.address, ask).await?;
    let text = String::from_utf8_lossy(&body);
    ensure!(status == 200, "{}: {status} for {path}: {text}", contestant.name);
    let answer: Answer = serde_json::from_slice(&body)
        .with_context(|| format!("{}: another form for {path}: {text}", contestant.name))?;
    let about = if strategy == "similar" { "product_id" } else { "user_id" };
    let fields: Vec<&str> = answer.others.keys().map(String::as_str).collect();
    let mut expected = ["model_version", "strategy", about];
    expected.sort_unstable();
    let right = fields == expected
        && answer.others["strategy"] == strategy
        && answer.others[about].as_str().is_some_and(|id| path.contains(id))
        && answer.items.len() == 10;
    ensure!(right, "{}: for {path} it answered {text}", contestant.name);
    Ok(answer)
}

/// What a customer bought.
fn bought(stack: &Stack, number: usize) -> Result<BTreeSet<String>> {
    let sql = format!(
        "--command=select product_id from interactions where kind = 'purchase' and user_id = '{}'",
        customer(number)
    );
    let ids: BTreeSet<String> = stores::psql(stack, &[&sql])?.lines().map(str::to_owned).collect();
    ensure!(!ids.is_empty(), "customer {number} bought nothing");
    Ok(ids)
}

/// Whether two found the same: equal scores, of the same products, save those that are level with the last one, of which
/// each may have taken others.
fn same(one: &Answer, other: &Answer) -> bool {
    let scores = one.items.iter().zip(&other.items).all(|(a, b)| (a.score - b.score).abs() < ROUNDING);
    let above = |answer: &Answer| -> BTreeSet<String> {
        let last = answer.items.last().map_or(0.0, |item| item.score);
        let above = answer.items.iter().filter(|item| item.score > last + 2.0 * ROUNDING);
        above.map(|item| item.product_id.clone()).collect()
    };
    let all = |answer: &Answer| -> BTreeMap<String, f64> {
        answer.items.iter().map(|item| (item.product_id.clone(), item.score)).collect()
    };
    let (ours, theirs) = (all(one), all(other));
    let known = |ids: BTreeSet<String>| {
        ids.iter().all(|id| match (ours.get(id), theirs.get(id)) {
            (Some(a), Some(b)) => (a - b).abs() < ROUNDING,
            _ => false,
        })
    };
    one.items.len() == other.items.len() && scores && known(above(one)) && known(above(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(items: &[(&str, f64)]) -> Answer {
        let item =
            |&(id, score): &(&str, f64)| Item { product_id: id.to_owned(), score, reason: String::new() };
        Answer { items: items.iter().map(item).collect(), others: Map::new() }
    }

    #[test]
    fn those_level_with_the_last_may_differ_and_no_others() {
        let one = answer(&[("a", 0.9), ("b", 0.5), ("c", 0.5)]);
        assert!(same(&one, &answer(&[("a", 0.900_01), ("c", 0.5), ("d", 0.5)])));
        assert!(!same(&one, &answer(&[("e", 0.9), ("b", 0.5), ("c", 0.5)])));
        assert!(!same(&one, &answer(&[("a", 0.9), ("b", 0.6), ("c", 0.5)])));
        assert!(!same(&one, &answer(&[("a", 0.9), ("b", 0.5)])));
    }
}
