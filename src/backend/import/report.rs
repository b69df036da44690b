//! What an import did.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::import_rules::Reject;
use crate::import::reader::Refused;
use crate::import::source::Format;

/// Products that a file names, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProductChanges {
    /// Were not in the shop.
    pub new: u64,
    /// Were, but otherwise.
    pub changed: u64,
    /// Were just so.
    pub unchanged: u64,
}

/// Rows refused for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// How many.
    pub count: u64,
    /// The lines of the file where the first of them begin; the header is line 1.
    pub rows: Vec<u64>,
}

/// What an import did. Shown as a few lines of text.
#[derive(Debug)]
pub struct ImportReport {
    /// What the file holds.
    pub format: Format,
    /// Products.
    pub products: ProductChanges,
    /// Customers who were not known.
    pub customers_new: u64,
    /// Orders that were not known.
    pub orders_new: u64,
    /// Orders that were imported before; they stay as they are.
    pub orders_known: u64,
    pub(super) lines: Refused,
}

impl ImportReport {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            products: ProductChanges::default(),
            customers_new: 0,
            orders_new: 0,
            orders_known: 0,
            lines: Refused::default(),
        }
    }

    /// Rows of the file, without its header.
    pub fn rows_read(&self) -> u64 {
        self.lines.rows
    }

    /// Rows refused, by reason.
    pub fn refusals(&self) -> &BTreeMap<Reject, Refusal> {
        &self.lines.refusals
    }

    /// All rows refused.
    pub fn rows_refused(&self) -> u64 {
        self.lines.refusals.values().map(|refusal| refusal.count).sum()
    }

    /// True where the shop is as it was before.
    pub fn changed_nothing(&self) -> bool {
        self.products.new + self.products.changed + self.customers_new + self.orders_new == 0
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.format {
            Format::Catalogue { .. } => "catalogue",
            Format::OrderLines => "order lines",
        };
        writeln!(f, "{kind}: {} rows read, {} refused", self.rows_read(), self.rows_refused())?;
        let ProductChanges { new, changed, unchanged } = self.products;
        write!(f, "products: {new} new, {changed} changed, {unchanged} unchanged")?;
        if self.format == Format::OrderLines {
            write!(f, "\ncustomers: {} new", self.customers_new)?;
            write!(f, "\norders: {} new, {} already there", self.orders_new, self.orders_known)?;
        }
        for (reason, refusal) in self.refusals() {
            let rows: Vec<String> = refusal.rows.iter().map(u64::to_string).collect();
            let more = if refusal.count > refusal.rows.len() as u64 { ", ..." } else { "" };
            write!(f, "\nrefused, {reason}: {} (rows {}{more})", refusal.count, rows.join(", "))?;
        }
        if self.changed_nothing() {
            let known = unchanged + self.orders_known > 0;
            let why = if known { "the shop has all of this already" } else { "no row could be kept" };
            write!(f, "\nnothing changed: {why}")?;
        }
        Ok(())
    }
}
