//! Compose texts the way Coolify gives them back: parsed and dumped anew. Comments and blank lines
//! go, indents become two spaces, lists stand deeper than their key, texts get single quotes.

/// The text as dumped; `None` when it has no `services` map.
pub(super) fn dumped(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut indents: Vec<(usize, usize)> = Vec::new();
    let mut has_services = false;
    let mut literal: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(base) = literal {
            if line.trim().is_empty() || indent > base {
                out.push_str(line);
                out.push('\n');
                continue;
            }
            literal = None;
        }
        let body = uncommented(line.trim());
        if body.is_empty() || body == "---" {
            continue;
        }
        while indents.last().is_some_and(|(from, _)| *from > indent) {
            indents.pop();
        }
        let is_item = body.starts_with("- ") || body == "-";
        let deep = match indents.last() {
            None => 0,
            Some((from, to)) if *from == indent => *to,
            Some((_, to)) => to + 2,
        };
        // A list at the indent of its key stands below it.
        let key = (indent, is_item);
        let deep = if is_item && was_key(&out, deep) {
            deep + 2
        } else {
            deep
        };
        if indents
            .last()
            .is_none_or(|(from, to)| *from != key.0 || *to != deep)
        {
            if indents.last().is_some_and(|(from, _)| *from == indent) && !is_item {
                let base = indents
                    .iter()
                    .rev()
                    .find(|(from, _)| *from == indent)
                    .map_or(deep, |(_, to)| *to);
                push(&mut out, base, body);
                has_services |= base == 0 && body.starts_with("services:");
                continue;
            }
            if !(is_item && indents.last().is_some_and(|(from, _)| *from == indent)) {
                indents.push((indent, deep));
            }
        }
        has_services |= deep == 0 && body.starts_with("services:");
        push(&mut out, deep, body);
        if body.ends_with('|') || body.ends_with("|-") || body.ends_with('>') {
            literal = Some(indent);
        }
    }
    has_services.then_some(out)
}

fn was_key(out: &str, deep: usize) -> bool {
    let mut lines = out.lines().rev();
    // The nearest line above that is not deeper: a key means this list is its value.
    lines
        .find(|line| line.len() - line.trim_start().len() <= deep)
        .is_some_and(|line| {
            let indent = line.len() - line.trim_start().len();
            indent == deep && line.ends_with(':')
        })
}

fn push(out: &mut String, deep: usize, body: &str) {
    out.extend(std::iter::repeat_n(' ', deep));
    // Symfony prefers single quotes.
    let plain = body.matches('"').count() == 2
        && !body.contains('\\')
        && !body.contains('\'')
        && !body.contains(['[', '{']);
    if plain {
        out.push_str(&body.replace('"', "'"));
    } else {
        out.push_str(body);
    }
    out.push('\n');
}

fn uncommented(line: &str) -> &str {
    if line.starts_with('#') {
        return "";
    }
    match line.find(" #") {
        Some(at) if !line[..at].contains(['"', '\'']) => line[..at].trim_end(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::dumped;

    #[test]
    fn comments_go_and_indents_change() {
        let text = "# a stack\nservices:\n    web:   \n        image: \"nginx:1.27\" # pinned\n        ports:\n        - \"80:80\"\n\n    db:\n        image: postgres\n";
        let text = dumped(text).unwrap();
        assert_eq!(
            text,
            "services:\n  web:\n    image: 'nginx:1.27'\n    ports:\n      - '80:80'\n  db:\n    image: postgres\n"
        );
        assert_eq!(dumped(&text).unwrap(), text);
        assert!(dumped("version: '3'\n").is_none());
    }
}
