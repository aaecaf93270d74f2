//! Published schemas are what the program prints.

use crate::support::{Place, up_to_date};

#[test]
fn the_published_schema_is_up_to_date() {
    let schema = Place::empty().run(&["schema"]).code(0);
    up_to_date("schemas/fabrik.schema.json", |_| schema.out);
}
