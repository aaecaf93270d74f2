//! Compose texts the way Coolify gives them back: parsed and dumped anew. Comments and blank lines
//! go, indents become two spaces, lists stand deeper than their key, texts get single quotes.

/// The text as dumped; `None` when it has no `services` map.
pub(super) fn dumped(text: &str) -> Option<String> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut literal: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if literal.is_some_and(|base| indent > base && !line.trim().is_empty()) {
            lines.push((indent, line.trim().to_owned()));
            continue;
        }
        literal = None;
        let body = uncommented(line.trim());
        if body.is_empty() || body == "---" {
            continue;
        }
        if body.ends_with('|') || body.ends_with("|-") || body.ends_with('>') {
            literal = Some(indent);
        }
        lines.push((indent, body.to_owned()));
    }
    let has_services = lines
        .iter()
        .any(|(indent, body)| *indent == 0 && body.starts_with("services:"));
    let mut out = String::new();
    block(&lines, 0, &mut out);
    has_services.then_some(out)
}

/// Lines of one block, each with what is below it.
fn block(lines: &[(usize, String)], deep: usize, out: &mut String) {
    let Some((indent, _)) = lines.first() else {
        return;
    };
    let mut at = 0;
    while at < lines.len() {
        let body = &lines[at].1;
        push(out, deep, body);
        let is_key = body.ends_with(':') && !body.starts_with('-');
        // A list at the indent of its key is its value all the same.
        let is_below = |(there, below): &(usize, String)| {
            *there > *indent || (is_key && below.starts_with('-'))
        };
        let below = lines[at + 1..]
            .iter()
            .take_while(|line| is_below(line))
            .count();
        block(&lines[at + 1..=at + below], deep + 2, out);
        at += below + 1;
    }
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
        Some(at) if line[..at].matches(['"', '\'']).count().is_multiple_of(2) => {
            line[..at].trim_end()
        }
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
