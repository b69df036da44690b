//! Customers of a shop, as many as come: they arrive at a rate whether or not the shop keeps up (an open model), so that
//! what a slow shop does to people is seen and not hidden by customers who wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use rand::distr::weighted::WeightedIndex;
use serde_json::Value;
use tokio::task::JoinSet;

mod customer;
mod report;

use customer::Customer;

pub use report::Report;

/// How many customers may be in the shop at once; those for whom there is no place are counted.
const PLACES: usize = 500;
/// How long a customer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many products the customers know.
const CATALOGUE: usize = 100;

/// How customers come.
#[derive(Clone, Debug)]
pub struct Load {
    /// The shop's base URL.
    pub url: String,
    /// New customers a second, on average.
    pub rate: f64,
    /// For how long they come.
    pub duration: Duration,
    /// How long a customer looks at a page, on average.
    pub think: Duration,
    /// In the middle third of the time come so many times more.
    pub spike: f64,
    /// Customers ask again, once, for what they were turned away from until later (503 and Retry-After), as the pages do
    /// for them; only the second answer counts.
    pub patient: bool,
}

/// What customers know of the shop before they come: some products, the favourites first.
#[derive(Debug)]
struct Known {
    products: Vec<String>,
    words: Vec<String>,
    categories: Vec<String>,
    favourites: WeightedIndex<f64>,
}

impl Known {
    async fn look(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let get = async |path: &str| -> Result<Value> {
            let answer = http.get(format!("{url}{path}")).send().await?.error_for_status()?;
            Ok(answer.json().await?)
        };
        let page = get(&format!("/api/products?in_stock=true&limit={CATALOGUE}")).await;
        let page = page.with_context(|| format!("is there a shop at {url}?"))?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let products: Vec<String> = items.iter().map(|item| text(&item["id"])).collect();
        ensure!(!products.is_empty(), "the shop at {url} has nothing to sell");
        let names = items.iter().map(|item| text(&item["name"]));
        let words = names.flat_map(|name| name.split(' ').map(str::to_lowercase).collect::<Vec<_>>());
        let words = words.filter(|word| word.len() > 3 && word.chars().all(char::is_alphabetic)).collect();
        let categories = get("/api/categories").await?;
        let categories = categories["items"].as_array().into_iter().flatten();
        Ok(Self {
            // Zipf's law: the second is bought half as often as the first, the third a third.
            favourites: WeightedIndex::new((1_u16..).take(products.len()).map(|rank| 1.0 / f64::from(rank)))?,
            products,
            words,
            categories: categories.map(|category| text(&category["name"])).collect(),
        })
    }

    fn product(&self) -> &str {
        &self.products[rand::rng().sample(&self.favourites)]
    }

    fn any(list: &[String]) -> &str {
        if list.is_empty() { "" } else { &list[rand::rng().random_range(0..list.len())] }
    }

    /// A word of a product's name, now and then misspelt.
    fn word(&self) -> String {
        let mut letters: Vec<char> = Self::any(&self.words).chars().collect();
        if letters.len() > 4 && rand::rng().random_bool(0.15) {
            let at = rand::rng().random_range(1..letters.len() - 1);
            letters.swap(at, at + 1);
        }
        letters.into_iter().collect()
    }
}

/// A time with this mean, as between events that know nothing of each other.
fn exponential(mean: Duration) -> Duration {
    let uniform: f64 = rand::rng().random_range(f64::EPSILON..1.0);
    mean.mul_f64(-uniform.ln())
}

/// Lets customers come until the time is over or `stop` says so, waits for those who are in the shop, and reports.
pub async fn run(load: &Load, stop: impl Future<Output = ()>) -> Result<Report> {
    ensure!(load.rate > 0.0 && load.rate <= 10_000.0, "the rate is not between 0 and 10,000 a second");
    ensure!(load.spike >= 1.0, "a spike is at least as high as what is around it");
    let known = Arc::new(Known::look(&load.url).await?);
    let report = Arc::new(Mutex::new(Report::default()));
    let mut inside = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let start = Instant::now();
    let mut due = Duration::ZERO;
    let mut number = 0;
    loop {
        let middle = due > load.duration / 3 && due < load.duration * 2 / 3;
        let rate = if middle { load.rate * load.spike } else { load.rate };
        due += exponential(Duration::from_secs_f64(1.0 / rate));
        if due >= load.duration {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep_until((start + due).into()) => {}
            () = &mut stop => break,
        }
        while inside.try_join_next().is_some() {}
        let mut figures = report.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.len() >= PLACES {
            figures.turned_away += 1;
            continue;
        }
        figures.customers += 1;
        drop(figures);
        let customer = Customer::new(load, number, &known, &report)?;
        number += 1;
        // From when the customer came, not from when there was time for it here.
        inside.spawn(customer.visit(start + due));
    }
    while inside.join_next().await.is_some() {}
    Ok(std::mem::take(&mut *report.lock().unwrap_or_else(PoisonError::into_inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_arrivals_have_the_mean_that_was_asked_for() {
        let mean = Duration::from_millis(10);
        let total: Duration = (0..20_000).map(|_| exponential(mean)).sum();
        // Eight standard deviations.
        assert!((total.as_secs_f64() / 200.0 - 1.0).abs() < 0.06, "{total:?}");
    }

    #[test]
    fn favourites_are_bought_by_zipfs_law() {
        let known = Known {
            products: (0..10).map(|number| number.to_string()).collect(),
            words: vec!["lantern".to_owned()],
            categories: Vec::new(),
            favourites: WeightedIndex::new((1..=10).map(|rank| 1.0 / f64::from(rank))).expect("weights"),
        };
        let mut bought = [0_u32; 10];
        for _ in 0..50_000 {
            bought[known.product().parse::<usize>().expect("a number")] += 1;
        }
        let ratio = f64::from(bought[0]) / f64::from(bought[4]);
        assert!((4.3..5.8).contains(&ratio), "{bought:?}");
        let words: Vec<String> = (0..200).map(|_| known.word()).collect();
        assert!(words.iter().any(|word| word == "lantern") && words.iter().any(|word| word != "lantern"));
    }
}
