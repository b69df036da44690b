//! Which products the same customers buy, and have begun to buy of late.
//!
//! What is recommended is to be bought for the first time, so each customer counts once for a product, when they
//! first bought it. Be `t` the days since customer `v` first bought `i`, and `n` how many products `v` bought:
//!
//! - a customer counts `w = (1 + n)^-BREADTH`, since who bought half of the shop says little about any two products;
//! - `C(j, i)` is the sum of `w 2^(-t / DAYS)` over those who bought both: that they began with `i` long ago says
//!   little about who begins with it now, whenever they bought `j`;
//! - `near(j, i) = C(j, i) / (D(j)^(1 - DAMPING) (E(i) + RESERVE)^DAMPING)`, where `D(j)` is the sum of `w` over the
//!   buyers of `j` and `E(i)` that of `w 2^(-t / DAYS)` over those of `i`. Without damping best sellers are near
//!   everything, with more of it oddities; without the reserve so are products that nobody buys any more.
//!
//! `docs/recommender.md` tells what this is worth.

use nalgebra_sparse::CsrMatrix;
use rayon::prelude::*;
use uuid::Uuid;

use super::blend::DAY;
use super::profile::decay;
use super::tfidf::as_f64;

/// How much it counts against a customer to have bought many products.
const BREADTH: f64 = 0.75;
/// After so many days a first purchase counts half.
const DAYS: f64 = 40.0;
/// How much a product's own sales count against it.
const DAMPING: f64 = 0.7;
/// Sales that every product is taken to have, in customers who bought it alone and now.
const RESERVE: f64 = 0.2;
/// How many neighbours of a product are kept.
const NEIGHBOURS: usize = 100;

/// What customers bought.
#[derive(Debug, Default)]
pub struct Purchases {
    /// The products, sorted.
    pub ids: Vec<Uuid>,
    /// Of each customer the products, as places among the ids, and when each was bought first, in seconds since 1970.
    pub customers: Vec<Vec<(usize, i64)>>,
    /// Back from when age is counted: the newest of all these times.
    pub now: i64,
}

/// The products of customers' purchases and their nearest by them.
#[derive(Debug)]
pub struct Together {
    /// Sorted.
    ids: Vec<Uuid>,
    neighbours: CsrMatrix<f32>,
}

impl Default for Together {
    fn default() -> Self {
        Self { ids: Vec::new(), neighbours: CsrMatrix::zeros(0, 0) }
    }
}

impl Together {
    /// Of what customers bought. Runs in the current rayon pool.
    #[must_use]
    pub fn new(purchases: Purchases) -> Self {
        let Purchases { ids, customers, now } = purchases;
        let products = ids.len();
        let weight = |bought: &Vec<_>| (1.0 + as_f64(bought.len())).powf(-BREADTH);
        // What each customer counts for each product as the other one of a pair.
        let parts = |bought: &Vec<(usize, i64)>| -> Vec<(usize, f64)> {
            let part = |&(product, at)| (product, weight(bought) * decay(now - at, DAYS * DAY));
            bought.iter().map(part).collect()
        };
        let parts: Vec<Vec<(usize, f64)>> = customers.par_iter().map(parts).collect();
        let (mut buyers, mut all, mut recent) =
            (vec![Vec::new(); products], vec![0.0_f64; products], vec![0.0_f64; products]);
        for (customer, bought) in customers.iter().enumerate() {
            for &(product, part) in &parts[customer] {
                buyers[product].push(customer);
                all[product] += weight(bought);
                recent[product] += part;
            }
        }
        let of = |scratch: &mut Vec<f64>, product: usize| {
            scratch.resize(products, 0.0);
            let mut others: Vec<usize> = Vec::new();
            for &customer in &buyers[product] {
                for &(other, part) in &parts[customer] {
                    // Nothing is left of what was bought more than a century before the last.
                    if part == 0.0 {
                        continue;
                    }
                    if scratch[other] == 0.0 {
                        others.push(other);
                    }
                    scratch[other] += part;
                }
            }
            let from = all[product].powf(DAMPING - 1.0);
            let near = |other: usize| scratch[other] * from * (recent[other] + RESERVE).powf(-DAMPING);
            let mut near: Vec<(usize, f64)> =
                others.iter().filter(|&&other| other != product).map(|&other| (other, near(other))).collect();
            for &other in &others {
                scratch[other] = 0.0;
            }
            if near.len() > NEIGHBOURS {
                near.select_nth_unstable_by(NEIGHBOURS, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                near.truncate(NEIGHBOURS);
            }
            near.sort_unstable_by_key(|&(other, _)| other);
            near
        };
        let rows: Vec<Vec<(usize, f64)>> = (0..products).into_par_iter().map_init(Vec::new, of).collect();
        Self { ids, neighbours: matrix(&rows) }
    }

    /// The neighbours of a product and how near they are.
    pub fn of(&self, product: Uuid) -> impl Iterator<Item = (Uuid, f64)> {
        let row = self.ids.binary_search(&product).ok().map(|place| self.neighbours.row(place));
        row.into_iter().flat_map(|row| {
            let (columns, values) = (row.col_indices().to_vec(), row.values().to_vec());
            columns.into_iter().zip(values).map(|(column, value)| (self.ids[column], f64::from(value)))
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "32 bits are enough for evidence")]
fn matrix(rows: &[Vec<(usize, f64)>]) -> CsrMatrix<f32> {
    let mut starts = vec![0];
    for row in rows {
        starts.push(starts[starts.len() - 1] + row.len());
    }
    let (columns, values) = rows.iter().flatten().map(|&(column, value)| (column, value as f32)).unzip();
    CsrMatrix::try_from_csr_data(rows.len(), rows.len(), starts, columns, values).expect("rows are sorted")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATELY: i64 = 1_000 * 24 * 3600;

    /// All at once, unless told otherwise.
    fn together(products: u128, customers: &[&[(usize, i64)]]) -> Together {
        let ids = (0..products).map(Uuid::from_u128).collect();
        let customers = customers.iter().map(|bought| bought.to_vec()).collect();
        Together::new(Purchases { ids, customers, now: LATELY })
    }

    fn near(together: &Together, product: u128) -> Vec<(u128, f64)> {
        together.of(Uuid::from_u128(product)).map(|(id, near)| (id.as_u128(), near)).collect()
    }

    #[test]
    fn who_bought_one_bought_the_other() {
        let [a, b, c, d] = [0, 1, 2, 3].map(|product| (product, LATELY));
        let together = together(4, &[&[a, b], &[a, b, c], &[c, d], &[]]);
        let found = near(&together, 0);
        assert_eq!(found.iter().map(|&(id, _)| id).collect::<Vec<_>>(), [1, 2]);
        assert!(found[0].1 > found[1].1, "two customers say more than one: {found:?}");
        assert_eq!(near(&together, 3).len(), 1);
        assert_eq!(near(&together, 9).len(), 0);
    }

    #[test]
    fn what_is_too_old_to_count_is_no_neighbour() {
        let ancient = LATELY - 200 * 365 * 24 * 3600;
        let both: &[(usize, i64)] = &[(0, ancient), (1, ancient)];
        let together = together(3, &[both, both, &[(0, LATELY), (2, LATELY)]]);
        assert_eq!(near(&together, 0).iter().map(|&(id, _)| id).collect::<Vec<_>>(), [2]);
        assert_eq!(near(&together, 1), []);
    }

    #[test]
    fn nearness_is_as_written_above() {
        let age = 20 * 24 * 3600;
        let together =
            together(3, &[&[(0, 0), (1, LATELY - age)], &[(0, LATELY)], &[(1, LATELY), (2, LATELY)]]);
        let (two, one) = (3_f64.powf(-0.75), 2_f64.powf(-0.75));
        let recent = two * 0.5_f64.sqrt();
        let expected = recent / ((two + one).powf(0.3) * (recent + two + 0.2).powf(0.7));
        let found = near(&together, 0);
        assert_eq!(found[0].0, 1);
        assert!((found[0].1 - expected).abs() < 1e-6, "{found:?} is not {expected}");
    }

    #[test]
    fn what_customers_begin_to_buy_is_nearer_than_what_they_began_to_buy_long_ago() {
        let long_ago = LATELY - 400 * 24 * 3600;
        let customer: &[_] = &[(0, LATELY), (1, long_ago), (2, LATELY)];
        let found = near(&together(3, &[customer, customer]), 0);
        assert!(found[1].1 > 10.0 * found[0].1, "{found:?}");
    }

    #[test]
    fn the_nearest_are_kept() {
        let everything: Vec<(usize, i64)> = (0..200).map(|product| (product, LATELY)).collect();
        let pairs: Vec<[(usize, i64); 2]> = (150..200).map(|other| [(0, LATELY), (other, LATELY)]).collect();
        let mut customers: Vec<&[(usize, i64)]> = vec![&everything];
        customers.extend(pairs.iter().map(<[(usize, i64); 2]>::as_slice));
        let found = near(&together(200, &customers), 0);
        assert_eq!(found.len(), NEIGHBOURS);
        assert!((150..200).all(|other| found.iter().any(|&(id, _)| id == other)));
    }
}
