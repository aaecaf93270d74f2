//! WordPress with its database, as a Compose file.

use crate::model::{
    Amounts, Attachment, Command, Dependency, Deploy, File, Given, Healthcheck, Mount, Network,
    Resources, Service, Volume,
};

/// What to run.
#[derive(Clone, Debug)]
pub struct WordPress {
    /// The image's version of WordPress: `6.8`.
    pub version: String,
    /// The version of PHP: `8.3`; what the image has unless set.
    pub php: Option<String>,
    /// The version of MariaDB.
    pub database_version: String,
    /// What gives the database's user: text with a variable.
    pub user: String,
    /// What gives its password: text with a variable, never the password itself.
    pub password: String,
    /// The memory that WordPress may use: `512m`.
    pub memory: String,
    /// Further variables of WordPress.
    pub environment: Vec<(String, String)>,
    /// Whether the installation is begun, by the variables of [`INSTALL`]; otherwise the first
    /// visitor is asked.
    pub install: bool,
}

/// What the installation begins with, as variables that must be set where the file is used.
pub const INSTALL: [&str; 6] = [
    "WP_URL",
    "WP_TITLE",
    "WP_ADMIN_USER",
    "WP_ADMIN_PASSWORD",
    "WP_ADMIN_EMAIL",
    "WP_LOCALE",
];

/// Begins the installation once the database answers; then stays, for commands.
const BEGIN: &str = "\
until [ -e /var/www/html/wp-config.php ]; do sleep 1; done
until wp core is-installed; do
  printf '%s\\n' \"$$WP_ADMIN_PASSWORD\" | wp core install --url=\"$$WP_URL\" --title=\"$$WP_TITLE\" --admin_user=\"$$WP_ADMIN_USER\" --admin_email=\"$$WP_ADMIN_EMAIL\" --locale=\"$$WP_LOCALE\" --skip-email --prompt=admin_password || sleep 3
done
exec tail -f /dev/null";

impl Default for WordPress {
    fn default() -> WordPress {
        WordPress {
            version: "6.8".to_owned(),
            database_version: "11.4".to_owned(),
            user: "wordpress".to_owned(),
            password: "${WORDPRESS_DB_PASSWORD:?}".to_owned(),
            memory: "512m".to_owned(),
            environment: Vec::new(),
            php: None,
            install: false,
        }
    }
}

/// The service that answers.
pub const SERVICE: &str = "wordpress";
/// The service that has WP-CLI, with the files and the database of the first.
pub const CLI: &str = "cli";
/// The database.
const DATABASE: &str = "db";

impl WordPress {
    /// The file: WordPress, a place for WP-CLI (the image of WordPress has none), and MariaDB.
    pub fn file(&self) -> File {
        let volume = |name: &str| (name.to_owned(), Volume::default());
        let mut file = File {
            volumes: [volume("wordpress"), volume("db")].into(),
            ..File::default()
        };
        let back = Network {
            internal: Some(Given::Is(true)),
            ..Network::default()
        };
        file.networks.insert("front".to_owned(), Network::default());
        file.networks.insert("back".to_owned(), back);
        file.services.insert(SERVICE.to_owned(), self.server());
        file.services.insert(CLI.to_owned(), self.cli());
        file.services.insert(DATABASE.to_owned(), self.database());
        file
    }

    fn environment(&self) -> Vec<(String, String)> {
        let own = [
            ("WORDPRESS_DB_HOST", DATABASE),
            ("WORDPRESS_DB_NAME", "wordpress"),
            ("WORDPRESS_DB_USER", &self.user),
            ("WORDPRESS_DB_PASSWORD", &self.password),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.into_iter().chain(self.environment.clone()).collect()
    }

    fn server(&self) -> Service {
        let image = match &self.php {
            Some(php) => format!("wordpress:{}-php{php}-apache", self.version),
            None => format!("wordpress:{}", self.version),
        };
        let mut service = usual(&image, &self.memory);
        set(&mut service, self.environment());
        service.expose = vec!["80".to_owned()];
        mount(&mut service, "wordpress", "/var/www/html");
        // Answers, or sends to the installation, which is no error either.
        check(
            &mut service,
            &[
                "CMD-SHELL",
                "curl -fsS -o /dev/null http://127.0.0.1/wp-login.php",
            ],
            "60s",
        );
        after(&mut service, DATABASE);
        join(&mut service, &["back", "front"]);
        service
    }

    fn cli(&self) -> Service {
        let php = self.php.as_deref().unwrap_or("8.3");
        let mut service = usual(&format!("wordpress:cli-2.12-php{php}"), "256m");
        set(&mut service, self.environment());
        // The user that owns the files in the other image.
        service.user = Some("33:33".to_owned());
        service.init = Some(Given::Is(true));
        mount(&mut service, "wordpress", "/var/www/html");
        if self.install {
            let asked = INSTALL.map(|name| (name.to_owned(), format!("${{{name}:?}}")));
            set(&mut service, asked);
            service.entrypoint = Some(Command::list(["sh", "-c", BEGIN]));
            check(&mut service, &["CMD", "wp", "core", "is-installed"], "120s");
        } else {
            service.entrypoint = Some(Command::list(["tail", "-f", "/dev/null"]));
            let version = "/var/www/html/wp-includes/version.php";
            check(&mut service, &["CMD", "test", "-e", version], "60s");
        }
        after(&mut service, SERVICE);
        join(&mut service, &["back", "front"]);
        service
    }

    fn database(&self) -> Service {
        let mut service = usual(&format!("mariadb:{}", self.database_version), "512m");
        let own = [
            ("MARIADB_DATABASE", "wordpress"),
            ("MARIADB_USER", &self.user),
            ("MARIADB_PASSWORD", &self.password),
            ("MARIADB_RANDOM_ROOT_PASSWORD", "yes"),
        ];
        set(
            &mut service,
            own.map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        mount(&mut service, "db", "/var/lib/mysql");
        check(
            &mut service,
            &["CMD", "healthcheck.sh", "--connect", "--innodb_initialized"],
            "60s",
        );
        join(&mut service, &["back"]);
        service
    }
}

fn usual(image: &str, memory: &str) -> Service {
    let limits = Amounts {
        memory: Some(memory.to_owned()),
        ..Amounts::default()
    };
    Service {
        restart: Some("unless-stopped".to_owned()),
        deploy: Some(Deploy {
            resources: Some(Resources {
                limits: Some(limits),
                reservations: None,
            }),
            ..Deploy::default()
        }),
        ..Service::of_image(image)
    }
}

fn set(service: &mut Service, pairs: impl IntoIterator<Item = (String, String)>) {
    let pairs = pairs.into_iter().map(|(name, value)| (name, Some(value)));
    service.environment.extend(pairs);
}

fn mount(service: &mut Service, volume: &str, target: &str) {
    service.volumes.push(Mount {
        kind: "volume".to_owned(),
        source: Some(volume.to_owned()),
        target: target.to_owned(),
        ..Mount::default()
    });
}

fn check(service: &mut Service, test: &[&str], start: &str) {
    service.healthcheck = Some(Healthcheck {
        test: Some(Command::list(test.iter().copied())),
        interval: Some("10s".to_owned()),
        timeout: Some("5s".to_owned()),
        retries: Some(Given::Is(10)),
        start_period: Some(start.to_owned()),
        ..Healthcheck::default()
    });
}

fn after(service: &mut Service, other: &str) {
    let healthy = Dependency {
        condition: Some("service_healthy".to_owned()),
        ..Dependency::default()
    };
    service.depends_on.insert(other.to_owned(), healthy);
}

fn join(service: &mut Service, networks: &[&str]) {
    let joined = networks
        .iter()
        .map(|name| ((*name).to_owned(), Attachment::default()));
    service.networks.extend(joined);
}
