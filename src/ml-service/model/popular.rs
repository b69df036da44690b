//! What sells now: how many customers began to buy each product, halving every 7 days unless set otherwise.
//!
//! A customer counts once for a product, however often and however many pieces they buy: one who buys a thousand
//! napkins every month makes them no thousand times as interesting to the next.
//!
//! Age is measured back from the newest of these sales, not from now, so that imported history has popular
//! products too, and so that every replica that has read as far gives the same ranking.

use hashbrown::HashMap;
use uuid::Uuid;

use super::profile::decay;

/// Sales as they counted at a time.
#[derive(Clone, Copy, Debug)]
struct Sales {
    count: f64,
    at: i64,
}

/// The running sums. One entry per product ever sold, however many buyers.
#[derive(Debug)]
pub struct Popularity {
    sales: HashMap<Uuid, Sales>,
    /// Seconds until a new buyer counts half.
    half_life: f64,
    newest: i64,
}

impl Popularity {
    /// No sales yet.
    #[must_use]
    pub fn new(half_life: f64) -> Self {
        Self { sales: HashMap::new(), half_life, newest: 0 }
    }

    /// From what [`sales`](Self::sales) told.
    pub(crate) fn of(half_life: f64, sales: impl IntoIterator<Item = (Uuid, f64, i64)>) -> Self {
        let sales: HashMap<Uuid, Sales> =
            sales.into_iter().map(|(product, count, at)| (product, Sales { count, at })).collect();
        let newest = sales.values().map(|sales| sales.at).max().unwrap_or(0);
        Self { sales, half_life, newest }
    }

    /// Seconds until a new buyer counts half.
    pub(crate) fn half_life(&self) -> f64 {
        self.half_life
    }

    /// Of each product sold how much its buyers counted at its newest one, and when that was, in the order of the ids.
    pub(crate) fn sales(&self) -> Vec<(Uuid, f64, i64)> {
        let mut sales: Vec<_> =
            self.sales.iter().map(|(&product, sales)| (product, sales.count, sales.at)).collect();
        sales.sort_unstable_by_key(|&(product, ..)| product);
        sales
    }

    /// Counts a new buyer. They may come in any order of time.
    pub fn bought(&mut self, product: Uuid, at: i64) {
        self.newest = if self.sales.is_empty() { at } else { self.newest.max(at) };
        let sales = self.sales.entry(product).or_insert(Sales { count: 0.0, at });
        if at >= sales.at {
            *sales = Sales { count: sales.count * decay(at - sales.at, self.half_life) + 1.0, at };
        } else {
            sales.count += decay(sales.at - at, self.half_life);
        }
    }

    /// Every product sold, with its sales as they count at the newest, the most first; equal ones in the order
    /// of their ids.
    #[must_use]
    pub fn ranking(&self) -> Vec<(Uuid, f64)> {
        let now = |sales: &Sales| sales.count * decay(self.newest - sales.at, self.half_life);
        let mut ranking: Vec<(Uuid, f64)> =
            self.sales.iter().map(|(&product, sales)| (product, now(sales))).collect();
        ranking.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;
    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    fn rank(sales: &[(Uuid, i64)]) -> Vec<(Uuid, f64)> {
        let mut popularity = Popularity::new(30.0 * 24.0 * 3600.0);
        for &(product, at) in sales {
            popularity.bought(product, at);
        }
        popularity.ranking()
    }

    #[test]
    fn old_sales_count_less() {
        let ranking = rank(&[(A, 0), (A, 0), (A, 0), (B, 30 * DAY), (B, 30 * DAY)]);
        assert_eq!(ranking.iter().map(|&(product, _)| product).collect::<Vec<_>>(), [B, A]);
        assert!((ranking[0].1 - 2.0).abs() < 1e-9);
        assert!((ranking[1].1 - 1.5).abs() < 1e-9);
    }

    #[test]
    fn the_order_of_arrival_makes_no_difference() {
        let mut sales = [(A, 40 * DAY), (A, -10 * DAY), (A, 0), (B, 20 * DAY)];
        let forward = rank(&sales);
        sales.reverse();
        for (one, other) in forward.iter().zip(rank(&sales)) {
            assert_eq!(one.0, other.0);
            assert!((one.1 - other.1).abs() < 1e-9);
        }
    }
}
