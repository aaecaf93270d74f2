//! The codes of the spec language, `FAB1xxx`.

use super::Page;

/// Not YAML.
pub const SYNTAX: &str = "FAB1001";
/// The same key twice.
pub const DUPLICATE_KEY: &str = "FAB1002";
/// Unknown field.
pub const UNKNOWN_FIELD: &str = "FAB1003";
/// Wrong type.
pub const WRONG_TYPE: &str = "FAB1004";
/// A field is missing.
pub const MISSING_FIELD: &str = "FAB1005";
/// A value that is not allowed.
pub const NOT_ALLOWED: &str = "FAB1006";
/// Out of range.
pub const OUT_OF_RANGE: &str = "FAB1007";
/// Not UTF-8 text.
pub const ENCODING: &str = "FAB1008";
/// The file is empty.
pub const EMPTY: &str = "FAB1009";
/// More than one document.
pub const DOCUMENTS: &str = "FAB1010";
/// A tag that means nothing.
pub const TAG: &str = "FAB1011";
/// An alias that cannot be used.
pub const ALIAS: &str = "FAB1012";
/// Nested too deep.
pub const TOO_DEEP: &str = "FAB1013";
/// A key that is not text.
pub const KEY: &str = "FAB1014";
/// Not implemented yet.
pub const NOT_YET: &str = "FAB1015";
/// The spec is of another version.
pub const VERSION: &str = "FAB1016";
/// Another version of Fabrik is required.
pub const REQUIRES: &str = "FAB1017";
/// The spec does not say its version.
pub const VERSION_MISSING: &str = "FAB1018";
/// A version written as a number.
pub const UNQUOTED: &str = "FAB1019";
/// Not an id.
pub const BAD_ID: &str = "FAB1020";
/// An expression that cannot be read.
pub const EXPRESSION: &str = "FAB1021";
/// A function that does not exist, or takes something else.
pub const FUNCTION: &str = "FAB1022";
/// Nothing has this name.
pub const UNKNOWN_NAME: &str = "FAB1023";
/// No such output.
pub const UNKNOWN_OUTPUT: &str = "FAB1024";
/// Not known here.
pub const NOT_HERE: &str = "FAB1025";
/// A circle.
pub const CYCLE: &str = "FAB1026";
/// What is referred to is switched off.
pub const SWITCHED_OFF: &str = "FAB1027";
/// Which one of several.
pub const NEEDS_KEY: &str = "FAB1028";
/// Not known when planning.
pub const NOT_KNOWN: &str = "FAB1029";
/// An expression that cannot be evaluated.
pub const EVALUATION: &str = "FAB1030";
/// A file that cannot be read.
pub const FILE: &str = "FAB1031";
/// A variable without a value.
pub const VAR_MISSING: &str = "FAB1032";
/// A variable of another type.
pub const VAR_TYPE: &str = "FAB1033";
/// No such variable.
pub const UNKNOWN_VAR: &str = "FAB1034";
/// The value of a secret in the file.
pub const SECRET_IN_FILE: &str = "FAB1035";
/// A secret that cannot be read.
pub const SECRET_FORM: &str = "FAB1036";
/// No such type.
pub const UNKNOWN_TYPE: &str = "FAB1037";
/// A provider that is not there or does not fit.
pub const PROVIDER: &str = "FAB1038";
/// Declared twice.
pub const TWICE: &str = "FAB1039";
/// Not a duration.
pub const DURATION: &str = "FAB1040";
/// Not an address, or of nothing.
pub const ADDRESS: &str = "FAB1041";
/// A move that moves nothing.
pub const MOVED: &str = "FAB1042";
/// No such kind or template.
pub const UNKNOWN_KIND: &str = "FAB1043";
/// Nobody plays a role.
pub const NO_PLAYER: &str = "FAB1044";
/// Several could play a role.
pub const AMBIGUOUS: &str = "FAB1045";
/// Another provider would be chosen than so far.
pub const CHOICE_CHANGED: &str = "FAB1046";
/// The provider cannot do this.
pub const CANNOT: &str = "FAB1047";
/// An app that cannot be expanded.
pub const EXPANSION: &str = "FAB1048";
/// No such environment, or none chosen.
pub const ENVIRONMENT: &str = "FAB1049";
/// A check that cannot be read.
pub const CHECK: &str = "FAB1050";
/// A secret field with a value in the file.
pub const LITERAL_SECRET: &str = "FAB1051";
/// A key that cannot stand in an address.
pub const EACH_KEY: &str = "FAB1052";

/// Their pages.
pub(super) const PAGES: &[Page] = &[
    Page {
        code: SYNTAX,
        title: "not YAML",
        text: "The text cannot be read as YAML: a tab in the indentation, an open quote or bracket, a line that does not fit what is above it. Nothing after that place was read.",
        example: "vars:\n\tport: 80",
        fix: "Indent with spaces, close what is open, and put text that holds `: ` or ` #` in quotes.",
    },
    Page {
        code: DUPLICATE_KEY,
        title: "the same key twice",
        text: "A map has a key twice. Which of the two counts would be a guess, so neither is taken.",
        example: "env:\n  PORT: 80\n  PORT: 81",
        fix: "Remove one of the two; both places are shown.",
    },
    Page {
        code: UNKNOWN_FIELD,
        title: "unknown field",
        text: "The field is not known here: usually a slip of the pen, or the right field one level too far in or out. Fields that begin with `x-` are yours and are ignored.",
        example: "apps:\n  api: { kind: service, prot: 8000 }",
        fix: "Take the suggestion, or look the fields up with `fabrik docs KIND` or `fabrik docs PROVIDER.TYPE`.",
    },
    Page {
        code: WRONG_TYPE,
        title: "wrong type",
        text: "The value is of another type than the field takes. YAML 1.2 knows only `true` and `false` as truth values: `yes`, `no` and `on` are text.",
        example: "proxied: yes",
        fix: "Write the type that is asked for: `true` for a truth value, numbers without quotes, lists as `[a, b]`.",
    },
    Page {
        code: MISSING_FIELD,
        title: "a field is missing",
        text: "Something that must be said is not said.",
        example: "resources:\n  - id: zone\n    type: cloudflare.zone\n    spec: {}",
        fix: "Add the field that is named.",
    },
    Page {
        code: NOT_ALLOWED,
        title: "a value that is not allowed",
        text: "The field takes only certain values, or this value contradicts another.",
        example: "type: CNAM",
        fix: "Take one of the values that are listed.",
    },
    Page {
        code: OUT_OF_RANGE,
        title: "out of range",
        text: "The value is too small, too large, too short, too long, or not of the form the field asks for.",
        example: "ttl: 5",
        fix: "Keep to the limit that is named.",
    },
    Page {
        code: ENCODING,
        title: "not UTF-8 text",
        text: "The file holds bytes that are not UTF-8, a NUL byte, or is in UTF-16.",
        example: "a file saved as Latin-1 or UTF-16",
        fix: "Save the file as UTF-8. A byte order mark at its start does no harm.",
    },
    Page {
        code: EMPTY,
        title: "the file is empty",
        text: "There is nothing in the file but blank lines and comments.",
        example: "# nothing yet",
        fix: "Begin with `fabrik: 1` and `id: NAME`, or let `fabrik new` write it.",
    },
    Page {
        code: DOCUMENTS,
        title: "more than one document",
        text: "A line `---` begins a second document. One file holds one spec.",
        example: "id: a\n---\nid: b",
        fix: "Remove the line, or split the file.",
    },
    Page {
        code: TAG,
        title: "a tag that means nothing",
        text: "YAML tags such as `!env` have no meaning in a spec.",
        example: "token: !env TOKEN",
        fix: "Write `${secrets.NAME}` for secrets and `${file(\"PATH\")}` for files.",
    },
    Page {
        code: ALIAS,
        title: "an alias that cannot be used",
        text: "An alias (`*name`) names no anchor before it, stands inside what it names, or all aliases together stand for more than a spec could sensibly hold.",
        example: "a: *nothing",
        fix: "Set the anchor with `&name` before its use. Write out what anchors within anchors multiply.",
    },
    Page {
        code: TOO_DEEP,
        title: "nested too deep",
        text: "Maps and lists are nested deeper than 128 levels.",
        example: "a: [[[[…]]]]",
        fix: "Flatten it; no field of a spec is that deep.",
    },
    Page {
        code: KEY,
        title: "a key that is not text",
        text: "A list or map stands where a key is expected, or `<<` is given something that is no map.",
        example: "? [a, b]\n: 1",
        fix: "Put text with braces or brackets in quotes; write `<<: *name` where `&name` is set on a map.",
    },
    Page {
        code: NOT_YET,
        title: "not implemented yet",
        text: "The field or kind belongs to the language and this version of Fabrik does not carry it out. It is refused, because a field that is silently ignored would promise what does not happen.",
        example: "modules: {}",
        fix: "Leave it out, or update Fabrik when a later version has it.",
    },
    Page {
        code: VERSION,
        title: "the spec is of another version",
        text: "`fabrik:` names the version of the spec language. This program reads version 1.",
        example: "fabrik: 2",
        fix: "Update Fabrik for a newer spec; write `fabrik: 1` otherwise.",
    },
    Page {
        code: REQUIRES,
        title: "another version of Fabrik is required",
        text: "`requires` names versions of Fabrik, and this is none of them; or it cannot be read.",
        example: "requires: \">=99\"",
        fix: "Update Fabrik, or correct the requirement: `\">=0.3\"`, `\">=0.3, <2\"`.",
    },
    Page {
        code: VERSION_MISSING,
        title: "the spec does not say its version",
        text: "Without `fabrik: 1` a later Fabrik cannot know which rules the file was written for.",
        example: "id: shop",
        fix: "Begin the file with `fabrik: 1`.",
    },
    Page {
        code: UNQUOTED,
        title: "a version written as a number",
        text: "`1.10` without quotes is a number to most programs that read YAML, and the same as `1.1`. Fabrik keeps it as written, and warns.",
        example: "version: 1.10",
        fix: "Put it in quotes: `version: \"1.10\"`.",
    },
    Page {
        code: BAD_ID,
        title: "not an id",
        text: "Ids stand in addresses and in the state. They are letters, digits, `_` and `-`, at most 100 of them, and have no dots.",
        example: "id: my.shop",
        fix: "Choose an id of the allowed characters: `my-shop`.",
    },
    Page {
        code: EXPRESSION,
        title: "an expression that cannot be read",
        text: "What stands between `${` and `}` is no expression. There is no calculation and no condition: only references, function calls, literals, `==` and `!=`.",
        example: "url: ${apps.api.",
        fix: "Correct it at the place that is shown; write `$${` where the text `${` itself is meant.",
    },
    Page {
        code: FUNCTION,
        title: "a function that does not exist, or takes something else",
        text: "The functions are few and pure: lower, upper, trim, replace, split, join, format, default, json, yaml, base64, sha256, slug, file.",
        example: "name: ${slugify(vars.name)}",
        fix: "Take the suggestion, and give as many arguments as the function takes.",
    },
    Page {
        code: UNKNOWN_NAME,
        title: "nothing has this name",
        text: "A reference names a variable, secret, resource, app, key or output that is not there. The first word is one of apps, resources, vars, secrets, outputs, env, each, self, fabrik, stacks, or the id of a resource.",
        example: "image: shop:${vars.tga}",
        fix: "Take the suggestion, or declare what is missing.",
    },
    Page {
        code: UNKNOWN_OUTPUT,
        title: "no such output",
        text: "The resource, app or value is there, and has no such output or part; or the reference names the whole and no output of it.",
        example: "zone: ${zone.idd}",
        fix: "Take the suggestion; `fabrik docs PROVIDER.TYPE` lists the outputs of a type.",
    },
    Page {
        code: NOT_HERE,
        title: "not known here",
        text: "`env` is known only in `vars`, `providers` and `secrets`; `each` only beside `for_each`; `self` only in `verify`.",
        example: "spec: { name: \"${env.HOME}\" }",
        fix: "Make a variable of it and use the variable.",
    },
    Page {
        code: CYCLE,
        title: "a circle",
        text: "Things refer to each other in a circle, so none can be first. The circle is shown as a path.",
        example: "vars: { a: \"${vars.b}\", b: \"${vars.a}\" }",
        fix: "Break the circle: one of them must do without the other.",
    },
    Page {
        code: SWITCHED_OFF,
        title: "what is referred to is switched off",
        text: "The resource or app is there, and its `when` is false, so it has no outputs.",
        example: "when: ${vars.cdn}",
        fix: "Give what refers to it the same `when`.",
    },
    Page {
        code: NEEDS_KEY,
        title: "which one of several",
        text: "What is referred to has a `for_each`, and the reference does not say which one; or it has none, and the reference names a key.",
        example: "${mx.fqdn}",
        fix: "Name the key: `${mx[\"mx1\"].fqdn}`.",
    },
    Page {
        code: NOT_KNOWN,
        title: "not known when planning",
        text: "`when` and `for_each` decide what there is, so they must be known before anything is made. Results of resources and apps, and secrets, are not.",
        example: "for_each: ${zone.name_servers}",
        fix: "Use variables. What depends on the results of an apply belongs into a second stack that reads `${stacks.NAME.outputs.X}`.",
    },
    Page {
        code: EVALUATION,
        title: "an expression that cannot be evaluated",
        text: "A function was given what it cannot take, or a list or map stands inside text.",
        example: "text ${vars.list}",
        fix: "Turn the value into text first: `${join(vars.list, \",\")}` or `${json(vars.map)}`.",
    },
    Page {
        code: FILE,
        title: "a file that cannot be read",
        text: "`file` reads text files in the spec's folder and below it, by a path that is known when planning.",
        example: "${file(\"../key.pem\")}",
        fix: "Put the file below the spec's folder; declare a secret for what must not stand in the repository.",
    },
    Page {
        code: VAR_MISSING,
        title: "a variable without a value",
        text: "The variable is `required`, and neither the environment, a file of variables nor the command line gives it a value.",
        example: "vars: { tag: { type: string, required: true } }",
        fix: "Give it: `--var tag=1.4`, or a default.",
    },
    Page {
        code: VAR_TYPE,
        title: "a variable of another type",
        text: "The value of a variable does not have the type it was declared with.",
        example: "vars: { n: { type: number, default: many } }",
        fix: "Correct the value or the type: string, number, boolean, list, map.",
    },
    Page {
        code: UNKNOWN_VAR,
        title: "no such variable",
        text: "A value is given for a variable that the spec does not declare.",
        example: "fabrik plan --var tga=1",
        fix: "Take the suggestion, or declare the variable under `vars`.",
    },
    Page {
        code: SECRET_IN_FILE,
        title: "the value of a secret in the file",
        text: "A spec says where a secret comes from, never its value: files are committed, copied and shown.",
        example: "secrets: { TOKEN: abc123 }",
        fix: "Write `env://VARIABLE`, `file://PATH`, `{ cmd: [op, read, …] }`, or `~` to find or generate it. Change a secret that was committed.",
    },
    Page {
        code: SECRET_FORM,
        title: "a secret that cannot be read",
        text: "What is said of the secret contradicts itself or has the wrong form.",
        example: "A: { generate: 4 }",
        fix: "Forms: `~`, `scheme://…`, `{ from: …, generate: 48, required: true }`, `{ cmd: [PROGRAM, ARGUMENT] }`.",
    },
    Page {
        code: UNKNOWN_TYPE,
        title: "no such type",
        text: "No provider of this program has the type.",
        example: "type: cloudflare.dns_recrod",
        fix: "Take the suggestion; `fabrik docs` lists the types.",
    },
    Page {
        code: PROVIDER,
        title: "a provider that is not there or does not fit",
        text: "The name is no provider of this program and no configuration under `providers`, or the configuration is of another provider than the type.",
        example: "provider: eu",
        fix: "Take the suggestion, or configure it: `providers: { eu: { provider: cloudflare } }`.",
    },
    Page {
        code: TWICE,
        title: "declared twice",
        text: "Two things have the same name, and addresses must be unique.",
        example: "resources:\n  - { id: a }\n  - { id: a }",
        fix: "Rename one; add `moved` when its state is to move along.",
    },
    Page {
        code: DURATION,
        title: "not a duration",
        text: "The value is not a length of time.",
        example: "timeout: soon",
        fix: "Write it like `500ms`, `30s`, `5m`, `1h30m` or `7d`.",
    },
    Page {
        code: ADDRESS,
        title: "not an address, or of nothing",
        text: "Addresses are `resources.ID`, `resources.ID[\"key\"]`, `apps.KEY` and `apps.KEY.PART`; the id of a resource alone is enough in `depends_on`.",
        example: "depends_on: [resources.zon]",
        fix: "Take the suggestion.",
    },
    Page {
        code: MOVED,
        title: "a move that moves nothing",
        text: "`moved` says that something is called otherwise now. The old address must be gone and the new one declared.",
        example: "moved: [{ from: apps.api, to: apps.web }]",
        fix: "Correct the two addresses; remove the entry when every environment has been applied.",
    },
    Page {
        code: UNKNOWN_KIND,
        title: "no such kind or template",
        text: "The kind of the app, or the template it was made from, is not known.",
        example: "kind: servcie",
        fix: "Take the suggestion; `fabrik docs` lists the kinds, `fabrik templates` the templates.",
    },
    Page {
        code: NO_PLAYER,
        title: "nobody plays a role",
        text: "An app needs somebody to run it, to make its host names or the like, and no configured provider can.",
        example: "on: { runtime: cloudflare }",
        fix: "Configure a provider that can, or name another one in `on`.",
    },
    Page {
        code: AMBIGUOUS,
        title: "several could play a role",
        text: "More than one configured provider could do it, and a guess could move a running service.",
        example: "providers: { cloudflare: ~, powerdns: ~ }",
        fix: "Say which: `on: { dns: cloudflare }`, for one app, or for all at the top level.",
    },
    Page {
        code: CHOICE_CHANGED,
        title: "another provider would be chosen than so far",
        text: "Nothing in the spec says who plays the role; so far one provider did, and with what is configured now another would. A service never moves by accident.",
        example: "providers: { coolify: ~ }  # after a first run on `local`",
        fix: "Say which in `on`: the old one to stay, the new one to move.",
    },
    Page {
        code: CANNOT,
        title: "the provider cannot do this",
        text: "The provider that plays the role cannot honour a field of the app.",
        example: "on: local\nreplicas: 3",
        fix: "Leave the field out, or let another provider play the role.",
    },
    Page {
        code: EXPANSION,
        title: "an app that cannot be expanded",
        text: "The kind of the app or a provider refused it, for the reason it gives.",
        example: "an app whose kind asks for one of two fields, and has both",
        fix: "Follow the reason. A message about something that is not declared is a mistake in the kind or provider: report it.",
    },
    Page {
        code: ENVIRONMENT,
        title: "no such environment, or none chosen",
        text: "The spec names its environments, and the chosen one is not among them; or it works only with one, and none is chosen.",
        example: "fabrik plan -e stagng",
        fix: "Take the suggestion; choose with `-e NAME`.",
    },
    Page {
        code: CHECK,
        title: "a check that cannot be read",
        text: "A check says what it checks by its kind: `http`, `tcp`, `tls`, `dns` or `container`.",
        example: "verify: [{ htp: /up }]",
        fix: "Write `{ http: /up, status: 200, within: 2m }`, or the long form with `kind` and `spec`.",
    },
    Page {
        code: LITERAL_SECRET,
        title: "a secret field with a value in the file",
        text: "The field is secret, and its value stands in the spec. It is kept secret from here on, but the file is not.",
        example: "token: abc123",
        fix: "Declare a secret and write `${secrets.NAME}`.",
    },
    Page {
        code: EACH_KEY,
        title: "a key that cannot stand in an address",
        text: "The keys of `for_each` become part of addresses: texts without quotes, backslashes, brackets and line breaks, each once.",
        example: "for_each: [a, a]",
        fix: "Choose other keys; write a map when each has values of its own.",
    },
];
