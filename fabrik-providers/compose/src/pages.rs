//! The rules for Compose files: a code each, and the page that explains it.

use fabrik_core::codes::Page;

/// A variable that cannot be read, or must be set and is not.
pub const VARIABLE: &str = "CMP101";
/// A name that the file does not define.
pub const UNDEFINED: &str = "CMP102";
/// Neither `image` nor `build`.
pub const NOTHING_TO_RUN: &str = "CMP103";
/// Services that wait for each other.
pub const CYCLE: &str = "CMP104";
/// A port or name of the host that two want.
pub const TWICE: &str = "CMP105";
/// No health check.
pub const HEALTH: &str = "CMP201";
/// No limits.
pub const LIMITS: &str = "CMP202";
/// A port of the host.
pub const HOST_PORT: &str = "CMP203";
/// No restart policy.
pub const RESTART: &str = "CMP204";
/// The default network, or the host's.
pub const NETWORK: &str = "CMP205";
/// An image that changes by itself.
pub const LATEST: &str = "CMP206";
/// A secret in the file.
pub const SECRET: &str = "CMP207";
/// A key that means nothing any more.
pub const OBSOLETE: &str = "CMP208";
/// A fixed container name.
pub const CONTAINER_NAME: &str = "CMP209";
/// Rights over the host.
pub const PRIVILEGED: &str = "CMP210";
/// A folder that is not there on a server.
pub const RELATIVE: &str = "CMP211";
/// A file of variables that is not there on a server.
pub const ENV_FILE: &str = "CMP212";
/// A dependency that may not be ready.
pub const NOT_READY: &str = "CMP213";
/// Signs that a shell would take for its own.
pub const ODD_PATH: &str = "CMP214";
/// Something nobody uses.
pub const UNUSED: &str = "CMP215";
/// A health check whose program the image may not have.
pub const HEALTH_PROGRAM: &str = "CMP216";
/// A variable of the platform that it does not know.
pub const MAGIC: &str = "CMP217";

/// Every rule.
pub const PAGES: &[Page] = &[
    Page {
        code: VARIABLE,
        title: "a variable cannot be filled in",
        text: "A `$` begins a variable: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?error}` or `${NAME:+other}`. This one cannot be read, or it must be set and is not.",
        example: "command: echo $5",
        fix: "Write `$$` for a dollar sign, or set the variable where Compose runs or in `.env`.",
    },
    Page {
        code: UNDEFINED,
        title: "a name that the file does not define",
        text: "A service refers to a volume, network, secret, config or service that is not defined in the file. Compose refuses such a file.",
        example: "services:\n  web:\n    image: nginx:1.29\n    volumes: [data:/data]",
        fix: "Define it at the top level (`volumes: {data: {}}`), or mend the name.",
    },
    Page {
        code: NOTHING_TO_RUN,
        title: "neither image nor build",
        text: "A service runs an image that is there, or builds one. Without either there is nothing to run.",
        example: "services:\n  web:\n    ports: [\"80:80\"]",
        fix: "Add `image:` with a tag, or `build:` with a folder.",
    },
    Page {
        code: CYCLE,
        title: "services wait for each other",
        text: "`depends_on` leads from a service back to itself, so none of them can start first.",
        example: "services:\n  a: {image: \"x:1\", depends_on: [b]}\n  b: {image: \"x:1\", depends_on: [a]}",
        fix: "Take one of the dependencies away; a program should try again when its peer is not there yet.",
    },
    Page {
        code: TWICE,
        title: "two want the same port or name of the host",
        text: "A port of the host and a container name can be taken once. The second service would not start.",
        example: "services:\n  a: {image: \"x:1\", ports: [\"80:80\"]}\n  b: {image: \"x:1\", ports: [\"80:8080\"]}",
        fix: "Give one of them another port, or leave ports to the platform's proxy.",
    },
    Page {
        code: HEALTH,
        title: "no health check",
        text: "Without a health check a container counts as working as soon as its process runs, so a new version takes over before it answers, and one that hangs is never noticed.",
        example: "services:\n  web: {image: \"acme/web:1\"}",
        fix: "Add `healthcheck: {test: [CMD-SHELL, \"wget -q -O /dev/null http://localhost:8080/healthz\"], interval: 10s, retries: 5}`.",
    },
    Page {
        code: LIMITS,
        title: "no limit of memory",
        text: "A container without a limit can take all memory of the server, and everything else on it goes down with it.",
        example: "services:\n  web: {image: \"acme/web:1\"}",
        fix: "Add `deploy: {resources: {limits: {memory: 512m, cpus: \"1\"}}}`.",
    },
    Page {
        code: HOST_PORT,
        title: "a port of the host",
        text: "A published port goes past the platform's proxy: no TLS, no domain, open to everybody (Docker goes past most firewalls, too), and two versions cannot run beside each other while one takes over.",
        example: "services:\n  web: {image: \"acme/web:1\", ports: [\"8080:8080\"]}",
        fix: "Use `expose: [\"8080\"]` and give the service a domain; for yourself alone, bind to `127.0.0.1`.",
    },
    Page {
        code: RESTART,
        title: "no restart policy",
        text: "Without one a container that ends, or a server that reboots, leaves the service down.",
        example: "services:\n  web: {image: \"acme/web:1\"}",
        fix: "Add `restart: unless-stopped`; `restart: \"no\"` for what runs once.",
    },
    Page {
        code: NETWORK,
        title: "no network of its own",
        text: "On the default network every service reaches every other one, databases included; on the host's network nothing is kept apart at all.",
        example: "services:\n  web: {image: \"acme/web:1\"}\n  db: {image: \"postgres:17\"}",
        fix: "Name networks and say which service joins which: `networks: [front, back]`.",
    },
    Page {
        code: LATEST,
        title: "an image that changes by itself",
        text: "An image without a tag, or with `latest`, is another one tomorrow. What runs cannot be told from the file, and an earlier version cannot be brought back.",
        example: "services:\n  web: {image: nginx}",
        fix: "Name a version (`nginx:1.29.1`), or a digest.",
    },
    Page {
        code: SECRET,
        title: "a secret in the file",
        text: "A value that sounds like a secret stands in the file, and with it in every copy and in the repository's history. A default of a variable counts, too.",
        example: "environment:\n  DB_PASSWORD: hunter2",
        fix: "Write `DB_PASSWORD: ${DB_PASSWORD:?}` and set it where the file is used, or use `secrets:`. Change the one that was in the file.",
    },
    Page {
        code: OBSOLETE,
        title: "a key that means nothing any more",
        text: "Compose ignores `version`; `links` and `volumes_from` are left over from before networks and named volumes.",
        example: "version: \"3.8\"",
        fix: "Remove it; services find each other by name in their networks.",
    },
    Page {
        code: CONTAINER_NAME,
        title: "a fixed container name",
        text: "Two containers cannot have one name, so there is neither a second replica nor a new version beside the old one, and a second copy of the file on the server fails.",
        example: "container_name: web",
        fix: "Remove it: other services reach this one by its name in the file.",
    },
    Page {
        code: PRIVILEGED,
        title: "rights over the host",
        text: "`privileged`, the socket of Docker, `pid: host` and all capabilities make whoever gets into the container the master of the server.",
        example: "volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]",
        fix: "Give the one right that is needed (`cap_add`), or put a filtering proxy before the socket.",
    },
    Page {
        code: RELATIVE,
        title: "a folder beside the file",
        text: "A path such as `./data` is looked for beside the Compose file. A platform that was given the text alone has no such folder: Docker makes an empty one.",
        example: "volumes: [\"./nginx.conf:/etc/nginx/nginx.conf\"]",
        fix: "Use a named volume for data, `configs:` with `content:` for files, or build them into the image.",
    },
    Page {
        code: ENV_FILE,
        title: "a file of variables beside the file",
        text: "`env_file` is looked for where Compose runs. On a server it is not there, because such files are kept out of repositories.",
        example: "env_file: .env",
        fix: "List what is needed below `environment:` as `${NAME}`, and set the values in the platform.",
    },
    Page {
        code: NOT_READY,
        title: "a dependency that may not be ready",
        text: "A plain `depends_on` waits until the other container was started, not until it answers.",
        example: "depends_on: [db]",
        fix: "Write `depends_on: {db: {condition: service_healthy}}` and give the other one a health check.",
    },
    Page {
        code: ODD_PATH,
        title: "signs that a shell would take for its own",
        text: "Platforms put names and paths into shell commands and refuse those with such signs.",
        example: "volumes: [\"/data;x:/data\"]",
        fix: "Use letters, digits, `.`, `_`, `-` and `/`.",
    },
    Page {
        code: UNUSED,
        title: "something nobody uses",
        text: "A volume, network, secret or config is defined and no service uses it: usually the name of one was changed.",
        example: "volumes: {old: {}}",
        fix: "Remove it, or use it.",
    },
    Page {
        code: HEALTH_PROGRAM,
        title: "a health check whose program may be missing",
        text: "The check runs inside the container. Small images have no `curl` (`alpine` has `wget`), and images from nothing have no shell either, so the check fails for ever.",
        example: "image: acme/web:1-alpine\nhealthcheck: {test: [CMD, curl, -f, \"http://localhost\"]}",
        fix: "Use `wget -q -O /dev/null URL`, or a check that the program brings along.",
    },
    Page {
        code: MAGIC,
        title: "a variable the platform does not know",
        text: "Variables that begin with `SERVICE_` are made by Coolify when their second word is one it knows; with another word they stay empty.",
        example: "environment: [SERVICE_FQND_WEB]",
        fix: "Use `SERVICE_FQDN_…`, `SERVICE_URL_…`, `SERVICE_PASSWORD_…`, `SERVICE_USER_…` or `SERVICE_BASE64_…`.",
    },
];

/// The page of a code, in upper or lower case.
pub fn explain(code: &str) -> Option<&'static Page> {
    PAGES
        .iter()
        .find(|page| page.code.eq_ignore_ascii_case(code))
}
