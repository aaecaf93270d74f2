//! Replies in the service's envelope.

use fabrik_testkit::serve::Reply;
use serde_json::{Value as Json, json};

/// What a request is refused with.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: u32,
    message: String,
    chain: Vec<(u32, String)>,
}

impl Refusal {
    /// A refusal with status 400.
    pub(super) fn new(code: u32, message: impl Into<String>) -> Refusal {
        Refusal {
            status: 400,
            code,
            message: message.into(),
            chain: Vec::new(),
        }
    }

    /// Code 1004: what is wrong with a record is in the chain only.
    pub(super) fn validation(code: u32, message: impl Into<String>) -> Refusal {
        Refusal::new(1004, "DNS Validation Error").chain(code, message)
    }

    pub(super) fn status(mut self, status: u16) -> Refusal {
        self.status = status;
        self
    }

    pub(super) fn chain(mut self, code: u32, message: impl Into<String>) -> Refusal {
        self.chain.push((code, message.into()));
        self
    }

    pub(super) fn reply(&self) -> Reply {
        let mut error = json!({"code": self.code, "message": self.message});
        if !self.chain.is_empty() {
            let chain = self
                .chain
                .iter()
                .map(|(code, message)| json!({"code": code, "message": message}));
            error["error_chain"] = chain.collect();
        }
        let body = json!({"success": false, "errors": [error], "messages": [], "result": null});
        Reply::json(self.status, &body)
    }
}

/// A reply with a result.
pub(super) fn ok(result: &Json) -> Reply {
    let body = json!({"success": true, "errors": [], "messages": [], "result": result});
    Reply::json(200, &body)
}

/// One page of a list.
pub(super) fn page(items: &[Json], page: usize, per_page: usize) -> Reply {
    let from = (page - 1).saturating_mul(per_page).min(items.len());
    let until = from.saturating_add(per_page).min(items.len());
    let shown = &items[from..until];
    let info = json!({
        "page": page,
        "per_page": per_page,
        "count": shown.len(),
        "total_count": items.len(),
        "total_pages": items.len().div_ceil(per_page),
    });
    let body = json!({
        "success": true, "errors": [], "messages": [], "result": shown, "result_info": info,
    });
    Reply::json(200, &body)
}
