use fabrik_cli::output::progress::{Mode, Reporter, ReporterOptions, Stopping};
use fabrik_cli::output::{Color, OutputConfig, Verbosity};
use fabrik_core::error::{Error, ErrorKind, ErrorReport};
use fabrik_core::event::{Event, EventBody, SafeText};
use fabrik_core::plan::Summary;
use fabrik_core::provider::Verb;
use fabrik_core::secrets::Redactor;
use fabrik_core::stack::OnFailure;
use fabrik_core::state::{
    CheckResult, HeldLease, Holder, Phase, RunEnd, RunKind, RunResult, RunStart, StepOutcome,
    StepRef,
};
use fabrik_core::value::Value;
use jiff::Timestamp;

use super::support::{Buffer, CANARY, address, output, terminal, visible};

/// Builds a recorded run.
struct Script {
    events: Vec<Event>,
    now: i64,
    run: u64,
}

fn safe(text: &str) -> SafeText {
    SafeText::clean(&Redactor::default(), text)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap()
}

impl Script {
    fn new() -> Script {
        Script {
            events: Vec::new(),
            now: 0,
            run: 16,
        }
    }
    fn after(&mut self, millis: i64, body: EventBody) -> &mut Self {
        self.now += millis;
        let seq = self.events.len() as u64 + 1;
        self.events.push(Event {
            v: 1,
            seq,
            ts: at(self.now),
            run: Some(self.run),
            body,
        });
        self
    }
    fn start(&mut self, kind: RunKind, summary: Summary) -> &mut Self {
        let start = RunStart {
            kind,
            who: "ana".into(),
            host: "laptop".into(),
            command: "fabrik apply -e production".into(),
            fabrik: "0.1.0".into(),
            base: 14,
            on_failure: OnFailure::Rollback,
            plan: "digest".into(),
            note: None,
        };
        self.after(
            5,
            EventBody::RunStarted {
                start: Box::new(start),
                summary,
            },
        )
    }
    fn phase(&mut self, phase: Phase) -> &mut Self {
        self.after(1, EventBody::Phase { phase })
    }
    fn begin(&mut self, step: u32, at: &str, verb: Verb) -> &mut Self {
        self.begin_undo(step, at, verb, None)
    }
    fn begin_undo(&mut self, step: u32, at: &str, verb: Verb, undoes: Option<u32>) -> &mut Self {
        self.after(
            2,
            EventBody::StepStarted {
                step: StepRef(step),
                address: address(at),
                type_name: "x.y".into(),
                verb,
                undoes: undoes.map(StepRef),
            },
        )
    }
    fn note(
        &mut self,
        after: i64,
        step: u32,
        at: &str,
        note: &str,
        percent: Option<u8>,
    ) -> &mut Self {
        self.after(
            after,
            EventBody::StepProgress {
                step: StepRef(step),
                address: address(at),
                note: safe(note),
                percent,
            },
        )
    }
    fn end(
        &mut self,
        took: i64,
        step: u32,
        at: &str,
        verb: Verb,
        outcome: StepOutcome,
    ) -> &mut Self {
        self.end_undo(took, step, at, verb, outcome, None)
    }
    fn end_undo(
        &mut self,
        took: i64,
        step: u32,
        at: &str,
        verb: Verb,
        outcome: StepOutcome,
        undoes: Option<u32>,
    ) -> &mut Self {
        self.after(
            took,
            EventBody::StepDone {
                step: StepRef(step),
                address: address(at),
                type_name: "x.y".into(),
                verb,
                outcome,
                id: Some(safe("372e67954025e0ba6aaa6d586b9e0b59")),
                ms: u64::try_from(took).unwrap(),
                undoes: undoes.map(StepRef),
            },
        )
    }
    fn check(&mut self, name: &str, passed: bool, evidence: &str, millis: u64) -> &mut Self {
        let result = CheckResult {
            name: name.into(),
            passed,
            evidence: evidence.into(),
            hint: (!passed).then(|| "look at the app's log: `fabrik logs api`".into()),
            millis,
        };
        self.after(i64::try_from(millis).unwrap(), EventBody::Check { result })
    }
    fn finish(
        &mut self,
        result: RunResult,
        error: Option<ErrorReport>,
        left: &[&str],
    ) -> Vec<Event> {
        let end = RunEnd {
            result,
            revision: if matches!(result, RunResult::Succeeded) {
                15
            } else {
                14
            },
            created: 1,
            updated: u32::from(matches!(result, RunResult::Succeeded)),
            deleted: 0,
            millis: u64::try_from(self.now).unwrap(),
            error,
            left: left.iter().map(ToString::to_string).collect(),
        };
        self.after(3, EventBody::RunEnded { end: Box::new(end) });
        std::mem::take(&mut self.events)
    }
}

const TWO: Summary = Summary {
    create: 1,
    update: 1,
    replace: 0,
    delete: 0,
    adopt: 0,
    run: 0,
    state: 0,
    unchanged: 18,
};

fn unhealthy() -> ErrorReport {
    let mut report = Error::new(
        ErrorKind::Timeout,
        "container never became healthy: /healthz answered 502 for 90s",
    )
    .operation("deploy")
    .hint("the app listens on 8080 but `port` is 8000")
    .context("deployment", "dk3x\u{1b}]0;owned\u{7}")
    .cause("GET https://api.example.com/healthz: 502 Bad Gateway")
    .log_tail([
        "listening on 0.0.0.0:8080".to_owned(),
        "GET /\u{1b}[31m 404\u{1b}[0m".to_owned(),
    ])
    .report();
    report.code = Some("FAB3012".into());
    report
}

fn deploying(script: &mut Script) -> &mut Script {
    script
        .after(400, EventBody::Refresh { done: 7, total: 21 })
        .after(
            900,
            EventBody::Refresh {
                done: 21,
                total: 21,
            },
        )
        .start(RunKind::Apply, TWO)
        .phase(Phase::LoadingSecrets)
        .after(
            3,
            EventBody::Secret {
                name: "STRIPE_KEY".into(),
                origin: "environment variable STRIPE_KEY".into(),
            },
        )
        .after(
            3,
            EventBody::Secret {
                name: "JWT_KEY".into(),
                origin: "generated now".into(),
            },
        )
        .phase(Phase::Provisioning)
        .begin(1, "apps.api.dns", Verb::Create)
        .after(
            200,
            EventBody::Http {
                step: Some(StepRef(1)),
                method: safe("POST"),
                route: safe("/zones/:id/dns_records"),
                status: Some(200),
                ms: 184,
                attempt: 1,
            },
        )
        .end(800, 1, "apps.api.dns", Verb::Create, StepOutcome::Done)
        .phase(Phase::Deploying)
        .begin(2, "apps.api.app", Verb::Update)
        .note(
            4000,
            2,
            "apps.api.app",
            "building image, step 2/9",
            Some(22),
        )
        .after(
            600,
            EventBody::StepRetry {
                step: StepRef(2),
                address: address("apps.api.app"),
                why: safe("503 from the service"),
                after_ms: 2000,
                attempt: 2,
            },
        )
        .note(
            18_000,
            2,
            "apps.api.app",
            "building image, step 4/9",
            Some(45),
        )
        .after(
            500,
            EventBody::LogLine {
                step: StepRef(2),
                address: address("apps.api.app"),
                line: safe("#12 npm ci\u{1b}[0m"),
            },
        )
}

fn success() -> Vec<Event> {
    deploying(&mut Script::new())
        .end(19_000, 2, "apps.api.app", Verb::Update, StepOutcome::Done)
        .after(
            10,
            EventBody::Warning {
                message: safe("the token expires in 3 days"),
                hint: Some(safe("make a new one")),
            },
        )
        .after(
            1,
            EventBody::Waiting {
                address: None,
                why: safe("the zone to become active"),
                ms: 60_000,
            },
        )
        .phase(Phase::Verifying)
        .check(
            "apps.api.dns",
            true,
            "api.example.com A 203.0.113.9 on 3 of 3 resolvers",
            1200,
        )
        .check(
            "apps.api.http",
            true,
            "https://api.example.com/healthz 200 in 84 ms",
            84,
        )
        .phase(Phase::Removing)
        .after(
            4,
            EventBody::StateChanged {
                address: address("apps.api.route"),
                what: safe("moved from resources.route"),
            },
        )
        .after(
            5,
            EventBody::Outputs {
                values: vec![
                    ("password".into(), Value::secret(CANARY)),
                    ("url".into(), Value::from("https://api.example.com")),
                ],
            },
        )
        .finish(RunResult::Succeeded, None, &[])
}

fn rolled_back() -> Vec<Event> {
    deploying(&mut Script::new())
        .end(
            90_000,
            2,
            "apps.api.app",
            Verb::Update,
            StepOutcome::Failed(unhealthy()),
        )
        .phase(Phase::RollingBack)
        .after(
            5,
            EventBody::RollbackStarted {
                error: Box::new(unhealthy()),
                steps: 2,
            },
        )
        .begin_undo(3, "apps.api.app", Verb::Update, Some(2))
        .end_undo(
            9000,
            3,
            "apps.api.app",
            Verb::Update,
            StepOutcome::Done,
            Some(2),
        )
        .begin_undo(4, "apps.api.dns", Verb::Delete, Some(1))
        .end_undo(
            700,
            4,
            "apps.api.dns",
            Verb::Delete,
            StepOutcome::Done,
            Some(1),
        )
        .finish(RunResult::RolledBack, Some(unhealthy()), &[])
}

fn stuck() -> Vec<Event> {
    let undo = Error::new(ErrorKind::Unavailable, "the service cannot be reached").report();
    deploying(&mut Script::new())
        .end(
            9_000,
            2,
            "apps.api.app",
            Verb::Update,
            StepOutcome::InDoubt("the reply was lost".into()),
        )
        .phase(Phase::Verifying)
        .check(
            "apps.api.http",
            false,
            "https://api.example.com/healthz 502 for 90s",
            90_000,
        )
        .after(
            5,
            EventBody::RollbackStarted {
                error: Box::new(
                    Error::new(ErrorKind::CheckFailed, "check `apps.api.http` failed").report(),
                ),
                steps: 2,
            },
        )
        .begin_undo(3, "apps.api.app", Verb::Update, Some(2))
        .end_undo(
            10,
            3,
            "apps.api.app",
            Verb::Update,
            StepOutcome::Left("somebody changed `image` meanwhile".into()),
            Some(2),
        )
        .begin_undo(4, "apps.api.dns", Verb::Delete, Some(1))
        .end_undo(
            30_000,
            4,
            "apps.api.dns",
            Verb::Delete,
            StepOutcome::Failed(undo),
            Some(1),
        )
        .finish(
            RunResult::Stuck,
            Some(Error::new(ErrorKind::CheckFailed, "check `apps.api.http` failed").report()),
            &[
                "delete the DNS record api.example.com (372e67)",
                "look at apps.api.app",
            ],
        )
}

fn interrupted() -> Vec<Event> {
    let mut script = Script::new();
    script.after(0, EventBody::Resumed { open: 1 });
    deploying(&mut script)
        .end(3_000, 2, "apps.api.app", Verb::Update, StepOutcome::NotDone)
        .finish(RunResult::Interrupted, None, &[])
}

fn lock_wait() -> Vec<Event> {
    let held = |beat| EventBody::LockWait {
        held: HeldLease {
            holder: Holder {
                who: "ci".into(),
                host: "runner-7".into(),
                pid: 4242,
                process: String::new(),
                command: "fabrik apply".into(),
            },
            token: 3,
            beat,
            since: at(-130_000),
        },
    };
    let mut script = Script::new();
    script
        .after(0, held(1))
        .after(9_000, held(2))
        .after(9_000, held(3))
        .after(6_000, held(4));
    script
        .start(
            RunKind::Destroy,
            Summary {
                delete: 1,
                ..Summary::default()
            },
        )
        .begin(1, "resources.media", Verb::Delete)
        .end(800, 1, "resources.media", Verb::Delete, StepOutcome::Done)
        .finish(RunResult::Succeeded, None, &[])
}

pub(super) fn all() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("success", success()),
        ("rolled_back", rolled_back()),
        ("stuck", stuck()),
        ("interrupted", interrupted()),
        ("lock_wait", lock_wait()),
    ]
}

fn config(mode: Mode, width: usize) -> OutputConfig {
    OutputConfig {
        width,
        color: Color::Never,
        stderr_is_terminal: mode == Mode::Live,
        verbosity: if mode == Mode::Quiet {
            Verbosity::Quiet
        } else {
            Verbosity::Normal
        },
        json_events: mode == Mode::Json,
        ..OutputConfig::default()
    }
}

fn options() -> ReporterOptions {
    ReporterOptions {
        stack: "shop/production".into(),
        ..ReporterOptions::default()
    }
}

/// Standard output and standard error of a run shown again.
pub(super) fn shown(events: &[Event], config: OutputConfig) -> (String, String) {
    let (mut output, stdout, stderr) = output(config);
    Reporter::new(&mut output, options())
        .replay(events)
        .unwrap();
    (stdout.text(), stderr.text())
}

#[test]
fn recorded_runs_plain() {
    for (name, events) in all() {
        let mut text = String::new();
        for width in [80, 200] {
            let (stdout, stderr) = shown(&events, config(Mode::Plain, width));
            text += &format!("══ {width} columns\n{stderr}── stdout\n{stdout}");
        }
        insta::assert_snapshot!(format!("plain_{name}"), text);
    }
}

#[test]
fn recorded_runs_quiet() {
    let mut text = String::new();
    for (name, events) in all() {
        let (stdout, stderr) = shown(&events, config(Mode::Quiet, 80));
        text += &format!("══ {name}\n{stderr}── stdout\n{stdout}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn recorded_runs_json() {
    for (name, events) in all() {
        let (stdout, stderr) = shown(&events, config(Mode::Json, 80));
        assert_eq!(stderr, "");
        for line in stdout.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(line["message"].is_string() && line["type"].is_string() && line["v"] == 1);
        }
        insta::assert_snapshot!(format!("json_{name}"), stdout);
    }
}

#[test]
fn recorded_runs_on_a_terminal() {
    for (name, events) in all() {
        let (stdout, stderr) = shown(&events, config(Mode::Live, 80));
        let screen = terminal(&stderr, 80, 24);
        insta::assert_snapshot!(
            format!("live_{name}"),
            format!("{screen}── stdout\n{stdout}")
        );
    }
}

#[test]
fn the_footer_while_it_runs() {
    let mut text = String::new();
    for (columns, rows) in [(80, 24), (100, 80), (200, 80), (40, 10)] {
        let (mut output, _, stderr) = output(config(Mode::Live, columns));
        let mut reporter = Reporter::new(&mut output, options());
        let events = success();
        for event in &events[..14] {
            reporter.event(event).unwrap();
        }
        reporter.tick(at(30_000)).unwrap();
        text += &format!(
            "══ {columns}x{rows}, working\n{}",
            terminal(&stderr.text(), columns, rows)
        );
        reporter.stopping(Stopping::Graceful).unwrap();
        reporter.tick(at(41_500)).unwrap();
        text += &format!(
            "══ {columns}x{rows}, stopping\n{}",
            terminal(&stderr.text(), columns, rows)
        );
    }
    insta::assert_snapshot!(text);
}

#[test]
fn many_in_flight_and_a_lock() {
    let mut script = Script::new();
    script.start(
        RunKind::Apply,
        Summary {
            create: 30,
            ..Summary::default()
        },
    );
    for step in 1..=12 {
        script.begin(step, &format!("resources.host[\"h{step}\"]"), Verb::Create);
    }
    let (mut live, _, stderr) = output(config(Mode::Live, 80));
    let mut reporter = Reporter::new(&mut live, options());
    for event in &script.events {
        reporter.event(event).unwrap();
    }
    let mut text = terminal(&stderr.text(), 80, 24);
    let (mut live, _, stderr) = output(config(Mode::Live, 80));
    let mut reporter = Reporter::new(&mut live, options());
    reporter.event(&lock_wait()[0]).unwrap();
    reporter.tick(at(4_000)).unwrap();
    text += &terminal(&stderr.text(), 80, 24);
    reporter.show_in_flight().unwrap();
    reporter
        .suspended(|output| output.message("a question").unwrap())
        .unwrap();
    text += "══ suspended\n";
    text += &terminal(&stderr.text(), 80, 24);
    insta::assert_snapshot!(text);
}

#[test]
fn colour_and_verbose() {
    let mut config = config(Mode::Plain, 100);
    config.color = Color::Always;
    config.verbosity = Verbosity::Verbose(1);
    let (stdout, stderr) = shown(&rolled_back(), config);
    insta::assert_snapshot!(visible(&stderr) + &stdout);
}

#[test]
fn a_file_gets_the_same_lines() {
    let events = success();
    let (json, _) = shown(&events, config(Mode::Json, 80));
    let (mut plain, _, _) = output(config(Mode::Plain, 80));
    let file = Buffer::default();
    let options = ReporterOptions {
        json_into: Some(Box::new(file.clone())),
        ..options()
    };
    Reporter::new(&mut plain, options).replay(&events).unwrap();
    assert_eq!(file.text(), json);
    assert!(json.starts_with(r#"{"v":1,"type":"version","#), "{json}");
}

#[test]
fn the_url_is_alone_on_standard_output() {
    let (stdout, _) = shown(&success(), config(Mode::Plain, 80));
    assert_eq!(stdout, "https://api.example.com\n");
    let (stdout, _) = shown(&rolled_back(), config(Mode::Plain, 80));
    assert_eq!(stdout, "");
}
