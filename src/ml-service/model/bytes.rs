//! Models as bytes, and back.
//!
//! Only what was counted is written. Weights, postings and bounds follow from that and are made again, by the code
//! that makes them after a fit, so that no file can hold some that contradict one another. Every number that will be
//! a place is checked to be one.

use std::io::{self, Seek, Write};
use std::sync::Arc;

use uuid::Uuid;

use super::index::Index;
use super::items::Items;
use super::tfidf::{Counts, Options};
use super::vocabulary::{Strings, Vocabulary};
use super::{ALGORITHM, Model};
use crate::bytes::{self, Header, Reader, Unusable, Writer, check};

/// What a file begins with: its kind, and the version of its format.
const HEADER: &Header = b"shopmicro-model\x02";

/// Writes a model as it was trained to an empty file; what came and went since is not in it.
pub fn write_to(model: &Model, file: impl Write + Seek) -> io::Result<()> {
    let (ids, vocabulary, counts, options) = model.index.fitted();
    let mut bytes = Writer::new(file, HEADER)?;
    bytes.text(ALGORITHM)?;
    bytes.text(&model.trained_version)?;
    bytes.array(option_bytes(options).map(|byte| [byte]))?;
    put_strings(&mut bytes, &vocabulary.words)?;
    bytes.array(vocabulary.starts.iter().map(|number| number.to_le_bytes()))?;
    bytes.array(vocabulary.seconds.iter().map(|number| number.to_le_bytes()))?;
    bytes.array(ids.iter().map(|id| id.into_bytes()))?;
    bytes.array(counts.starts.iter().map(|number| number.to_le_bytes()))?;
    bytes.array(counts.terms.iter().map(|number| number.to_le_bytes()))?;
    bytes.array(counts.times.iter().map(|number| number.to_le_bytes()))?;
    put_strings(&mut bytes, &model.items.names)?;
    put_strings(&mut bytes, &model.items.categories)?;
    bytes.array(model.items.category_of.iter().map(|number| number.to_le_bytes()))?;
    bytes.array(model.items.digests.iter().map(|number| number.to_le_bytes()))?;
    bytes.finish()
}

/// The same in memory: for tests, which spoil some of it.
#[doc(hidden)]
#[must_use]
pub fn write(model: &Model) -> Vec<u8> {
    bytes::in_memory(|file| write_to(model, file))
}

/// The model that was written. Runs in the current rayon pool.
pub fn read(bytes: &[u8], options: Options) -> Result<Model, Unusable> {
    read_content(bytes::content(bytes, HEADER)?, options)
}

/// The same without header and checksum: for tests, which could not reach what is behind those.
#[doc(hidden)]
pub fn read_content(content: &[u8], options: Options) -> Result<Model, Unusable> {
    let mut reader = Reader::new(content);
    // Other rules would have counted other terms, which no comparison with the catalogue would show.
    if reader.text("algorithm")? != ALGORITHM {
        return Err(Unusable::Algorithm);
    }
    let version = reader.text("version")?;
    if reader.array("options", |[byte]| byte)? != option_bytes(&options) {
        return Err(Unusable::Options);
    }
    let vocabulary = Vocabulary {
        words: strings(&mut reader, "words")?,
        starts: reader.array("starts of words", u32::from_le_bytes)?,
        seconds: reader.array("second words", u32::from_le_bytes)?,
    };
    let ids = reader.array("ids", Uuid::from_bytes)?;
    let counts = Counts {
        starts: reader.array("starts of rows", u32::from_le_bytes)?,
        terms: reader.array("terms", u32::from_le_bytes)?,
        times: reader.array("counts", u16::from_le_bytes)?,
    };
    let items = Items {
        names: strings(&mut reader, "names")?,
        categories: strings(&mut reader, "categories")?,
        category_of: reader.array("categories of products", u32::from_le_bytes)?,
        digests: reader.array("digests", u64::from_le_bytes)?,
    };
    reader.end()?;
    check_vocabulary(&vocabulary)?;
    check_counts(&counts, ids.len(), vocabulary.len())?;
    let categories = items.category_of.iter().all(|&category| (category as usize) < items.categories.len());
    let lengths = [items.names.len(), items.category_of.len(), items.digests.len()];
    check(categories && lengths.iter().all(|&length| length == ids.len()), "products")?;
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    check(sorted.is_sorted_by(|a, b| a < b), "ids")?;

    let index = Index::of_counts(&ids, vocabulary, &counts, options);
    // Products are by row: rows must be in the order that they would get.
    check(index.fitted().0 == ids, "order")?;
    Ok(Model {
        trained_version: version.clone(),
        version,
        index,
        items: Arc::new(items),
        fresh: Items::default(),
    })
}

fn option_bytes(options: &Options) -> [u8; 16] {
    let mut bytes = [0; 16];
    let Options { lowercase, stop_words, bigrams, sublinear_tf, min_df, max_df } = options;
    bytes[..4]
        .copy_from_slice(&[lowercase, stop_words, bigrams, sublinear_tf].map(|&option| u8::from(option)));
    bytes[4..8].copy_from_slice(&min_df.to_le_bytes());
    bytes[8..].copy_from_slice(&max_df.to_le_bytes());
    bytes
}

fn put_strings(bytes: &mut Writer<impl Write + Seek>, strings: &Strings) -> io::Result<()> {
    bytes.text(&strings.text)?;
    bytes.array(strings.ends.iter().map(|end| end.to_le_bytes()))
}

fn strings(reader: &mut Reader<'_>, what: &'static str) -> Result<Strings, Unusable> {
    let strings = Strings { text: reader.text(what)?, ends: reader.array(what, u32::from_le_bytes)? };
    let last = strings.ends.last().map_or(0, |&end| end as usize);
    let between = strings.ends.iter().all(|&end| strings.text.is_char_boundary(end as usize));
    check(strings.ends.is_sorted() && between && last == strings.text.len(), what)?;
    Ok(strings)
}

/// Starts that lead from zero to the length without going back.
fn check_starts(starts: &[u32], parts: usize, length: usize, what: &'static str) -> Result<(), Unusable> {
    let ends = starts.first() == Some(&0) && starts.last().is_some_and(|&last| last as usize == length);
    check(ends && starts.len() == parts + 1 && starts.is_sorted(), what)
}

fn check_vocabulary(vocabulary: &Vocabulary) -> Result<(), Unusable> {
    let Vocabulary { words, starts, seconds } = vocabulary;
    check((1..words.len()).all(|word| words.get(word - 1) < words.get(word)), "words")?;
    check_starts(starts, words.len(), seconds.len(), "starts of words")?;
    check(seconds.iter().all(|&second| second as usize <= words.len()), "second words")?;
    let terms = |word: &[u32]| seconds[word[0] as usize..word[1] as usize].is_sorted_by(|a, b| a < b);
    check(starts.windows(2).all(terms), "second words")
}

fn check_counts(counts: &Counts, rows: usize, terms: usize) -> Result<(), Unusable> {
    check_starts(&counts.starts, rows, counts.terms.len(), "starts of rows")?;
    check(counts.times.len() == counts.terms.len() && counts.times.iter().all(|&times| times > 0), "counts")?;
    let known = counts.terms.iter().all(|&term| (term as usize) < terms);
    check(known && (0..rows).all(|row| counts.terms[counts.range(row)].is_sorted_by(|a, b| a < b)), "terms")
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Product};
    use super::*;

    fn model() -> Model {
        let product = |(id, name): (u128, &str)| Product {
            id: Uuid::from_u128(id),
            name: name.to_owned(),
            description: String::new(),
            category: if id % 2 == 0 { "Home" } else { "Küche" }.to_owned(),
            tags: vec!["über".to_owned()],
        };
        let names = ["Red cushion", "Blue cushion", "Green teapot", "Teapot stand", ""];
        Model::train(&Catalogue::new((1..).zip(names).map(product).collect()))
    }

    #[test]
    fn a_model_comes_back_as_it_was() {
        let model = model();
        let back = read(&write(&model), Options::default()).expect("is what was written");
        assert_eq!((back.version(), back.products(), back.terms()), (model.version(), 5, model.terms()));
        for id in (1..=5).map(Uuid::from_u128) {
            assert_eq!(back.similar(id, 10), model.similar(id, 10));
        }
        assert_eq!(write(&back), write(&model));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = write(&model());
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            let expected = if place < HEADER.len() { Unusable::Header } else { Unusable::Checksum };
            assert_eq!(read(&damaged, Options::default()).err(), Some(expected), "{place}");
            assert!(read(&bytes[..place], Options::default()).is_err(), "{place}");
        }
    }

    /// Behind the checksum: whatever a byte is changed to, it is refused or makes a model that answers.
    #[test]
    fn content_that_was_changed_with_its_checksum_does_no_harm() {
        let bytes = write(&model());
        let content = bytes::content(&bytes, HEADER).expect("is what was written");
        let mut refused = 0;
        for place in 0..content.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = content.to_vec();
                changed[place] ^= change;
                match read_content(&changed, Options::default()) {
                    Err(_) => refused += 1,
                    Ok(model) => {
                        model.index().rows().for_each(|row| drop(model.similar(model.index().id_of(row), 3)));
                    }
                }
            }
            assert!(read_content(&content[..place], Options::default()).is_err());
        }
        assert!(refused > content.len(), "{refused}");
    }

    #[test]
    fn another_algorithm_is_noticed() {
        let bytes = write(&model());
        let mut content = bytes::content(&bytes, HEADER).expect("is what was written").to_vec();
        // Behind its length.
        content[size_of::<u64>()] ^= 1;
        assert_eq!(read_content(&content, Options::default()).err(), Some(Unusable::Algorithm));
    }

    #[test]
    fn other_options_are_noticed() {
        let other = Options { min_df: 2, ..Options::default() };
        assert_eq!(read(&write(&model()), other).err(), Some(Unusable::Options));
    }
}
