//! Product texts, the same on every machine: made up, or of the names of real products.
//!
//! A made-up product is of a family, whose three rare words it has ("tealight lantern zinc"), and has four to eight words
//! of its own, drawn from 20,000 with frequencies as they are in shops: the commonest is in one product of a
//! dozen, half of the words in fewer than one of ten thousand. Like the shop's products it ends with its category,
//! one of [`CATEGORIES`], which is that of its family, and two of [`TAGS`] tags.

use std::path::Path;

use crate::orders;

/// How many products a family has on average.
const FAMILY: u64 = 20;
/// How many words there are.
const WORDS: usize = 20_000;

/// How many categories there are.
const CATEGORIES: usize = 40;
/// How many tags there are.
const TAGS: usize = 300;

/// A sequence of numbers that look random.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The texts of so many products: of real products' names where orders are given, else made up.
pub(crate) fn texts(products: usize, orders: Option<&Path>) -> anyhow::Result<Vec<String>> {
    match orders {
        None => Ok(made_up(products)),
        Some(orders) => Ok(of_names(products, &orders::names(orders)?)),
    }
}

/// Three names each, which makes about as many words as made-up texts have: of few thousand words, with the frequencies
/// and the neighbours that they have in a shop.
fn of_names(products: usize, names: &[String]) -> Vec<String> {
    let mut random = Random(1);
    let mut name = || names[random.below(names.len() as u64) as usize].as_str();
    (0..products).map(|_| [name(), name(), name()].join(" ")).collect()
}

fn made_up(products: usize) -> Vec<String> {
    // Zipf and Mandelbrot: the frequency of the word of a rank is 1 / (rank + 10).
    let mut sum = 0.0;
    let until: Vec<f64> = (0..WORDS)
        .map(|rank| {
            sum += 1.0 / (f64::from(u32::try_from(rank).unwrap_or(u32::MAX)) + 10.0);
            sum
        })
        .collect();
    let mut random = Random(1);
    let families = (products as u64 / FAMILY).max(1);
    (0..products)
        .map(|_| {
            let mut family = Random(random.below(families) << 20);
            let mut words: Vec<String> = (0..3).map(|_| word(family.below(WORDS as u64) as usize)).collect();
            for _ in 0..4 + random.below(5) {
                let place = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * sum;
                words.push(word(until.partition_point(|&until| until < place)));
            }
            words.push(word(WORDS + family.below(CATEGORIES as u64) as usize));
            words.extend((0..2).map(|_| word(WORDS + CATEGORIES + random.below(TAGS as u64) as usize)));
            words.join(" ")
        })
        .collect()
}

/// A word of two to four syllables.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "wa"];
    let mut rest = number + 16;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SYLLABLES[rest % 16]);
        rest /= 16;
    }
    word
}
