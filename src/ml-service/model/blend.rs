//! What fits a customer: likeness to what they dealt with, what others bought beside that, and what sells now.
//!
//! Candidates are the products most like the profile and those that were bought together with its products. Each
//! of the two signs is divided by its largest value among them, and
//!
//! `score = (content + TOGETHER * together) / (1 + TOGETHER) * (sales share)^POPULARITY`
//!
//! where the sales are the new buyers of [`popular`](super::popular), with half a buyer more for each product, so that
//! new ones have a chance. `docs/recommender.md` tells how the weights were chosen and what each sign is worth.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use uuid::Uuid;

use super::index::{Found, Index};
use super::profile::{Kind, Profile};
use super::tfidf::as_f64;
use super::together::Together;

/// How many products most like the profile are candidates.
const LIKE: usize = 500;
/// New buyers that every product is taken to have.
const SMOOTHING: f64 = 0.5;
/// From how many times the products that are wanted the most different are chosen.
const CHOICE: usize = 4;

/// How much each sign counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What an event says, by its kind.
    pub view: f64,
    /// See `view`.
    pub cart: f64,
    /// See `view`.
    pub purchase: f64,
    /// Seconds until an event counts half in a profile.
    pub profile_half_life: f64,
    /// Co-purchase evidence, against one for content.
    pub together: f64,
    /// The power of the sales share; zero leaves them out.
    pub popularity: f64,
    /// From 0, the best, to 1, the most different from one another: maximal marginal relevance.
    pub diversity: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            view: 0.2,
            cart: 0.5,
            purchase: 1.0,
            profile_half_life: 90.0 * DAY,
            together: 1.4,
            popularity: 0.25,
            diversity: 0.0,
        }
    }
}

/// Seconds of a day.
pub const DAY: f64 = 24.0 * 3600.0;

impl Settings {
    /// How much an event of this kind says about what the customer likes.
    #[must_use]
    pub fn weight(&self, kind: Kind) -> f64 {
        match kind {
            Kind::View => self.view,
            Kind::Cart => self.cart,
            Kind::Purchase => self.purchase,
        }
    }
}

/// What is known of all customers together.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What is bought together.
    pub together: &'a Together,
    /// The new buyers of each product, as they count now.
    pub sales: &'a HashMap<Uuid, f64>,
    /// The most new buyers of one product.
    pub most: f64,
}

/// A product for a customer, and what speaks for it.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) row: u32,
    pub(crate) score: f32,
    /// What each source of the profile contributes as bought together, by its place among them.
    pub(crate) together: Vec<(usize, f64)>,
}

/// The best candidates among the wanted rows, the best first.
pub(crate) fn best(
    index: &Index,
    profile: &Profile,
    evidence: Evidence<'_>,
    settings: &Settings,
    limit: usize,
    wanted: impl Fn(u32) -> bool,
) -> Vec<Candidate> {
    let mut beside: BTreeMap<u32, Vec<(usize, f64)>> = BTreeMap::new();
    if settings.together > 0.0 {
        for (place, source) in profile.sources.iter().enumerate() {
            // Ten purchases of one thing say no more than one.
            let weight = source.weight.min(1.0);
            for (other, near) in evidence.together.of(source.id) {
                if let Some(row) = index.row_of(other).filter(|&row| wanted(row)) {
                    beside.entry(row).or_default().push((place, weight * near));
                }
            }
        }
    }
    let like = index.search(&profile.query, LIKE.max(limit), &wanted);
    let mut cosines: HashMap<u32, f32> = like.into_iter().map(|Found { row, score }| (row, score)).collect();
    let others: Vec<u32> = beside.keys().copied().filter(|row| !cosines.contains_key(row)).collect();
    cosines.extend(others.iter().copied().zip(index.cosines(&profile.query, &others)));

    let sum =
        |row: &u32| beside.get(row).map_or(0.0, |parts| parts.iter().map(|&(_, part)| part).sum::<f64>());
    let most_like = f64::from(cosines.values().copied().fold(0.0, f32::max)).max(f64::MIN_POSITIVE);
    let most_beside = cosines.keys().map(&sum).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let mut scored: Vec<(f64, Uuid, u32)> = cosines
        .iter()
        .map(|(row, &cosine)| {
            let id = index.id_of(*row);
            let fits = f64::from(cosine) / most_like + settings.together * sum(row) / most_beside;
            let sales = evidence.sales.get(&id).copied().unwrap_or(0.0);
            let share = (sales + SMOOTHING) / (evidence.most + SMOOTHING);
            (fits / (1.0 + settings.together) * share.powf(settings.popularity), id, *row)
        })
        .filter(|&(score, ..)| score > 0.0)
        .collect();
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let chosen =
        if settings.diversity > 0.0 { diverse(index, scored, settings.diversity, limit) } else { scored };
    let candidate = |(score, _, row): (f64, Uuid, u32)| Candidate {
        row,
        score: rounded(score.min(1.0)),
        together: beside.remove(&row).unwrap_or_default(),
    };
    chosen.into_iter().take(limit).map(candidate).collect()
}

/// Maximal marginal relevance: takes again and again what is best when its likeness to what was taken already
/// counts against it. The order of the answer is that of the taking; scores stay what they were.
fn diverse(
    index: &Index,
    mut scored: Vec<(f64, Uuid, u32)>,
    diversity: f64,
    limit: usize,
) -> Vec<(f64, Uuid, u32)> {
    scored.truncate(CHOICE * limit);
    let most = scored.first().map_or(1.0, |&(score, ..)| score);
    let mut nearest = vec![0.0_f32; scored.len()];
    let mut taken = Vec::with_capacity(limit);
    while taken.len() < limit && !scored.is_empty() {
        let value =
            |place: usize| (1.0 - diversity) * scored[place].0 / most - diversity * f64::from(nearest[place]);
        // The first of equal ones: they are in the order of their scores.
        let best =
            (1..scored.len()).fold(0, |best, place| if value(place) > value(best) { place } else { best });
        let next = scored.remove(best);
        nearest.remove(best);
        let rows: Vec<u32> = scored.iter().map(|&(.., row)| row).collect();
        for (nearest, cosine) in nearest.iter_mut().zip(index.cosines(&index.query_of(next.2), &rows)) {
            *nearest = nearest.max(cosine);
        }
        taken.push(next);
    }
    taken
}

#[expect(clippy::cast_possible_truncation, reason = "scores are answered in 32 bits")]
fn rounded(score: f64) -> f32 {
    score as f32
}

/// The mean over a list of how unlike its products are, from 0 to 1: what [`Settings::diversity`] raises.
#[must_use]
pub fn variety(index: &Index, rows: &[u32]) -> f64 {
    let pairs = rows.len() * rows.len().saturating_sub(1) / 2;
    let sum: f64 = rows
        .iter()
        .enumerate()
        .flat_map(|(place, &row)| index.cosines(&index.query_of(row), &rows[place + 1..]))
        .map(|cosine| 1.0 - f64::from(cosine))
        .sum();
    if pairs == 0 { 0.0 } else { sum / as_f64(pairs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::profile::Event;
    use crate::model::tfidf::Options;

    /// Of products of which the first was bought, and the others had so many new buyers, the best, with their scores.
    /// Bought together was nothing, and the score is proportional to half a buyer more than there are.
    fn found(names: &[&str], sales: &[f64], diversity: f64, limit: usize) -> (Index, Vec<(u32, f32)>) {
        let ids: Vec<Uuid> = (0..).take(names.len()).map(Uuid::from_u128).collect();
        let index = Index::fit(&ids, names, Options::default());
        let event = Event { product: ids[0], kind: Kind::Purchase, at: 0 };
        let settings = Settings { popularity: 1.0, together: 0.0, diversity, ..Settings::default() };
        let profile = Profile::new(&[event], &index, &settings).expect("a profile");
        let together = Together::default();
        let sales: HashMap<Uuid, f64> = ids[1..].iter().copied().zip(sales.iter().copied()).collect();
        let most = sales.values().copied().fold(0.0, f64::max);
        let evidence = Evidence { together: &together, sales: &sales, most };
        let bought = index.row_of(ids[0]).expect("known");
        let best = best(&index, &profile, evidence, &settings, limit, |row| row != bought);
        (index, best.into_iter().map(|found| (found.row, found.score)).collect())
    }

    /// All four are as like the first as each other. The first of them is like the second entirely, and like the
    /// others by their one common word of idf 1 beside two terms of idf `1 + ln 2`, so by `1 / (1 + 2 (1 + ln 2)^2)`,
    /// which is 0.149. Their scores are 1, 0.8, 0.6 and 0.2.
    fn lamps(diversity: f64, limit: usize) -> (Vec<u128>, Vec<f32>, f64) {
        let names = ["lamp", "lamp red", "lamp red", "lamp blue", "lamp blue"];
        let (index, found) = found(&names, &[4.0, 3.1, 2.2, 0.4], diversity, limit);
        let rows: Vec<u32> = found.iter().map(|&(row, _)| row).collect();
        let ids = rows.iter().map(|&row| index.id_of(row).as_u128()).collect();
        (ids, found.iter().map(|&(_, score)| score).collect(), variety(&index, &rows))
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        assert!(
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
            "{found:?} is not {expected:?}"
        );
    }

    #[test]
    fn without_diversity_the_list_is_by_score() {
        let (ids, scores, varied) = lamps(0.0, 4);
        assert_eq!(ids, [1, 2, 3, 4]);
        assert_close(&scores, &[1.0, 0.8, 0.6, 0.2]);
        let unlike = 1.0 - 1.0 / (1.0 + 2.0 * (1.0 + 2_f64.ln()).powi(2));
        assert!(
            (varied - unlike * 4.0 / 6.0).abs() < 1e-6,
            "four of six pairs are of both colours: {varied}"
        );
        assert!(lamps(0.0, 2).2.abs() < 1e-6, "twice the same");
    }

    #[test]
    fn with_diversity_what_is_like_the_list_comes_later_with_the_score_that_it_has() {
        // After the first: 0.7 * 0.8 - 0.3 for the second, 0.7 * 0.6 - 0.3 * 0.149 for the third, which is more.
        let (ids, scores, _) = lamps(0.3, 4);
        assert_eq!(ids, [1, 3, 2, 4]);
        assert_close(&scores, &[1.0, 0.6, 0.8, 0.2]);
        assert!(lamps(0.3, 2).2 > 0.85, "one of each colour");
        // 0.9 * 0.8 - 0.1 is more than 0.9 * 0.6 - 0.1 * 0.149.
        assert_eq!(lamps(0.1, 2).0, [1, 2]);
        // Of nothing but difference, equal ones in the order of their scores.
        assert_eq!(lamps(1.0, 4).0, [1, 3, 2, 4]);
    }

    #[test]
    fn the_most_different_are_chosen_among_four_times_as_many() {
        let mut names = vec!["lamp"];
        names.extend(["lamp red"; 8]);
        names.push("lamp blue");
        let sales = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 0.0];
        let shown = |limit| -> Vec<u128> {
            let (index, found) = found(&names, &sales, 1.0, limit);
            found.iter().map(|&(row, _)| index.id_of(row).as_u128()).collect()
        };
        assert_eq!(shown(2), [1, 2], "the blue one is the ninth");
        assert_eq!(shown(3)[..2], [1, 9]);
    }
}
