pub(crate) fn schema(_: &fabrik_core::provider::Registry) -> serde_json::Value {
    serde_json::json!({})
}
