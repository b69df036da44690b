//! What sells now: units sold per product, halving every 30 days.
//!
//! Age is measured back from the newest sale seen, not from now, so that imported history has popular
//! products too, and so that every replica that has read as far gives the same ranking.

use std::collections::HashMap;

use uuid::Uuid;

use super::profile::decay;

/// Seconds until a sold unit counts half.
const HALF_LIFE: f64 = 30.0 * 24.0 * 3600.0;

/// Units as they counted at a time.
#[derive(Clone, Copy, Debug)]
struct Units {
    count: f64,
    at: i64,
}

/// The running sums. One entry per product ever sold, however many sales.
#[derive(Debug, Default)]
pub struct Popularity {
    units: HashMap<Uuid, Units>,
    newest: i64,
}

impl Popularity {
    /// Counts a sale. Sales may come in any order of time.
    pub fn sold(&mut self, product: Uuid, quantity: u32, at: i64) {
        let quantity = f64::from(quantity);
        self.newest = if self.units.is_empty() { at } else { self.newest.max(at) };
        let units = self.units.entry(product).or_insert(Units { count: 0.0, at });
        if at >= units.at {
            *units = Units { count: units.count * decay(at - units.at, HALF_LIFE) + quantity, at };
        } else {
            units.count += quantity * decay(units.at - at, HALF_LIFE);
        }
    }

    /// Every product sold, with its units as they count at the newest sale, the most first; equal ones in the
    /// order of their ids.
    #[must_use]
    pub fn ranking(&self) -> Vec<(Uuid, f64)> {
        let mut ranking: Vec<(Uuid, f64)> = self
            .units
            .iter()
            .map(|(&product, units)| (product, units.count * decay(self.newest - units.at, HALF_LIFE)))
            .collect();
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

    #[test]
    fn old_sales_count_less() {
        let mut popularity = Popularity::default();
        popularity.sold(A, 10, 0);
        popularity.sold(B, 6, 30 * DAY);
        let ranking = popularity.ranking();
        assert_eq!(ranking.iter().map(|&(product, _)| product).collect::<Vec<_>>(), [B, A]);
        assert!((ranking[0].1 - 6.0).abs() < 1e-9);
        assert!((ranking[1].1 - 5.0).abs() < 1e-9);
    }

    #[test]
    fn the_order_of_arrival_makes_no_difference() {
        let sales = [(A, 3, 40 * DAY), (A, 4, -10 * DAY), (A, 5, 0), (B, 1, 20 * DAY)];
        let rank = |sales: &[(Uuid, u32, i64)]| {
            let mut popularity = Popularity::default();
            for &(product, quantity, at) in sales {
                popularity.sold(product, quantity, at);
            }
            popularity.ranking()
        };
        let (forward, mut reversed) = (rank(&sales), sales);
        reversed.reverse();
        for (one, other) in forward.iter().zip(rank(&reversed)) {
            assert_eq!(one.0, other.0);
            assert!((one.1 - other.1).abs() < 1e-9);
        }
    }
}
