//! Plugins and themes of our own, for what no registry carries.

use std::path::{Path, PathBuf};

use std::process::Command;

use crate::template;

/// A plugin or theme of the folder `fixtures`, written for tests.
///
/// | plugin | what it does |
/// |---|---|
/// | `fabrik-harmless` | a line in the footer, and an option when activated |
/// | `fabrik-a` … `fabrik-f` | nothing: six of them for activation at once |
/// | `fabrik-fatal-on-load` | a fatal error on every request while it is active |
/// | `fabrik-fatal-on-activation` | a fatal error in its activation hook |
/// | `fabrik-future-php` | says that it needs PHP 99 |
/// | `fabrik-table` | makes a table when activated (which ends a transaction on MariaDB) |
/// | `contact-form-7`, `seo-by-rank-math`, `wordpress-seo`, `polylang` | look-alikes: they store and answer as the real ones were seen to, as far as Fabrik uses that |
///
/// | theme | what it is |
/// |---|---|
/// | `fabrik-classic` | classic, with the menu locations `primary` and `footer` and a custom logo |
/// | `astra`, `generatepress` | look-alikes: their options become CSS as in the real ones |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    kind: &'static str,
    name: String,
}

impl Fixture {
    /// A plugin.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    pub fn plugin(name: &str) -> Self {
        Self::new("plugins", name)
    }

    /// A theme.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    pub fn theme(name: &str) -> Self {
        Self::new("themes", name)
    }

    fn new(kind: &'static str, name: &str) -> Self {
        let fixture = Self {
            kind,
            name: name.to_owned(),
        };
        assert!(fixture.dir().is_dir(), "there is no fixture {kind}/{name}");
        fixture
    }

    /// The folder's name, which is how WordPress calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn dir(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(self.kind)
            .join(&self.name)
    }

    pub(crate) fn install(&self, root: &Path) {
        template::copy(
            &self.dir(),
            &root.join("wp-content").join(self.kind).join(&self.name),
        );
    }

    /// Packs it as WordPress wants it uploaded: `NAME.zip` in this folder.
    pub fn zip(&self, into: &Path) -> PathBuf {
        let file = into.join(format!("{}.zip", self.name));
        let parent = self.dir();
        let parent = parent.parent().expect("the folder of its kind");
        template::run(
            Command::new("php")
                .args(["-r", PACK, "--"])
                .args([&file, &parent.to_path_buf()])
                .arg(&self.name),
        );
        file
    }
}

const PACK: &str = r#"
[, $file, $parent, $name] = $argv;
$zip = new ZipArchive();
$zip->open($file, ZipArchive::CREATE | ZipArchive::OVERWRITE) === true or exit(1);
$all = new RecursiveIteratorIterator(new RecursiveDirectoryIterator("$parent/$name", FilesystemIterator::SKIP_DOTS));
foreach ($all as $entry) {
    $zip->addFile($entry->getPathname(), substr($entry->getPathname(), strlen($parent) + 1));
}
$zip->close() or exit(1);
"#;
