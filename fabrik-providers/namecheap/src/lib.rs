//! The Namecheap provider.
