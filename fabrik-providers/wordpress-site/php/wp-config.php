<?php
// Written by tests: a site for a moment, on loopback. Its secrets are none.
define('DB_NAME', '{{database}}');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', '{{host}}');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as $name) {
    define($name, 'a salt for tests: ' . $name);
}
$table_prefix = 'wp_';
// Application passwords over plain HTTP.
define('WP_ENVIRONMENT_TYPE', 'local');
// Nothing leaves this machine, nothing happens by itself.
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);
define('WP_DEBUG', false);
/* That's all, stop editing! Happy publishing. */
if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
