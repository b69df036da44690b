//! Arrays as bytes, and back: what the files on disk are made of.
//!
//! A header, the SHA-256 of the rest, and the rest: arrays, each with its length before it, all little-endian.
//!
//! Whoever reads trusts nothing: a length is compared with what is there before anything is allocated.

use sha2::{Digest, Sha256};

/// What a file begins with: its kind, and the version of its format.
pub(crate) type Header = [u8; 16];
/// The length of the checksum.
const CHECKSUM: usize = 32;

/// Bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Another kind of file, or another version of the format.
    #[error("it is none of this version")]
    Header,
    /// The bytes are not those that were written.
    #[error("its checksum is another than that of its content")]
    Checksum,
    /// It ends too early, or holds something that cannot be.
    #[error("its {0} cannot be")]
    Content(&'static str),
    /// It was made by other rules for the same catalogue.
    #[error("it was made by another algorithm")]
    Algorithm,
    /// It was made with other options.
    #[error("it was made with other options")]
    Options,
}

/// Arrays that become a file.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new(header: &Header) -> Self {
        let mut bytes = header.to_vec();
        bytes.resize(header.len() + CHECKSUM, 0);
        Self(bytes)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        values: impl IntoIterator<Item = [u8; N], IntoIter: ExactSizeIterator>,
    ) {
        let values = values.into_iter();
        self.0.reserve(8 + N * values.len());
        self.0.extend((values.len() as u64).to_le_bytes());
        values.for_each(|value| self.0.extend(value));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.array(text.bytes().map(|byte| [byte]));
    }

    /// The whole file.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let (front, content) = self.0.split_at_mut(size_of::<Header>() + CHECKSUM);
        front[size_of::<Header>()..].copy_from_slice(&Sha256::digest(content));
        self.0
    }
}

/// What is behind a header and the right checksum.
pub(crate) fn content<'a>(bytes: &'a [u8], header: &Header) -> Result<&'a [u8], Unusable> {
    let rest = bytes.strip_prefix(header).ok_or(Unusable::Header)?;
    let (checksum, content) = rest.split_at_checked(CHECKSUM).ok_or(Unusable::Checksum)?;
    if *checksum == *Sha256::digest(content) { Ok(content) } else { Err(Unusable::Checksum) }
}

pub(crate) fn check(holds: bool, what: &'static str) -> Result<(), Unusable> {
    if holds { Ok(()) } else { Err(Unusable::Content(what)) }
}

/// Reads arrays one after the other.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(content: &'a [u8]) -> Self {
        Self(content)
    }

    pub(crate) fn array<T, const N: usize>(
        &mut self,
        what: &'static str,
        of: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, Unusable> {
        let wrong = Unusable::Content(what);
        let (length, rest) = self.0.split_first_chunk().ok_or(wrong)?;
        let length =
            usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|length| length.checked_mul(N));
        let (values, rest) = length.and_then(|length| rest.split_at_checked(length)).ok_or(wrong)?;
        self.0 = rest;
        Ok(values.as_chunks().0.iter().map(|&value| of(value)).collect())
    }

    /// An array of one.
    pub(crate) fn one<T, const N: usize>(
        &mut self,
        what: &'static str,
        of: impl Fn([u8; N]) -> T,
    ) -> Result<T, Unusable> {
        let mut values = self.array(what, of)?;
        check(values.len() == 1, what)?;
        values.pop().ok_or(Unusable::Content(what))
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<String, Unusable> {
        String::from_utf8(self.array(what, |[byte]| byte)?).map_err(|_| Unusable::Content(what))
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Unusable> {
        check(self.0.is_empty(), "end")
    }
}
