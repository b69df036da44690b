//! Latent factors: whether likeness by a truncated singular value decomposition would serve better than by words.

use nalgebra::DMatrix;
use nalgebra_sparse::{CooMatrix, CsrMatrix};
use shopmicro_ml_service::model::index::Index;

use crate::corpus::Random;

/// How many factors more than wanted are computed, and how often the range is refined: Halko, Martinsson and Tropp,
/// "Finding structure with randomness", 2011.
const OVERSAMPLING: usize = 16;
const PASSES: usize = 3;

/// A vector of so many factors for each row of the index, of unit length where it has terms.
pub(crate) fn factors(index: &Index, wanted: usize) -> DMatrix<f64> {
    let rows = index.rows().max().map_or(0, |last| last as usize + 1);
    let mut entries = CooMatrix::new(rows, index.terms());
    for row in index.rows() {
        for (term, weight) in index.weights(row) {
            entries.push(row as usize, term as usize, weight);
        }
    }
    let matrix = CsrMatrix::from(&entries);
    let transposed = matrix.transpose();
    let width = (wanted + OVERSAMPLING).min(rows).min(index.terms());
    let mut random = Random(11);
    let mut normal = || {
        // The sum of twelve uniform numbers is near enough to normal.
        (0..12).map(|_| (random.next() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
    };
    let start = DMatrix::from_fn(index.terms(), width, |_, _| normal());
    let mut range = (&matrix * &start).qr().q();
    for _ in 0..PASSES {
        let other = (&transposed * &range).qr().q();
        range = (&matrix * &other).qr().q();
    }
    let small = (&transposed * &range).transpose();
    let decomposed = small.svd(true, false);
    let left = decomposed.u.expect("asked for");
    let mut order: Vec<usize> = (0..decomposed.singular_values.len()).collect();
    order.sort_by(|&a, &b| decomposed.singular_values[b].total_cmp(&decomposed.singular_values[a]));
    order.truncate(wanted);
    let scaled = DMatrix::from_fn(left.nrows(), order.len(), |row, column| {
        left[(row, order[column])] * decomposed.singular_values[order[column]]
    });
    let mut factors = range * scaled;
    for mut row in factors.row_iter_mut() {
        let length = row.norm();
        if length > 0.0 {
            row /= length;
        }
    }
    factors
}
