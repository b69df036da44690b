//! The file: opened, unpacked where it is gzipped, and its format known by its header.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

use crate::import::ImportError;

const CATALOGUE: &[&str] = &["sku", "name", "description", "category", "tags", "price_cents", "stock"];
const CATALOGUE_OPTIONAL: &[&str] = &["image_url"];
const ORDER_LINES: &[&str] = &[
    "invoiced_at",
    "invoice",
    "stock_code",
    "description",
    "quantity",
    "unit_price",
    "customer_id",
    "country",
];

/// The longest row. A quotation mark that nobody closes makes the rest of a file one field: it must not all be read
/// into memory to find that out.
const LONGEST_ROW: usize = 1 << 20;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Products.
    Catalogue {
        /// There is a column of pictures; without it, products keep theirs.
        with_pictures: bool,
    },
    /// Lines of past orders.
    OrderLines,
}

/// An open file whose header has been read.
pub(super) struct Source {
    path: PathBuf,
    format: Format,
    columns: Vec<usize>,
    width: usize,
    csv: csv::Reader<Lines>,
}

impl Source {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path, bar: &ProgressBar) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        bar.set_length(file.metadata().map_err(failed)?.len());
        let mut plain = BufReader::with_capacity(1 << 16, bar.wrap_read(file));
        let gzipped = plain.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let bytes: Box<dyn Read + Send> =
            if gzipped { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) };
        let mut csv = csv::ReaderBuilder::new().flexible(true).buffer_capacity(1 << 16).from_reader(Lines {
            bytes,
            last: b'\n',
            since_row: 0,
        });
        let header = csv.headers().map_err(|source| ImportError::Read { line: 0, source })?;
        let (format, columns) = recognise(header).map_err(ImportError::Header)?;
        let width = header.len();
        Ok(Self { path: path.canonicalize().map_err(failed)?, format, columns, width, csv })
    }

    /// Where the file really is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// How many fields a row has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The places of the format's columns, in the order in which the format names them.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Reads the next row; false at the end.
    pub(super) fn read(&mut self, row: &mut csv::ByteRecord) -> Result<bool, csv::Error> {
        self.csv.get_mut().since_row = 0;
        self.csv.read_byte_record(row)
    }

    /// The line on which the row that was just read begins. The position that the csv crate gives a row is where it
    /// began to look for it, which may be a blank line before.
    pub(super) fn line_of(&self, row: &csv::ByteRecord) -> u64 {
        let inside: u64 = row.as_slice().iter().map(|byte| u64::from(*byte == b'\n')).sum();
        self.csv.position().line().saturating_sub(inside + 1)
    }
}

/// Gives every line, the last one too, a single `\n` at its end, so that lines can be counted; and fails where a row goes
/// on for too long.
struct Lines {
    bytes: Box<dyn Read + Send>,
    last: u8,
    since_row: usize,
}

impl Lines {
    /// Makes `\r` and `\r\n` into `\n`, in place; returns the new length.
    fn normalise(&mut self, buffer: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..buffer.len() {
            let byte = buffer[at];
            if (self.last, byte) != (b'\r', b'\n') {
                buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            self.last = byte;
        }
        kept
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row > LONGEST_ROW {
            let text = "a row is longer than 1 MiB: is a quotation mark not closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        loop {
            let read = self.bytes.read(buffer)?;
            let kept = self.normalise(&mut buffer[..read]);
            self.since_row += kept;
            match (read, buffer.first_mut()) {
                (0, Some(first)) if !matches!(self.last, b'\r' | b'\n') => {
                    (*first, self.last) = (b'\n', b'\n');
                    return Ok(1);
                }
                // Nothing but the second half of a line's end: zero would mean the end of the file.
                (1, _) if kept == 0 => {}
                _ => return Ok(kept),
            }
        }
    }
}

/// The format whose columns a header names, in any order, and where they are; or what is wrong with it.
fn recognise(header: &StringRecord) -> Result<(Format, Vec<usize>), String> {
    let names: Vec<String> =
        header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
    if names.iter().all(String::is_empty) {
        return Err("the file is empty: its first line must name the columns".into());
    }
    let known =
        |columns: &[&str]| columns.iter().filter(|column| names.iter().any(|name| name == *column)).count();
    let (kind, required, optional) = match (known(CATALOGUE), known(ORDER_LINES)) {
        (catalogue, lines) if catalogue.max(lines) < 2 => {
            return Err(format!(
                "the columns are neither those of a catalogue ({}; also {}) nor those of order lines ({}), but {}",
                CATALOGUE.join(","),
                CATALOGUE_OPTIONAL.join(","),
                ORDER_LINES.join(","),
                shown(&names),
            ));
        }
        (catalogue, lines) if catalogue >= lines => ("a catalogue", CATALOGUE, CATALOGUE_OPTIONAL),
        _ => ("order lines", ORDER_LINES, [].as_slice()),
    };
    let place = |column: &&str| names.iter().position(|name| name == *column);
    let missing: Vec<&str> = required.iter().copied().filter(|column| place(column).is_none()).collect();
    let unknown: Vec<String> = names
        .iter()
        .filter(|name| !required.iter().chain(optional).any(|column| column == name))
        .cloned()
        .collect();
    let twice: Vec<String> = names
        .iter()
        .enumerate()
        .filter(|(at, name)| names.iter().take(*at).any(|other| other == *name))
        .map(|(_, name)| name.clone())
        .collect();
    let mistakes: Vec<String> =
        [("missing", missing.join(",")), ("unknown", shown(&unknown)), ("named twice", shown(&twice))]
            .into_iter()
            .filter(|(_, columns)| !columns.is_empty())
            .map(|(mistake, columns)| format!("{mistake}: {columns}"))
            .collect();
    if !mistakes.is_empty() {
        return Err(format!("the columns look like {kind}, but some are {}", mistakes.join("; ")));
    }
    let format = if required == CATALOGUE {
        Format::Catalogue { with_pictures: place(&"image_url").is_some() }
    } else {
        Format::OrderLines
    };
    Ok((format, required.iter().chain(optional).filter_map(place).collect()))
}

/// Columns of somebody's file for a message: a few, cut, with nothing that a terminal obeys.
fn shown(names: &[String]) -> String {
    let cut = |name: &String| match name.trim() {
        "" => "(empty)".to_owned(),
        name => name.chars().filter(|c| !c.is_control()).take(40).collect(),
    };
    let mut shown: Vec<String> = names.iter().take(20).map(cut).collect();
    if names.len() > 20 {
        shown.push("...".into());
    }
    shown.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(header: &str) -> Result<(Format, Vec<usize>), String> {
        recognise(&header.split(',').collect())
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        let (kind, columns) =
            format("\u{feff}Name,sku,description,category,tags, stock ,price_cents").expect("a catalogue");
        assert_eq!(kind, Format::Catalogue { with_pictures: false });
        assert_eq!(columns, [1, 0, 2, 3, 4, 6, 5]);
        let (kind, columns) =
            format("sku,name,description,category,tags,price_cents,stock,image_url").expect("a catalogue");
        assert_eq!((kind, columns.len()), (Format::Catalogue { with_pictures: true }, 8));
        let (kind, _) = format(&ORDER_LINES.join(",")).expect("order lines");
        assert_eq!(kind, Format::OrderLines);
    }

    #[test]
    fn every_line_ends_in_one_way() {
        for (raw, expected) in [
            ("a\r\nb\r\n\r\n", "a\nb\n\n"),
            ("a\nb", "a\nb\n"),
            ("a\rb\r", "a\nb\n"),
            ("\r\n\n\r", "\n\n\n"),
            ("", ""),
        ] {
            for size in [1, 2, 3, 100] {
                let mut lines = Lines { bytes: Box::new(raw.as_bytes()), last: b'\n', since_row: 0 };
                let mut text = Vec::new();
                let mut buffer = vec![0; size];
                loop {
                    let read = lines.read(&mut buffer).expect("read");
                    if read == 0 {
                        break;
                    }
                    text.extend_from_slice(&buffer[..read]);
                }
                assert_eq!(text, expected.as_bytes(), "{raw:?} by {size}");
            }
        }
    }

    #[test]
    fn other_columns_are_named() {
        let message =
            format("sku,name,description,category,tags,price,stock").expect_err("a column is wrong");
        assert!(message.contains("a catalogue") && message.contains("missing: price_cents"), "{message}");
        assert!(message.contains("unknown: price"), "{message}");
        let message = format(&format!("{},invoice", ORDER_LINES.join(","))).expect_err("one is there twice");
        assert!(message.contains("named twice: invoice"), "{message}");
        let message = format("a,b").expect_err("nothing is known");
        assert!(message.contains("catalogue") && message.contains("order lines") && message.contains("a,b"));
        assert!(format("").expect_err("empty").contains("empty"));
    }
}
