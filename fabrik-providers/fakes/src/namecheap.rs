//! Namecheap.
