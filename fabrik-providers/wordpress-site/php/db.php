<?php
// The drop-in for SQLite, found beside it: the folder of a site can be copied anywhere.
define('DATABASE_TYPE', 'sqlite');
define('DB_ENGINE', 'sqlite');
define('SQLITE_DB_DROPIN_VERSION', '1.8.0');
require_once __DIR__ . '/mu-plugins/sqlite-database-integration/wp-includes/sqlite/db.php';
