//! The demo shop's catalogue. What is sold is curated by hand, so that no product is nonsense; the seed decides what
//! differs from shop to shop: which sentences describe a product, its price, its stock, and the order of arrival.

mod at_home;
mod at_leisure;
mod at_work;

use std::ops::RangeInclusive;

/// The seed of the catalogue that the shop ships.
pub const SEED: u64 = 2011;

/// A product of the demo catalogue, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoProduct {
    /// The shop's own number for it: the same for every seed, so that seeding again finds the product.
    pub sku: String,
    /// Name, unique in the catalogue.
    pub name: String,
    /// Two or three sentences.
    pub description: String,
    /// One of the twelve categories.
    pub category: String,
    /// Words by which it is found as well.
    pub tags: Vec<String>,
    /// Price in minor units.
    pub price_cents: i64,
    /// Units in stock.
    pub stock: i32,
}

/// A category and what the shop sells in it.
struct Category {
    name: &'static str,
    /// The first letters of its stock numbers.
    code: &'static str,
    /// What its products are bought for; each product is tagged with one.
    occasions: &'static [&'static str],
    kinds: &'static [Kind],
}

/// Products that share how they are made and used, so that every sentence here is true of every one of them.
struct Kind {
    tags: &'static [&'static str],
    /// The whole pounds of the price.
    pounds: RangeInclusive<i64>,
    /// Sentences on material, size and making; each product takes one.
    made: &'static [&'static str],
    /// Sentences on use, room and care; a product takes one or none.
    used: &'static [&'static str],
    /// Name, and the sentence that is true of this product alone.
    items: &'static [(&'static str, &'static str)],
}

/// A colour in a product's name is a tag of the product too.
const COLOURS: [&str; 21] = [
    "amber",
    "black",
    "blue",
    "brass",
    "brown",
    "charcoal",
    "copper",
    "cream",
    "green",
    "grey",
    "indigo",
    "mustard",
    "navy",
    "oatmeal",
    "orange",
    "pink",
    "red",
    "sage",
    "terracotta",
    "white",
    "yellow",
];

/// The demo catalogue of a seed; the same seed gives the same catalogue on every machine.
pub fn catalogue(seed: u64) -> Vec<DemoProduct> {
    let mut random = SplitMix64(seed);
    let mut products = Vec::new();
    for category in at_home::CATEGORIES.iter().chain(at_leisure::CATEGORIES).chain(at_work::CATEGORIES) {
        for (kind_number, kind) in (1..).zip(category.kinds) {
            for (item_number, item) in (1..).zip(kind.items) {
                let sku = format!("{}-{kind_number:02}{item_number:02}", category.code);
                products.push(product(&mut random, sku, category, kind, item));
            }
        }
    }
    // The shop lists the newest first: unshuffled, its first pages would show a single category.
    for last in (1..products.len()).rev() {
        let other = random.below(last + 1);
        products.swap(last, other);
    }
    products
}

fn product(
    random: &mut SplitMix64,
    sku: String,
    category: &Category,
    kind: &Kind,
    &(name, detail): &(&str, &str),
) -> DemoProduct {
    let mut description = format!("{detail} {}", random.pick(kind.made));
    // One in five does with two sentences, as in a catalogue that people wrote.
    if random.below(5) > 0 {
        description = format!("{description} {}", random.pick(kind.used));
    }
    let words = name.to_lowercase();
    let colours = words.split(|c: char| !c.is_alphabetic()).filter(|word| COLOURS.contains(word));
    let mut tags: Vec<String> = Vec::new();
    for tag in kind.tags.iter().copied().chain(colours).chain([random.pick(category.occasions)]) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    DemoProduct {
        sku,
        name: name.to_owned(),
        description,
        category: category.name.to_owned(),
        tags,
        price_cents: price(random, &kind.pounds),
        stock: stock(random),
    }
}

/// Small prices end in 50, 95 or 99; from twenty pounds on round ones are as common.
fn price(random: &mut SplitMix64, pounds: &RangeInclusive<i64>) -> i64 {
    let whole: Vec<i64> = pounds.clone().collect();
    let pounds = random.pick(&whole);
    let pence = if pounds < 20 { random.pick(&[50, 95, 99]) } else { random.pick(&[0, 0, 50, 95]) };
    pounds * 100 + pence
}

/// A few are sold out, a few are nearly so, most are plenty.
fn stock(random: &mut SplitMix64) -> i32 {
    let (few, plenty): (Vec<i32>, Vec<i32>) = ((1..=4).collect(), (12..=160).collect());
    match random.below(100) {
        0..4 => 0,
        4..12 => random.pick(&few),
        _ => random.pick(&plenty),
    }
}

/// `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). Written out here
/// because a library's generator may change with its version, and the catalogue must not.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`, by the high half of the 128-bit product; its bias is far below what a shop would show.
    fn below(&mut self, bound: usize) -> usize {
        let scaled = (u128::from(self.next()) * bound as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn twelve_categories_of_twenty_and_more() {
        let products = catalogue(SEED);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for product in &products {
            *counts.entry(&product.category).or_default() += 1;
        }
        assert_eq!(counts.len(), 12);
        assert!(counts.values().all(|&count| count >= 20), "{counts:?}");
        assert!(products.len() >= 240);
    }

    #[test]
    fn stock_numbers_and_names_are_unique() {
        let products = catalogue(SEED);
        let skus: BTreeSet<&str> = products.iter().map(|product| product.sku.as_str()).collect();
        let names: BTreeSet<String> = products.iter().map(|product| product.name.to_lowercase()).collect();
        assert_eq!((skus.len(), names.len()), (products.len(), products.len()));
    }

    #[test]
    fn descriptions_differ() {
        let products = catalogue(SEED);
        let descriptions: BTreeSet<&str> =
            products.iter().map(|product| product.description.as_str()).collect();
        assert_eq!(descriptions.len(), products.len());
    }

    /// The checks of the table `products`.
    #[test]
    fn every_product_can_be_stored() {
        for product in catalogue(SEED) {
            assert!((1..=64).contains(&product.sku.chars().count()), "{product:?}");
            assert!((1..=200).contains(&product.name.chars().count()), "{product:?}");
            assert!((60..=4000).contains(&product.description.chars().count()), "{product:?}");
            assert!((1..=60).contains(&product.category.chars().count()), "{product:?}");
            assert!((3..=20).contains(&product.tags.len()), "{product:?}");
            assert!((100..=100_000_000).contains(&product.price_cents), "{product:?}");
            assert!(product.stock >= 0, "{product:?}");
        }
    }

    #[test]
    fn texts_are_tidy() {
        for product in catalogue(SEED) {
            let sentences = product.description.matches(['.', '!', '?']).count();
            assert!(sentences >= 2, "{product:?}");
            assert!(product.description.ends_with('.'), "{product:?}");
            for text in [&product.name, &product.description] {
                assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), *text);
            }
            assert!(
                product.tags.iter().all(|tag| *tag == tag.to_lowercase() && !tag.is_empty()),
                "{product:?}"
            );
        }
    }

    #[test]
    fn prices_end_as_in_shops() {
        assert!(catalogue(SEED).iter().all(|product| [0, 50, 95, 99].contains(&(product.price_cents % 100))));
    }

    #[test]
    fn some_are_sold_out_and_most_are_plenty() {
        let products = catalogue(SEED);
        let count = |range: RangeInclusive<i32>| {
            products.iter().filter(|product| range.contains(&product.stock)).count()
        };
        assert!((4..=30).contains(&count(0..=0)), "{}", count(0..=0));
        assert!((8..=60).contains(&count(1..=4)), "{}", count(1..=4));
        assert!(count(12..=160) > 200);
    }

    #[test]
    fn the_first_page_mixes_categories() {
        let products = catalogue(SEED);
        let first: BTreeSet<&str> =
            products.iter().rev().take(20).map(|product| product.category.as_str()).collect();
        assert!(first.len() >= 6, "{first:?}");
    }

    #[test]
    fn a_seed_gives_one_catalogue_and_another_seed_another() {
        assert_eq!(catalogue(SEED), catalogue(SEED));
        assert_ne!(catalogue(SEED), catalogue(SEED + 1));
    }

    /// Shops that are already seeded, pictures and screenshots hang on the catalogue: a change to it is to be meant.
    #[test]
    fn the_catalogue_is_pinned() {
        let mut digest = Sha256::new();
        for product in catalogue(SEED) {
            digest.update(format!("{product:?}\n"));
        }
        let hex = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        assert_eq!(hex, "b1f5141a2095beac1ecad32be0d7fd28b618319c53dfc16824fd1576a52465af");
    }
}
