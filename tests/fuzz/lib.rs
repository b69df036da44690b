//! What the targets that read files share.

/// The length of a file's header and checksum.
pub const FRONT: usize = 48;

/// Places, counted from behind the front and round, and the bytes that come there.
pub type Changes = Vec<(u16, u8)>;

/// Puts bytes in the place of others behind the front, and tells whether any is another now.
pub fn spoil(file: &mut [u8], changes: &[(u16, u8)]) -> bool {
    let before = file.to_vec();
    let content = &mut file[FRONT..];
    for &(place, byte) in changes {
        let place = usize::from(place) % content.len();
        content[place] = byte;
    }
    before != file
}
