//! The reading thread: rows become lines of COPY, or are refused.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use bytes::{BufMut, Bytes, BytesMut};
use csv::ByteRecord;
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use crate::domain::import_rules::{
    CatalogueFields, CatalogueLine, Reject, SaleFields, SaleLine, customer_user_id,
};
use crate::import::ImportError;
use crate::import::report::Refusal;
use crate::import::source::{Format, Source};

/// The size at which a chunk goes to the database.
const CHUNK: usize = 1 << 17;

/// How many rows of each reason the report names.
const ROWS_NAMED: usize = 10;

/// What was read, and what of it was refused.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// Rows after the header.
    pub(super) rows: u64,
    /// By reason.
    pub(super) refusals: BTreeMap<Reject, Refusal>,
}

impl Refused {
    fn count(&mut self, reason: Reject, line: u64) {
        let refusal = self.refusals.entry(reason).or_default();
        refusal.count += 1;
        if refusal.rows.len() < ROWS_NAMED {
            refusal.rows.push(line);
        }
    }
}

/// The file of refused rows.
pub(super) struct Rejects {
    path: PathBuf,
    csv: csv::Writer<File>,
}

impl Rejects {
    /// Writes the header to a new file.
    pub(super) fn new(path: &Path, file: File) -> Result<Self, csv::Error> {
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(["row", "reason", "raw"])?;
        Ok(Self { path: path.to_owned(), csv })
    }

    fn write(&mut self, line: u64, reason: Reject, row: &ByteRecord) -> Result<(), ImportError> {
        self.try_write(line, reason, row)
            .map_err(|source| ImportError::Rejects { path: self.path.clone(), source })
    }

    fn try_write(&mut self, line: u64, reason: Reject, row: &ByteRecord) -> Result<(), csv::Error> {
        let mut raw = csv::WriterBuilder::new().from_writer(Vec::new());
        raw.write_byte_record(row)?;
        let raw = raw.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let raw = raw.strip_suffix(b"\n").unwrap_or(&raw);
        self.csv.write_record([line.to_string().as_bytes(), reason.to_string().as_bytes(), raw])
    }

    fn finish(mut self) -> Result<(), ImportError> {
        let flushed = self.csv.flush();
        flushed.map_err(|source| ImportError::Rejects { path: self.path, source: source.into() })
    }
}

/// Reads a file to its end, sending chunks of COPY text. Ends early where nobody takes them: the database failed, and
/// the receiver knows why.
pub(super) fn read(
    mut source: Source,
    chunks: &Sender<Bytes>,
    mut rejects: Option<Rejects>,
    now: Timestamp,
) -> Result<Refused, ImportError> {
    let mut refused = Refused::default();
    let mut copy = CopyText::default();
    let mut skus = HashSet::new();
    let mut row = ByteRecord::new();
    let mut line = 1;
    while source.read(&mut row).map_err(|error| ImportError::Read { line, source: error })? {
        line = source.line_of(&row);
        refused.rows += 1;
        let taken = match source.format() {
            Format::OrderLines => sale(&source, &row, now).map(|sale| copy.push_sale(line, &sale)),
            Format::Catalogue { .. } => {
                product(&source, &row, &mut skus).map(|product| copy.push_product(&product))
            }
        };
        if let Err(reason) = taken {
            refused.count(reason, line);
            if let Some(rejects) = &mut rejects {
                rejects.write(line, reason, &row)?;
            }
        }
        if copy.0.len() >= CHUNK && chunks.blocking_send(copy.0.split().freeze()).is_err() {
            return Ok(refused);
        }
    }
    if !copy.0.is_empty() && chunks.blocking_send(copy.0.freeze()).is_err() {
        return Ok(refused);
    }
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    Ok(refused)
}

/// The fields of a row in the order in which its format names the columns; a column that may be absent is empty then.
fn fields<'a>(source: &Source, row: &'a ByteRecord) -> Result<[&'a str; 8], Reject> {
    if row.len() != source.width() {
        return Err(Reject::Row);
    }
    let mut fields = [""; 8];
    for (field, column) in fields.iter_mut().zip(source.columns()) {
        *field = row.get(*column).and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or(Reject::Row)?;
    }
    Ok(fields)
}

fn sale(source: &Source, row: &ByteRecord, now: Timestamp) -> Result<SaleLine, Reject> {
    let [invoiced_at, invoice, stock_code, description, quantity, unit_price, customer_id, _country] =
        fields(source, row)?;
    let fields =
        SaleFields { invoiced_at, invoice, stock_code, description, quantity, unit_price, customer_id };
    SaleLine::clean(&fields, now)
}

/// SKUs seen are what grows with a file: a catalogue has no more of them than the shop has products.
fn product(source: &Source, row: &ByteRecord, seen: &mut HashSet<String>) -> Result<CatalogueLine, Reject> {
    let [sku, name, description, category, tags, price_cents, stock, image_url] = fields(source, row)?;
    let fields = CatalogueFields { sku, name, description, category, tags, price_cents, stock, image_url };
    let line = CatalogueLine::clean(&fields)?;
    if seen.insert(line.sku.clone()) { Ok(line) } else { Err(Reject::Repeated) }
}

/// Lines in COPY's text format.
#[derive(Default)]
pub(super) struct CopyText(BytesMut);

impl CopyText {
    fn push_sale(&mut self, line: u64, sale: &SaleLine) {
        let user_id = sale.customer.as_deref().map(customer_user_id);
        self.line(&[
            Some(&line.to_string()),
            Some(&sale.invoice),
            Some(&sale.sku),
            Some(&sale.name),
            Some(&sale.quantity.to_string()),
            Some(&sale.price_cents.to_string()),
            sale.customer.as_deref(),
            user_id.map(|id| id.to_string()).as_deref(),
            Some(&sale.at.to_string()),
        ]);
    }

    fn push_product(&mut self, product: &CatalogueLine) {
        self.line(&[
            Some(&product.sku),
            Some(&product.name),
            Some(&product.description),
            Some(&product.category),
            Some(&product.tags.join("|")),
            Some(&product.price_cents.to_string()),
            Some(&product.stock.to_string()),
            product.image_url.as_deref(),
        ]);
    }

    /// Adds a line; `None` is null.
    pub(super) fn line(&mut self, fields: &[Option<&str>]) {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.0.put_u8(b'\t');
            }
            match field {
                None => self.0.put_slice(b"\\N"),
                Some(text) => self.escaped(text),
            }
        }
        self.0.put_u8(b'\n');
    }

    fn escaped(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                b'\\' => self.0.put_slice(b"\\\\"),
                b'\t' => self.0.put_slice(b"\\t"),
                b'\n' => self.0.put_slice(b"\\n"),
                b'\r' => self.0.put_slice(b"\\r"),
                byte => self.0.put_u8(byte),
            }
        }
    }

    /// All lines so far.
    pub(super) fn take(&mut self) -> Bytes {
        self.0.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_text_is_escaped() {
        let mut copy = CopyText::default();
        copy.line(&[Some("a\tb\\N"), None, Some(""), Some("x\r\ny")]);
        copy.line(&[Some("\\."), Some("ü")]);
        assert_eq!(copy.take(), "a\\tb\\\\N\t\\N\t\tx\\r\\ny\n\\\\.\tü\n");
    }

    #[test]
    fn a_report_names_the_first_rows_only() {
        let mut refused = Refused::default();
        for line in 2..40 {
            refused.count(Reject::Note, line);
        }
        let refusal = &refused.refusals[&Reject::Note];
        assert_eq!(
            (refusal.count, refusal.rows.as_slice()),
            (38, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11].as_slice())
        );
    }
}
