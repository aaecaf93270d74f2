//! A suite that cannot fail is worthless: each broken provider is caught by exactly its case.
