#!/bin/sh
# Gathers the pages of the site in build/docs: README is its start, and links lead where the pages are there.
set -eu
cd "$(dirname "$0")/.."
rm -rf build/docs build/site
mkdir -p build/docs/benchmarks
cp docs/*.md docs/*.png docs/*.svg build/docs/ 2>/dev/null || cp docs/*.md docs/*.png build/docs/
cp benchmarks/*.svg build/docs/benchmarks/
cp CHANGELOG.md build/docs/changelog.md
for page in README:index CONTRIBUTING:contributing; do
    sed -e 's|](docs/|](|g' -e 's|](CHANGELOG.md|](changelog.md|g' -e 's|](CONTRIBUTING.md|](contributing.md|g' \
        "${page%:*}.md" >"build/docs/${page#*:}.md"
done
sed -i.kept -e 's|](\.\./README.md|](index.md|g' build/docs/*.md
rm build/docs/*.kept
