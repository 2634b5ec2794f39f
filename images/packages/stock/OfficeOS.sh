#!/bin/sh
# Starts OfficeOS from Anbernic's own menu: App Center, APPS. The menu waits for it.
exec sh "$(cd "$(dirname "$0")" && pwd)/officeos/launch"
