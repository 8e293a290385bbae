<?php
// A site's accounts by Laravel's own tables, hasher and sign-in: FILE TASK ARGUMENTS.
use Illuminate\Auth\DatabaseUserProvider;
use Illuminate\Container\Container;
use Illuminate\Database\Capsule\Manager;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Hashing\BcryptHasher;
use Illuminate\Support\Facades\Facade;

[, $file, $task, $arguments] = $argv;
foreach (['Auth', 'Database', 'Hashing', 'Session'] as $part) {
    require "Illuminate/$part/autoload.php";
}
$container = new Container();
$manager = new Manager($container);
$manager->addConnection(['driver' => 'sqlite', 'database' => $file]);
$container->instance('db', $manager->getDatabaseManager());
Facade::setFacadeApplication($container);
$database = $manager->getConnection();
$hasher = new BcryptHasher();
$users = new DatabaseUserProvider($database, $hasher, 'users');

$answer = match ($task) {
    'make' => make($database, $hasher, json_decode($arguments)),
    'opens' => array_map(fn ($pair) => opens($users, ...$pair), json_decode($arguments)),
    'stays' => array_map(
        fn ($id) => $users->retrieveByToken($id, "kept by $id") !== null,
        json_decode($arguments)
    ),
};
echo json_encode($answer);

// The table of users as a new site has it, which Laravel's skeleton publishes; the sessions' is the framework's.
function make($database, BcryptHasher $hasher, array $people): array
{
    $database->getSchemaBuilder()->create('users', function (Blueprint $table) {
        $table->id();
        $table->string('name');
        $table->string('email')->unique();
        $table->timestamp('email_verified_at')->nullable();
        $table->string('password');
        $table->rememberToken();
        $table->timestamps();
    });
    ob_start();
    require stream_resolve_include_path('Illuminate/Session/Console/stubs/database.stub');
    ob_end_clean();
    (new CreateSessionsTable())->up();
    return array_map(fn ($person) => add($database, $hasher, ...$person), $people);
}

// Whoever is added is signed in, and remembered.
function add($database, BcryptHasher $hasher, int $id, string $email, string $password): string
{
    $hash = $hasher->make($password);
    $database->table('users')->insert([
        'id' => $id,
        'name' => "user$id",
        'email' => $email,
        'email_verified_at' => '2026-01-01 00:00:00',
        'password' => $hash,
        'remember_token' => "kept by $id",
    ]);
    $database->table('sessions')->insert(
        ['id' => "session $id", 'user_id' => $id, 'payload' => '', 'last_activity' => time()]
    );
    return $hash;
}

function opens(DatabaseUserProvider $users, string $email, string $password): bool
{
    $user = $users->retrieveByCredentials(['email' => $email]);
    return $users->validateCredentials($user, ['password' => $password]);
}
