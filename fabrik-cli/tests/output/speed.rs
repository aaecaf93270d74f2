use std::time::Instant;

use fabrik_cli::output::Style;
use fabrik_cli::output::graph::{self, GraphFormat};
use fabrik_cli::output::plan::{PlanStyle, plan_json, render};
use fabrik_core::plan::{Action, Reason};
use fabrik_core::stack::Stack;
use fabrik_core::value::Value;

use super::support::{change, declare, plan, set, turn};

/// Ten thousand changes; the bound is wide, it only catches work that grows with the square.
#[test]
fn big_plans_are_quick() {
    let mut stack = Stack::new("big");
    for number in 0..10_000_i64 {
        declare(
            &mut stack,
            &format!("apps.a{}.r{number}", number % 500),
            "x.y",
            Value::Null,
        );
    }
    let mut plan = plan(stack);
    for number in 0..10_000_i64 {
        let at = format!("apps.a{}.r{number}", number % 500);
        let mut one = change(&at, "x.y", Action::Update, Reason::Changed);
        one.diff = vec![turn("image", "a:1.4", "a:1.5"), set("b", number)];
        one.data_loss = number % 7 == 0;
        plan.changes.push(one);
    }
    let begun = Instant::now();
    let text = render(&plan, &PlanStyle::new(Style::colored(100)));
    assert!(text.lines().count() > 30_000);
    assert!(
        plan_json(&plan)["changes"]
            .as_array()
            .is_some_and(|all| all.len() == 10_000)
    );
    assert!(
        graph::render(
            &plan.stack,
            Some(&plan),
            GraphFormat::Tree,
            Style::plain(80)
        )
        .lines()
        .count()
            >= 10_000
    );
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
