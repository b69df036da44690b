//! The recommender: a catalogue turned into vectors once, then only read.
//!
//! A product's document is its name (twice, since it says most), description, category and tags, each field
//! analysed by itself, so that no pair of words reaches from one field into the next. [`tokens`] and
//! [`tfidf`] make vectors of the documents, [`index`] scores them, [`profile`] makes a vector of a customer,
//! [`popular`] ranks what sells.

pub mod blend;
pub mod bytes;
pub mod index;
pub mod items;
pub mod popular;
mod products;
pub mod profile;
pub mod quality;
pub mod tfidf;
pub mod together;
pub mod tokens;
pub mod vocabulary;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::blend::{Candidate, Evidence, Settings};
use self::index::{Found, Index};
use self::items::Items;
pub use self::products::{Catalogue, Product};
use self::profile::{History, Kind, Profile};
use self::tfidf::Options;

/// Part of every model's version and file: to be changed whenever the same catalogue would give other answers
/// than before.
const ALGORITHM: &str = "tfidf 3";

/// How an answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// From what the customer did.
    Personal,
    /// From what everybody buys.
    Popular,
    /// From one product.
    Similar,
}

impl Strategy {
    /// The name in answers and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Popular => "popular",
            Self::Similar => "similar",
        }
    }
}

/// A product to show, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The product.
    pub product_id: Uuid,
    /// How well it fits, from 0 to 1, comparable within one answer.
    pub score: f32,
    /// Why, for a person.
    pub reason: String,
}

/// A trained model. Immutable: retraining makes another.
#[derive(Clone, Debug)]
pub struct Model {
    version: String,
    /// That of the catalogue that it was trained on, before products came and went.
    trained_version: String,
    index: Index,
    /// Of the rows that were fitted.
    items: Arc<Items>,
    /// Of those that came since.
    fresh: Items,
}

impl Model {
    /// Trains on a catalogue, in the current rayon pool.
    #[must_use]
    pub fn train(catalogue: &Catalogue) -> Self {
        let ids: Vec<Uuid> = catalogue.products.iter().map(|product| product.id).collect();
        let index = Index::fit(&ids, &catalogue.products, Options::default());
        let place = |row| catalogue.products.binary_search_by_key(&index.id_of(row), |product| product.id);
        let places = index.rows().filter_map(|row| place(row).ok());
        let items = Items::new(places.map(|place| (&catalogue.products[place], catalogue.digests[place])));
        let version = catalogue.version.clone();
        Self {
            trained_version: version.clone(),
            version,
            items: Arc::new(items),
            index,
            fresh: Items::default(),
        }
    }

    /// The model of a catalogue that differs from this one's in few products: the same as a new one would be,
    /// sooner. Nothing where it differs in more than `most`, counted since the last training, nor of an empty one, of
    /// which a training is as soon done.
    #[must_use]
    pub fn followed(&self, catalogue: &Catalogue, most: usize) -> Option<Self> {
        if catalogue.is_empty() {
            return None;
        }
        let budget = most.checked_sub(self.index.changes())?;
        let mut changes: Vec<(Uuid, Option<&Product>)> = Vec::new();
        for (product, &digest) in catalogue.products.iter().zip(&catalogue.digests) {
            let known = self.index.row_of(product.id).map(|row| self.digest(row));
            if known != Some(digest) {
                changes.push((product.id, Some(product)));
            }
            if changes.len() > budget {
                return None;
            }
        }
        let came = changes.iter().filter(|(id, _)| self.index.row_of(*id).is_none()).count();
        if self.index.len() + came > catalogue.len() {
            let gone = |id: &Uuid| catalogue.products.binary_search_by_key(id, |product| product.id).is_err();
            let left = self.index.rows().map(|row| self.index.id_of(row)).filter(gone);
            changes.extend(left.map(|id| (id, None)));
        }
        if changes.len() > budget {
            return None;
        }
        let mut model = Self {
            version: catalogue.version.clone(),
            trained_version: self.trained_version.clone(),
            index: self.index.changed(&changes),
            items: Arc::clone(&self.items),
            fresh: Items::default(),
        };
        let mut fresh: Vec<(&Product, u64)> = Vec::new();
        for row in (0..).skip(self.items.len()).take(model.index.len_fresh()) {
            let place =
                catalogue.products.binary_search_by_key(&model.index.id_of(row), |product| product.id);
            // A product that came and went, or changed twice, keeps its place; no answer tells of it.
            let place = place.unwrap_or(0);
            fresh.push((&catalogue.products[place], catalogue.digests[place]));
        }
        model.fresh = Items::new(fresh);
        Some(model)
    }

    /// See [`Catalogue::version`].
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many products it knows.
    #[must_use]
    pub fn products(&self) -> usize {
        self.index.len()
    }

    /// How many terms its products have.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.index.terms()
    }

    /// The vectors of the products.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What the model takes in memory, in bytes, beyond the texts that it keeps.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.index.bytes() + self.items.bytes()
    }

    /// Whether it knows a product.
    #[must_use]
    pub fn knows(&self, product: Uuid) -> bool {
        self.index.row_of(product).is_some()
    }

    /// The nearest products by cosine, the exact ones; nothing for an unknown product.
    #[must_use]
    pub fn similar(&self, product: Uuid, limit: usize) -> Option<Vec<Suggestion>> {
        let asked = self.index.row_of(product)?;
        let reason = format!("Similar to {}", self.name(asked));
        let found = self.index.search(&self.index.query_of(asked), limit, |row| row != asked);
        Some(
            found
                .into_iter()
                .map(|Found { row, score }| self.suggestion(row, score, reason.clone()))
                .collect(),
        )
    }

    /// What fits what a customer did, without what they bought; nothing where that says nothing about the
    /// products of today.
    #[must_use]
    pub fn personal(
        &self,
        history: &History,
        evidence: Evidence<'_>,
        settings: &Settings,
        limit: usize,
    ) -> Vec<Suggestion> {
        self.personal_while(|| true, history, evidence, settings, limit).unwrap_or_default()
    }

    /// The same, given up as soon as it is not wanted any more.
    #[must_use]
    pub fn personal_while(
        &self,
        wanted: impl Fn() -> bool,
        history: &History,
        evidence: Evidence<'_>,
        settings: &Settings,
        limit: usize,
    ) -> Option<Vec<Suggestion>> {
        let Some(profile) = Profile::new(&history.events, &self.index, settings) else {
            return Some(Vec::new());
        };
        let bought: HashSet<u32> = history.bought.iter().filter_map(|&id| self.index.row_of(id)).collect();
        let found =
            blend::best(&self.index, &profile, evidence, settings, limit, |row| !bought.contains(&row));
        let told = |found: Candidate| {
            let reason = wanted().then(|| self.reason(&profile, &found, settings))?;
            Some(self.suggestion(found.row, found.score, reason))
        };
        found.into_iter().map(told).collect()
    }

    /// The best of a ranking that are in the catalogue, of the category where one is named, and not excluded;
    /// then, where too few were sold, others from the whole range.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "scores are 32 bits")]
    pub fn popular(
        &self,
        ranking: &[(Uuid, f64)],
        excluded: &HashSet<Uuid>,
        category: Option<&str>,
        limit: usize,
    ) -> Vec<Suggestion> {
        let within = |row: &u32| category.is_none_or(|category| self.category(*row) == category);
        let sold: Vec<(u32, f64)> = ranking
            .iter()
            .filter(|(product, _)| !excluded.contains(product))
            .filter_map(|&(product, units)| Some((self.index.row_of(product).filter(within)?, units)))
            .take(limit)
            .collect();
        // Sales of long ago may count nothing.
        let most = sold.first().map_or(1.0, |&(_, units)| units.max(f64::MIN_POSITIVE));
        let taken: HashSet<u32> = sold.iter().map(|&(row, _)| row).collect();
        let others = if sold.len() < limit {
            let free = |row: &u32| {
                !taken.contains(row) && !excluded.contains(&self.index.id_of(*row)) && within(row)
            };
            self.in_turns(self.index.rows().filter(free), limit)
        } else {
            Vec::new()
        };
        let others = others.into_iter().map(|row| self.suggestion(row, 0.0, "From our range".to_owned()));
        sold.iter()
            .map(|&(row, units)| self.suggestion(row, (units / most) as f32, "Popular now".to_owned()))
            .chain(others)
            .take(limit)
            .collect()
    }

    fn suggestion(&self, row: u32, score: f32, reason: String) -> Suggestion {
        Suggestion { product_id: self.index.id_of(row), score, reason }
    }

    /// Names what contributed most to a product's score: something bought, else something else that the
    /// customer dealt with.
    fn reason(&self, profile: &Profile, found: &Candidate, settings: &Settings) -> String {
        let row = found.row;
        let rows: Vec<u32> = profile.sources.iter().map(|source| source.row).collect();
        let cosines = self.index.cosines(&self.index.query_of(row), &rows);
        let mut parts: Vec<f64> = profile
            .sources
            .iter()
            .zip(cosines)
            .map(|(source, cosine)| source.weight * f64::from(cosine))
            .collect();
        let most = |parts: &mut dyn Iterator<Item = f64>| parts.fold(f64::MIN_POSITIVE, f64::max);
        let (most_like, most_beside) =
            (most(&mut parts.iter().copied()), most(&mut found.together.iter().map(|&(_, part)| part)));
        for part in &mut parts {
            *part /= most_like;
        }
        for &(place, part) in &found.together {
            parts[place] += settings.together * part / most_beside;
        }
        let strongest = |bought: bool| {
            profile
                .sources
                .iter()
                .zip(&parts)
                .filter(|(source, _)| source.row != row && (source.kind == Kind::Purchase) == bought)
                .filter(|&(_, &contribution)| contribution > 0.0)
                .max_by(|a, b| a.1.total_cmp(b.1))
        };
        if let Some((source, _)) = strongest(true).or_else(|| strongest(false)) {
            let name = self.name(source.row);
            return match source.kind {
                Kind::Purchase => format!("Because you bought {name}"),
                Kind::Cart => format!("Because you put {name} in your cart"),
                Kind::View => format!("Because you looked at {name}"),
            };
        }
        let itself = profile.sources.iter().find(|source| source.row == row).map(|source| source.kind);
        match itself {
            Some(Kind::Cart) => "You had it in your cart".to_owned(),
            _ => "You looked at it".to_owned(),
        }
    }

    /// The items that a row is among, and its place there.
    fn item(&self, row: u32) -> (&Items, usize) {
        let row = row as usize;
        row.checked_sub(self.items.len()).map_or((&self.items, row), |fresh| (&self.fresh, fresh))
    }

    fn name(&self, row: u32) -> &str {
        let (items, place) = self.item(row);
        items.names.get(place)
    }

    fn category(&self, row: u32) -> &str {
        let (items, place) = self.item(row);
        items.category(place)
    }

    fn digest(&self, row: u32) -> u64 {
        let (items, place) = self.item(row);
        items.digests[place]
    }

    /// The rows, one of each category in turn, in the order of the ids: what a shop shows that has sold nothing
    /// yet.
    fn in_turns(&self, rows: impl Iterator<Item = u32>, limit: usize) -> Vec<u32> {
        let mut by_category: BTreeMap<&str, BTreeSet<(Uuid, u32)>> = BTreeMap::new();
        for row in rows {
            let first = by_category.entry(self.category(row)).or_default();
            first.insert((self.index.id_of(row), row));
            if first.len() > limit {
                first.pop_last();
            }
        }
        let mut turns: Vec<_> = by_category.into_values().map(BTreeSet::into_iter).collect();
        let mut found = Vec::new();
        while found.len() < limit && !turns.is_empty() {
            turns.retain_mut(|rows| rows.next().map(|(_, row)| found.push(row)).is_some());
        }
        found.truncate(limit);
        found
    }
}

#[cfg(test)]
mod tests;
