//! The shop and its peer over one PostgreSQL and one Redis, in turns.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stack::Component;

use crate::driver;
use crate::floors;
use crate::recommenders;
use crate::scenarios::{Name, Shopping};
use crate::servers;
use crate::starts;
use crate::stores::{self, Stores, address, shop_database};
use crate::turns::{self, Contestant, Plan};

/// Measures these scenarios, prints a table of each and writes its figures.
pub(crate) async fn measure(plan: &Plan, names: &[Name]) -> Result<()> {
    std::fs::create_dir_all(&plan.directory)?;
    let directory = plan.directory.canonicalize()?;
    let (recommenders, shops): (Vec<Name>, Vec<Name>) = names.iter().partition(|name| name.of_recommender());
    if !shops.is_empty() {
        measure_shops(plan, &directory, &shops).await?;
    }
    if !recommenders.is_empty() {
        recommenders::measure(plan, &directory, &recommenders).await?;
    }
    Ok(())
}

async fn measure_shops(plan: &Plan, directory: &Path, names: &[Name]) -> Result<()> {
    let root = std::env::current_dir()?;
    let mut stack =
        stores::start(plan, directory, [Component::Postgres, Component::Redis, Component::Backend]).await?;
    stores::fill(&stack, plan.products)?;
    starts::measure(&mut stack, Component::Backend, plan.repetitions, directory).await?;
    let stores = Stores::of(&stack)?;
    let mut contestants = vec![Contestant {
        name: "shopmicro",
        address: address(&stack, Component::Backend)?,
        pids: vec![stack.pid(Component::Backend)?],
        cookie: "__Host-shopmicro_session",
    }];
    let database = shop_database(&stack)?;
    let express = if plan.peer {
        let log = directory.join("express.log");
        Some(servers::express(&root, &database, &stack.redis_url()?, &log).await?)
    } else {
        None
    };
    contestants.extend(express.iter().map(|server| Contestant {
        name: "express",
        address: server.address.clone(),
        pids: server.pids(),
        cookie: "shopmicro_session",
    }));
    agree(&contestants, plan.products).await?;
    let floors = floors::servers(directory, &contestants[0].address).await?;
    for name in names {
        let mut all: Vec<&Contestant> = contestants.iter().collect();
        if *name == Name::Detail {
            all.extend(floors.iter().map(|(_, floor)| floor));
        }
        let mut figures = turns::scenario(plan, *name, &all, &stores).await?;
        for _ in 0..plan.repetitions {
            match name {
                Name::Checkout => figures.turns.push(floors::pgbench(plan, &database)?),
                Name::Session => figures.turns.push(floors::redis_benchmark(plan, &stack.redis_url()?)?),
                _ => {}
            }
        }
        turns::tell(&figures, directory)?;
    }
    drop(express);
    stack.stop_all().await
}

/// Looks that all answer the same, apart from what each forms in its own way.
async fn agree(contestants: &[Contestant], products: usize) -> Result<()> {
    let mut answers: Vec<Vec<Value>> = Vec::new();
    for contestant in contestants {
        let shopping = Shopping::new(Name::Mixed, products, contestant.cookie)?;
        let mut seen = Vec::new();
        for ask in shopping.samples() {
            let path = ask.path.clone();
            let (status, body) = driver::once(&contestant.address, ask).await?;
            ensure!(
                status == 200,
                "{}: {status} for {path}: {}",
                contestant.name,
                String::from_utf8_lossy(&body)
            );
            let mut answer: Value = serde_json::from_slice(&body)?;
            forget_forms(&mut answer);
            seen.push(answer);
        }
        answers.push(seen);
    }
    let (first, others) = answers.split_first().context("nobody to ask")?;
    for other in others {
        for (ours, theirs) in first.iter().zip(other) {
            ensure!(ours == theirs, "the servers do not agree:\n{ours:#}\n{theirs:#}");
        }
    }
    Ok(())
}

/// Removes what is right in several forms: times with more or fewer digits, cursors, and what only one of them tells.
fn forget_forms(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for field in ["created_at", "updated_at", "next_cursor"] {
                fields.remove(field);
            }
            fields.values_mut().for_each(forget_forms);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_forms),
        _ => {}
    }
}
