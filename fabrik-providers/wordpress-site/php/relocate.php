<?php
// php relocate.php DATABASE OLD NEW: one text for another of the same length, everywhere in an
// SQLite database. (Same length, so that serialised PHP stays right.)
[, $file, $old, $new] = $argv;
$db = new PDO('sqlite:' . $file, null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$db->beginTransaction();
foreach ($db->query("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'wp\\_%' ESCAPE '\\'")->fetchAll(PDO::FETCH_COLUMN) as $table) {
    foreach ($db->query("PRAGMA table_info(\"$table\")")->fetchAll(PDO::FETCH_ASSOC) as $column) {
        if (stripos($column['type'], 'TEXT') === false) {
            continue;
        }
        $name = $column['name'];
        $change = $db->prepare("UPDATE \"$table\" SET \"$name\" = replace(\"$name\", :old, :new) WHERE instr(\"$name\", :old) > 0");
        $change->execute(['old' => $old, 'new' => $new]);
    }
}
$db->commit();
