//! The lines of real orders, as `shopmicro-backend import` reads them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use flate2::read::GzDecoder;
use serde::Deserialize;

/// A product in an order.
#[derive(Deserialize)]
pub(crate) struct Line {
    pub(crate) invoiced_at: String,
    invoice: String,
    pub(crate) stock_code: String,
    pub(crate) description: String,
    quantity: i64,
    unit_price: f64,
    pub(crate) customer_id: String,
}

/// The lines by which something was sold: neither cancelled nor unpriced.
pub(crate) fn sold(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Line>>> {
    let file = BufReader::new(File::open(path).with_context(|| path.display().to_string())?);
    let lines = csv::Reader::from_reader(GzDecoder::new(file)).into_deserialize::<Line>();
    let sold = |line: &Line| !line.invoice.starts_with('C') && line.quantity > 0 && line.unit_price > 0.0;
    Ok(lines.filter(move |line| line.as_ref().map_or(true, sold)).map(|line| Ok(line?)))
}

/// The names by which products were sold, in order.
pub(crate) fn names(path: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = BTreeSet::new();
    for line in sold(path)? {
        names.insert(line?.description.trim().to_owned());
    }
    names.remove("");
    Ok(names.into_iter().collect())
}
