#!/bin/sh
# Records a session of `codex review -p` on a source of this repository; it goes to standard output, or with an argument
# into docs/review.md. scripts/record.sh CODEX [write]
set -eu
codex=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/codex-record.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export NO_COLOR=1 COLUMNS=80 GIT_AUTHOR_NAME="Rita Reviewer" GIT_AUTHOR_EMAIL=rita@example.org
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"
"$codex" init --quiet . >/dev/null 2>&1
sed 's/^status: .*/status: unprocessed/' "$here/inbox/archive/2017-06-12-christiano-deep-rl-from-human-preferences.md" >inbox/preferences.md
"$codex" ingest --quiet inbox --max-claims 3 >/dev/null 2>&1
{
    printf '$ codex review -p\n'
    printf 'yVsy' | "$codex" review -p --reviewer "Rita Reviewer <rita@example.org>" 2>&1
} >session
if [ "${2:-}" = write ]; then
    {
        sed '/^<!-- recorded -->$/q' "$here/docs/review.md"
        printf '\n```console\n'
        cat session
        printf '```\n\n'
        sed -n '/^<!-- recorded end -->$/,$p' "$here/docs/review.md"
    } >page
    cp page "$here/docs/review.md"
else
    cat session
fi
