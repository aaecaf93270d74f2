//! Credentials are nowhere but on the wire.

use fabrik_fakes::namecheap::Namecheap;
use fabrik_testkit::proxy::{Fault, Match};
use serde_json::json;

use crate::world::{World, set};

#[tokio::test]
async fn the_key_is_in_the_body_and_nowhere_else() {
    let world = World::new();
    world.proxy.on(
        Match::any().nth(2),
        Fault::status(500).body(format!("you sent {}", Namecheap::KEY)),
    );
    let stack = world.stack(json!({"a": set("a", "A", &["192.0.2.1"])}));
    world.stage.settle(&stack).await.unwrap();
    for exchange in world.proxy.log() {
        assert_eq!(exchange.kind, "POST");
        assert!(
            !exchange.query.contains(Namecheap::KEY) && !exchange.path.contains(Namecheap::KEY)
        );
        assert!(
            exchange
                .headers
                .iter()
                .all(|(_, value)| !value.contains(Namecheap::KEY))
        );
        assert!(String::from_utf8_lossy(&exchange.body).contains(Namecheap::KEY));
    }
    let events = format!("{:?}", world.stage.events());
    assert!(!events.contains(Namecheap::KEY));
    let rows = format!("{:?}", world.stage.rows().await.unwrap());
    assert!(!rows.contains(Namecheap::KEY));

    world.proxy.on(
        Match::any().always(),
        Fault::status(500).body(format!("you sent {}", Namecheap::KEY)),
    );
    let error = world.read("example.com/a/A").await.unwrap_err();
    assert!(
        !format!("{error:?} {error:#?}").contains(Namecheap::KEY),
        "{error:?}"
    );
}
