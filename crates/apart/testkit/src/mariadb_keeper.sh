# Keeps one throw-away MariaDB alive for exactly as long as its standard input stays open: however the
# test process ends, the pipe closes, and server and folder are gone.
# Arguments: the folder that holds the server's bin, sbin and share; then options for the server.
# Prints the folder (it holds the socket) once the server answers.
set -e
# A closed pipe must fail the command that writes to it, not end this shell without its clean-up.
trap "" PIPE
base=$1
shift
folder=$(mktemp -d "${TMPDIR:-/tmp}/countersign-maria.XXXXXX")
cd "$folder"

stop() {
    while [ -n "$server" ] && kill -KILL "$server" 2>/dev/null; do sleep 0.05; done
    cd /
    until rm -rf "$folder"; do sleep 0.1; done
}
trap stop EXIT

# A small log: half a test process's time would go into writing it. Asynchronous requests are counted for the
# whole machine, and several servers run out of them.
common="--no-defaults --basedir=$base --datadir=$folder/data --innodb-log-file-size=16M"
common="$common --innodb-use-native-aio=0"
sh "$base/bin/mariadb-install-db" $common --auth-root-authentication-method=normal --skip-test-db \
    >log 2>&1 || { cat log >&2; exit 1; }
"$base/sbin/mariadbd" $common --socket="$folder/socket" --pid-file="$folder/pid" \
    --character-sets-dir="$base/share/mysql/charsets" --lc-messages-dir="$base/share/mysql" \
    --plugin-dir="$base/lib/mysql/plugin" "$@" >log 2>&1 </dev/null &
server=$!
until grep -qs "ready for connections" log; do
    kill -0 "$server" 2>/dev/null || { cat log >&2; exit 1; }
    sleep 0.02
done
echo "$folder"
exec >&-
cat >/dev/null || true
