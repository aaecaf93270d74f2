//! The codes of planning and applying (`FAB3xxx`), of checks (`FAB4xxx`), and of state and secrets
//! (`FAB5xxx`).

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        code: "FAB1090",
        title: "resources wait for each other",
        text: "Each resource named refers to the next, and the last to the first, directly or by `depends_on`; so none can be made first. The stack was built in code: in a spec such a circle is found when it is read.",
        example: "stack.add_with(\"a\", …, [(\"peer\", b)]) and b with a reference to a",
        fix: "Remove one of the references. Where two things must know each other, let one find out later, or put what they share into a third.",
    },
    Page {
        code: "FAB3001",
        title: "the plan is stale",
        text: "Something was applied, imported or moved after this plan was made, so what it says may no longer hold. Nothing was changed.",
        example: "fabrik plan -o p.fplan; fabrik apply; fabrik apply p.fplan",
        fix: "Plan again and look at it.",
    },
    Page {
        code: "FAB3002",
        title: "the plan cannot be applied",
        text: "While planning, something was found that would make the run fail half-way or do harm: a name that is taken, something protected that would be deleted, drift of something with `on_drift: stop`. Nothing was changed.",
        example: "resources:\n  - { id: zone, type: local.file, protect: true, spec: { path: a, content: x } }  # then removed",
        fix: "Do what the finding says: take the object over (`adopt: true`, `fabrik import`), choose another name, or remove the protection first.",
    },
    Page {
        code: "FAB3003",
        title: "data would be lost",
        text: "The plan deletes or replaces something that holds data Fabrik cannot bring back, and this was not allowed. Nothing was changed.",
        example: "fabrik destroy  # of a stack with a bucket",
        fix: "If it is meant, allow it for the address: `--allow-data-loss ADDRESS`. If it must never happen, set `protect: true`.",
    },
    Page {
        code: "FAB4001",
        title: "a check failed",
        text: "Everything was made, but the result does not work as declared, seen from the outside, until the check's time was up. The line tells what was seen last. With `on_failure: rollback` the run was taken back; with `keep` it stays and the exit code is 3.",
        example: "verify:\n  - { http: https://shop.example.com/healthz, status: 200, within: 2m }",
        fix: "Look at what was seen, and at `fabrik logs APP`. If the app only needs longer, raise `within`; if it may start slowly, set its `health` too.",
    },
    Page {
        code: "FAB5001",
        title: "another run holds the lock",
        text: "Two runs of one stack never interleave. The message names who has the lock, where, since when and with which command. A holder that died on this machine is replaced at once, one elsewhere when its heartbeat has stopped.",
        example: "fabrik apply  # in two terminals",
        fix: "Wait for it: `--lock-timeout 10m`. Only when that run is gone for certain: `fabrik state unlock TOKEN`.",
    },
    Page {
        code: "FAB5002",
        title: "this run lost its lock",
        text: "Somebody took the lock over or released it by hand, so this run may write nothing more, and did not. What it had in flight is recorded as begun.",
        example: "fabrik state unlock 7  # while run 7 still works",
        fix: "See where the stack is with `fabrik status`, then apply again: the next run finds out what the calls in flight did.",
    },
    Page {
        code: "FAB5003",
        title: "state of a newer version",
        text: "The state was written by a newer Fabrik in a form that this one does not know. It was left as it is.",
        example: "an old `fabrik` on a colleague's machine",
        fix: "Install the newer version.",
    },
    Page {
        code: "FAB5004",
        title: "the state key is missing or does not fit",
        text: "Secrets in state are encrypted with a key that lies outside it. The key is not here, or is not the one this state was made with. What is not secret can still be read.",
        example: "state.db copied to another machine without its key",
        fix: "Copy the key from where the state was made (`fabrik doctor` says where it lies), or give it in `FABRIK_STATE_KEY`, `FABRIK_STATE_KEY_FILE` or `FABRIK_STATE_KEY_COMMAND`.",
    },
    Page {
        code: "FAB5005",
        title: "the state is damaged",
        text: "What is stored does not agree with its own checksums, or is no state at all. It was left as it is, and is never taken for empty.",
        example: "a state.db that was cut off by a failing disk",
        fix: "Put a backup back. Without one, move the file away, keep it, and take the objects over again with `fabrik import`.",
    },
    Page {
        code: "FAB5006",
        title: "the state cannot be read or written",
        text: "The disk is full, the file may not be written, or it was moved or replaced during the run. Nothing new is started when state cannot be written; what was in flight is recorded as begun.",
        example: "a full disk",
        fix: "Make room, give the permission, or put the file back; then apply again: the run goes on from what state holds.",
    },
    Page {
        code: "FAB5007",
        title: "secrets are missing or cannot be read",
        text: "A secret with `required: true` was found nowhere, or the source that `from:` names failed. All of them are named at once, each with where it was looked for. Nothing was changed.",
        example: "secrets:\n  STRIPE_KEY: { required: true }",
        fix: "Set the variable in the environment or in `.env` beside the spec, or mend the source that is named.",
    },
    Page {
        code: "FAB5008",
        title: "`.env` cannot be understood",
        text: "A line of the `.env` beside the spec is neither a variable nor a comment.",
        example: "STRIPE_KEY: abc",
        fix: "Write `NAME=value` or `NAME=\"value\"`; a comment begins with `#`.",
    },
];
