//! What weights and lengths are made of.

use std::sync::LazyLock;

/// Of the factors `f` of a document's counts and the `g` of its terms: Σf², Σf²g and Σf²g².
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums([f64; 3]);

impl Sums {
    pub(super) fn add(&mut self, square: f64, g: f64) {
        self.0[0] += square;
        self.0[1] += square * g;
        self.0[2] += square * g * g;
    }

    pub(super) fn shift(&mut self, square: f64, from: f64, to: f64) {
        self.0[1] += square * (to - from);
        self.0[2] += square * (to * to - from * from);
    }

    pub(super) fn inverse(&self, level: f64) -> f64 {
        let [zero, one, two] = self.0;
        if zero > 0.0 { 1.0 / (level * level * zero + 2.0 * level * one + two).sqrt() } else { 0.0 }
    }
}

/// The part of the idf that the frequency decides.
pub(super) fn g(df: u32) -> f64 {
    static SMALL: LazyLock<Vec<f64>> =
        LazyLock::new(|| (0..4_096).map(|df| -f64::from(1 + df).ln()).collect());
    SMALL.get(df as usize).copied().unwrap_or_else(|| -(1.0 + f64::from(df)).ln())
}

/// What a count contributes.
pub(super) fn factor(times: u16, sublinear: bool) -> f64 {
    match times {
        1 => 1.0,
        2 if sublinear => 1.0 + std::f64::consts::LN_2,
        times if sublinear => 1.0 + f64::from(times).ln(),
        times => f64::from(times),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "finds candidates; scores are made of 64 bits")]
pub(super) fn rounded(value: f64) -> f32 {
    value as f32
}

/// For bounds, which may be too large but not too small.
pub(super) fn rounded_up(value: f64) -> f32 {
    rounded(value).next_up()
}
