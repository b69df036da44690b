//! Whether what is recommended is what customers then bought.
//!
//! The orders before the split are what the service would have read; what a customer bought for the first time
//! between split and end is what should have been recommended. The service's own code answers: its catalogue,
//! memory, model and blend, with the settings that it has by default unless told otherwise.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use nalgebra::DVector;
use serde::Serialize;
use shopmicro_ml_service::interactions::{Interaction, Interactions};
use shopmicro_ml_service::model::blend::{DAY, Evidence, Settings, variety};
use shopmicro_ml_service::model::profile::{Kind, Profile};
use shopmicro_ml_service::model::together::Together;
use shopmicro_ml_service::model::{Catalogue, Model, Product, Suggestion};
use uuid::Uuid;

use crate::corpus::Random;
use crate::{latent, orders};

/// How many products are recommended.
const LIMIT: usize = 10;
/// The default of `POPULARITY_HALF_LIFE_DAYS`.
const POPULARITY_DAYS: f64 = 7.0;
/// Of how many days before the split the usual baseline counts sales.
const WINDOW_DAYS: i64 = 30;
/// How often customers are drawn anew for the intervals.
const DRAWS: usize = 1_000;

/// What to measure on.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Order lines, as `shopmicro-backend import` reads them.
    data: PathBuf,
    /// What was ordered before this day is known.
    #[arg(long)]
    split: Date,
    /// What was ordered from this day on is not looked at.
    #[arg(long)]
    end: Date,
    /// Where the figures go, with what others need to be measured on the same.
    #[arg(long)]
    out: PathBuf,
    /// Weights to try beside the default ones, as `together,popularity,profile days,popularity days`.
    #[arg(long = "try")]
    tries: Vec<String>,
}

/// One customer bought one product.
struct Purchase {
    customer: usize,
    product: usize,
    at: DateTime,
}

/// What one way of recommending achieved.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    hit_rate: [f64; 3],
    recall: [f64; 3],
    ndcg: [f64; 3],
    coverage: f64,
    variety: f64,
}

/// Everything for `compare.py`.
#[derive(Serialize)]
struct Figures {
    products: usize,
    /// Of each product the nearest by words, as places and scores, to be compared with scikit-learn's.
    nearest: Vec<Vec<(usize, f32)>>,
    customers: usize,
    rows: Vec<Row>,
}

/// Known purchases and what was bought then.
struct Shop {
    names: Vec<String>,
    known: Vec<Purchase>,
    /// By customer the products that they bought newly.
    wanted: BTreeMap<usize, HashSet<usize>>,
}

/// Measures, and writes figures.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let shop = read(arguments)?;
    fs::create_dir_all(&arguments.out)?;
    let model = model(&shop);
    let mut rows = vec![random(&shop, &model)];
    rows.push(popular(&shop, &model, "popular of all time", 1e6));
    rows.push(popular_within(&shop, &model, arguments.split, WINDOW_DAYS));
    rows.push(popular(&shop, &model, "popular, as the service ranks", POPULARITY_DAYS));
    let default = Settings::default();
    let content = Settings { together: 0.0, popularity: 0.0, ..default };
    rows.push(personal(&shop, &model, "content alone", &content, POPULARITY_DAYS));
    let recent = Settings { together: 0.0, ..default };
    rows.push(personal(&shop, &model, "content and new buyers", &recent, POPULARITY_DAYS));
    let bought = Settings { popularity: 0.0, ..default };
    rows.push(personal(&shop, &model, "content and bought together", &bought, POPULARITY_DAYS));
    rows.push(personal(&shop, &model, "hybrid, as the service answers", &default, POPULARITY_DAYS));
    for diversity in [0.1, 0.3] {
        let diverse = Settings { diversity, ..default };
        rows.push(personal(
            &shop,
            &model,
            &format!("hybrid, diversity {diversity}"),
            &diverse,
            POPULARITY_DAYS,
        ));
    }
    for factors in [64, 256] {
        rows.push(by_factors(&shop, &model, factors));
    }
    for tried in &arguments.tries {
        let parts: Vec<f64> =
            tried.split(',').map(str::parse).collect::<Result<_, _>>().context("a weight")?;
        let [together, popularity, profile_days, days] = parts[..] else {
            anyhow::bail!("four weights: {tried}")
        };
        let settings = Settings { together, popularity, profile_half_life: profile_days * DAY, ..default };
        rows.push(personal(&shop, &model, tried, &settings, days));
    }
    write(&shop, &arguments.out)?;
    let nearest = (0..shop.names.len()).map(|number| {
        let found = model.similar(id(number), LIMIT).unwrap_or_default();
        found.iter().map(|found| (place(found), found.score)).collect()
    });
    let nearest = nearest.collect();
    let figures = Figures { nearest, products: shop.names.len(), customers: shop.wanted.len(), rows };
    fs::write(arguments.out.join("quality.json"), serde_json::to_vec(&figures)?)?;
    Ok(())
}

fn read(arguments: &Arguments) -> anyhow::Result<Shop> {
    let (mut customers, mut products) = (HashMap::new(), HashMap::new());
    let mut names: Vec<HashMap<String, usize>> = Vec::new();
    let (mut known, mut later) = (Vec::new(), Vec::new());
    for line in orders::sold(&arguments.data)? {
        let line = line?;
        let at: DateTime = line.invoiced_at.parse()?;
        if at.date() >= arguments.end {
            continue;
        }
        let code = line.stock_code.to_uppercase();
        let is_known = at.date() < arguments.split;
        let product = match products.get(&code) {
            Some(&product) => product,
            None if is_known => {
                names.push(HashMap::new());
                products.insert(code, names.len() - 1);
                names.len() - 1
            }
            // Nobody could have recommended it.
            None => continue,
        };
        if is_known && !line.description.is_empty() {
            *names[product].entry(line.description).or_insert(0) += 1;
        }
        if line.customer_id.is_empty() {
            continue;
        }
        let next = customers.len();
        let customer = *customers.entry(line.customer_id).or_insert(next);
        if is_known { &mut known } else { &mut later }.push(Purchase { customer, product, at });
    }
    known.sort_by_key(|purchase| purchase.at);
    let bought: HashSet<(usize, usize)> = known.iter().map(|known| (known.customer, known.product)).collect();
    let old: HashSet<usize> = known.iter().map(|known| known.customer).collect();
    let mut wanted: BTreeMap<usize, HashSet<usize>> = BTreeMap::new();
    for Purchase { customer, product, .. } in later {
        if old.contains(&customer) && !bought.contains(&(customer, product)) {
            wanted.entry(customer).or_default().insert(product);
        }
    }
    // The name that a product had most often, the first of equals in the order of letters.
    let name = |names: HashMap<String, usize>| {
        let best = names.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        best.map(|(name, _)| name).unwrap_or_default()
    };
    Ok(Shop { names: names.into_iter().map(name).collect(), known, wanted })
}

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

fn place(suggestion: &Suggestion) -> usize {
    usize::try_from(suggestion.product_id.as_u128()).unwrap_or(usize::MAX)
}

fn model(shop: &Shop) -> Model {
    let product = |(number, name): (usize, &String)| Product {
        id: id(number),
        name: name.clone(),
        description: String::new(),
        category: String::new(),
        tags: Vec::new(),
    };
    Model::train(&Catalogue::new(shop.names.iter().enumerate().map(product).collect()))
}

/// What the service would remember.
fn remembered(shop: &Shop, popularity_days: f64) -> Interactions {
    let mut interactions = Interactions::new(1_000_000, popularity_days * DAY);
    for (number, purchase) in shop.known.iter().enumerate() {
        interactions.apply(&Interaction {
            cursor: number.to_string(),
            user_id: id(purchase.customer),
            product_id: id(purchase.product),
            kind: Some(Kind::Purchase),
            at: purchase.at.to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp()),
        });
    }
    interactions.caught_up();
    interactions
}

fn personal(shop: &Shop, model: &Model, name: &str, settings: &Settings, popularity_days: f64) -> Row {
    let interactions = remembered(shop, popularity_days);
    let together = Together::new(interactions.purchases());
    let ranking = interactions.ranking();
    let evidence = Evidence { together: &together, sales: &ranking.sales, most: ranking.most() };
    measured(shop, model, name, |customer| {
        let (_, history) = interactions.user(id(customer)).expect("bought before");
        model.personal(&history, evidence, settings, LIMIT).iter().map(place).collect()
    })
}

/// As "content alone", with likeness by latent factors in place of words.
fn by_factors(shop: &Shop, model: &Model, count: usize) -> Row {
    let (index, settings) = (model.index(), Settings::default());
    let factors = latent::factors(index, count);
    let interactions = remembered(shop, POPULARITY_DAYS);
    measured(shop, model, &format!("content by {count} latent factors"), |customer| {
        let (_, history) = interactions.user(id(customer)).expect("bought before");
        let Some(profile) = Profile::new(&history.events, index, &settings) else { return Vec::new() };
        let mut mean = DVector::zeros(factors.ncols());
        for source in &profile.sources {
            mean.axpy(source.weight, &factors.row(source.row as usize).transpose(), 1.0);
        }
        let scores = &factors * mean;
        let mut rows: Vec<u32> =
            index.rows().filter(|&row| !history.bought.contains(&index.id_of(row))).collect();
        rows.sort_by(|&a, &b| {
            scores[b as usize].total_cmp(&scores[a as usize]).then(index.id_of(a).cmp(&index.id_of(b)))
        });
        rows.truncate(LIMIT);
        rows.into_iter().map(|row| index.id_of(row).as_u128() as usize).collect()
    })
}

fn popular(shop: &Shop, model: &Model, name: &str, days: f64) -> Row {
    let interactions = remembered(shop, days);
    let ranking = interactions.ranking();
    measured(shop, model, name, |customer| {
        let (_, history) = interactions.user(id(customer)).expect("bought before");
        model.popular(&ranking.products, &history.bought, None, LIMIT).iter().map(place).collect()
    })
}

/// What the most customers bought in the last days before the split, each of them counting once for a product.
fn popular_within(shop: &Shop, model: &Model, split: Date, days: i64) -> Row {
    let from = split.saturating_sub(Span::new().days(days));
    let mut buyers: HashMap<usize, HashSet<usize>> = HashMap::new();
    for known in shop.known.iter().filter(|known| known.at.date() >= from) {
        buyers.entry(known.product).or_default().insert(known.customer);
    }
    let mut ranking: Vec<(Uuid, f64)> =
        buyers.into_iter().map(|(product, buyers)| (id(product), buyers.len() as f64)).collect();
    ranking.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let bought = bought(shop);
    measured(shop, model, &format!("popular of {days} days"), |customer| {
        model.popular(&ranking, &bought[&customer], None, LIMIT).iter().map(place).collect()
    })
}

/// By customer what they bought.
fn bought(shop: &Shop) -> HashMap<usize, HashSet<Uuid>> {
    let mut bought: HashMap<usize, HashSet<Uuid>> = HashMap::new();
    for known in &shop.known {
        bought.entry(known.customer).or_default().insert(id(known.product));
    }
    bought
}

fn random(shop: &Shop, model: &Model) -> Row {
    let bought = bought(shop);
    let mut random = Random(3);
    measured(shop, model, "random", |customer| {
        let mut list = Vec::new();
        while list.len() < LIMIT {
            let product = usize::try_from(random.below(shop.names.len() as u64)).expect("small");
            if !list.contains(&product) && !bought[&customer].contains(&id(product)) {
                list.push(product);
            }
        }
        list
    })
}

/// Asks for every customer.
fn measured(shop: &Shop, model: &Model, name: &str, mut list_for: impl FnMut(usize) -> Vec<usize>) -> Row {
    let mut shown = HashSet::new();
    let mut each: Vec<[f64; 3]> = Vec::new();
    let mut varieties = Vec::new();
    for (&customer, wanted) in &shop.wanted {
        let list = list_for(customer);
        let gain = |place: usize| 1.0 / ((place + 2) as f64).log2();
        let hits: Vec<usize> = (0..list.len()).filter(|&place| wanted.contains(&list[place])).collect();
        let ideal: f64 = (0..wanted.len().min(LIMIT)).map(gain).sum();
        let ndcg = hits.iter().map(|&place| gain(place)).sum::<f64>() / ideal;
        each.push([f64::from(u8::from(!hits.is_empty())), hits.len() as f64 / wanted.len() as f64, ndcg]);
        let rows: Vec<u32> = list.iter().filter_map(|&product| model.index().row_of(id(product))).collect();
        varieties.push(variety(model.index(), &rows));
        shown.extend(list);
    }
    let [hit_rate, recall, ndcg] = intervals(&each);
    let row = Row {
        name: name.to_owned(),
        hit_rate,
        recall,
        ndcg,
        coverage: shown.len() as f64 / shop.names.len() as f64,
        variety: varieties.iter().sum::<f64>() / varieties.len() as f64,
    };
    crate::say(&format!(
        "{:36} hit rate {:.3}  recall {:.3}  NDCG {:.4}  coverage {:.3}  variety {:.3}",
        row.name, row.hit_rate[0], row.recall[0], row.ndcg[0], row.coverage, row.variety
    ));
    row
}

/// Means with the 2.5th and 97.5th percentile of the means of customers drawn with replacement.
fn intervals(each: &[[f64; 3]]) -> [[f64; 3]; 3] {
    let mut random = Random(5);
    let mean = |draw: &mut dyn FnMut(usize) -> usize| {
        let mut sums = [0.0; 3];
        for number in 0..each.len() {
            let one = each[draw(number)];
            (0..3).for_each(|figure| sums[figure] += one[figure]);
        }
        sums.map(|sum| sum / each.len() as f64)
    };
    let plain = mean(&mut |number| number);
    let mut drawn: Vec<[f64; 3]> = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        drawn.push(mean(&mut |_| usize::try_from(random.below(each.len() as u64)).expect("small")));
    }
    [0, 1, 2].map(|figure| {
        let mut means: Vec<f64> = drawn.iter().map(|means| means[figure]).collect();
        means.sort_unstable_by(f64::total_cmp);
        [plain[figure], means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40]]
    })
}

/// The same purchases and wishes, for others.
fn write(shop: &Shop, out: &Path) -> anyhow::Result<()> {
    let known: Vec<(usize, usize, String)> =
        shop.known.iter().map(|known| (known.customer, known.product, known.at.to_string())).collect();
    let wanted: Vec<(usize, Vec<usize>)> =
        shop.wanted.iter().map(|(&customer, wanted)| (customer, wanted.iter().copied().collect())).collect();
    let all = serde_json::json!({ "products": shop.names, "known": known, "wanted": wanted });
    fs::write(out.join("purchases.json"), serde_json::to_vec(&all)?)?;
    Ok(())
}
