//! What a reference names.

use super::expression::Step;
use super::lower::Wrong;
use super::reach::{At, descend, each, early, incomplete, instance, name, not_known};
use super::world::{AppOut, Known, Own, Place, ROOTS, TypeFacts, Where, World, is_poison};
use crate::address::Address;
use crate::codes;
use crate::expr::{Expr, Reference, Target};
use crate::value::{Path, Segment, Value};

fn path(steps: &[Step]) -> Path {
    Path::from(
        steps
            .iter()
            .map(|step| step.segment.clone())
            .collect::<Vec<_>>(),
    )
}

impl World<'_> {
    /// The value of a reference, as far as it is known.
    pub(super) fn resolve(
        &mut self,
        steps: &[Step],
        at: At<'_>,
        place: &Place<'_>,
    ) -> Result<Value, Wrong> {
        let [root, rest @ ..] = steps else {
            return Err(Wrong::silent());
        };
        let root_name = name(root).cloned().unwrap_or_default();
        match &*root_name {
            "vars" => self.variable(rest, at),
            "secrets" => self.secret(rest, at, place),
            "outputs" => self.output(rest, at, place),
            "env" => self.process_variable(rest, at, place),
            "each" => each(rest, at, place),
            "fabrik" => self.fabrik(rest, at),
            "self" => self.own(rest, at, place),
            "stacks" => self.stack(rest, at, place),
            "apps" => self.app(rest, at, place),
            "resources" => match rest {
                [] => Err(incomplete(at, "resources.ID.OUTPUT")),
                [id, rest @ ..] => self.resource(id, rest, at, place),
            },
            "modules" => Err(Wrong::new(
                codes::NOT_YET,
                root.at.clone(),
                "`modules` is not implemented yet",
                None,
            )),
            _ => self.resource_or_nothing(root, rest, at, place),
        }
    }

    fn resource_or_nothing(
        &mut self,
        root: &Step,
        rest: &[Step],
        at: At<'_>,
        place: &Place<'_>,
    ) -> Result<Value, Wrong> {
        let root_name = name(root).cloned().unwrap_or_default();
        if self.resources.contains_key(&root_name) {
            return self.resource(root, rest, at, place);
        }
        let help = if self.apps.contains_key(&root_name) {
            Some(format!("did you mean `apps.{root_name}`?"))
        } else if self.vars.contains_key(&root_name) {
            Some(format!("did you mean `vars.{root_name}`?"))
        } else if self.secrets.contains_key(&root_name) {
            Some(format!("did you mean `secrets.{root_name}`?"))
        } else {
            let known = ROOTS
                .iter()
                .copied()
                .chain(self.resources.keys().map(AsRef::as_ref));
            self.report.suggest(&root_name, known)
        };
        Err(Wrong::new(
            codes::UNKNOWN_NAME,
            root.at.clone(),
            format!("nothing is called `{root_name}`"),
            help,
        ))
    }

    /// Counts the use of a named value.
    fn use_of(&mut self, size: usize, at: At<'_>) -> Result<(), Wrong> {
        if self.charge(size) {
            return Ok(());
        }
        let help = "values that hold values multiply: write it another way".to_owned();
        let text = "the values of this spec stand for more than 512 MiB";
        Err(Wrong::new(codes::EVALUATION, at.clone(), text, Some(help)))
    }

    fn variable(&mut self, rest: &[Step], at: At<'_>) -> Result<Value, Wrong> {
        let [step, rest @ ..] = rest else {
            return Err(incomplete(at, "vars.NAME"));
        };
        let wanted = name(step).cloned().unwrap_or_default();
        match self.vars.get(&wanted) {
            Some(Known::Value(value, _)) if is_poison(value) => Err(Wrong::silent()),
            Some(Known::Value(value, size)) => {
                let (value, size) = (value.clone(), *size);
                self.use_of(size, at)?;
                descend(value, rest)
            }
            Some(Known::Later) => Err(not_known(at, &format!("the variable `{wanted}`"))),
            None => {
                let help = self
                    .report
                    .suggest(&wanted, self.vars.keys().map(AsRef::as_ref));
                let text = format!("there is no variable `{wanted}`");
                Err(Wrong::new(codes::UNKNOWN_NAME, step.at.clone(), text, help))
            }
        }
    }

    fn output(&mut self, rest: &[Step], at: At<'_>, place: &Place<'_>) -> Result<Value, Wrong> {
        early(at, place, "an output")?;
        let [step, rest @ ..] = rest else {
            return Err(incomplete(at, "outputs.NAME"));
        };
        let wanted = name(step).cloned().unwrap_or_default();
        match self.outputs.get(&wanted) {
            Some(Known::Value(value, _)) if is_poison(value) => Err(Wrong::silent()),
            Some(Known::Value(value, size)) => {
                let (value, size) = (value.clone(), *size);
                self.use_of(size, at)?;
                descend(value, rest)
            }
            Some(Known::Later) => Err(not_known(at, &format!("the output `{wanted}`"))),
            None => {
                let help = self
                    .report
                    .suggest(&wanted, self.outputs.keys().map(AsRef::as_ref));
                let text = format!("there is no output `{wanted}`");
                Err(Wrong::new(codes::UNKNOWN_NAME, step.at.clone(), text, help))
            }
        }
    }

    fn secret(&mut self, rest: &[Step], at: At<'_>, place: &Place<'_>) -> Result<Value, Wrong> {
        early(at, place, "a secret")?;
        let [step] = rest else {
            return Err(incomplete(at, "secrets.NAME"));
        };
        let wanted = name(step).cloned().unwrap_or_default();
        if self.secrets.contains_key(&wanted) {
            return Ok(Value::from(Expr::from(Reference::secret(wanted))));
        }
        let help = self
            .report
            .suggest(&wanted, self.secrets.keys().map(AsRef::as_ref))
            .filter(|help| help.starts_with("did you mean"))
            .unwrap_or_else(|| format!("declare it: `secrets: {{ {wanted}: ~ }}`"));
        Err(Wrong::new(
            codes::UNKNOWN_NAME,
            step.at.clone(),
            format!("there is no secret `{wanted}`"),
            Some(help),
        ))
    }

    fn process_variable(
        &mut self,
        rest: &[Step],
        at: At<'_>,
        place: &Place<'_>,
    ) -> Result<Value, Wrong> {
        if !matches!(place.at, Where::Vars | Where::Providers | Where::Secrets) {
            return Err(Wrong::new(
                codes::NOT_HERE,
                at.clone(),
                "`env` is known only in `vars`, `providers` and `secrets`",
                Some("make a variable of it: `vars: { x: \"${env.X}\" }`".to_owned()),
            ));
        }
        let [step] = rest else {
            return Err(incomplete(at, "env.NAME"));
        };
        let wanted = name(step).cloned().unwrap_or_default();
        match self.request.variables.get(&*wanted) {
            Some(value) => Ok(Value::from(value.as_str())),
            None => Err(Wrong::new(
                codes::UNKNOWN_NAME,
                step.at.clone(),
                format!("the environment variable `{wanted}` is not set"),
                Some(format!(
                    "set it, or write `${{default(env.{wanted}, \"…\")}}`"
                )),
            )),
        }
    }

    fn fabrik(&mut self, rest: &[Step], at: At<'_>) -> Result<Value, Wrong> {
        let [step] = rest else {
            return Err(incomplete(at, "fabrik.env"));
        };
        let wanted = name(step).cloned().unwrap_or_default();
        match &*wanted {
            "env" => Ok(Value::from(self.request.env.unwrap_or("default"))),
            "project" => match self.request.project {
                Some(project) => Ok(Value::from(project)),
                None => Err(Wrong::new(
                    codes::UNKNOWN_NAME,
                    step.at.clone(),
                    "this spec belongs to no project",
                    None,
                )),
            },
            "run" => Err(Wrong::new(
                codes::NOT_KNOWN,
                step.at.clone(),
                "the run is not known when planning",
                None,
            )),
            _ => {
                let help = self.report.suggest(&wanted, ["env", "project"]);
                let text = format!("`fabrik` has no `{wanted}`");
                Err(Wrong::new(codes::UNKNOWN_NAME, step.at.clone(), text, help))
            }
        }
    }

    fn stack(&mut self, rest: &[Step], at: At<'_>, place: &Place<'_>) -> Result<Value, Wrong> {
        early(at, place, "another stack's output")?;
        match rest {
            [stack, outputs, rest @ ..]
                if !rest.is_empty() && outputs.segment == Segment::Key("outputs".into()) =>
            {
                let stack = name(stack).cloned().unwrap_or_default();
                self.stacks.insert(stack.clone());
                Ok(Value::from(Expr::Ref(Reference {
                    target: Target::Stack(stack),
                    path: path(rest),
                })))
            }
            _ => Err(incomplete(at, "stacks.NAME.outputs.OUTPUT")),
        }
    }

    fn own(&mut self, rest: &[Step], at: At<'_>, place: &Place<'_>) -> Result<Value, Wrong> {
        match place.own.clone() {
            Own::Nothing => Err(Wrong::new(
                codes::NOT_HERE,
                at.clone(),
                "`self` is known only in `verify` of an app or resource",
                None,
            )),
            Own::App(out) => self.app_output(out, "self", rest, at),
            Own::Resource(address, facts) => self.resource_output(address, facts, rest, at),
        }
    }

    fn resource(
        &mut self,
        step: &Step,
        rest: &[Step],
        at: At<'_>,
        place: &Place<'_>,
    ) -> Result<Value, Wrong> {
        early(at, place, "a resource")?;
        let id = name(step).cloned().unwrap_or_default();
        let Some(known) = self.resources.get(&id) else {
            let help = self
                .report
                .suggest(&id, self.resources.keys().map(AsRef::as_ref));
            let text = format!("there is no resource `{id}`");
            return Err(Wrong::new(codes::UNKNOWN_NAME, step.at.clone(), text, help));
        };
        let facts = known.facts.clone();
        match instance(&known.state, &known.address, rest, at, "resource", &id)? {
            Some((address, (), rest)) => self.resource_output(&address, facts.as_deref(), rest, at),
            None => Err(Wrong::silent()),
        }
    }

    fn resource_output(
        &mut self,
        address: &Address,
        facts: Option<&TypeFacts>,
        rest: &[Step],
        at: At<'_>,
    ) -> Result<Value, Wrong> {
        let [first, ..] = rest else {
            let names = facts.and_then(|facts| facts.names.as_ref());
            let help = names.map(|names| {
                let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
                names.sort_unstable();
                format!("it has {}", super::shape::list_some(&names))
            });
            let text = format!("this names {address}, and none of its outputs");
            return Err(Wrong::new(codes::UNKNOWN_OUTPUT, at.clone(), text, help));
        };
        if let Some(facts) = facts
            && let Some(names) = &facts.names
        {
            let wanted = name(first).cloned().unwrap_or_default();
            if !names.contains(&wanted) {
                let help = self
                    .report
                    .suggest(&wanted, names.iter().map(AsRef::as_ref));
                let text = format!("`{}` has no output `{wanted}`", facts.info.name);
                return Err(Wrong::new(
                    codes::UNKNOWN_OUTPUT,
                    first.at.clone(),
                    text,
                    help,
                ));
            }
        }
        Ok(Value::from(Expr::from(Reference::output(
            address.clone(),
            path(rest),
        ))))
    }

    fn app(&mut self, rest: &[Step], at: At<'_>, place: &Place<'_>) -> Result<Value, Wrong> {
        early(at, place, "an app")?;
        let [step, rest @ ..] = rest else {
            return Err(incomplete(at, "apps.KEY.OUTPUT"));
        };
        let key = name(step).cloned().unwrap_or_default();
        let Some(known) = self.apps.get(&key) else {
            let help = self
                .report
                .suggest(&key, self.apps.keys().map(AsRef::as_ref));
            let text = format!("there is no app `{key}`");
            return Err(Wrong::new(codes::UNKNOWN_NAME, step.at.clone(), text, help));
        };
        let found = instance(&known.state, &known.address, rest, at, "app", &key)?
            .map(|(_, out, rest)| (out.clone(), rest));
        match found {
            Some((Some(out), rest)) => self.app_output(&out, &format!("apps.{key}"), rest, at),
            Some((None, _)) => Err(not_known(at, &format!("the app `{key}`"))),
            None => Err(Wrong::silent()),
        }
    }

    fn app_output(
        &mut self,
        out: &AppOut,
        label: &str,
        rest: &[Step],
        at: At<'_>,
    ) -> Result<Value, Wrong> {
        if out.failed {
            return Err(Wrong::silent());
        }
        let names = || {
            out.outputs
                .keys()
                .chain(out.parts.keys())
                .map(AsRef::as_ref)
        };
        let [first, rest @ ..] = rest else {
            let names: Vec<&str> = names().collect();
            let help = format!("it has {}", super::shape::list_some(&names));
            let text = format!("this names `{label}`, and none of its outputs");
            return Err(Wrong::new(
                codes::UNKNOWN_OUTPUT,
                at.clone(),
                text,
                Some(help),
            ));
        };
        let wanted = name(first).cloned().unwrap_or_default();
        if let Some(value) = out.outputs.get(&wanted) {
            return descend(value.clone(), rest);
        }
        if let Some((address, type_name)) = out.parts.get(&wanted) {
            let facts = self.type_facts(type_name);
            return self.resource_output(address, facts.as_deref(), rest, at);
        }
        let help = self.report.suggest(&wanted, names());
        let text = format!("`{label}` has no output or part `{wanted}`");
        Err(Wrong::new(
            codes::UNKNOWN_OUTPUT,
            first.at.clone(),
            text,
            help,
        ))
    }
}
