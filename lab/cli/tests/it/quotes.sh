#!/bin/sh
# Fails as Helm does where the API server refuses an object: it quotes what it was given.
printf 'Error: INSTALLATION FAILED: Secret in version "v1" cannot be handled as a Secret: ...|' >&2
cat >&2
printf '|...\n' >&2
exit 1
