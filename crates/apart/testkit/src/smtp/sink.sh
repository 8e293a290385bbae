# Keeps one smtp-sink alive for exactly as long as its standard input stays open: however the test
# process ends, the pipe closes, and sink and folder are gone.
# Arguments: those of smtp-sink. Prints the folder that gets the mails.
set -e
trap "" PIPE
folder=$(mktemp -d "${TMPDIR:-/tmp}/countersign-sink.XXXXXX")
cd "$folder"
trap 'kill -KILL "$sink" 2>/dev/null; cd /; rm -rf "$folder"' EXIT

/usr/sbin/smtp-sink -d mail. "$@" </dev/null >/dev/null &
sink=$!
echo "$folder"
exec >&-
cat >/dev/null || true
