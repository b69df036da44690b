//! Which products the same customers buy.
//!
//! For each product the others that its buyers bought, each buyer counting `1 / ln(2 + n)` where they bought
//! `n` products, since a customer who bought half of the shop says little about any two products. The sum of a
//! pair is divided by the root of the sum of the one that was bought and by the sum of the other to the power
//! of [`DAMPING`]: less than a root and best sellers are near everything, more and only oddities are.

use nalgebra_sparse::CsrMatrix;
use rayon::prelude::*;
use uuid::Uuid;

use super::tfidf::as_f64;

/// How much a product's own sales count against it.
const DAMPING: f64 = 0.7;
/// How many neighbours of a product are kept.
const NEIGHBOURS: usize = 100;

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
    /// Of what each customer bought, as places among the products of these ids, which are sorted. Runs in the
    /// current rayon pool.
    #[must_use]
    pub fn new(ids: Vec<Uuid>, customers: &[Vec<usize>]) -> Self {
        let products = ids.len();
        let parts: Vec<f64> = customers.iter().map(|bought| 1.0 / as_f64(2 + bought.len()).ln()).collect();
        let mut buyers: Vec<Vec<usize>> = vec![Vec::new(); products];
        for (customer, bought) in customers.iter().enumerate() {
            for &product in bought {
                buyers[product].push(customer);
            }
        }
        let sums: Vec<f64> =
            buyers.iter().map(|buyers| buyers.iter().map(|&customer| parts[customer]).sum()).collect();
        let of = |scratch: &mut Vec<f64>, product: usize| {
            scratch.resize(products, 0.0);
            let mut others: Vec<usize> = Vec::new();
            for &customer in &buyers[product] {
                for &other in &customers[customer] {
                    if scratch[other] == 0.0 {
                        others.push(other);
                    }
                    scratch[other] += parts[customer];
                }
            }
            let mut near: Vec<(usize, f64)> = others
                .iter()
                .filter(|&&other| other != product)
                .map(|&other| (other, scratch[other] / sums[product].sqrt() / sums[other].powf(DAMPING)))
                .collect();
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

    /// How many products have neighbours.
    #[must_use]
    pub fn products(&self) -> usize {
        self.ids.len()
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

    #[test]
    fn who_bought_one_bought_the_other() {
        let ids: Vec<Uuid> = (0..4).map(Uuid::from_u128).collect();
        let together = Together::new(ids.clone(), &[vec![0, 1], vec![0, 1, 2], vec![2, 3], vec![]]);
        let near: Vec<(Uuid, f64)> = together.of(ids[0]).collect();
        assert_eq!(near.iter().map(|&(id, _)| id).collect::<Vec<_>>(), [ids[1], ids[2]]);
        assert!(near[0].1 > near[1].1, "two customers say more than one: {near:?}");
        assert_eq!(together.of(ids[3]).map(|(id, _)| id).collect::<Vec<_>>(), [ids[2]]);
        assert_eq!(together.of(Uuid::from_u128(9)).count(), 0);
    }

    #[test]
    fn the_nearest_are_kept() {
        let ids: Vec<Uuid> = (0..200).map(Uuid::from_u128).collect();
        let mut customers: Vec<Vec<usize>> = vec![(0..200).collect()];
        customers.extend((150..200).map(|other| vec![0, other]));
        let near: Vec<Uuid> = Together::new(ids.clone(), &customers).of(ids[0]).map(|(id, _)| id).collect();
        assert_eq!(near.len(), NEIGHBOURS);
        assert!(ids[150..].iter().all(|id| near.contains(id)));
    }
}
