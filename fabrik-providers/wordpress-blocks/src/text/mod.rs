//! Text that is safe in a page.
