//! Tables of zeros that take no memory until they are written.

use std::alloc::{Layout, handle_alloc_error};

use zerocopy::FromZeros;

/// So many zeros, asked of the allocator as such; ends the process where it has none, as any allocation does.
#[must_use]
pub fn table<T: FromZeros>(entries: usize) -> Box<[T]> {
    <[T]>::new_box_zeroed_with_elems(entries)
        .unwrap_or_else(|_| handle_alloc_error(Layout::array::<T>(entries).unwrap_or(Layout::new::<T>())))
}
