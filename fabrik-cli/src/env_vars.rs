//! Every environment variable the program itself reads, in one place. (Providers document their
//! own.)

/// A variable and what it does.
#[derive(Clone, Copy, Debug)]
pub struct EnvVar {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
}

macro_rules! variables {
    ($($constant:ident = $name:literal, $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*
        /// All of them, in the order documented.
        pub const ALL: &[EnvVar] = &[$(EnvVar { name: $name, help: $help }),*];
    };
}

variables! {
    FABRIK_STATE = "FABRIK_STATE", "Where state is kept; as `--state`.";
    FABRIK_STATE_KEY = "FABRIK_STATE_KEY", "The key secrets in state are encrypted with: 64 hexadecimal digits.";
    FABRIK_STATE_KEY_FILE = "FABRIK_STATE_KEY_FILE", "A file that holds that key.";
    FABRIK_STATE_KEY_COMMAND = "FABRIK_STATE_KEY_COMMAND", "A program (with arguments, split at blanks) that prints that key.";
    FABRIK_ENV = "FABRIK_ENV", "The environment; as `-e`.";
    FABRIK_FILE = "FABRIK_FILE", "The spec; as `-f`.";
    FABRIK_FORMAT = "FABRIK_FORMAT", "`text`, `json` or `yaml`; as `--format`.";
    FABRIK_NO_INPUT = "FABRIK_NO_INPUT", "Never ask anything; as `--no-input`.";
    FABRIK_PARALLELISM = "FABRIK_PARALLELISM", "Most calls in flight; as `--parallelism`.";
    FABRIK_LOCK_TIMEOUT = "FABRIK_LOCK_TIMEOUT", "How long to wait for the lock; as `--lock-timeout`.";
    FABRIK_LOG = "FABRIK_LOG", "What to log, such as `debug` or `fabrik_core=trace`.";
    FABRIK_LOG_FILE = "FABRIK_LOG_FILE", "Where to log; as `--log-file`.";
    FABRIK_WORDPRESS_API = "FABRIK_WORDPRESS_API", "Where the directory of WordPress plugins and themes answers, when not `https://api.wordpress.org`.";
    FABRIK_USER = "FABRIK_USER", "Who history and locks say it was; otherwise the login name.";
    FABRIK_COMPLETE = "FABRIK_COMPLETE", "Set by the shell's completion (`fabrik completions`): the shell that asks.";
    FABRIK_RESOLVERS = "FABRIK_RESOLVERS", "Name servers that checks ask (`10.0.0.53, 127.0.0.1:5353`), instead of this machine's.";
    FABRIK_CONNECT = "FABRIK_CONNECT", "Where checks connect to instead: `FROM=TO`, a name or an address each, such as `shop.example.com=10.0.0.5:8443`.";
    FABRIK_CA_FILE = "FABRIK_CA_FILE", "A PEM file of root certificates that checks trust besides those of the web.";
    NO_COLOR = "NO_COLOR", "No colour, when set to anything.";
    CLICOLOR_FORCE = "CLICOLOR_FORCE", "Colour even when the output is not a terminal, unless `0`.";
    TERM = "TERM", "`dumb`: no colour, no animation.";
    CI = "CI", "No animation, when set to anything but `false`.";
    COLUMNS = "COLUMNS", "Width of the output.";
    HOME = "HOME", "The home directory.";
    XDG_DATA_HOME = "XDG_DATA_HOME", "Where data of the user is kept; otherwise `~/.local/share`.";
    USER = "USER", "The login name.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_documented_once() {
        let mut names: Vec<_> = ALL.iter().map(|variable| variable.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|variable| variable.help.ends_with('.')));
    }
}
