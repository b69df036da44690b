//! The bytes of what customers did, whatever becomes of some of them behind the checksum, are refused, or can be gone on
//! with.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use shopmicro_fuzz::{Changes, FRONT, spoil};
use shopmicro_ml_service::interactions::{Interaction, Interactions, bytes};
use shopmicro_ml_service::model::profile::Kind;
use shopmicro_ml_service::model::together::Together;
use uuid::Uuid;

const MAX_USERS: usize = 100;
const HALF_LIFE: f64 = 604_800.0;

fuzz_target!(|input: (Vec<(u8, u8, u8, u32)>, Changes)| {
    let (done, changes) = input;
    let mut interactions = Interactions::new(MAX_USERS, HALF_LIFE);
    for (number, (user, product, kind, at)) in done.into_iter().enumerate() {
        interactions.apply(&Interaction {
            cursor: number.to_string(),
            user_id: Uuid::from_u128(user.into()),
            product_id: Uuid::from_u128(product.into()),
            kind: [Some(Kind::View), Some(Kind::Cart), Some(Kind::Purchase), None][usize::from(kind % 4)],
            at: Timestamp::from_second(at.into()).expect("a time"),
        });
    }
    let mut written = bytes::write(&interactions);
    if spoil(&mut written, &changes) {
        assert!(
            bytes::read(&written, MAX_USERS, HALF_LIFE).is_err(),
            "the checksum cannot be right by chance"
        );
    }
    let read = bytes::read_content(&written[FRONT..], MAX_USERS, HALF_LIFE);
    assert!(read.is_ok() || !changes.is_empty());
    if let Ok(read) = read {
        let again = bytes::read(&bytes::write(&read), MAX_USERS, HALF_LIFE).expect("is what was written");
        assert_eq!((again.count(), again.users()), (read.count(), read.users()));
        drop(Together::new(again.purchases()));
    }
});
