#!/bin/sh
# Fetches what the page has from others anew, by version and hash, as assets/vendor/versions.txt lists it. The names
# by which these files import each other become those of files beside them, so that no import map is needed.
set -eu
here=$(cd "$(dirname "$0")/assets/vendor" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
grep -v '^#' "$here/versions.txt" | while read -r package version hash file name; do
    folder=$(echo "$package-$version" | tr '/@' '__')
    if [ ! -d "$folder" ]; then
        archive=$(npm pack --silent "$package@$version")
        found=$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
        if [ "$found" != "$hash" ]; then
            echo "$package $version is $found and not $hash" >&2
            exit 1
        fi
        mkdir "$folder"
        tar xzf "$archive" -C "$folder" --strip-components 1
    fi
    sed -e 's#from"@lit/reactive-element"#from"./reactive-element.js"#g' \
        -e 's#from"lit-html"#from"./lit-html.js"#g' \
        -e 's#from"\.\./#from"./#g' \
        -e '/^\/\/# sourceMappingURL=/d' "$folder/$file" >"$here/$name"
    echo "$name: $package $version"
done
