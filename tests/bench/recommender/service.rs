//! How fast the service's own answers are, and how soon it knows of a changed product: the whole way, of which
//! `speed` measures the index alone.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use shopmicro_ml_service::model::blend::{Evidence, Settings};
use shopmicro_ml_service::model::popular::Popularity;
use shopmicro_ml_service::model::profile::{Event, History, Kind};
use shopmicro_ml_service::model::together::{Purchases, Together};
use shopmicro_ml_service::model::{Catalogue, Model, Product};
use uuid::Uuid;

use crate::Corpus;
use crate::corpus::{Random, texts};
use crate::speed::{Times, memory, times};

/// How many customers ask.
const QUESTIONS: usize = 500;
/// How many products a customer has bought.
const BOUGHT: u64 = 20;
/// How many products an answer is computed with, whatever is asked for.
const LIMIT: usize = 50;
/// How many customers there are at most: the default of `MAX_USERS`.
const CUSTOMERS: usize = 100_000;
/// How often the catalogue is read, of which the median counts.
const POLLS: usize = 5;
/// How many products may have changed for the model to follow.
const FOLLOWED: usize = 1_000;

/// What one size gave; times in seconds.
#[derive(Debug, Serialize)]
struct Figures {
    products: usize,
    customers: usize,
    /// Of the model alone, with the products' names and categories.
    resident_bytes: usize,
    personal: Times,
    /// From the catalogue's lines to a model in which one product is another.
    poll: f64,
    /// Of that, what comes after the lines are understood.
    follow: f64,
}

/// Measures one size, beside whose figures by `speed` these go.
pub(crate) fn run(Corpus { directory, size, orders }: &Corpus) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let figures = measure(&texts(*size, orders.as_deref())?)?;
    fs::write(directory.join(format!("{size}.service.json")), serde_json::to_vec(&figures)?)?;
    Ok(())
}

/// Half of a text is the name, the rest the description.
fn product(place: usize, text: &str) -> Product {
    let middle = text[text.len() / 2..].find(' ').map_or(text.len(), |at| text.len() / 2 + at);
    let (name, description) = text.split_at(middle);
    Product {
        id: Uuid::from_u128(place as u128),
        name: name.to_owned(),
        description: description.trim().to_owned(),
        category: format!("category {}", place % 40),
        tags: Vec::new(),
    }
}

fn measure(texts: &[String]) -> anyhow::Result<Figures> {
    let size = texts.len();
    let products: Vec<Product> = texts.iter().enumerate().map(|(place, text)| product(place, text)).collect();
    let mut lines = products.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>()?;
    let catalogue = Catalogue::new(products);
    let before = memory("VmRSS:");
    let model = Model::train(&catalogue);
    let resident_bytes = memory("VmRSS:").saturating_sub(before);
    drop(catalogue);

    let mut random = Random(11);
    let customers = size.min(CUSTOMERS);
    let baskets: Vec<Vec<usize>> =
        (0..customers).map(|_| (0..BOUGHT).map(|_| random.below(size as u64) as usize).collect()).collect();
    let mut popularity = Popularity::new(7.0 * 24.0 * 3600.0);
    baskets.iter().flatten().for_each(|&place| popularity.bought(Uuid::from_u128(place as u128), 0));
    let ranking = popularity.ranking();
    let most = ranking.first().map_or(0.0, |&(_, buyers)| buyers);
    let sales = ranking.into_iter().collect();
    let together = Together::new(Purchases {
        ids: (0..size as u128).map(Uuid::from_u128).collect(),
        customers: baskets.iter().map(|basket| distinct(basket).map(|place| (place, 0)).collect()).collect(),
        now: 0,
    });
    let evidence = Evidence { together: &together, sales: &sales, most };
    let settings = Settings::default();
    let asked: Vec<_> = baskets.iter().cycle().take(QUESTIONS).collect();
    let personal = times(&asked, |basket| {
        let bought = || basket.iter().map(|&place| Uuid::from_u128(place as u128));
        let event = |product| Event { product, kind: Kind::Purchase, at: 0 };
        let history = History { events: bought().map(event).collect(), bought: bought().collect() };
        let start = Instant::now();
        let found = model.personal(&history, evidence, &settings, LIMIT);
        let took = start.elapsed().as_secs_f64();
        assert!(!found.is_empty() && found.len() <= LIMIT);
        took
    });

    let (mut polls, mut follows) = (Vec::new(), Vec::new());
    for poll in 0..POLLS {
        let place = size / 2 + poll;
        let usual = lines[place].clone();
        let mut changed: Product = serde_json::from_slice(&usual)?;
        changed.name = format!("changed {}", changed.name);
        lines[place] = serde_json::to_vec(&changed)?;
        let start = Instant::now();
        let read = lines.iter().map(|line| serde_json::from_slice(line)).collect::<Result<_, _>>()?;
        let understood = Instant::now();
        let catalogue = Catalogue::new(read);
        let followed = model.followed(&catalogue, FOLLOWED).context("one product changed")?;
        polls.push(start.elapsed().as_secs_f64());
        follows.push(understood.elapsed().as_secs_f64());
        assert_eq!(followed.version(), catalogue.version());
        black_box(followed);
        lines[place] = usual;
    }
    Ok(Figures {
        products: size,
        customers,
        resident_bytes,
        personal,
        poll: median(polls),
        follow: median(follows),
    })
}

/// In order, each once.
fn distinct(basket: &[usize]) -> impl Iterator<Item = usize> {
    let places: std::collections::BTreeSet<usize> = basket.iter().copied().collect();
    places.into_iter()
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_unstable_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
