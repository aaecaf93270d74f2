//! The codes of planning and running, `FAB1090` and `FAB3xxx` to `FAB5xxx`.

use super::Page;

/// Resources that wait for each other.
pub const WAIT_CYCLE: &str = "FAB1090";
/// A plan that state has moved on from.
pub const STALE_PLAN: &str = "FAB3001";
/// A provider refused what is planned.
pub const BLOCKED: &str = "FAB3002";
/// A change that loses data.
pub const DATA_LOSS: &str = "FAB3003";
/// A check failed.
pub const CHECK_FAILED: &str = "FAB4001";
/// Another run holds the lock.
pub const LOCKED: &str = "FAB5001";
/// The run lost its lock.
pub const LEASE_LOST: &str = "FAB5002";
/// The state of a newer program.
pub const STATE_NEWER: &str = "FAB5003";
/// The key does not fit, or is not there.
pub const STATE_KEY: &str = "FAB5004";
/// The state is damaged.
pub const STATE_DAMAGED: &str = "FAB5005";
/// The state could not be read or written.
pub const STATE_IO: &str = "FAB5006";
/// Secrets that are missing or cannot be read.
pub const SECRETS: &str = "FAB5007";
/// A line of `.env` that cannot be read.
pub const DOTENV: &str = "FAB5008";

/// Their pages.
pub(super) const PAGES: &[Page] = &[
    Page {
        code: WAIT_CYCLE,
        title: "resources wait for each other",
        text: "A resource is made after everything it refers to and everything in its `depends_on`. Here that goes round in a circle, so there is none to begin with. Nothing was changed.",
        example: "resources:\n  - { id: a, type: local.file, spec: { path: a.txt, content: hello }, depends_on: [b] }\n  - { id: b, type: local.file, spec: { path: b.txt, content: \"${a.path}\" } }",
        fix: "Remove one of the references the message lists, or the `depends_on` that closes the circle. `fabrik graph` shows who waits for whom.",
    },
    Page {
        code: STALE_PLAN,
        title: "state has changed since the plan was made",
        text: "A plan fits the state it was made from. Another run, or a command such as `fabrik state mv`, changed state since, so the plan may no longer say what would happen. It was not carried out, and nothing was changed.",
        example: "fabrik plan -o monday.fplan\nfabrik apply --yes\nfabrik apply monday.fplan",
        fix: "Plan again, look at it, and apply that: `fabrik plan -o FILE`, then `fabrik apply FILE`. `fabrik history` shows what ran in between.",
    },
    Page {
        code: BLOCKED,
        title: "a provider refuses what is planned",
        text: "Before anything is changed, every provider looks at what it is to do. One of them found that it cannot work: a name that is taken, a file that belongs to somebody else, a quota that is used up, something the plan would break. The run stopped before its first change.",
        example: "resources:\n  - { id: note, type: local.file, spec: { path: README.md, content: hello } }\n\nwhile there is a README.md that Fabrik did not make",
        fix: "Follow the help below the finding. When the object is yours, take it over with `fabrik import ADDRESS ID`; otherwise choose another name, or remove what is in the way.",
    },
    Page {
        code: DATA_LOSS,
        title: "a change loses data, and that was not allowed",
        text: "The plan deletes or replaces something that holds data, which no rollback can bring back. Such a change is carried out only when it was allowed by name. Nothing was changed.",
        example: "fabrik destroy --yes\n\nwhile the stack has a bucket with objects in it",
        fix: "Make a backup first. Then pass `--allow-data-loss=ADDRESS` to allow that one, or `--allow-data-loss` for all. To keep the data, undo the edit, or set `protect: true` so that no plan ever deletes it.",
    },
    Page {
        code: CHECK_FAILED,
        title: "a check failed",
        text: "Everything was applied, and then what runs was checked: it did not answer as declared, within the time it was given. Unless `on_failure` says otherwise, the run was rolled back, and what ran before runs again.",
        example: "apps:\n  api: { kind: service, command: ./serve, health: /no-such-page }",
        fix: "Read what was seen behind the check's name, and the app's own words with `fabrik logs APP`. Usual causes: the app does not listen on `$PORT`, the path of `health` is wrong, or it needs longer: `health: { path: /up, start_period: 60s }`, `verify: [{ http: /up, within: 5m }]`. To look at it as it is, keep it with `--on-failure keep`.",
    },
    Page {
        code: LOCKED,
        title: "another run holds the lock",
        text: "One run at a time works on a stack, in each environment. The message names who holds the lock, where, and since when. A run that was killed on this machine loses its lock at once; one on another machine, when its lease runs out.",
        example: "fabrik apply --yes & fabrik apply --yes",
        fix: "Wait for it with `--lock-timeout 10m`. When that run is gone for certain, release its lock with `fabrik state unlock NUMBER`: the next run first settles what the lost one left open.",
    },
    Page {
        code: LEASE_LOST,
        title: "the run lost its lock",
        text: "While this run was going, somebody else took its lock: it was released by hand, or the machine slept so long that the lease ran out. So as not to work against another run, this one wrote nothing more.",
        example: "fabrik state unlock 7\n\nwhile the run that holds lock 7 is still going",
        fix: "See with `fabrik status` and `fabrik history` what there is and who is at work. Then run `fabrik apply`: it goes on from what state holds.",
    },
    Page {
        code: STATE_NEWER,
        title: "the state was written by a newer Fabrik",
        text: "A newer version has brought the state into a form this one does not know. Reading it halfway could lose something, so it is left as it is.",
        example: "a colleague upgraded and ran `fabrik apply`; you did not upgrade yet",
        fix: "Install that newer version. There is no way back to an older form but a backup from before.",
    },
    Page {
        code: STATE_KEY,
        title: "the state key is not here, or does not fit",
        text: "Secrets in state are encrypted with a key that does not lie beside them: it is in your data directory (`~/.local/share/fabrik/keys`), or comes from a variable or a command. Without the right one they cannot be read. Nothing was changed.",
        example: "a project was cloned to another machine together with `.fabrik/state.db`, but without its key",
        fix: "Copy the key from where the state was made, or give it in `FABRIK_STATE_KEY`, `FABRIK_STATE_KEY_FILE` or `FABRIK_STATE_KEY_COMMAND`. `fabrik doctor` shows where it is looked for. A key that is lost is lost: then move the state away, import the objects anew, and set new secrets.",
    },
    Page {
        code: STATE_DAMAGED,
        title: "the state is damaged",
        text: "The state file cannot be what Fabrik wrote: a disk error, a copy cut short, or another program's file of the same name. Nothing was changed.",
        example: "`.fabrik/state.db` was copied while a run was writing it",
        fix: "Put a backup back, then `fabrik plan` shows what differs. Without one: move the file away, keep it, and take the objects over with `fabrik import`.",
    },
    Page {
        code: STATE_IO,
        title: "the state could not be read or written",
        text: "The system refused an operation on the state: the disk is full, the folder is read-only, or the file was moved. What was written before that is safe; nothing is done at a service before it is recorded.",
        example: "chmod a-w .fabrik && fabrik apply",
        fix: "Make room, or give yourself the right to write there; or keep the state elsewhere with `--state FILE` or `FABRIK_STATE`. Then run the command again: it goes on from what is recorded.",
    },
    Page {
        code: SECRETS,
        title: "secrets that are missing or cannot be read",
        text: "A secret is looked for in the environment, in `.env` beside the spec, and in the source it names. One with `required: true` is never generated. All that are missing are named at once, with where they were looked for; never a value. Nothing was changed.",
        example: "secrets:\n  STRIPE_KEY: { required: true }",
        fix: "Set it in the environment, put a line `STRIPE_KEY=…` into `.env`, or correct its `from:`. `fabrik secrets list` shows where each one comes from.",
    },
    Page {
        code: DOTENV,
        title: "a line of `.env` that cannot be read",
        text: "The file `.env` beside the spec has a line that is no variable, or a quote that is not closed. Nothing of the line is repeated in the message, for it may hold a secret.",
        example: "STRIPE_KEY: sk_live_…",
        fix: "Write `NAME=value`, or `NAME=\"value\"` when it holds spaces or `#`. Lines that begin with `#` are comments.",
    },
];
