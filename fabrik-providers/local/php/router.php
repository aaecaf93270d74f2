<?php
// Serves a WordPress folder with PHP's own server as a web server with pretty permalinks does: files
// that are there as they are, programs by their path, everything else by WordPress itself.
$root = $_SERVER['DOCUMENT_ROOT'];
$path = rawurldecode((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$parts = explode('/', $path);
// What a web server would not hand out: paths that lead out, hidden files, databases.
if (in_array('..', $parts, true) || preg_match('#/\.(?!well-known/)|\.sqlite(-\w+)?$|/wp-content/database/#', $path)) {
    http_response_code(403);
    return true;
}
if (is_dir($root . $path)) {
    $path = rtrim($path, '/') . '/index.php';
}
$file = $root . $path;
if (is_file($file) && pathinfo($file, PATHINFO_EXTENSION) !== 'php') {
    return false;
}
if (!is_file($file)) {
    $path = '/index.php';
    $file = $root . $path;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $path;
$_SERVER['SCRIPT_FILENAME'] = $file;
chdir(dirname($file));
require $file;
