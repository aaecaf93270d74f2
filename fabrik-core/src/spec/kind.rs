//! Which kind an app is of.

use std::sync::Arc;

use super::apps::{KINDS, RawApp};
use super::expand::KindFacts;
use super::world::{Place, Where, World};
use crate::codes;
use crate::role::Component;

impl World<'_> {
    /// The component of an app's kind, or of its template's.
    pub(super) fn kind(&mut self, raw: &RawApp) -> Option<(Arc<dyn Component>, Arc<KindFacts>)> {
        let place = Place::new(Where::Body);
        if raw.node.entries().is_none() {
            let text = format!("an app is a map, not {}", raw.node.kind_name());
            let help = "write `kind` and what it takes".to_owned();
            let span = if raw.node.is_null() {
                raw.span
            } else {
                raw.node.span
            };
            self.error(codes::WRONG_TYPE, span, &place, text, Some(help));
            return None;
        }
        let (kind, span) = match (raw.node.get("kind"), raw.node.get("template")) {
            (Some(node), _) => (node.as_text().cloned().unwrap_or_default(), node.span),
            (None, Some(node)) => {
                let name = node.as_text().cloned().unwrap_or_default();
                match self.request.templates.get(&*name) {
                    Some(kind) => (Arc::from(kind.as_str()), node.span),
                    None => {
                        let known = self.request.templates.keys().map(String::as_str);
                        let help = self.report.suggest(&name, known);
                        let text = format!("there is no template `{name}`");
                        self.error(codes::UNKNOWN_KIND, node.span, &place, text, help);
                        return None;
                    }
                }
            }
            (None, None) => {
                let known: Vec<&str> = self.request.registry.component_kinds().collect();
                let help = format!("add `kind:`; there is {}", super::shape::list_some(&known));
                let text = format!("`kind` is missing in the app `{}`", raw.key);
                self.error(codes::MISSING_FIELD, raw.span, &place, text, Some(help));
                return None;
            }
        };
        match self.request.registry.component(&kind) {
            Some(component) => {
                let facts = self.kind_facts(component);
                Some((component.clone(), facts))
            }
            None if KINDS.contains(&&*kind) => {
                let known: Vec<&str> = self.request.registry.component_kinds().collect();
                let help = format!("there is {}", super::shape::list_some(&known));
                let text = format!("the kind `{kind}` is not implemented yet");
                self.error(codes::NOT_YET, span, &place, text, Some(help));
                None
            }
            None => {
                let registry = self.request.registry;
                let help = self.report.suggest(
                    &kind,
                    registry.component_kinds().chain(KINDS.iter().copied()),
                );
                let text = format!("there is no kind `{kind}`");
                self.error(codes::UNKNOWN_KIND, span, &place, text, help);
                None
            }
        }
    }

    fn kind_facts(&mut self, component: &Arc<dyn Component>) -> Arc<KindFacts> {
        if let Some(facts) = self.kinds.get(component.kind()) {
            return facts.clone();
        }
        let facts = Arc::new(KindFacts::new(&component.schema()));
        self.kinds.insert(component.kind().into(), facts.clone());
        facts
    }
}
