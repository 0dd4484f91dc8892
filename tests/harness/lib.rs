//! Fills up.
