use fabrik_cli::output::Style;
use fabrik_cli::output::graph::{self, GraphFormat};
use fabrik_cli::output::history::{self, RunDetail};
use fabrik_cli::output::status::{
    self, AppStatus, DriftStatus, Health, LastRun, ResourceStatus, StackStatus, StatusStyle,
};
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::plan::{Action, Reason};
use fabrik_core::provider::{OpId, Verb};
use fabrik_core::stack::{OnFailure, Stack};
use fabrik_core::state::{
    CheckResult, Entry, EntryKind, HeldLease, Holder, Intent, RunEnd, RunKind, RunResult, RunStart,
    RunSummary, StepOutcome, StepRef,
};
use fabrik_core::value::{Path, Value};
use jiff::Timestamp;

use super::support::{address, change, declare, plan};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn run(id: u64, began: i64, end: Option<(RunResult, Option<Error>)>) -> RunSummary {
    RunSummary {
        id,
        start: RunStart {
            kind: RunKind::Apply,
            who: if id.is_multiple_of(2) {
                "ana".into()
            } else {
                "ci".into()
            },
            host: "laptop".into(),
            command: "fabrik apply".into(),
            fabrik: "0.1.0".into(),
            base: 14,
            on_failure: OnFailure::Rollback,
            plan: "digest".into(),
            note: (id == 16).then(|| "api 1.5".into()),
        },
        started: at(began),
        end: end.map(|(result, error)| {
            let end = RunEnd {
                result,
                revision: 14 + u64::from(result == RunResult::Succeeded),
                created: 1,
                updated: 1,
                deleted: u32::from(id == 14),
                millis: 72_000,
                error: error.map(|error| error.report()),
                left: Vec::new(),
            };
            (end, at(began + 72))
        }),
    }
}

#[test]
fn runs() {
    let failed = Error::new(ErrorKind::Timeout, "container never became healthy").code("FAB3012");
    let runs = [
        run(17, 10_795, None),
        run(16, 0, Some((RunResult::Succeeded, None))),
        run(15, -3600, Some((RunResult::RolledBack, Some(failed)))),
        run(14, -8_000_000, Some((RunResult::Succeeded, None))),
    ];
    let now = at(3 * 3600);
    let mut text = String::new();
    for width in [80, 100] {
        text += &history::render(&runs, now, Style::plain(width));
    }
    text += &history::render(&[], now, Style::plain(80));
    insta::assert_snapshot!(text);
}

#[test]
fn one_run() {
    let intent = |step, at: &str, verb, undoes: Option<u32>| {
        EntryKind::Intent(Box::new(Intent {
            step: StepRef(step),
            op: OpId(u128::from(step)),
            call: 0,
            address: address(at),
            type_name: "x.y".into(),
            instance: "x".into(),
            verb,
            oid: None,
            row: None,
            before: None,
            observed: None,
            looked: None,
            deadline: Timestamp::UNIX_EPOCH,
            undoes: undoes.map(StepRef),
        }))
    };
    let outcome = |step, outcome| EntryKind::Outcome {
        step: StepRef(step),
        op: OpId(1),
        outcome,
    };
    let failed =
        Error::new(ErrorKind::Timeout, "container never became healthy").hint("look at its log");
    let entries: Vec<_> = [
        (0, EntryKind::SecretMade("JWT_KEY".into())),
        (1, intent(1, "apps.api.dns", Verb::Create, None)),
        (2, outcome(1, StepOutcome::Done)),
        (2, intent(2, "apps.api.app", Verb::Update, None)),
        (60, outcome(2, StepOutcome::Failed(failed.report()))),
        (
            61,
            EntryKind::State {
                address: address("apps.api.x"),
                what: "moved from resources.x".into(),
                before: None,
            },
        ),
        (62, intent(3, "apps.api.dns", Verb::Delete, Some(1))),
        (63, outcome(3, StepOutcome::Done)),
        (64, intent(4, "apps.api.app", Verb::Update, Some(2))),
        (
            65,
            EntryKind::Check(CheckResult {
                name: "apps.api.http".into(),
                passed: false,
                evidence: "502".into(),
                hint: Some("wait".into()),
                millis: 90_000,
            }),
        ),
    ]
    .into_iter()
    .enumerate()
    .map(|(position, (second, kind))| (position as u64, Entry::new(15, at(second), kind)))
    .collect();
    let detail = RunDetail::new(
        run(15, 0, Some((RunResult::RolledBack, Some(failed)))),
        &entries,
    );
    insta::assert_snapshot!(history::render_run(&detail, at(3600), Style::plain(80)));
}

#[test]
fn stack_status() {
    let app = |name: &str, kind: &str, health, note: &str| AppStatus {
        name: name.into(),
        kind: kind.into(),
        health,
        state: "running".into(),
        version: "1.5".into(),
        url: format!("https://{name}.example.com"),
        checks: Some((if health == Health::Good { 5 } else { 4 }, 5)),
        note: note.into(),
    };
    let mut stack = StackStatus {
        name: "shop/production".into(),
        revision: 15,
        last: Some(LastRun {
            at: at(0),
            who: "ana".into(),
            result: Some(RunResult::Succeeded),
        }),
        apps: vec![
            app("api", "service", Health::Good, ""),
            app("blog", "wordpress", Health::Bad, "tls 9d left"),
        ],
        resources: vec![ResourceStatus {
            address: "apps.api.dns".into(),
            type_name: "cloudflare.dns_record".into(),
            id: "372e67954025e0ba6aaa6d586b9e0b59".into(),
            health: Health::Warn,
            state: "changed outside".into(),
        }],
        drift: DriftStatus::Unknown,
        lock: None,
        attention: Vec::new(),
    };
    let mut style = StatusStyle {
        style: Style::plain(80),
        now: at(3 * 3600),
        resources: false,
    };
    let mut text = status::render(&stack, &style);
    stack.drift = DriftStatus::Some((1..=5).map(|n| format!("resources.r{n}")).collect());
    stack.lock = Some(HeldLease {
        holder: Holder {
            who: "ci".into(),
            host: "runner-7".into(),
            pid: 4242,
            process: String::new(),
            command: "fabrik apply".into(),
        },
        token: 3,
        beat: 9,
        since: at(3 * 3600 - 130),
    });
    stack.attention = vec!["apps.api.app: a lost create could not be found out".into()];
    style.resources = true;
    style.style = Style::plain(100);
    text += &status::render(&stack, &style);
    text += &status::render(
        &StackStatus {
            name: "new".into(),
            drift: DriftStatus::None,
            ..StackStatus::default()
        },
        &style,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn graphs() {
    let mut stack = Stack::new("shop");
    let to = |at: &str| Value::from(Expr::from(Reference::output(address(at), Path::key("id"))));
    declare(&mut stack, "resources.zone", "cloudflare.zone", Value::Null);
    declare(&mut stack, "apps.db.pg", "coolify.database", Value::Null);
    declare(
        &mut stack,
        "apps.db.backup",
        "backup.job",
        Value::map([("what", to("apps.db.pg"))]),
    );
    declare(
        &mut stack,
        "apps.api.app",
        "coolify.application",
        Value::map([("db", to("apps.db.pg"))]),
    );
    declare(
        &mut stack,
        "apps.api.dns",
        "cloudflare.dns_record",
        Value::map([("zone", to("resources.zone")), ("app", to("apps.api.app"))]),
    );
    let mut last = fabrik_core::stack::Declared::new(
        address("apps.api.monitor"),
        "uptime_kuma.monitor",
        Value::Null,
    );
    last.depends_on = vec![address("apps.db"), address("apps.api.dns")];
    stack.declare(last).unwrap();
    let mut plan = plan(stack.clone());
    plan.changes = vec![
        change(
            "apps.api.dns",
            "cloudflare.dns_record",
            Action::Create,
            Reason::New,
        ),
        change(
            "resources.gone",
            "r2.bucket",
            Action::Delete,
            Reason::Removed,
        ),
    ];
    let mut text = graph::render(&stack, None, GraphFormat::Tree, Style::plain(80));
    for format in [
        GraphFormat::Tree,
        GraphFormat::Dot,
        GraphFormat::Mermaid,
        GraphFormat::Json,
    ] {
        text += "══\n";
        text += &graph::render(&stack, Some(&plan), format, Style::plain(80));
    }
    insta::assert_snapshot!(text);
}
