//! The inverted index: for each term, the products that have it. Scoring touches only the products that share
//! a term with the question.

use nalgebra_sparse::{CscMatrix, CsrMatrix};

/// The columns of the weights: postings per term.
#[derive(Debug)]
pub struct Index(CscMatrix<f32>);

impl Index {
    /// Turns rows per product into columns per term.
    #[must_use]
    pub fn new(weights: &CsrMatrix<f32>) -> Self {
        Self(CscMatrix::from(weights))
    }

    /// The dot product of the question with each product, in the order of the products. The question is terms
    /// and their weights.
    pub fn scores(&self, question: impl IntoIterator<Item = (usize, f32)>) -> Vec<f32> {
        let mut scores = vec![0.0; self.0.nrows()];
        for (term, weight) in question {
            let postings = self.0.col(term);
            for (&product, &value) in postings.row_indices().iter().zip(postings.values()) {
                scores[product] += weight * value;
            }
        }
        scores
    }
}

/// The best `limit` of those that score above zero and are wanted, best first; equal scores in the order of
/// the products.
#[must_use]
pub fn top(scores: &[f32], limit: usize, wanted: impl Fn(usize) -> bool) -> Vec<(usize, f32)> {
    let mut found: Vec<(usize, f32)> = scores
        .iter()
        .copied()
        .enumerate()
        .filter(|&(product, score)| score > 0.0 && wanted(product))
        .collect();
    let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if found.len() > limit {
        found.select_nth_unstable_by(limit, order);
        found.truncate(limit);
    }
    found.sort_unstable_by(order);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{tfidf::fit, tokens::terms};

    #[test]
    fn scores_equal_the_dense_product() {
        let fitted = fit(&["red cushion", "blue cushion", "green teapot"], |text| terms(text));
        let scores = Index::new(&fitted.weights).scores(question(&fitted.weights, 0));
        assert!((scores[0] - 1.0).abs() < 1e-6);
        let (red, blue) = (fitted.weights.row(0), fitted.weights.row(1));
        let cushion = fitted.vocabulary.iter().position(|term| term == "cushion").expect("in the vocabulary");
        let weight = |row: &nalgebra_sparse::csr::CsrRow<'_, f32>| {
            row.get_entry(cushion).expect("a column").into_value()
        };
        assert!((scores[1] - weight(&red) * weight(&blue)).abs() < 1e-6);
        assert!(scores[2].abs() < f32::EPSILON);
    }

    #[test]
    fn top_selects_exactly_and_breaks_ties_by_order() {
        let scores = [0.1, 0.9, 0.0, 0.9, 0.5, -1.0];
        assert_eq!(top(&scores, 3, |_| true), [(1, 0.9), (3, 0.9), (4, 0.5)]);
        assert_eq!(top(&scores, 9, |product| product != 1), [(3, 0.9), (4, 0.5), (0, 0.1)]);
        assert_eq!(top(&[], 3, |_| true), []);
    }

    fn question(weights: &CsrMatrix<f32>, product: usize) -> Vec<(usize, f32)> {
        let row = weights.row(product);
        row.col_indices().iter().copied().zip(row.values().iter().copied()).collect()
    }
}
