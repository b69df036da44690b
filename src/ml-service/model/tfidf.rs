//! TF-IDF as scikit-learn's `TfidfVectorizer(sublinear_tf=True)` defines it, fitted in parallel.
//!
//! For a term that occurs `tf` times in a document and in `df` of `n` documents the weight is `(1 + ln tf) *
//! (ln((1 + n) / (1 + df)) + 1)`, and each document's weights are scaled to unit length (L2). Every term
//! counts (`min_df` 1) and the vocabulary is in order of code points. Weights are computed in 64 bits and
//! kept in 32.

use std::collections::HashMap;

use nalgebra_sparse::CsrMatrix;
use rayon::prelude::*;

/// What fitting gives.
#[derive(Debug)]
pub struct Fitted {
    /// The terms in order; a term's place is its column.
    pub vocabulary: Vec<String>,
    /// The inverse document frequency of each term.
    pub idf: Vec<f64>,
    /// One row of unit length per document; a document without terms has an empty row.
    pub weights: CsrMatrix<f32>,
}

/// Fits on the documents, whose terms `terms_of` tells. Runs in the current rayon pool.
pub fn fit<D: Sync>(documents: &[D], terms_of: impl Fn(&D) -> Vec<String> + Sync) -> Fitted {
    let counts: Vec<HashMap<String, u32>> =
        documents.par_iter().map(|document| count(terms_of(document))).collect();

    let mut frequencies: Vec<(&str, u32)> =
        counts.par_iter().fold(HashMap::new, tally).reduce(HashMap::new, merge).into_iter().collect();
    frequencies.par_sort_unstable();
    let columns: HashMap<&str, usize> =
        frequencies.iter().enumerate().map(|(column, &(term, _))| (term, column)).collect();
    let idf: Vec<f64> = frequencies.iter().map(|&(_, df)| inverse_frequency(documents.len(), df)).collect();

    let rows: Vec<Vec<(usize, f32)>> = counts.par_iter().map(|terms| row(terms, &columns, &idf)).collect();
    let weights = matrix(rows, columns.len());
    Fitted { vocabulary: frequencies.into_iter().map(|(term, _)| term.to_owned()).collect(), idf, weights }
}

fn count(terms: Vec<String>) -> HashMap<String, u32> {
    let mut counts = HashMap::with_capacity(terms.len());
    for term in terms {
        *counts.entry(term).or_insert(0) += 1;
    }
    counts
}

fn tally<'a>(
    mut frequencies: HashMap<&'a str, u32>,
    terms: &'a HashMap<String, u32>,
) -> HashMap<&'a str, u32> {
    for term in terms.keys() {
        *frequencies.entry(term).or_insert(0) += 1;
    }
    frequencies
}

fn merge<'a>(left: HashMap<&'a str, u32>, right: HashMap<&'a str, u32>) -> HashMap<&'a str, u32> {
    let (mut larger, smaller) = if left.len() < right.len() { (right, left) } else { (left, right) };
    for (term, frequency) in smaller {
        *larger.entry(term).or_insert(0) += frequency;
    }
    larger
}

#[expect(clippy::cast_precision_loss, reason = "a catalogue has far fewer than 2^52 products")]
fn inverse_frequency(documents: usize, frequency: u32) -> f64 {
    ((1.0 + documents as f64) / (1.0 + f64::from(frequency))).ln() + 1.0
}

#[expect(clippy::cast_possible_truncation, reason = "weights are kept in 32 bits")]
fn row(terms: &HashMap<String, u32>, columns: &HashMap<&str, usize>, idf: &[f64]) -> Vec<(usize, f32)> {
    let mut row: Vec<(usize, f64)> = terms
        .iter()
        .map(|(term, &count)| {
            let column = columns[term.as_str()];
            (column, (1.0 + f64::from(count).ln()) * idf[column])
        })
        .collect();
    // In order before summing, so that every replica rounds alike.
    row.sort_unstable_by_key(|&(column, _)| column);
    let length = row.iter().map(|&(_, weight)| weight * weight).sum::<f64>().sqrt();
    row.into_iter().map(|(column, weight)| (column, (weight / length) as f32)).collect()
}

fn matrix(rows: Vec<Vec<(usize, f32)>>, columns: usize) -> CsrMatrix<f32> {
    let height = rows.len();
    let mut offsets = Vec::with_capacity(height + 1);
    offsets.push(0);
    let filled = rows.iter().map(Vec::len).sum();
    let (mut indices, mut values) = (Vec::with_capacity(filled), Vec::with_capacity(filled));
    for (column, value) in rows.into_iter().map(|row| row.into_iter().unzip::<_, _, Vec<_>, Vec<_>>()) {
        indices.extend(column);
        values.extend(value);
        offsets.push(indices.len());
    }
    CsrMatrix::try_from_csr_data(height, columns, offsets, indices, values)
        .expect("rows are sorted and within the vocabulary")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tokens::terms;

    #[test]
    fn weights_of_two_documents_are_as_computed_by_hand() {
        let fitted = fit(&["tea tea", "tea pot"], |text| terms(text));
        assert_eq!(fitted.vocabulary, ["pot", "tea", "tea pot", "tea tea"]);
        let rare = (3.0_f64 / 2.0).ln() + 1.0;
        for (idf, expected) in fitted.idf.iter().zip([rare, 1.0, rare, rare]) {
            assert!((idf - expected).abs() < 1e-12);
        }
        // "tea tea": tea twice, the pair once.
        let (tea, pair) = (1.0 + 2.0_f64.ln(), rare);
        let length = tea.hypot(pair);
        let row = fitted.weights.row(0);
        assert_eq!(row.col_indices(), [1, 3]);
        assert!((f64::from(row.values()[0]) - tea / length).abs() < 1e-6);
        assert!((f64::from(row.values()[1]) - pair / length).abs() < 1e-6);
    }

    #[test]
    fn nothing_to_fit_gives_an_empty_matrix() {
        let fitted = fit(&[] as &[&str], |text| terms(text));
        assert_eq!((fitted.weights.nrows(), fitted.weights.ncols()), (0, 0));
    }

    #[test]
    fn a_document_without_terms_has_an_empty_row() {
        let fitted = fit(&["the of", "tea"], |text| terms(text));
        assert_eq!(fitted.weights.row(0).nnz(), 0);
        assert_eq!(fitted.weights.row(1).values(), [1.0]);
    }
}
