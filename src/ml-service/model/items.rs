//! What a model keeps of products beside their vectors.

use hashbrown::HashMap;

use super::Product;
use super::vocabulary::Strings;

/// Names, categories and digests by row.
#[derive(Clone, Debug, Default)]
pub struct Items {
    pub(crate) names: Strings,
    pub(crate) categories: Strings,
    /// By row the place of its category.
    pub(crate) category_of: Vec<u32>,
    /// By row a hash of all that the product's vector and answers depend on.
    pub(crate) digests: Vec<u64>,
}

impl Items {
    /// Those of products, in their order, with the digests given.
    pub(crate) fn new<'a>(products: impl IntoIterator<Item = (&'a Product, u64)>) -> Self {
        let mut places: HashMap<&str, u32> = HashMap::new();
        let mut items = Self::default();
        for (product, digest) in products {
            let category = *places.entry(&product.category).or_insert_with(|| {
                items.categories.push(&product.category);
                u32::try_from(items.categories.len() - 1).expect("fewer than 2^32 categories")
            });
            items.names.push(&product.name);
            items.category_of.push(category);
            items.digests.push(digest);
        }
        items
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.digests.len()
    }

    /// The category of a row.
    pub(crate) fn category(&self, row: usize) -> &str {
        self.categories.get(self.category_of[row] as usize)
    }

    pub(crate) fn bytes(&self) -> usize {
        4 * (self.names.ends.capacity() + self.category_of.capacity()) + 8 * self.digests.capacity()
    }
}
