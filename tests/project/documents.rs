//! The documents tell the truth: commands, outputs, tables and links.

use fabrik_cli::Exit;

use crate::support::{self, Place, read, root, up_to_date};

/// The code block that follows a mark, without its fences.
#[track_caller]
fn block(text: &str, mark: &str) -> String {
    let mark = format!("<!-- {mark} -->\n");
    let at = text.find(&mark).unwrap_or_else(|| panic!("no {mark}"));
    let (_, rest) = text[at..].split_once("\n```").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split("```").next().unwrap().to_owned()
}

/// What matters of a printed line: not how long something took, nor which port was free.
fn shape(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut before_unit = false;
    for word in line.split_whitespace().rev() {
        let bare = word.trim_end_matches(['.', ',', ':']);
        let number = bare.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let is_number = number.parse::<f64>().is_ok();
        let is_time = is_number && (bare.ends_with("ms") || bare.ends_with('s') || before_unit);
        before_unit = bare == "ms" || bare == "s";
        if before_unit || is_time {
            continue;
        }
        match word.split_once(".localhost:") {
            Some((host, rest)) => {
                let path = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
                words.push(format!("{host}.localhost:PORT{path}"));
            }
            None => words.push(word.to_owned()),
        }
    }
    words.reverse();
    words.join(" ")
}

/// Lines without what differs from run to run, the order of parallel steps included.
fn shapes(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(shape).collect();
    lines.sort();
    lines
}

#[test]
fn the_example_prints_what_the_readme_shows() {
    let readme = read("README.md");
    let place = Place::empty();
    std::fs::create_dir(place.dir().join("site")).unwrap();
    place.write("site/index.html", "<!doctype html>\n<h1>Bakery</h1>\n");
    place.write("fabrik.yaml", &block(&readme, "example: spec"));
    let ran = place.run(&["apply", "--yes"]).code(0);
    let shown = format!("$ fabrik apply --yes\n{}{}", ran.err, ran.out);
    let settings = place.text("out/config.ini").unwrap();
    place.run(&["plan", "--detailed-exitcode"]).code(0);
    place.run(&["destroy", "--yes"]).code(0);
    place.nothing_runs();

    let key = settings.lines().last().unwrap().rsplit(' ').next().unwrap();
    assert_eq!(key.len(), 32, "{settings}");
    assert!(!shown.contains(key));
    up_to_date("README.md", |readme| {
        let there = block(readme, "example: output");
        if shapes(&there) == shapes(&shown) {
            return readme.to_owned();
        }
        readme.replace(
            &format!("```console\n{there}```"),
            &format!("```console\n{shown}```"),
        )
    });
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let rows: String = Exit::TABLE
        .iter()
        .map(|(Exit(code), meaning)| format!("| {code} | {meaning} |\n"))
        .collect();
    let table = format!("| code | meaning |\n| --- | --- |\n{rows}");
    up_to_date("README.md", |readme| {
        let (before, rest) = readme.split_once("<!-- exit codes -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        format!("{before}<!-- exit codes -->\n{table}<!-- end -->{after}")
    });
}

#[test]
fn commands_are_those_that_ci_runs() {
    let readme = read("README.md");
    let ci = read(".ci/run");
    // CI takes the first from the README itself, and runs the part that the second names.
    assert!(ci.contains("<!-- command: hello -->"));
    assert_eq!(block(&readme, "command: tests"), "bash .ci/run tests\n");
    assert!(block(&readme, "command: hello").contains("examples/hello/hello.yaml"));
}

#[test]
fn the_time_limits_of_ci_add_up() {
    let ci = read(".ci/run");
    let rows: Vec<(&str, u32)> = ci
        .lines()
        .filter_map(|line| {
            let mut words = line.strip_prefix("#   ")?.split_whitespace();
            Some((words.next()?, words.next()?.parse().ok()?))
        })
        .collect();
    let (total, parts) = rows.split_last().unwrap();
    assert_eq!(total.0, "all");
    assert_eq!(
        parts.iter().map(|(_, minutes)| minutes).sum::<u32>(),
        total.1
    );
    assert!(total.1 <= 60);
    for (part, minutes) in parts {
        let said = format!("{part}) echo {minutes} ;;");
        assert!(ci.contains(&said), "the limit of {part} is another");
    }
}

fn documents() -> Vec<String> {
    let mut files = support::files("");
    files.retain(|file| file.ends_with(".md"));
    files
}

#[test]
fn links_lead_somewhere() {
    for file in documents() {
        let text = read(&file);
        let folder = std::path::Path::new(&file).parent().unwrap();
        for piece in text.split("](").skip(1) {
            let target = piece.split([')', '#']).next().unwrap();
            // Posts of the example sites link to pages of their site.
            let outside = target.is_empty()
                || target.contains("://")
                || target.contains("::")
                || target.starts_with("page:");
            assert!(
                outside || root().join(folder).join(target).exists(),
                "{file}: {target} is not there"
            );
        }
    }
}

#[test]
fn files_that_are_named_exist() {
    for file in documents().iter().filter(|file| !file.contains('/')) {
        for (at, piece) in read(file).split('`').enumerate() {
            let is_path = at % 2 == 1
                && [
                    "fabrik-",
                    "tests/",
                    "examples/",
                    "schemas/",
                    ".ci/",
                    ".config/",
                ]
                .iter()
                .any(|start| piece.starts_with(start))
                && piece.contains('/')
                && !piece.contains([' ', '*', '<', 'N', '{']);
            assert!(
                !is_path || root().join(piece).exists(),
                "{file}: `{piece}` is not there"
            );
        }
    }
}
