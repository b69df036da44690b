# What glibc is told where our services run: to give large blocks back. A password's hash takes one of 19 MiB, of which it
# would keep hundreds of MiB: docs/decisions/2026-11-23-one-table-of-memory.md.
{
  MALLOC_MMAP_THRESHOLD_ = "1048576";
}
