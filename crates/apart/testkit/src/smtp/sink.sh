# Keeps one smtp-sink alive for exactly as long as its standard input stays open: however the test
# process ends, the pipe closes, and sink and folder are gone.
# Name of the script: the user that smtp-sink is to become, or nothing. Arguments: smtp-sink and its
# own. Prints the folder that gets the mails.
set -e
trap "" PIPE
user=$0 program=$1
shift
folder=$(mktemp -d "${TMPDIR:-/tmp}/countersign-sink.XXXXXX")
cd "$folder"
trap 'kill -KILL "$sink" 2>/dev/null; cd /; rm -rf "$folder"' EXIT

if [ -n "$user" ]; then
    chown "$user" "$folder"
    set -- -u "$user" "$@"
fi
"$program" -d mail. "$@" </dev/null >/dev/null &
sink=$!
echo "$folder"
exec >&-
cat >/dev/null || true
