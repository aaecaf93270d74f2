<?php
// php tables.php sqlite FILE | mysql SOCKET DATABASE: all tables as one JSON object on standard
// output: {name: {columns: [...], rows: [[...], ...]}}. Without WordPress, so that nothing changes.
if ($argv[1] === 'sqlite') {
    $db = new PDO('sqlite:' . $argv[2]);
    $names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name";
    $quote = '"';
} else {
    $db = new PDO("mysql:unix_socket={$argv[2]};dbname={$argv[3]};charset=utf8mb4", 'root', '');
    $names = 'SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name';
    $quote = '`';
}
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$all = new stdClass();
foreach ($db->query($names)->fetchAll(PDO::FETCH_COLUMN) as $table) {
    $rows = $db->query("SELECT * FROM $quote$table$quote");
    $columns = [];
    for ($i = 0; $i < $rows->columnCount(); $i++) {
        $columns[] = $rows->getColumnMeta($i)['name'];
    }
    $found = [];
    foreach ($rows->fetchAll(PDO::FETCH_NUM) as $row) {
        // What is no text (there should be none) is still comparable.
        $found[] = array_map(fn ($cell) => $cell === null ? null : (mb_check_encoding((string) $cell, 'UTF-8') ? (string) $cell : 'hex:' . bin2hex((string) $cell)), $row);
    }
    $all->$table = ['columns' => $columns, 'rows' => $found];
}
echo json_encode($all, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
