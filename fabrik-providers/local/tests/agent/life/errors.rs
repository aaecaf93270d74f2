//! Each mistake has its own error, with the fix.
