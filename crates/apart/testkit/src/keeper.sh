# Keeps one throw-away PostgreSQL alive for exactly as long as its standard input stays open:
# however the test process ends, the pipe closes, and server and folder are gone.
# Arguments: the folder of the server's programs; the folder of the server whose data to begin with, or
# nothing; `-R` to follow that one as its standby, or nothing; then options for the server.
# Prints the folder (it holds the socket) once the server answers.
set -e
# A closed pipe must fail the command that writes to it, not end this shell without its clean-up.
trap "" PIPE
bin=$1
primary=$2
follow=$3
shift 3
folder=$(mktemp -d "${TMPDIR:-/tmp}/countersign-pg.XXXXXX")
cd "$folder"

stop() {
    # One signal can be lost while the server forks, so it is sent until nobody is there.
    while [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null; do sleep 0.05; done
    cd /
    until rm -rf "$folder"; do sleep 0.1; done
}
trap stop EXIT

if [ -z "$primary" ]; then
    "$bin/initdb" -D data -U postgres -A trust -E UTF8 --no-locale --no-sync >log 2>&1
else
    "$bin/pg_basebackup" -D data -h "$primary" -U postgres $follow -c fast --no-sync >log 2>&1
fi || { cat log >&2; exit 1; }
"$bin/postgres" -D data -k "$folder" -c listen_addresses= "$@" >log 2>&1 </dev/null &
server=$!
until grep -qs ready data/postmaster.pid; do
    kill -0 "$server" 2>/dev/null || { cat log >&2; exit 1; }
    sleep 0.02
done
echo "$folder"
exec >&-
cat >/dev/null || true
