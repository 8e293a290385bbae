<?php
// MediaWiki's own tables and its own hasher, without a wiki: FOLDER TASK ARGUMENTS.
use MediaWiki\MainConfigNames;
use MediaWiki\MainConfigSchema;

[, $folder, $task, $arguments] = $argv;
define('MEDIAWIKI', true);
define('MW_INSTALL_PATH', $folder);
$IP = $folder;
require "$folder/includes/AutoLoader.php";
require "$folder/vendor/autoload.php";
require "$folder/includes/Defines.php";

$answer = match ($task) {
    'schema' => schema($folder, $arguments),
    'hash' => array_map(
        fn ($password) => hasher()->newFromPlaintext($password)->toString(),
        json_decode($arguments)
    ),
    'opens' => array_map(
        fn ($pair) => hasher()->newFromCiphertext($pair[1])->verify($pair[0]),
        json_decode($arguments)
    ),
};
echo json_encode($answer);

// As a wiki has it whose administrator has changed nothing.
function hasher(): PasswordFactory
{
    $default = fn ($name) => MainConfigSchema::getDefaultValue($name);
    return new PasswordFactory(
        $default(MainConfigNames::PasswordConfig),
        $default(MainConfigNames::PasswordDefault)
    );
}

// What the installer runs, with a prefix before every name.
function schema(string $folder, string $prefix): array
{
    $text = '';
    foreach (['tables.sql', 'tables-generated.sql'] as $file) {
        $text .= file_get_contents("$folder/maintenance/$file");
    }
    $text = preg_replace('/^\s*--.*$/m', '', $text);
    $text = str_replace(['/*_*/', '/*i*/'], [$prefix, ''], $text);
    $text = str_replace('/*$wgDBTableOptions*/', 'ENGINE=InnoDB, DEFAULT CHARSET=binary', $text);
    return array_values(array_filter(array_map('trim', explode(';', $text))));
}
