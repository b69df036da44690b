//! What is asked. The catalogue's and the customers' ids follow from their numbers: `data.sql`.

use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::Method;
use hyper::header::HeaderValue;
use rand::RngExt;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::SmallRng;

use crate::driver::{Ask, Scenario};

/// How many customers there are: each connection is another one.
pub(crate) const CUSTOMERS: usize = 256;

const WORDS: [&str; 12] = [
    "lantern",
    "oak bowl",
    "copper kettle",
    "linen towel",
    "brass lamp",
    "golden mirror",
    "wool blanket",
    "ceramic mug",
    "quiet clock",
    "walnut desk",
    "silver tray",
    "glass vase",
];

/// What names are made of, as `data.sql` has it.
const ADJECTIVES: [&str; 40] = [
    "amber", "azure", "bold", "brave", "bright", "calm", "clever", "crisp", "deep", "dusky", "early",
    "faint", "gentle", "golden", "grand", "humble", "ivory", "jolly", "keen", "late", "light", "lively",
    "merry", "mild", "modern", "narrow", "noble", "pale", "plain", "proud", "quiet", "rapid", "rustic",
    "scarlet", "silver", "slim", "smooth", "tall", "vivid", "warm",
];
const MATERIALS: [&str; 20] = [
    "bamboo",
    "brass",
    "canvas",
    "ceramic",
    "clay",
    "copper",
    "cork",
    "cotton",
    "felt",
    "glass",
    "iron",
    "leather",
    "linen",
    "marble",
    "oak",
    "paper",
    "porcelain",
    "steel",
    "walnut",
    "wool",
];
const THINGS: [&str; 40] = [
    "apron", "basket", "bench", "blanket", "bottle", "bowl", "box", "brush", "candle", "chair", "clock",
    "cup", "cushion", "desk", "dish", "frame", "hook", "jar", "jug", "kettle", "ladle", "lamp", "lantern",
    "mat", "mirror", "mug", "napkin", "pan", "plate", "pot", "rack", "rug", "shelf", "spoon", "stool",
    "table", "teapot", "towel", "tray", "vase",
];

/// What customers search for, shortest first: things, things of a material, and those with an adjective.
fn searches() -> Vec<String> {
    let of = |words: &[&str], of: &[String]| -> Vec<String> {
        of.iter().flat_map(|of| words.iter().map(move |word| format!("{word}+{of}"))).collect()
    };
    let things: Vec<String> = THINGS.map(str::to_owned).into();
    let of_material = of(&MATERIALS, &things);
    let in_full = of(&ADJECTIVES, &of_material);
    [things, of_material, in_full].concat()
}

/// As `data.sql` has them.
const CATEGORIES: [&str; 20] = [
    "Bath", "Bedroom", "Clocks", "Cooking", "Decor", "Dining", "Garden", "Gifts", "Hall", "Kitchen",
    "Lighting", "Living", "Office", "Outdoor", "Party", "Storage", "Tables", "Textiles", "Tools", "Travel",
];

/// The id of a product.
pub(crate) fn product(number: usize) -> String {
    format!("00000000-0000-7000-8000-{number:012x}")
}

/// The id of a customer.
pub(crate) fn customer(number: usize) -> String {
    format!("00000000-0000-7000-9000-{number:012x}")
}

/// Neighbours in popularity are none in the table: a prime spreads them.
const SPREAD: usize = 48_271;

/// How often each of so many is chosen, after Zipf's law with exponent 1.
fn zipf(many: usize) -> anyhow::Result<WeightedIndex<f64>> {
    #[expect(clippy::cast_precision_loss, reason = "a rank")]
    Ok(WeightedIndex::new((1..=many).map(|rank| 1.0 / rank as f64))?)
}

/// The catalogue by popularity.
#[derive(Debug)]
struct Catalogue {
    ranks: WeightedIndex<f64>,
    products: usize,
}

impl Catalogue {
    fn new(products: usize) -> anyhow::Result<Self> {
        Ok(Self { ranks: zipf(products)?, products })
    }

    fn favourite(&self, rng: &mut SmallRng) -> usize {
        let rank: usize = rng.sample(&self.ranks);
        rank * SPREAD % self.products + 1
    }

    fn any(&self, rng: &mut SmallRng) -> usize {
        rng.random_range(1..=self.products)
    }
}

/// Which requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// One product, by Zipf's law.
    Detail,
    /// First pages of the catalogue and its categories.
    List,
    /// Pages with filters, which no cache has.
    Filters,
    /// Full-text search, which no cache has.
    Search,
    /// The same by Zipf's law, so that some have been asked a moment ago.
    SearchPopular,
    /// Who is logged in.
    Session,
    /// A product into the cart.
    Cart,
    /// A product into the cart, and the order.
    Checkout,
    /// As a shop's visitors ask.
    Mixed,
    /// What fits customers who were answered before, so that caches have it.
    RecommendationsWarm,
    /// What is like a product for which nobody asked before, so that it must be computed.
    RecommendationsComputed,
}

impl Name {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Detail,
        Self::List,
        Self::Filters,
        Self::Search,
        Self::SearchPopular,
        Self::Session,
        Self::Cart,
        Self::Checkout,
        Self::Mixed,
        Self::RecommendationsWarm,
        Self::RecommendationsComputed,
    ];

    /// Its name in results.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Detail => "detail",
            Self::List => "list",
            Self::Filters => "filters",
            Self::Search => "search",
            Self::SearchPopular => "search-popular",
            Self::Session => "session",
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::Mixed => "mixed",
            Self::RecommendationsWarm => "recommendations-warm",
            Self::RecommendationsComputed => "recommendations-computed",
        }
    }

    /// Whether the recommender is asked rather than the shop.
    pub(crate) const fn of_recommender(self) -> bool {
        matches!(self, Self::RecommendationsWarm | Self::RecommendationsComputed)
    }

    /// Our server and its peer, by their names in results.
    pub(crate) const fn servers(self) -> [&'static str; 2] {
        if self.of_recommender() { ["ml-service", "flask"] } else { ["shopmicro", "express"] }
    }
}

/// A scenario over a catalogue of this size.
#[derive(Debug)]
pub(crate) struct Shopping {
    name: Name,
    catalogue: Catalogue,
    searches: Vec<String>,
    search_ranks: WeightedIndex<f64>,
    cookies: Vec<HeaderValue>,
    /// How many products were asked for that nobody asked for before.
    strangers: AtomicUsize,
}

impl Shopping {
    /// With sessions in this cookie.
    pub(crate) fn new(name: Name, products: usize, cookie: &str) -> anyhow::Result<Self> {
        let cookies = (1..=CUSTOMERS)
            .map(|number| HeaderValue::try_from(format!("{cookie}=bench-session-{number}")))
            .collect::<Result<_, _>>()?;
        let searches = searches();
        Ok(Self {
            name,
            catalogue: Catalogue::new(products)?,
            search_ranks: zipf(searches.len())?,
            searches,
            cookies,
            strangers: AtomicUsize::new(0),
        })
    }

    fn cookie(&self, connection: usize) -> &HeaderValue {
        &self.cookies[connection % CUSTOMERS]
    }

    fn detail(&self, rng: &mut SmallRng) -> Ask {
        Ask::get(format!("/api/products/{}", product(self.catalogue.favourite(rng))))
    }

    fn list(rng: &mut SmallRng) -> Ask {
        if rng.random_ratio(1, 3) {
            return Ask::get("/api/products");
        }
        let category = CATEGORIES[rng.random_range(0..CATEGORIES.len())];
        Ask::get(format!("/api/products?category={category}"))
    }

    fn filters(rng: &mut SmallRng) -> Ask {
        let category = CATEGORIES[rng.random_range(0..CATEGORIES.len())];
        let from = rng.random_range(1..100) * 100;
        let to = from + 5_000;
        Ask::get(format!(
            "/api/products?category={category}&min_price_cents={from}&max_price_cents={to}&in_stock=true&sort=price"
        ))
    }

    /// Without a word that there is nowhere, so that nobody has asked the same.
    fn search(rng: &mut SmallRng) -> Ask {
        let words = WORDS[rng.random_range(0..WORDS.len())].replace(' ', "+");
        Ask::get(format!("/api/products?q=-x{:08x}+{words}", rng.random::<u32>()))
    }

    fn search_popular(&self, rng: &mut SmallRng) -> Ask {
        let rank: usize = rng.sample(&self.search_ranks);
        Ask::get(format!("/api/products?q={}", self.searches[rank]))
    }

    fn session(&self, connection: usize) -> Ask {
        Ask::get("/api/users/me").by_customer(self.cookie(connection))
    }

    fn put(&self, connection: usize, product_number: usize, rng: &mut SmallRng) -> Ask {
        Ask {
            method: Method::PUT,
            path: format!("/api/cart/items/{}", product(product_number)),
            cookie: Some(self.cookie(connection).clone()),
            key: None,
            body: Some(format!("{{\"quantity\":{}}}", rng.random_range(1..4))),
        }
    }

    /// One of a few products, so that carts stay as small as people's are.
    fn put_again(&self, connection: usize, rng: &mut SmallRng) -> Ask {
        let one = connection * 4 + rng.random_range(0..4);
        self.put(connection, one % self.catalogue.products + 1, rng)
    }

    fn order(&self, connection: usize) -> Ask {
        let body = "{\"shipping_address\":{\"name\":\"Bench\",\"line1\":\"1 High Street\",\"city\":\"York\",\
                    \"postal_code\":\"YO1 7HH\",\"country\":\"GB\"},\"payment\":{\"card_number\":\"4242424242424242\"}}";
        Ask {
            method: Method::POST,
            path: "/api/orders".to_owned(),
            cookie: Some(self.cookie(connection).clone()),
            // Never that of a turn before, whose requests are the same: it would be answered by the order of then.
            key: Some(format!("{:032x}", rand::random::<u128>())),
            body: Some(body.to_owned()),
        }
    }

    fn checkout(&self, connection: usize, rng: &mut SmallRng) -> Vec<Ask> {
        let any = self.catalogue.any(rng);
        vec![self.put(connection, any, rng), self.order(connection)]
    }

    fn for_customer(number: usize) -> Ask {
        Ask::get(format!("/api/recommendations/{}?limit=10", customer(number)))
    }

    fn similar(number: usize) -> Ask {
        Ask::get(format!("/api/products/{}/similar?limit=10", product(number)))
    }

    /// Every product once before any comes again.
    fn stranger(&self) -> Ask {
        let place = self.strangers.fetch_add(1, Ordering::Relaxed);
        Self::similar(place * SPREAD % self.catalogue.products + 1)
    }

    /// What the recommender is asked for some products, to compare what two servers answer.
    pub(crate) fn similar_samples(products: usize) -> Vec<Ask> {
        [1, 2, 3, 5, 8].map(|part| Self::similar(products * part / 8)).into()
    }

    /// The same for some customers, by their numbers.
    pub(crate) fn customer_samples() -> Vec<(usize, Ask)> {
        [CUSTOMERS / 2, CUSTOMERS].map(|number| (number, Self::for_customer(number))).into()
    }

    /// One request of each kind that reads, to compare what two servers answer.
    pub(crate) fn samples(&self) -> Vec<Ask> {
        vec![
            Ask::get(format!("/api/products/{}", product(1))),
            Ask::get("/api/products"),
            Ask::get("/api/products?category=Garden"),
            Ask::get(
                "/api/products?category=Garden&min_price_cents=500&max_price_cents=5500&in_stock=true&sort=price",
            ),
            self.session(0),
        ]
    }
}

impl Scenario for Shopping {
    fn next(&self, connection: usize, rng: &mut SmallRng) -> Vec<Ask> {
        let name = match self.name {
            // Of a hundred requests; a checkout is two of them.
            Name::Mixed => match rng.random_range(0..98) {
                0..45 => Name::Detail,
                45..65 => Name::List,
                65..70 => Name::Filters,
                70..78 => Name::SearchPopular,
                78..88 => Name::Session,
                88..96 => Name::Cart,
                _ => Name::Checkout,
            },
            name => name,
        };
        vec![match name {
            Name::Detail | Name::Mixed => self.detail(rng),
            Name::List => Self::list(rng),
            Name::Filters => Self::filters(rng),
            Name::Search => Self::search(rng),
            Name::SearchPopular => self.search_popular(rng),
            Name::Session => self.session(connection),
            Name::Cart => self.put_again(connection, rng),
            Name::Checkout => return self.checkout(connection, rng),
            Name::RecommendationsWarm => Self::for_customer(rng.random_range(1..=CUSTOMERS)),
            Name::RecommendationsComputed => self.stranger(),
        }]
    }
}
