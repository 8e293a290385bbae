<?php
// WordPress's own tables and its own hasher, without a site: FOLDER TASK ARGUMENTS.
[, $folder, $task, $arguments] = $argv;
define('ABSPATH', "$folder/");
require ABSPATH . 'wp-includes/class-phpass.php';

$answer = match ($task) {
    'schema' => schema($arguments),
    'hash' => array_map(fn ($password) => hasher()->HashPassword(trim($password)), json_decode($arguments)),
    'opens' => array_map(fn ($pair) => hasher()->CheckPassword($pair[0], $pair[1]), json_decode($arguments)),
};
echo json_encode($answer);

// As wp_hash_password and wp_check_password make it.
function hasher(): PasswordHash
{
    return new PasswordHash(8, true);
}

// What dbDelta is given when WordPress is installed.
function schema(string $prefix): array
{
    $GLOBALS['wpdb'] = new class ($prefix) {
        public function __construct(private string $prefix)
        {
        }

        public function __get(string $table): string
        {
            return $this->prefix . $table;
        }

        public function get_charset_collate(): string
        {
            return 'DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci';
        }
    };
    require ABSPATH . 'wp-admin/includes/schema.php';
    $tables = explode(";\n", wp_get_db_schema('all'));
    return array_values(array_filter(array_map('trim', $tables)));
}

function is_multisite(): bool
{
    return false;
}
