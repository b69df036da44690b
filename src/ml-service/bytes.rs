//! Arrays as bytes, and back: what the files on disk are made of.
//!
//! A header, the SHA-256 of the rest, and the rest: arrays, each with its length before it, all little-endian.
//!
//! Whoever reads trusts nothing: a length is compared with what is there before anything is allocated.

use std::io::{self, Cursor, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

/// What a file begins with: its kind, and the version of its format.
pub(crate) type Header = [u8; 16];
/// The length of the checksum.
const CHECKSUM: usize = 32;
/// How much is collected before it is written.
const BUFFER: usize = 1 << 16;

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

/// Arrays that become a file as they come: beside what they are made of there is no room for all of them.
pub(crate) struct Writer<W> {
    file: W,
    checksum: Sha256,
    buffer: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins an empty file, with room for the checksum.
    pub(crate) fn new(mut file: W, header: &Header) -> io::Result<Self> {
        file.write_all(header)?;
        file.write_all(&[0; CHECKSUM])?;
        Ok(Self { file, checksum: Sha256::new(), buffer: Vec::with_capacity(BUFFER) })
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        values: impl IntoIterator<Item = [u8; N], IntoIter: ExactSizeIterator>,
    ) -> io::Result<()> {
        let mut values = values.into_iter();
        self.length(values.len())?;
        values.try_for_each(|value| self.put(&value))
    }

    /// An array in parts, of which there are as many values as is said.
    pub(crate) fn parts<P: AsRef<[u8]>>(
        &mut self,
        length: usize,
        parts: impl IntoIterator<Item = P>,
    ) -> io::Result<()> {
        self.length(length)?;
        parts.into_iter().try_for_each(|part| self.put(part.as_ref()))
    }

    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.parts(text.len(), [text])
    }

    /// The file is whole, though not yet safe from a loss of power.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.write_out()?;
        self.file.seek(SeekFrom::Start(size_of::<Header>() as u64))?;
        self.file.write_all(&self.checksum.finalize())?;
        self.file.flush()
    }

    fn length(&mut self, length: usize) -> io::Result<()> {
        self.put(&(length as u64).to_le_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(BUFFER) {
            if self.buffer.len() + part.len() > BUFFER {
                self.write_out()?;
            }
            self.buffer.extend_from_slice(part);
        }
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.checksum.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// What would become a file, in memory.
pub(crate) fn in_memory(write: impl FnOnce(&mut Cursor<Vec<u8>>) -> io::Result<()>) -> Vec<u8> {
    let mut bytes = Cursor::default();
    write(&mut bytes).expect("memory takes whatever is written");
    bytes.into_inner()
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
