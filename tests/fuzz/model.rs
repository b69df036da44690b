//! A model's bytes, whatever becomes of some of them behind the checksum, are refused, or make a model that answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shopmicro_fuzz::{Changes, FRONT, spoil};
use shopmicro_ml_service::model::tfidf::Options;
use shopmicro_ml_service::model::{Catalogue, Model, Product, bytes};
use uuid::Uuid;

fuzz_target!(|input: (Vec<(&str, &str)>, Changes)| {
    let (products, changes) = input;
    let product = |(id, (name, category)): (u128, (&str, &str))| Product {
        id: Uuid::from_u128(id),
        name: name.to_owned(),
        description: String::new(),
        category: category.to_owned(),
        tags: Vec::new(),
    };
    let catalogue = Catalogue::new((1..).zip(products).map(product).collect());
    let mut written = bytes::write(&Model::train(&catalogue));
    if spoil(&mut written, &changes) {
        assert!(bytes::read(&written, Options::default()).is_err(), "the checksum cannot be right by chance");
    }
    let read = bytes::read_content(&written[FRONT..], Options::default());
    assert!(read.is_ok() || !changes.is_empty());
    if let Ok(model) = read {
        for row in model.index().rows() {
            let found = model.similar(model.index().id_of(row), 5).expect("known");
            assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)));
        }
    }
});
