//! What is kept under which key, and for how long.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::Scope;
use super::answer::Answer;
use crate::domain::product::{Category, Facets, ProductPage, Suggestion};
use crate::error::{Error, Result};

/// What Redis can keep.
pub trait Stored: Sized {
    /// As bytes.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// From these bytes; none where another version of the program wrote them.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl<T: Serialize + DeserializeOwned> Stored for T {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::Internal(error.to_string()))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// A key, the type of its value, and how long the value is fresh and kept.
pub trait Key {
    /// What is kept.
    type Value: Stored + Send + Sync;
    /// Labels the metric.
    const NAME: &'static str;
    /// For how long a value is used without a look at the database.
    const FRESH: Duration;
    /// How long the value serves while the database is away.
    const KEPT: Duration = Duration::from_hours(24);
    /// The key in Redis, without the service's prefix.
    fn key(&self) -> String;
    /// What makes the value stale before its time.
    fn scope(&self) -> Scope;
    /// Whether the value is worth its place.
    fn keeps(_value: &Self::Value) -> bool {
        true
    }
}

/// The answer about one product: read again and again, it is not to be parsed and written anew each time.
#[derive(Clone, Copy, Debug)]
pub struct ProductKey(pub Uuid);

impl Key for ProductKey {
    type Value = Answer;
    const NAME: &'static str = "product";
    const FRESH: Duration = Duration::from_mins(1);
    fn key(&self) -> String {
        format!("product:{}:answer", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Product(self.0)
    }
}

/// All categories.
#[derive(Clone, Copy, Debug)]
pub struct CategoriesKey;

impl Key for CategoriesKey {
    type Value = Vec<Category>;
    const NAME: &'static str = "categories";
    const FRESH: Duration = Duration::from_mins(1);
    fn key(&self) -> String {
        "categories".to_owned()
    }
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
}

/// A first page of the catalogue without a search, by its normalised question.
#[derive(Clone, Debug)]
pub struct PageKey(pub String);

impl Key for PageKey {
    type Value = ProductPage;
    const NAME: &'static str = "product_page";
    // Short, since sales do not make it stale; the product's own page and the cart tell the stock exactly.
    const FRESH: Duration = Duration::from_secs(5);
    fn key(&self) -> String {
        format!("products:{}", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
    // Anybody can ask for categories that there are not, of which each would have an entry.
    fn keeps(page: &ProductPage) -> bool {
        !page.items.is_empty()
    }
}

/// The facets of a question.
#[derive(Clone, Debug)]
pub struct FacetsKey(pub String);

impl Key for FacetsKey {
    type Value = Facets;
    const NAME: &'static str = "facets";
    const FRESH: Duration = Duration::from_secs(30);
    // Anybody may ask anything: what was asked once is not kept for long.
    const KEPT: Duration = Duration::from_mins(10);
    fn key(&self) -> String {
        format!("facets:{}", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
}

/// Suggestions for a text that is being typed.
#[derive(Clone, Debug)]
pub struct SuggestionsKey(pub String);

impl Key for SuggestionsKey {
    type Value = Vec<Suggestion>;
    const NAME: &'static str = "suggestions";
    const FRESH: Duration = Duration::from_secs(30);
    const KEPT: Duration = Duration::from_mins(10);
    fn key(&self) -> String {
        format!("suggestions:{}", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
}
