//! STUB until the rules are here.
