//! Products, and the catalogue of them that a model is trained on.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ALGORITHM;
use super::tfidf::Document;

/// A product as the backend's catalogue stream tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id in the shop.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its one category.
    pub category: String,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Document for Product {
    fn fields<'a>(&'a self, mut each: impl FnMut(&'a str, usize)) {
        each(&self.name, 2);
        each(&self.description, 1);
        each(&self.category, 1);
        self.tags.iter().for_each(|tag| each(tag, 1));
    }
}

impl Product {
    fn digest(&self) -> u64 {
        let mut digest = Sha256::new();
        let fields = [&self.name, &self.description, &self.category];
        for field in fields.into_iter().chain(&self.tags) {
            digest.update(field.len().to_le_bytes());
            digest.update(field);
        }
        head(&digest.finalize())
    }
}

/// The first eight bytes of a hash.
fn head(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |head, &byte| head << 8 | u64::from(byte))
}

/// A whole catalogue, in the order of the ids, with the version that a model of it has.
#[derive(Debug)]
pub struct Catalogue {
    pub(super) version: String,
    pub(super) products: Vec<Product>,
    pub(super) digests: Vec<u64>,
}

impl Catalogue {
    /// The order in which products come makes no difference. Runs in the current rayon pool.
    #[must_use]
    pub fn new(mut products: Vec<Product>) -> Self {
        products.par_sort_by_key(|product| product.id);
        products.dedup_by_key(|product| product.id);
        let digests: Vec<u64> = products.par_iter().map(Product::digest).collect();
        let mut digest = Sha256::new_with_prefix(ALGORITHM);
        for (product, own) in products.iter().zip(&digests) {
            digest.update(product.id);
            digest.update(own.to_le_bytes());
        }
        Self { version: format!("{:012x}", head(&digest.finalize()) >> 16), products, digests }
    }

    /// The first twelve hexadecimal digits of a hash of the content: replicas that read the same catalogue
    /// agree on it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many products it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }
}
