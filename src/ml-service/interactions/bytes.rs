//! What is remembered of customers as bytes, and back.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Seek, Write};
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Bought, EVENTS_PER_USER, Interactions, Products, Stored, User};
use crate::bytes::{self, Header, Reader, Unusable, Writer, check};
use crate::model::popular::Popularity;
use crate::model::profile::Kind;

/// What a file begins with.
const HEADER: &Header = b"shopmicro-memory";
/// The version of the format.
const VERSION: [u8; 1] = [1];

/// Writes what is remembered to an empty file.
pub fn write_to(interactions: &Interactions, file: impl Write + Seek) -> io::Result<()> {
    let users: Vec<(&Uuid, &User)> =
        interactions.order.values().filter_map(|id| interactions.users.get_key_value(id)).collect();
    let mut bytes = Writer::new(file, HEADER)?;
    bytes.array([VERSION])?;
    bytes.array([interactions.popularity.half_life().to_le_bytes()])?;
    bytes.text(interactions.cursor.as_deref().unwrap_or_default())?;
    bytes.text(&interactions.last_sale)?;
    bytes.array([interactions.count.to_le_bytes()])?;
    bytes.array(interactions.products.ids.iter().map(|id| id.into_bytes()))?;

    bytes.array(users.iter().map(|(id, _)| id.into_bytes()))?;
    bytes.array(users.iter().map(|(_, user)| user.seen.to_le_bytes()))?;
    let revisions = || users.iter().map(|(_, user)| &*user.revision);
    bytes.parts(revisions().map(str::len).sum(), revisions())?;
    ends(&mut bytes, revisions().map(str::len))?;
    let events = || users.iter().flat_map(|(_, user)| &user.events);
    let lengths = || users.iter().map(|(_, user)| user.events.len());
    bytes.parts(lengths().sum(), events().map(|event| event.at.to_le_bytes()))?;
    bytes.parts(lengths().sum(), events().map(|event| event.product.to_le_bytes()))?;
    bytes.parts(lengths().sum(), events().map(|event| [event.kind as u8]))?;
    ends(&mut bytes, lengths())?;
    let bought = || users.iter().flat_map(|(_, user)| &user.bought);
    let lengths = || users.iter().map(|(_, user)| user.bought.len());
    bytes.parts(lengths().sum(), bought().map(|bought| bought.product.to_le_bytes()))?;
    bytes.parts(lengths().sum(), bought().map(|bought| bought.hour.to_le_bytes()))?;
    ends(&mut bytes, lengths())?;

    let sales = interactions.popularity.sales();
    bytes.array(sales.iter().map(|(product, ..)| product.into_bytes()))?;
    bytes.array(sales.iter().map(|(_, count, _)| count.to_le_bytes()))?;
    bytes.array(sales.iter().map(|(.., at)| at.to_le_bytes()))?;
    bytes.finish()
}

/// The same in memory: for tests, which spoil some of it.
#[doc(hidden)]
#[must_use]
pub fn write(interactions: &Interactions) -> Vec<u8> {
    bytes::in_memory(|file| write_to(interactions, file))
}

/// What was written. It is complete, as far as the stream went then. Refused where it remembers more than `max_users`
/// or counts with another half-life.
pub fn read(bytes: &[u8], max_users: usize, popularity_half_life: f64) -> Result<Interactions, Unusable> {
    read_content(bytes::content(bytes, HEADER)?, max_users, popularity_half_life)
}

/// The same without header and checksum: for tests, which could not reach what is behind those.
#[doc(hidden)]
pub fn read_content(
    content: &[u8],
    max_users: usize,
    popularity_half_life: f64,
) -> Result<Interactions, Unusable> {
    let mut reader = Reader::new(content);
    if reader.one("version", |version: [u8; 1]| version)? != VERSION {
        return Err(Unusable::Header);
    }
    if reader.one("half-life", f64::from_le_bytes)?.to_bits() != popularity_half_life.to_bits() {
        return Err(Unusable::Options);
    }
    let cursor: Arc<str> = reader.text("cursor")?.into();
    let last_sale: Arc<str> = reader.text("last sale")?.into();
    let count = reader.one("count", u64::from_le_bytes)?;
    let ids = reader.array("products", Uuid::from_bytes)?;
    let numbers: HashMap<Uuid, u32> = ids.iter().copied().zip(0..).collect();
    check(numbers.len() == ids.len(), "products")?;

    let user_ids = reader.array("users", Uuid::from_bytes)?;
    if user_ids.len() > max_users {
        return Err(Unusable::Options);
    }
    let seen = reader.array("order of users", u64::from_le_bytes)?;
    let in_order = seen.is_sorted_by(|a, b| a < b) && seen.last().is_none_or(|&last| last <= count);
    check(seen.len() == user_ids.len() && in_order, "order of users")?;
    let revisions = reader.text("revisions")?;
    let users = user_ids.len();
    let revision_of = parts(&mut reader, users, revisions.len(), "revisions")?;
    let at = reader.array("times", i64::from_le_bytes)?;
    let product = reader.array("products of events", u32::from_le_bytes)?;
    let kind = reader.array("kinds", |[kind]| kind)?;
    check(product.len() == at.len() && kind.len() == at.len(), "events")?;
    let events_of = parts(&mut reader, users, at.len(), "ends of events")?;
    let bought_product = reader.array("purchases", u32::from_le_bytes)?;
    let hour = reader.array("hours of purchases", i32::from_le_bytes)?;
    check(hour.len() == bought_product.len(), "purchases")?;
    let bought_of = parts(&mut reader, users, hour.len(), "ends of purchases")?;
    let known = |numbers: &[u32]| numbers.iter().all(|&number| (number as usize) < ids.len());
    check(known(&product) && known(&bought_product), "numbers of products")?;
    let kinds: Vec<Kind> =
        kind.into_iter().map(kind_of).collect::<Option<_>>().ok_or(Unusable::Content("kinds"))?;

    let sold = reader.array("products sold", Uuid::from_bytes)?;
    let counts = reader.array("sales", f64::from_le_bytes)?;
    let times = reader.array("times of sales", i64::from_le_bytes)?;
    reader.end()?;
    check(counts.len() == sold.len() && times.len() == sold.len(), "sales")?;
    check(at.iter().chain(&times).all(|&at| Timestamp::from_second(at).is_ok()), "times")?;
    check(counts.iter().all(|count| count.is_finite() && *count >= 0.0), "sales")?;
    let sales = sold.into_iter().zip(counts).zip(times).map(|((product, count), at)| (product, count, at));

    let mut remembered = HashMap::with_capacity(users);
    for (place, &id) in user_ids.iter().enumerate() {
        let events = events_of[place].clone();
        let stored = |event: usize| Stored { at: at[event], product: product[event], kind: kinds[event] };
        let events: Vec<Stored> = events.map(stored).collect();
        check(events.len() <= EVENTS_PER_USER && events.is_sorted_by_key(|event| event.at), "events")?;
        let bought = |place: usize| Bought { product: bought_product[place], hour: hour[place] };
        let bought: Vec<Bought> = bought_of[place].clone().map(bought).collect();
        check(bought.is_sorted_by(|a, b| a.product < b.product), "purchases")?;
        let revision = revisions.get(revision_of[place].clone()).ok_or(Unusable::Content("revisions"))?;
        remembered.insert(id, User { events, bought, revision: revision.into(), seen: seen[place] });
    }
    check(remembered.len() == users, "users")?;
    let order: BTreeMap<u64, Uuid> = seen.into_iter().zip(user_ids).collect();
    let mut interactions = Interactions {
        users: remembered,
        order,
        max_users,
        products: Products { numbers, ids },
        popularity: Popularity::of(popularity_half_life, sales),
        last_sale,
        ranking: Arc::default(),
        cursor: Some(cursor).filter(|cursor| !cursor.is_empty()),
        count,
        complete: false,
    };
    interactions.caught_up();
    Ok(interactions)
}

fn kind_of(number: u8) -> Option<Kind> {
    [Kind::View, Kind::Cart, Kind::Purchase].into_iter().find(|&kind| kind as u8 == number)
}

/// Where each of several parts ends.
fn ends(
    bytes: &mut Writer<impl Write + Seek>,
    lengths: impl ExactSizeIterator<Item = usize>,
) -> io::Result<()> {
    let mut end = 0_u32;
    bytes.array(lengths.map(|length| {
        end += u32::try_from(length).expect("fewer than 2^32 events");
        end.to_le_bytes()
    }))
}

/// So many parts, which together are the whole.
fn parts(
    reader: &mut Reader<'_>,
    count: usize,
    length: usize,
    what: &'static str,
) -> Result<Vec<Range<usize>>, Unusable> {
    let ends = reader.array(what, |end| u32::from_le_bytes(end) as usize)?;
    let whole = ends.last().map_or(0, |&end| end) == length;
    check(ends.len() == count && ends.is_sorted() && whole, what)?;
    let starts = std::iter::once(0).chain(ends.iter().copied());
    Ok(starts.zip(&ends).map(|(start, &end)| start..end).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactions::Interaction;
    use crate::model::blend::DAY;

    const HALF_LIFE: f64 = 7.0 * DAY;

    fn line(number: u64) -> Interaction {
        let kinds = [Kind::View, Kind::Cart, Kind::Purchase];
        Interaction {
            cursor: format!("{number}-{number}"),
            user_id: Uuid::from_u128(u128::from(number % 5)),
            product_id: Uuid::from_u128(u128::from(number % 7)),
            kind: Some(kinds[(number % 3) as usize]),
            at: Timestamp::from_second(1_000_000 * i64::try_from(number).expect("few")).expect("a time"),
        }
    }

    fn remembered(lines: std::ops::Range<u64>, mut interactions: Interactions) -> Interactions {
        lines.for_each(|number| interactions.apply(&line(number)));
        interactions.caught_up();
        interactions
    }

    #[test]
    fn what_comes_back_goes_on_as_if_it_had_never_been_away() {
        let new = || Interactions::new(4, HALF_LIFE);
        let written = remembered(0..50, new());
        let back = read(&write(&written), 4, HALF_LIFE).expect("is what was written");
        assert!(back.complete());
        assert_eq!(write(&back), write(&written));
        let (back, all) = (remembered(50..80, back), remembered(0..80, new()));
        assert_eq!((back.cursor(), back.count(), back.users()), (all.cursor(), 80, 4));
        assert_eq!(back.ranking().products, all.ranking().products);
        for id in (0..5).map(Uuid::from_u128) {
            assert_eq!(back.user(id), all.user(id));
        }
        assert_eq!(write(&back), write(&all));
    }

    /// A file that looks at how much it is given at once.
    struct Watched(io::Cursor<Vec<u8>>, usize);

    impl Write for Watched {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = self.1.max(bytes.len());
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Watched {
        fn seek(&mut self, place: io::SeekFrom) -> io::Result<u64> {
            self.0.seek(place)
        }
    }

    #[test]
    fn it_is_written_in_small_parts() {
        let mut written = Interactions::new(100, HALF_LIFE);
        for number in 0..20_000 {
            let user_id = Uuid::from_u128(u128::from(number % 97));
            written.apply(&Interaction { user_id, ..line(number % 1_000) });
        }
        let mut file = Watched(io::Cursor::default(), 0);
        write_to(&written, &mut file).expect("written");
        let Watched(bytes, most) = file;
        let bytes = bytes.into_inner();
        assert!(most <= 1 << 16 && 3 * most < bytes.len(), "{most} of {} at once", bytes.len());
        let back = read(&bytes, 100, HALF_LIFE).expect("is what was written");
        assert_eq!((back.count(), back.users()), (20_000, 97));
    }

    #[test]
    fn nothing_comes_back_as_nothing() {
        let back = read(&write(&Interactions::new(4, HALF_LIFE)), 4, HALF_LIFE).expect("is what was written");
        assert_eq!((back.users(), back.cursor()), (0, None));
    }

    #[test]
    fn other_settings_are_noticed() {
        let bytes = write(&remembered(0..50, Interactions::new(4, HALF_LIFE)));
        assert_eq!(read(&bytes, 3, HALF_LIFE).err(), Some(Unusable::Options));
        assert_eq!(read(&bytes, 4, 2.0 * HALF_LIFE).err(), Some(Unusable::Options));
    }

    #[test]
    fn every_change_is_noticed_or_does_no_harm() {
        let bytes = write(&remembered(0..50, Interactions::new(4, HALF_LIFE)));
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            assert!(read(&damaged, 4, HALF_LIFE).is_err(), "{place}");
            assert!(read(&bytes[..place], 4, HALF_LIFE).is_err(), "{place}");
        }
        // Behind the checksum.
        let content = bytes::content(&bytes, HEADER).expect("is what was written");
        let mut refused = 0;
        for (place, change) in
            (0..content.len()).flat_map(|place| [1, 0x80, 0xff].map(|change| (place, change)))
        {
            let mut changed = content.to_vec();
            changed[place] ^= change;
            match read_content(&changed, 4, HALF_LIFE) {
                Err(_) => refused += 1,
                Ok(back) => drop(remembered(50..60, back).purchases()),
            }
        }
        assert!(refused > content.len() / 2, "{refused}");
    }
}
